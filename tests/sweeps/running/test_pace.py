"""What is known of how long trials take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from results.schema import TrialStatus
from sweeps.running.lanes import Lane, LaneKind, Node
from sweeps.running.pace import Pace, Work, relative_cost
from tests.sweeps.sweep_fakes import CPU, GPU, row

LITE0 = "efficientnet_lite0"
HEAD, DEEP = (LITE0, 9), (LITE0, 0)


def on(name: str, lane: Lane = CPU) -> Lane:
    return replace(lane, node=Node(f"id of {name}", name, {}))


def test_what_was_measured_is_taken_as_it_is() -> None:
    pace = Pace()
    pace.learn(LaneKind.CPU, None, HEAD, 0.5)
    pace.learn(LaneKind.GPU, None, HEAD, 0.25)
    assert (pace.epoch_s(HEAD, CPU), pace.epoch_s(HEAD, GPU)) == (0.5, 0.25)
    assert pace.seconds(Work(*HEAD, epochs=4), CPU) == 2.0


def test_the_newest_epochs_count_but_for_single_ones_that_stand_out() -> None:
    """The first ones of a worker compute activations that later ones find."""
    pace = Pace()
    for seconds in [60.0, 1.0, 1.0]:
        pace.learn(LaneKind.CPU, None, DEEP, seconds)
    assert pace.epoch_s(DEEP, CPU) == 1.0
    for _ in range(9):
        pace.learn(LaneKind.CPU, None, DEEP, 5.0)
    assert pace.epoch_s(DEEP, CPU) == 5.0


def test_other_depths_follow_from_the_nearest_that_was_measured() -> None:
    pace = Pace()
    pace.learn(LaneKind.CPU, None, (LITE0, 7), 2.0)
    assert pace.epoch_s((LITE0, 9), CPU) < 0.1
    assert 2.0 < pace.epoch_s((LITE0, 5), CPU) < pace.epoch_s(DEEP, CPU) < 40
    pace.learn(LaneKind.CPU, None, (LITE0, 1), 100.0)  # deep ones cost more than was guessed
    assert 80 < pace.epoch_s(DEEP, CPU) < 150
    assert pace.epoch_s(("resnet50", 0), CPU) > pace.epoch_s(DEEP, CPU)


def test_a_lane_that_was_never_measured_is_guessed_from_the_one_that_was() -> None:
    pace = Pace(num_images=250)
    assert pace.epoch_s(DEEP, CPU) == pytest.approx(10.0)
    pace.learn(LaneKind.CPU, None, DEEP, 40.0)
    assert not pace.is_measured(LaneKind.GPU)
    assert pace.epoch_s(DEEP, GPU) == pytest.approx(40 / 20)


def test_machines_of_one_kind_are_told_apart() -> None:
    pace = Pace()
    for _ in range(20):
        pace.learn(LaneKind.CPU, "slow", HEAD, 4.0)
        pace.learn(LaneKind.CPU, "fast", HEAD, 1.0)
    assert pace.epoch_s(HEAD, on("slow")) == pytest.approx(4.0)
    assert pace.epoch_s(HEAD, on("fast")) == pytest.approx(1.0)
    assert pace.epoch_s(DEEP, on("slow")) > 2 * pace.epoch_s(DEEP, on("fast"))
    new = pace.epoch_s(HEAD, on("new"))
    assert 1.0 < new < 4.0


def test_a_trial_is_as_long_as_trials_were_before_they_were_stopped() -> None:
    pace = Pace()
    pace.learn(LaneKind.CPU, None, HEAD, 1.0)
    for _ in range(10):
        pace.learn_ended(LaneKind.CPU, Work(*HEAD, epochs=12), 3, beside_s=0.5)
    assert pace.seconds(Work(*HEAD, epochs=12), CPU) == pytest.approx(3.5)
    assert pace.seconds(Work(*HEAD, epochs=1), CPU) == pytest.approx(1.5)
    whole = Work(*HEAD, epochs=12, runs_to_its_end=True)
    assert pace.seconds(whole, CPU) == pytest.approx(12.5)  # a first try, which is not stopped


def test_rows_of_an_earlier_start_teach_as_epochs_do() -> None:
    pace = Pace()
    pace.learn_rows(
        [
            row(0, backbone=LITE0, training_s=90.0, trained_part_s=20.0, epochs_run=10),
            row(1, backbone=LITE0, lane="gpu", trained_part_s=1.0, epochs_run=5,
                status=TrialStatus.STOPPED),
            row(2, backbone=LITE0, lane="tpu"), row(3), row(4, backbone=LITE0, epochs_run=0),
        ]
    )  # fmt: skip
    assert pace.epoch_s(HEAD, CPU) == 2.0
    assert pace.seconds(Work(*HEAD, epochs=4), GPU) == pytest.approx(0.2 * 4 * 0.75)


def test_a_resumed_trial_teaches_nothing() -> None:
    """Some of its epochs ran before its worker began it, perhaps elsewhere."""
    pace, began = Pace(), datetime(2025, 3, 1, tzinfo=UTC)
    slow = row(
        0, backbone=LITE0, training_s=100.0, trained_part_s=90.0, started_at=began,
        finished_at=began + timedelta(seconds=40), worker_pid=1,
    )  # fmt: skip
    pace.learn_rows([slow])
    assert not pace.is_measured(LaneKind.CPU)
    after = replace(
        slow, trial_number=1, training_s=2.0, trained_part_s=1.0,
        started_at=slow.finished_at, finished_at=began + timedelta(seconds=45),
    )  # fmt: skip
    pace.learn_rows([slow, after])
    assert pace.epoch_s(HEAD, CPU) == pytest.approx(0.1)
    assert pace.seconds(Work(*HEAD, epochs=10), CPU) == pytest.approx(1.0 + 3.0)


def test_the_guess_falls_with_the_stages_that_are_frozen() -> None:
    costs = [relative_cost(LITE0, k) for k in range(10)]
    assert costs == sorted(costs, reverse=True)
    assert (costs[0], costs[9]) == (1.0, 0.001)
