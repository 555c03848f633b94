"""What early stopping promises."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune.execution.tune_controller import TrialRunnerWrapper, TuneController
from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler
from ray.tune.utils.object_cache import _ObjectCache

from results.schema import TrialStatus
from sweeps.running.lanes import LaneKind, Place
from sweeps.running.quiet import SaysNothing
from sweeps.running.stopping import AshaForSearched, make_scheduler, rungs
from sweeps.running.workers import MindsTrials
from sweeps.spec.models import SweepSpec
from tests.sweeps.sweep_fakes import make_spec, row

CONTINUE, STOP = TrialScheduler.CONTINUE, TrialScheduler.STOP


def with_asha(epochs: int, grace: int, factor: int, objective: str = "val_accuracy") -> SweepSpec:
    stopping = {"kind": "asha", "grace_epochs": grace, "reduction_factor": factor}
    return make_spec(epochs=epochs, objective=objective, search={"early_stopping": stopping})


def milestones(scheduler: ASHAScheduler) -> set[int]:
    (bracket,) = scheduler._brackets
    return {milestone for milestone, _ in bracket._rungs}


@pytest.mark.parametrize(
    ("epochs", "grace", "factor", "expected"),
    [
        (10, 1, 3, {1, 3, 9}),
        (9, 1, 3, {1, 3}),
        (243, 1, 3, {1, 3, 9, 27, 81}),
        (25, 2, 2, {2, 4, 8, 16}),
        (64, 4, 4, {4, 16}),
        (6, 5, 3, {5}),
        (2, 1, 3, {1}),
    ],
)
def test_the_rungs_are_the_epochs_at_which_ray_decides(
    epochs: int, grace: int, factor: int, expected: set[int]
) -> None:
    spec = with_asha(epochs, grace, factor)
    scheduler = make_scheduler(spec)
    assert isinstance(scheduler, AshaForSearched)
    assert rungs(spec) == expected
    assert {m for m in milestones(scheduler) if m < epochs} == expected


@pytest.mark.parametrize("grace", [3, 4])
def test_grace_to_the_end_stops_nothing(grace: int) -> None:
    spec = with_asha(3, grace, 3)
    assert isinstance(make_scheduler(spec), FIFOScheduler)
    assert not isinstance(make_scheduler(spec), ASHAScheduler)
    assert rungs(spec) == frozenset()


def test_without_early_stopping_trials_run_to_their_end() -> None:
    spec = make_spec(search={"early_stopping": "none"})
    assert isinstance(make_scheduler(spec), FIFOScheduler)
    assert not isinstance(make_scheduler(spec), ASHAScheduler)
    assert rungs(spec) == frozenset()


class Controller:
    """As much of Ray's controller as a scheduler sees when a trial is added."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        self._tune_controller = SimpleNamespace(_actor_cache=self)

    def increase_max(self, request: str) -> None:
        self.kept[request] += 1

    def decrease_max(self, request: str, by: int) -> None:
        self.kept[request] -= by


def a_trial(number: int, is_first: bool = False, lane: str = "cpu", slots: int = 2) -> Any:
    config = {"is_first": is_first, "slots": slots, "lane": lane, "node_id": None}
    config["number"] = number
    return SimpleNamespace(trial_id=str(number), config=config, placement_group_factory=lane)


def test_every_lane_keeps_as_many_workers_as_it_has_slots() -> None:
    for stopping in ("asha", "none"):
        scheduler = make_scheduler(make_spec(search={"early_stopping": stopping}))
        controller = Controller()
        for number in range(10):
            scheduler.on_trial_add(controller, a_trial(number, lane="cpu", slots=3))
            scheduler.on_trial_add(controller, a_trial(10 + number, lane="gpu", slots=1))
        assert controller.kept == {"cpu": 3, "gpu": 1}


def test_a_ray_that_keeps_no_workers_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = make_scheduler(make_spec())
    scheduler.on_trial_add(SimpleNamespace(), a_trial(0))
    assert "this Ray does not let workers be kept" in caplog.text


class Stopping(Controller):
    """As much of Ray's controller as a scheduler sees when it is asked for a trial to run."""

    def __init__(self, *trials: Any) -> None:
        super().__init__()
        self.trials, self.stopped = trials, list[str]()

    def get_live_trials(self) -> set[Any]:
        return set(self.trials)

    def get_trials(self) -> list[Any]:
        return [trial for trial in self.trials if trial.trial_id not in self.stopped]

    def stop_trial(self, trial: Any) -> None:
        self.stopped.append(trial.trial_id)


@dataclass(frozen=True)
class RayTrial:
    """As much of Ray's trial as a scheduler sees when it is asked for one to run."""

    trial_id: str
    status: str


def test_every_step_of_ray_ends_what_should_end_and_leaves_the_rest() -> None:
    trials = [RayTrial("a", "RUNNING"), RayTrial("b", "PENDING"), RayTrial("c", "TERMINATED")]
    for stopping in ("asha", "none"):
        scheduler = make_scheduler(make_spec(search={"early_stopping": stopping}))
        assert isinstance(scheduler, MindsTrials)
        controller = Stopping(*trials)
        assert scheduler.choose_trial_to_run(controller) == trials[1]

        scheduler.overseer = overseer = Overseer()
        assert scheduler.choose_trial_to_run(controller) is None
        assert sorted(overseer.asked) == [("a", True), ("b", False)]
        assert controller.stopped == ["b"]


@dataclass
class Overseer:
    """Ends trial b."""

    asked: list[tuple[str, bool]] = field(default_factory=list)
    slots: int = 1
    closed: set[Place] = field(default_factory=set)

    def should_end(self, trial_id: str, is_running: bool, waits_for_room: bool) -> bool:
        self.asked.append((trial_id, is_running))
        return trial_id == "b"

    def is_closed(self, place: Place) -> bool:
        return place in self.closed

    def num_slots(self) -> int:
        return self.slots


def test_as_many_trials_may_wait_for_workers_as_there_are_slots() -> None:
    scheduler: Any = make_scheduler(make_spec())
    controller, allowed = Stopping(), list[int]()
    controller._tune_controller.update_max_pending_trials = allowed.append
    scheduler.overseer = overseer = Overseer(slots=3)
    for slots in (3, 3, 8, 0):
        overseer.slots = slots
        scheduler.choose_trial_to_run(controller)
    assert allowed == [3, 8, 1]


def test_the_workers_of_a_closed_lane_are_kept_no_longer() -> None:
    scheduler: Any = make_scheduler(make_spec())
    controller = Stopping()
    scheduler.overseer = overseer = Overseer()
    for lane in ("gpu", "cpu"):
        scheduler.on_trial_add(controller, a_trial(0, lane=lane))
    overseer.closed.add((LaneKind.GPU, None))
    scheduler.choose_trial_to_run(controller)
    assert controller.kept == {"gpu": 0, "cpu": 1}


def test_what_is_used_of_ray_s_private_parts_exists() -> None:
    """Nothing warns of their going but the loss of warm workers, and words on the terminal."""
    assert callable(_ObjectCache.increase_max)
    assert callable(_ObjectCache.decrease_max)
    assert callable(TuneController.stop_trial)
    assert callable(TuneController.get_live_trials)
    hooks = {name for name in vars(TrialProgressCallback) if name.startswith("on_")}
    assert "on_trial_result" in hooks
    assert hooks <= set(vars(SaysNothing))
    assert "_actor_cache = _ObjectCache" in inspect.getsource(TuneController.__init__)
    assert "self._tune_controller = " in inspect.getsource(TrialRunnerWrapper.__init__)


@pytest.mark.parametrize(("objective", "good", "bad"), [("val_accuracy", 0.9, 0.1)])
def test_the_rungs_are_filled_with_the_trials_of_an_earlier_start(
    objective: str, good: float, bad: float
) -> None:
    spec = with_asha(9, 1, 3, objective)
    curve = [{"epoch": number, objective: good} for number in range(1, 10)]
    rows = [row(number, good, curve=curve) for number in range(3)]
    rows.append(row(3, None, curve=None, status=TrialStatus.FAILED))
    scheduler = make_scheduler(spec, rows)
    assert decisions(scheduler, 0, [(1, bad)]) == [STOP]
    assert decisions(scheduler, 1, [(1, good), (3, bad)]) == [CONTINUE, STOP]
    assert decisions(make_scheduler(spec), 0, [(1, bad)]) == [CONTINUE]


def test_open_rows_do_not_count_in_the_rungs() -> None:
    """Their trials are taken up again, and count when they report."""
    spec = with_asha(9, 1, 3)
    curve = [{"epoch": 1, "val_accuracy": 0.9}]
    rows = [
        row(0, 0.9, curve=curve, status=TrialStatus.UNFINISHED),
        row(1, 0.9, curve=curve, status=TrialStatus.FAILED, error_kind="lost"),
    ]
    assert decisions(make_scheduler(spec, rows), 2, [(1, 0.1)]) == [CONTINUE]


def test_a_trial_that_is_tried_again_counts_once() -> None:
    """Counted twice, the good one would have a trial stopped that is among the best half."""
    scheduler = make_scheduler(with_asha(8, 1, 2))
    decisions(scheduler, 0, [(1, 0.9)])
    again = a_trial(0)
    again.trial_id = "Ray calls it another"
    scheduler.on_trial_add(Controller(), again)
    assert scheduler.on_trial_result(None, again, {"epoch": 1, "score": 0.9}) == CONTINUE
    decisions(scheduler, 1, [(1, 0.5)])
    assert decisions(scheduler, 2, [(1, 0.8)]) == [CONTINUE]


def decisions(
    scheduler: TrialScheduler, number: int, scores: list[tuple[int, float]], is_first: bool = False
) -> list[str]:
    """Report a trial's scores at its epochs, until it is stopped."""
    trial = a_trial(number, is_first)
    scheduler.on_trial_add(Controller(), trial)
    decided: list[str] = []
    for epoch, score in scores:
        decided.append(scheduler.on_trial_result(None, trial, {"epoch": epoch, "score": score}))
        if decided[-1] == STOP:
            break
    return decided


@pytest.mark.parametrize(("objective", "worse"), [("val_accuracy", -1), ("val_loss", 1)])
def test_a_trial_that_is_worse_at_a_rung_is_stopped(objective: str, worse: int) -> None:
    scheduler = make_scheduler(with_asha(9, 1, 3, objective))
    for number in range(3):
        better = decisions(scheduler, number, [(1, 0.5), (3, 0.6), (8, 0.6)])
        assert better == [CONTINUE] * 3
    assert decisions(scheduler, 3, [(1, 0.5 + 0.1 * worse)]) == [STOP]
    assert decisions(scheduler, 4, [(1, 0.5), (3, 0.6 + 0.1 * worse)]) == [CONTINUE, STOP]


def test_a_first_try_is_never_stopped_before_its_end() -> None:
    scheduler = make_scheduler(with_asha(9, 1, 3))
    for number in range(3):
        decisions(scheduler, number, [(1, 0.9), (3, 0.9)])
    poor = [(1, 0.1), (3, 0.1), (8, 0.1), (25, 0.1)]
    assert decisions(scheduler, 3, poor, is_first=True) == [CONTINUE] * 4
    assert decisions(scheduler, 4, poor) == [STOP]


def test_a_first_try_counts_in_the_rungs() -> None:
    scheduler = make_scheduler(with_asha(9, 1, 3))
    decisions(scheduler, 0, [(1, 0.9)], is_first=True)
    assert decisions(scheduler, 1, [(1, 0.8)]) == [STOP]


def test_a_trial_that_goes_on_counts_in_each_rung_and_is_judged_in_the_last() -> None:
    """It reports all of its epochs at once, the score of each rung among them."""
    scheduler = make_scheduler(with_asha(9, 1, 3))
    assert decisions(scheduler, 0, [(1, 0.8), (3, 0.6)]) == [CONTINUE] * 2
    trial = a_trial(1)
    scheduler.on_trial_add(Controller(), trial)
    scores = [0.7, 0.7, 0.9, 0.95]  # it was let pass the first rung, before the interruption
    epochs = [{"epoch": n, "val_accuracy": score} for n, score in enumerate(scores, 1)]
    report = {"epoch": 4, "score": 0.95, "epochs": epochs}
    assert scheduler.on_trial_result(None, trial, report) == CONTINUE
    kept_best_third = decisions(scheduler, 2, [(1, 0.78), (3, 0.81)])
    assert kept_best_third == [CONTINUE] * 2  # beside 0.8 and 0.7, and beside 0.6 and 0.9
    assert decisions(scheduler, 3, [(1, 0.8), (3, 0.7)]) == [CONTINUE, STOP]


def test_a_failed_trial_is_not_judged() -> None:
    scheduler = make_scheduler(with_asha(9, 1, 3))
    trial = a_trial(0)
    scheduler.on_trial_add(Controller(), trial)
    scheduler.on_trial_complete(None, trial, {"done": True, "error_kind": "diverged"})
    assert milestones(scheduler) == {1, 3, 9}
