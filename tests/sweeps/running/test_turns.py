"""What is learned of trials that end."""

from __future__ import annotations

from pathlib import Path

from sweeps.running.flights import InFlight
from sweeps.running.lanes import LaneKind
from sweeps.running.messages import Epoch, Facts
from sweeps.running.pace import Pace, Work
from sweeps.running.turns import Turns
from sweeps.search.study import Asked
from tests.sweeps.search_bench import SPEC, next_of, opened
from tests.sweeps.sweep_fakes import CPU, epoch, make_spec


def test_the_start_of_a_worker_is_no_part_of_the_trials_after_it(tmp_path: Path) -> None:
    study, pace = opened(tmp_path), Pace()
    turns = Turns(study, SPEC, pace)
    work = Work("efficientnet_lite0", 9, 2)
    pace.learn(LaneKind.CPU, None, work.cell, 2.0)
    ends_s = 0.0
    for beside_s in (60.0, 0.5, 0.5):
        began_s, ends_s = ends_s, ends_s + 4.0 + beside_s
        flight = InFlight(next_of(study), CPU, began_s, began_s)
        flight.curve = [Epoch(**epoch(1)), Epoch(**epoch(2))]
        flight.facts = Facts(started_at_s=began_s, node="here", worker_pid=1)
        turns.learn_ended(flight, ends_s)
    assert pace.seconds(work, CPU) == 4.5


def test_epochs_that_an_earlier_try_ran_are_no_time_of_this_one(tmp_path: Path) -> None:
    study, pace = opened(tmp_path), Pace()
    turns, work = Turns(study, SPEC, pace), Work("efficientnet_lite0", 9, 2)
    pace.learn(LaneKind.CPU, None, work.cell, 2.0)
    for restored in (0, 1):
        flight = InFlight(next_of(study), CPU, 0.0, 0.0, restored=restored)
        flight.curve = [Epoch(**epoch(1)), Epoch(**epoch(2))]
        flight.facts = Facts(started_at_s=0.0, node="here", worker_pid=1)
        turns.learn_ended(flight, now_s=5.0)
    assert pace.seconds(work, CPU) == 4.0 + 3.0


def test_activations_that_are_computed_once_do_not_make_a_lane_slow(tmp_path: Path) -> None:
    study, pace = opened(tmp_path), Pace()
    flight = InFlight(next_of(study), CPU, 0.0, 0.0)
    cold = Epoch(**epoch(1) | {"seconds": 50.0, "train_s": 1.5})
    Turns(study, SPEC, pace).learn(flight, [cold])
    assert pace.epoch_s(("efficientnet_lite0", 9), CPU) == 1.5


DEPTHS = make_spec(
    {"frozen_stages": {"choice": ["all", 0]}},
    epochs=2,
    search={"trials": 12, "sampler": "random", "first": ["tutorial"], "minutes": 1},
)


def drawn(turns: Turns, count: int) -> list[Asked]:
    """Return the trials that begin in a lane that is always free, at the start of the minute."""
    found = (turns.next((CPU,), (), 0.0) for _ in range(count))
    return [begun[0] for begun in found if begun is not None]


def slow_at_depth() -> Pace:
    pace = Pace()
    for k, seconds in ((9, 0.1), (0, 20.0)):
        pace.learn(LaneKind.CPU, None, ("efficientnet_lite0", k), seconds)
    return pace


def test_a_trial_that_takes_too_much_of_the_time_gives_way_to_another(tmp_path: Path) -> None:
    study = opened(tmp_path, DEPTHS)
    found = drawn(Turns(study, DEPTHS, slow_at_depth(), 60.0), 99)
    assert [asked.config.frozen_stages for asked in found] == [9] * 12
    assert len(study.numbers()) > 15  # about as many were passed over
    again = opened(tmp_path, DEPTHS)
    assert sorted(asked.number for asked in drawn(Turns(again, DEPTHS, Pace()), 99)) == sorted(
        asked.number for asked in found
    )


def test_without_a_time_limit_every_trial_is_begun(tmp_path: Path) -> None:
    found = drawn(Turns(opened(tmp_path, DEPTHS), DEPTHS, slow_at_depth()), 99)
    assert {asked.config.frozen_stages for asked in found} == {0, 9}
    assert [asked.number for asked in found] == list(range(12))


def test_what_was_begun_before_is_not_passed_over(tmp_path: Path) -> None:
    before = drawn(Turns(opened(tmp_path, DEPTHS), DEPTHS, Pace()), 12)
    after = drawn(Turns(opened(tmp_path, DEPTHS), DEPTHS, slow_at_depth(), 60.0), 99)
    assert {asked.number for asked in after} == {asked.number for asked in before}
    assert 0 in {asked.config.frozen_stages for asked in after}


def test_a_grid_is_tried_as_it_is(tmp_path: Path) -> None:
    spec = make_spec(
        {"frozen_stages": {"choice": ["all", 0]}, "lr": 0.01},
        epochs=2,
        search={"sampler": "grid", "first": [], "minutes": 1},
    )
    found = drawn(Turns(opened(tmp_path, spec), spec, slow_at_depth(), 60.0), 99)
    assert sorted(asked.config.frozen_stages for asked in found) == [0, 9]
