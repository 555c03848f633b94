"""Tasks of Ray that train finalists: which run, where the next one does, and what they ask for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from results.schema import TrialRecord
from sweeps.finals.grouping import Group
from sweeps.finals.racing import Turn
from sweeps.running import private
from sweeps.running.health import CONCERN_NODE
from sweeps.running.lanes import Lane
from sweeps.running.pace import Pace, Work
from sweeps.running.placing import Busy, Left, Placing

RETRIES = 3  # of a task whose worker or node was lost
NOT_BEGUN_S = 60.0  # that a task waits on a machine for its worker, after which it goes elsewhere


@dataclass
class Task:
    """A task of Ray that was sent to a lane.

    Args:
        ref: Of what it returns.
        key: Under which it leaves word that it has begun.
    """

    ref: Any
    key: str
    lane: Lane
    sent_at_s: float
    has_begun: bool = False

    def is_left_waiting(self, now_s: float) -> bool:
        """Tell whether it has waited for long on its machine, and has not begun."""
        if self.has_begun or self.lane.node is None or now_s - self.sent_at_s <= NOT_BEGUN_S:
            return False
        self.has_begun = private.has_begun(self.key)
        return not self.has_begun

    def cancel(self) -> None:
        """End it with its worker."""
        ray.cancel(self.ref, force=True)


def send(lane: Lane, now_s: float, work: Callable[..., Any], *arguments: Any) -> Task:
    """Have Ray do some work in a lane."""
    key = uuid.uuid4().hex
    ref = ray.remote(_announced).options(**resources(lane)).remote(key, work, *arguments)
    return Task(ref, key, lane, now_s)


def _announced(key: str, work: Callable[..., Any], *arguments: Any) -> Any:
    """Do some work in a worker, and say before that it has begun."""
    private.tell_begun(key)
    return work(*arguments)


@dataclass
class InFlight:
    """Tasks that run, each with its turns and its slot, by what Ray knows them by."""

    tasks: dict[Any, tuple[Task, Group, Busy]] = field(default_factory=dict)

    @property
    def busy(self) -> list[Busy]:
        """The slots at work."""
        return [busy for _, _, busy in self.tasks.values()]

    def add(self, task: Task, group: Group, slot: Busy) -> None:
        """Take in a task that was sent."""
        self.tasks[task.ref] = task, group, slot

    def left_waiting(self, now_s: float) -> list[Task]:
        """Return those that have waited for long on their machines, and have not begun."""
        return [task for task, _, _ in self.tasks.values() if task.is_left_waiting(now_s)]

    def take_back(self, task: Task) -> Group:
        """End a task, forget it, and return its turns."""
        task.cancel()
        return self.tasks.pop(task.ref)[1]

    def cancel(self, spared: frozenset[Turn] = frozenset()) -> None:
        """End tasks with their workers, and forget them; those with a turn to be spared run on."""
        for task, group, _ in list(self.tasks.values()):
            if not is_spared(group, spared):
                self.take_back(task)


def is_spared(group: Group, spared: frozenset[Turn]) -> bool:
    """Tell whether a turn of a group, or the one that it is a fold of, is among those spared."""
    return any(turn.on_all_folds in spared for turn in group)


class TurnPlacing:
    """Chooses the lane of a turn as that of a trial is chosen: where it is expected to end first.

    Args:
        trials: The finalists by number, as they are trained.
        num_folds: A turn on all folds trains once without each.
        rows: They tell how long epochs take in each lane.
    """

    def __init__(
        self,
        trials: Mapping[int, TrialRecord],
        num_images: int,
        num_folds: int,
        rows: Sequence[TrialRecord],
    ) -> None:
        self._trials = trials
        self._num_folds = num_folds
        self._pace = Pace(num_images)
        self._pace.learn_rows(rows)
        self._placing = Placing(self._pace)

    def choose(
        self,
        lanes: Sequence[Lane],
        busy: Sequence[Busy],
        queue: Sequence[Group],
        until_s: float,
        now_s: float,
    ) -> tuple[int, Busy] | None:
        """Return which group of turns begins now, and in which slot; ``None`` for none of them.

        Groups that a lane is equally good at begin in the order they are in.

        The groups that wait are all there are: what they take stands for what is to come.

        Args:
            until_s: When the time is up; after that, what is still to be had begins where it ends
                first, however late that is.
        """
        waiting = [self._work(group) for group in queue]
        for work in waiting:
            self._placing.drew(work)
        in_order = Left(more=1, until_s=until_s if now_s < until_s else None)
        chosen = self._placing.choose(lanes, busy, waiting, in_order, now_s)
        if chosen is None:
            return None
        place, lane = chosen
        ends_s = now_s + self._pace.seconds(waiting[place], lane)
        return place, Busy(waiting[place], lane, ends_s)

    def _work(self, group: Group) -> Work:
        """Describe a group; heads that are trained together take as long as the longest."""
        trials = [self._trials[turn.trial_number] for turn in group]
        num_folds = self._num_folds if group[0].fold is None else 1
        epochs = max(trial.epochs or 1 for trial in trials) * num_folds
        size = max(trial.soup_size or 1 for trial in trials)
        frozen = trials[0].frozen_stages or 0
        return Work(str(trials[0].backbone), frozen, epochs, runs_to_its_end=True, soup_size=size)


def resources(lane: Lane) -> dict[str, Any]:
    """Return what a task of a lane asks Ray for: on its machine, as long as that is there."""
    asked = dict(lane.resources)
    known = {"num_cpus": asked.pop("CPU"), "num_gpus": asked.pop("GPU", 0.0)}
    found: dict[str, Any] = {**known, "resources": asked, "max_retries": RETRIES}
    if lane.node is not None:
        found["scheduling_strategy"] = NodeAffinitySchedulingStrategy(lane.node.id, soft=True)
    return found


def first_line(error: Exception) -> str:
    """Return what an exception says, without the traceback that Ray puts around it."""
    cause = getattr(error, "cause", None) or error
    return (str(cause).strip().splitlines() or [repr(cause)])[0]


def is_of_machine(error: Exception) -> bool:
    """Tell whether a task failed by the machine it ran on."""
    return type(getattr(error, "cause", None) or error).__name__ in CONCERN_NODE
