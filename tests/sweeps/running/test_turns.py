"""What is learned of trials that end."""

from __future__ import annotations

from pathlib import Path

from sweeps.running.flights import InFlight
from sweeps.running.lanes import LaneKind
from sweeps.running.messages import Epoch, Facts
from sweeps.running.pace import Pace, Work
from sweeps.running.turns import Turns
from tests.sweeps.search_bench import SPEC, next_of, opened
from tests.sweeps.sweep_fakes import CPU, epoch


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
