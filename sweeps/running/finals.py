"""Runs finals: finalists on folds as tasks of Ray, in the lanes of the sweep, within their time."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from typing import Any

import ray
from ray.exceptions import RayError

from antsbees.data.datasets import Dataset
from antsbees.errors import AntsbeesError
from results.choice import RIVALS
from results.errors import ResultsError
from results.finals import Finals
from results.schema import TrialRecord
from sweeps.errors import SweepError
from sweeps.finals.finalists import best_searched
from sweeps.finals.grouping import Group, is_head, stages_of, together
from sweeps.finals.racing import Race, Turn
from sweeps.finals.standing import FinalsStanding, standing
from sweeps.finals.timing import budget_s, worker_seconds
from sweeps.paths import RunPaths
from sweeps.rows import config_of
from sweeps.running import cluster
from sweeps.running.affording import (
    as_judged,
    chosen_finalists,
    is_fused,
    is_worth_it,
    race_of,
)
from sweeps.running.dividing import divided
from sweeps.running.duplicates import find_duplicates
from sweeps.running.folding import Folded, OnFolds, train_on_folds
from sweeps.running.jobs import job_of
from sweeps.running.lanes import Lane, Place
from sweeps.running.observer import Observer
from sweeps.running.tasks import InFlight, TurnPlacing, first_line, is_spared, send
from sweeps.running.usable import Usable, closed_lanes
from sweeps.running.watch import (
    ASK_HEAD_EVERY_S,
    HEAD_GONE_S,
    LOOK_EVERY_S,
    SILENCE_S,
    signals,
)
from sweeps.spec.models import Finals as Plan
from sweeps.spec.models import SweepSpec

logger = logging.getLogger(__name__)


def run_finals(
    spec: SweepSpec,
    dataset: Dataset,
    paths: RunPaths,
    records: Sequence[TrialRecord],
    observer: Observer,
    closed: Collection[Place] = (),
) -> bool:
    """Run what is missing of a sweep's finals; what cannot be had is told, and loses nothing.

    Args:
        closed: Lanes that the search closed.

    Returns:
        Whether it was ended by a signal; calling again goes on.
    """
    plan = spec.finals
    if not isinstance(plan, Plan):
        return False
    chosen = chosen_finalists(plan, records, len(dataset.pooled))
    table = Finals(paths.finals)
    race = race_of(table, spec.name, plan, chosen, len(dataset.pooled))
    judged = as_judged(plan, chosen, records, len(dataset.pooled), race.folds)
    left_s = budget_s(records, plan.share)
    if len(chosen) < 2 or not is_worth_it(chosen, race, worker_seconds(records, plan.share), plan):
        return False
    try:
        with cluster.connected(spec.address, paths.log(spec.name)):
            running = _Running(spec, dataset, chosen, judged, race, table, observer, closed)
            return running.run(plan, left_s)
    except (AntsbeesError, ResultsError, SweepError, RayError) as error:
        logger.exception("the finals failed")
        observer.noted(f"no finals: {first_line(error)}")
        return False


class _Running:
    """Finals while they run."""

    def __init__(
        self,
        spec: SweepSpec,
        dataset: Dataset,
        rows: Sequence[TrialRecord],
        judged: Sequence[TrialRecord],
        race: Race,
        table: Finals,
        observer: Observer,
        closed: Collection[Place],
    ) -> None:
        self._spec = spec
        self._dataset = dataset
        self._rows = rows
        self._chosen = {trial.trial_number: trial for trial in judged}
        self._race = race
        self._table = table
        self._observer = observer
        self._nodes = cluster.AliveNodes()
        self._flying = InFlight()
        self._received: list[int] = []
        self._given_up: set[Turn] = set()
        self._stopped = self._interrupted = self._is_late = self._is_headless = False
        self._head = cluster.head_address()
        self._asked_at_s = self._answered_at_s = time.monotonic()
        unused = closed_lanes(rows, spec, self._nodes())
        there = cluster.ClusterLanes(spec.lanes, self._nodes, spec.address is not None)
        self._usable = Usable(there, [*closed, *((kind, None) for kind in unused)], observer.noted)

    def run(self, plan: Plan, left_s: float) -> bool:
        """Run repeat after repeat; return whether a signal ended it."""
        self._plan, numbers = plan, list(self._chosen)
        num_images = len(self._dataset.pooled)
        num_learnt = len(self._dataset.train)
        self._placing = TurnPlacing(self._chosen, num_learnt, plan.folds, self._rows)
        with signals() as received:
            self._received = received
            left_s = max(left_s - self._spent_s(), 0.0)
            self._observer.noted(
                f"Finals: {len(numbers)} finalists on {plan.folds} folds of all "
                f"{num_images} images, in at most {left_s:.0f} s"
            )
            self._job = ray.put(job_of(self._spec, self._dataset))
            self._deadline_s = time.monotonic() + left_s
            duplicates = find_duplicates(
                self._usable, self._job, self._observer.noted, self._must_stop
            )
            if duplicates is None:
                return self._interrupted
            places, sentence = divided(self._dataset, plan, self._spec.seed, duplicates)
            if sentence is not None:
                self._observer.noted(sentence)
            for repeat in range(plan.repeats):
                self._numbers, self._repeat = numbers, repeat
                self._tell_standing()
                missing = self._race.missing(numbers, repeat)
                groups = together(
                    missing,
                    self._chosen,
                    lambda trial: is_fused(trial, num_images),
                    lambda turn: self._race.one_by_one(turn, plan.folds),
                )
                self._run_repeat(groups, places[repeat])
                going_on = self._race.going_on(numbers, repeat)
                if self._stopped or not going_on:
                    break
                numbers = going_on
            if self._is_late:
                told = self._standing().sentence
                self._observer.noted(f"Finals: the time is up; {told}")
        return self._interrupted

    def _spent_s(self) -> float:
        slots = sum(lane.slots for lane in self._lanes())
        return sum(row.seconds for row in self._race.folds) / max(slots, 1)

    def _lanes(self) -> tuple[Lane, ...]:
        return self._usable.lanes(time.monotonic())

    def _run_repeat(self, queue: list[Group], places: tuple[tuple[int, ...], ...]) -> None:
        """Run turns in the lanes; late, only those without which there is no winner."""
        essential = self._essential()
        while queue or self._flying.tasks:
            if self._must_stop():
                self._flying.cancel()
                return
            if time.monotonic() > self._deadline_s:
                self._stopped = self._is_late = True
                queue = [group for group in queue if is_spared(group, essential)]
                self._flying.cancel(spared=essential)
                if time.monotonic() > self._deadline_s + SILENCE_S:
                    self._flying.cancel()
                    return
            now_s = time.monotonic()
            for task in self._flying.left_waiting(now_s):
                if self._usable.goes_elsewhere(task.lane, now_s):
                    queue.insert(0, self._flying.take_back(task))
            queue = [group for group in queue if not self._is_given_up(group)]
            self._start(queue, places)
            if not self._flying.tasks and not queue:
                return
            if not self._flying.tasks:
                time.sleep(LOOK_EVERY_S)  # no lane is there just now
                continue
            for ref in ray.wait(list(self._flying.tasks), timeout=LOOK_EVERY_S)[0]:
                queue[:0] = self._collect(ref)

    def _essential(self) -> frozenset[Turn]:
        """Return the first turns of the rivals and of the best of the others."""
        likely = best_searched([*self._chosen.values()])
        return frozenset(
            Turn(trial.trial_number, 0)
            for trial in self._chosen.values()
            if trial.first in RIVALS or trial is likely
        )

    def _is_given_up(self, group: Group) -> bool:
        """Tell whether another fold of the same turn diverged, or could not be trained."""
        return (self._race.failed | self._given_up).issuperset(t.on_all_folds for t in group)

    def _start(self, queue: list[Group], places: tuple[tuple[int, ...], ...]) -> None:
        while queue:
            lanes, now_s = self._lanes(), time.monotonic()
            chosen = self._placing.choose(lanes, self._flying.busy, queue, self._deadline_s, now_s)
            if chosen is None:
                return
            place, slot = chosen
            group, lane = queue.pop(place), slot.lane
            trials = [self._chosen[turn.trial_number] for turn in group]
            asked = OnFolds(
                sweep=self._spec.name,
                trials=tuple((trial.trial_number, config_of(trial)) for trial in trials),
                repeat=group[0].repeat,
                folds=places,
                without=range(len(places)) if group[0].fold is None else (group[0].fold,),
                stages=() if is_head(trials[0]) else self._stages_of(trials[0]),
                lane=str(lane.kind),
                device=lane.device,
                threads=lane.threads,
            )
            task = send(lane, now_s, train_on_folds, self._job, asked)
            self._flying.add(task, group, slot)

    def _stages_of(self, trial: TrialRecord) -> tuple[int, ...]:
        return stages_of(self._chosen, str(trial.backbone))

    def _collect(self, ref: Any) -> list[Group]:
        """Keep what came of a task; return its turns if another machine is to run them."""
        _, group, slot = self._flying.tasks.pop(ref)
        try:
            folded: Folded = ray.get(ref)
        except (AntsbeesError, RayError) as error:
            if self._usable.leaves_out(slot.lane, error):
                return [group]
            logger.warning("finalists %s failed: %s", group, error)
            for turn in dict.fromkeys(turn.on_all_folds for turn in group):
                if turn in self._given_up:
                    continue
                self._given_up.add(turn)
                self._observer.noted(
                    f"Finals: trial {turn.trial_number} could not be trained on folds: "
                    f"{first_line(error)}"
                )
            return []
        for number, reason in folded.failures.items():
            turn = Turn(number, group[0].repeat)
            if turn not in self._race.failed:
                self._observer.noted(f"Finals: trial {number} is no finalist any more: {reason}")
                self._remember_failure(turn, reason)
        rows = [r for r in folded.rows if Turn(r.trial_number, r.repeat) not in self._race.failed]
        if rows:  # one of a turn that diverged in another fold would take the place of that news
            self._table.append(rows)
            self._race.folds.extend(rows)
        self._tell_standing()
        return []

    def _remember_failure(self, turn: Turn, reason: str) -> None:
        """Keep that a finalist diverged, so that no later start of the sweep tries it again."""
        about = (turn.trial_number, turn.repeat, self._plan.folds, reason)
        self._table.append_failure(self._spec.name, *about)
        self._race.failed.add(turn)

    def _tell_standing(self) -> None:
        self._observer.finals_went_on(self._standing())

    def _standing(self) -> FinalsStanding:
        numbers = self._race.still_in(self._numbers)
        return standing(numbers, self._repeat, self._plan.repeats, self._race.folds)

    def _must_stop(self) -> bool:
        """Tell whether a signal came, or the head of Ray is gone."""
        if self._received:
            self._interrupted = self._stopped = True
        now_s = time.monotonic()
        if now_s - self._asked_at_s > ASK_HEAD_EVERY_S:
            self._asked_at_s = now_s
            if cluster.answers(self._head):
                self._answered_at_s = time.monotonic()
        if now_s - self._answered_at_s > HEAD_GONE_S and not self._is_headless:
            self._is_headless = self._stopped = True
            self._observer.noted(f"Finals ended: the head of Ray at {self._head} is gone")
        return self._interrupted or self._is_headless
