"""What failures in a row say of a lane, and what they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeps.running.flights import NOT_STARTED_MESSAGE
from sweeps.running.health import (
    FEW,
    MANY,
    NOT_STARTED,
    Consequence,
    Failure,
    LaneHealth,
    told,
)
from sweeps.running.lanes import LaneKind
from tests.sweeps.sweep_fakes import CPU

GPU_FAULT = Failure(0, LaneKind.GPU, "n1", "RuntimeError", "CUDA error: device 3 is gone")
SUSPECT, LANE, SWEEP = Consequence.SUSPECT, Consequence.LANE, Consequence.SWEEP


def consequences(
    health: LaneHealth, failure: Failure, count: int, first: int = 0
) -> list[Consequence]:
    """Let a number of different trials fail in the same way, one after another."""
    return [
        health.failed(replace(failure, number=n, proposed_at_s=float(n)), now_s=n + 0.5)
        for n in range(first, first + count)
    ]


def test_a_lane_that_never_worked_closes_after_a_few() -> None:
    assert consequences(LaneHealth(), GPU_FAULT, FEW) == [SUSPECT] * (FEW - 1) + [LANE]


def test_a_lane_that_worked_closes_after_many() -> None:
    health = LaneHealth()
    health.completed(LaneKind.GPU, "n1")
    assert consequences(health, GPU_FAULT, MANY) == [SUSPECT] * (MANY - 1) + [LANE]


def test_an_epoch_in_between_starts_the_count_anew() -> None:
    health = LaneHealth()
    assert LANE not in consequences(health, GPU_FAULT, FEW - 1)
    health.completed(LaneKind.GPU, "n1")
    assert LANE not in consequences(health, GPU_FAULT, MANY - 1, first=10)


def test_an_epoch_elsewhere_does_not() -> None:
    health = LaneHealth()
    consequences(health, GPU_FAULT, FEW - 1)
    health.completed(LaneKind.CPU, "n1")
    health.completed(LaneKind.CPU, "n2")
    assert consequences(health, GPU_FAULT, 1, first=10) == [LANE]


def test_another_cause_starts_the_count_anew_and_another_value_does_not() -> None:
    health = LaneHealth()
    consequences(health, GPU_FAULT, FEW - 1)
    other = replace(GPU_FAULT, message="no kernel image is available")
    assert consequences(health, other, 1, first=10) == [SUSPECT]
    same = replace(other, message="no kernel image is available")
    assert consequences(health, same, FEW - 1, first=20) == [SUSPECT] * (FEW - 2) + [LANE]
    missing = replace(GPU_FAULT, message="No such file: '/a/1.jpg'")
    assert missing.cause == replace(missing, message="No such file: '/b/27.jpg'").cause


@pytest.mark.parametrize(
    "failure", [replace(GPU_FAULT, kind="diverged"), replace(GPU_FAULT, epochs=1)]
)
def test_a_failure_of_the_configuration_counts_for_nothing(failure: Failure) -> None:
    assert set(consequences(LaneHealth(), failure, 20)) == {Consequence.CONFIGURATION}


@pytest.mark.parametrize("kind", ["DataError", "WeightsError", "FileNotFoundError"])
@pytest.mark.parametrize("epochs", [0, 2])
def test_a_cause_that_concerns_all_ends_the_sweep_after_a_few(kind: str, epochs: int) -> None:
    failure = replace(GPU_FAULT, kind=kind, epochs=epochs)
    health = LaneHealth()
    health.completed(LaneKind.GPU, "n1")
    assert consequences(health, failure, FEW) == [SUSPECT] * (FEW - 1) + [SWEEP]


def test_where_another_lane_works_it_does_not_concern_all() -> None:
    health = LaneHealth()
    health.completed(LaneKind.CPU, "n2")
    failure = replace(GPU_FAULT, kind="DataError")
    assert consequences(health, failure, FEW)[-1] is LANE


def test_trials_lost_in_one_go_count_once_and_one_trial_once() -> None:
    lost = replace(GPU_FAULT, kind="lost", lost=True, node=None)
    health = LaneHealth()
    at_once = [replace(lost, number=n, proposed_at_s=1.0) for n in range(20)]
    assert {health.failed(failure, now_s=2.0) for failure in at_once} == {SUSPECT}
    health = LaneHealth()
    again = [replace(lost, number=7, proposed_at_s=float(n)) for n in range(20)]
    assert {health.failed(f, now_s=f.proposed_at_s + 0.5) for f in again} == {SUSPECT}
    assert consequences(LaneHealth(), lost, FEW)[-1] is LANE


@pytest.mark.parametrize(
    ("consequence", "open_lanes", "sentence"),
    [
        (LANE, {LaneKind.CPU: CPU},
         "the gpu lane was closed, since its trials keep failing on n1: RuntimeError: CUDA error: "
         "device 3 is gone; they go to the cpu lane"),
        (LANE, {},
         "the gpu lane was closed, since its trials keep failing on n1: RuntimeError: CUDA error: "
         "device 3 is gone; no lane is left"),
        (SWEEP, {},
         "the sweep ended, since no trial can be run on n1: RuntimeError: CUDA error: device 3 is "
         "gone"),
    ],
)  # fmt: skip
def test_the_sentence_names_the_cause(
    consequence: Consequence, open_lanes: dict[LaneKind, object], sentence: str
) -> None:
    trace = replace(GPU_FAULT, message=GPU_FAULT.message + ".\nCompile with TORCH_USE_CUDA_DSA")
    assert told(trace, consequence, open_lanes) == sentence


def test_one_worker_that_does_not_start_has_a_sentence_of_its_own() -> None:
    """What it may be is asked only where there are several machines."""
    fault = replace(GPU_FAULT, kind=NOT_STARTED, message=NOT_STARTED_MESSAGE)
    assert LaneHealth().failed(fault, now_s=1.0) is LANE
    assert told(fault, LANE, {LaneKind.CPU: CPU}) == (
        "the gpu lane was closed, since a worker did not start in 180 s; trials go to the cpu lane"
    )
    assert told(replace(fault, place=(LaneKind.GPU, "id1")), LANE, {}) == (
        "n1 gets no more trials, since a worker did not start in 180 s (can that machine reach "
        "this one on every port?); no lane is left"
    )


def test_where_there_are_several_machines_the_sentence_names_the_one() -> None:
    fault = replace(GPU_FAULT, place=(LaneKind.GPU, "id1"))
    assert fault.places == [(LaneKind.GPU, "id1")]
    assert told(fault, LANE, {LaneKind.CPU: CPU}) == (
        "the gpu lane of n1 was closed, since its trials keep failing: RuntimeError: CUDA error: "
        "device 3 is gone; they go to the cpu lane"
    )
    images = replace(fault, kind="ImagesDifferError", message="this node has other images")
    assert images.places == [(kind, "id1") for kind in LaneKind]
    assert told(images, LANE, {LaneKind.CPU: CPU}) == (
        "n1 gets no more trials, since its trials keep failing: ImagesDifferError: this node has "
        "other images; they go to the cpu lane"
    )
