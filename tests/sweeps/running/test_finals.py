"""Who the finalists are, and in which lanes they are trained; the rest needs a real Ray."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import ray

from results.finals import Finals, FoldRecord
from results.schema import TrialRecord
from sweeps.finals.racing import Race, Turn
from sweeps.running.affording import (
    as_judged,
    chosen_finalists,
    is_fused,
    is_worth_it,
    race_of,
)
from sweeps.running.lanes import Lane, LaneKind
from sweeps.running.tasks import RETRIES, is_spared, resources
from sweeps.running.usable import closed_lanes
from sweeps.spec.models import Finals as Plan
from tests.sweeps.sweep_fakes import CPU, GPU, make_spec, row

CPU_ONLY, WITH_GPU = [{"CPU": 2.0}], [{"CPU": 4.0, "GPU": 1.0}]


@pytest.mark.parametrize(
    ("trained_in", "nodes", "closed"),
    [
        (("cpu",), WITH_GPU, [LaneKind.GPU]),  # the GPU lane may have closed during the search
        (("cpu", "gpu"), WITH_GPU, []),
        (("gpu",), WITH_GPU, [LaneKind.CPU]),
        (("gpu",), CPU_ONLY, []),  # the sweep goes on on a machine without a GPU
        (("cpu",), [], []),
    ],
)
def test_a_lane_without_a_finalist_stays_closed_while_another_is_there(
    trained_in: tuple[str, ...], nodes: list[dict[str, float]], closed: list[LaneKind]
) -> None:
    chosen = [row(number, 0.9, lane=lane) for number, lane in enumerate(trained_in)]
    found = closed_lanes(chosen, make_spec(), nodes)
    assert {kind for kind in found if kind in (LaneKind.CPU, LaneKind.GPU)} == set(closed)


def test_finalists_are_those_whose_first_repeat_there_is_time_for() -> None:
    """Deep ones cost what their rows say; heads, which are trained together, nothing."""
    lite0 = {"backbone": "efficientnet_lite0", "epochs": 2, "epochs_run": 2}
    heads = [row(n, 0.5, lr=n / 100, trained_part_s=900.0, **lite0) for n in range(1, 5)]
    deep = [
        row(n, 0.9 - n / 100, frozen_stages=7, lr=n / 100, trained_part_s=seconds, **lite0)
        for n, seconds in ((5, 0.5), (6, 900.0), (7, 0.5))
    ]
    found = chosen_finalists(Plan(count=6), [*heads, *deep], num_images=400)
    assert [trial.trial_number for trial in found] == [5, 7, 1, 2, 3, 4]


DEEP = row(
    5, 0.9, frozen_stages=7, batchnorm="frozen", epochs=2, epochs_run=2, trained_part_s=1.5,
    backbone="efficientnet_lite0",
)  # fmt: skip
"""Without each of five folds it takes ten seconds; there are 30 of them."""


def fold_of(number: int, fold: int, **changes: Any) -> FoldRecord:
    known = FoldRecord(
        sweep="test", trial_number=number, repeat=0, fold=fold, num_folds=2, score=0.5,
        accuracy=0.5, loss=0.5, seconds=75.0, images=[fold], labels=[0],
        probabilities=[[0.6, 0.4]],
    )  # fmt: skip
    return replace(known, **changes)


def sizes(
    deep: TrialRecord, rival: float, *folds: FoldRecord, objective: str = "val_accuracy"
) -> dict[int, int | None]:
    rivals = [
        row(number, rival, first=first, objective=objective)
        for number, first in ((1, "probe"), (2, "tutorial"))
    ]
    chosen = [*rivals, deep, replace(DEEP, trial_number=6, score=0.85)]
    found = as_judged(Plan(), chosen, chosen, 400, folds)
    return {trial.trial_number: trial.soup_size for trial in found}


def test_what_is_likely_to_be_kept_is_judged_as_it_is_kept() -> None:
    """As the mean of three trainings; all others, and what was judged already, as they are."""
    assert sizes(DEEP, 0.8) == {1: None, 2: None, 5: 3, 6: None}
    assert sizes(DEEP, 0.92)[5] is None  # the probe is more likely to be kept
    assert sizes(replace(DEEP, batchnorm="train"), 0.8)[5] is None
    assert sizes(replace(DEEP, frozen_stages=9), 0.8)[5] is None
    assert sizes(replace(DEEP, soup_size=5), 0.8)[5] == 5
    by_loss = replace(DEEP, objective="val_loss", score=0.5)
    assert sizes(by_loss, 0.6, objective="val_loss")[5] == 3
    assert sizes(by_loss, 0.4, objective="val_loss")[5] is None
    dear = replace(DEEP, trained_part_s=2.5)
    assert sizes(dear, 0.8)[5] is None
    for size, goes_on in ((1, None), (None, None), (3, 3)):
        known = fold_of(5, 0, soup_size=size)
        assert [sizes(deep, 0.8, known)[5] for deep in (DEEP, dear)] == [goes_on, goes_on]


@pytest.mark.parametrize(
    ("lane", "asked"),
    [(CPU, {"num_cpus": 1, "num_gpus": 0.0}), (GPU, {"num_cpus": 2, "num_gpus": 0.5})],
)
def test_a_task_asks_ray_for_what_its_lane_does(lane: Lane, asked: dict[str, float]) -> None:
    found = resources(lane)
    assert found == {**asked, "resources": {}, "max_retries": RETRIES}
    ray.remote(lambda: None).options(**found)  # Ray knows every option, or raises


def test_a_head_that_is_trained_alone_is_not_taken_for_free() -> None:
    sgd = row(1, 0.5, backbone="efficientnet_lite0", frozen_stages=9)
    assert is_fused(sgd, 5000)
    assert is_fused(replace(sgd, optimizer="sgd"), 400)
    assert not is_fused(sgd, 5001)
    assert not is_fused(replace(sgd, optimizer="adamw"), 400)
    assert not is_fused(replace(sgd, frozen_stages=8), 400)


def test_what_is_known_of_finals_is_read_from_their_table(tmp_path: Path) -> None:
    """One diverged on these folds, one on others; one of two is a head that is trained fused."""
    table, plan = Finals(tmp_path), Plan(folds=2)
    for number, num_folds in ((1, 2), (2, 5)):
        table.append_failure("test", number, 0, num_folds, "the loss is no longer finite")
    chosen = [row(1, backbone="efficientnet_lite0"), row(2, backbone="resnet50")]
    race = race_of(table, "test", plan, chosen, 400)
    assert race.missing([1, 2], 0) == [Turn(2, 0)]
    assert [race.is_cheap(number) for number in (1, 2)] == [True, False]
    assert race_of(table, "another", plan, chosen, 400).missing([1], 0) == [Turn(1, 0)]


def test_essential_is_a_fold_of_an_essential_turn() -> None:
    spared = frozenset({Turn(1, 0)})
    assert is_spared((Turn(1, 0, 3),), spared)
    assert is_spared((Turn(0, 0), Turn(1, 0)), spared)
    assert not is_spared((Turn(1, 1, 3),), spared)


def test_what_is_missing_is_gone_on_with_while_workers_have_time() -> None:
    """Of two workers with 150 seconds each, 150 are spent: less than the first repeat's share."""
    known = [fold_of(1, fold) for fold in range(2)]
    plan, both = Plan(folds=2, repeats=1), [row(1), row(2)]
    assert is_worth_it(both, Race(known), 300.0, plan)
    assert not is_worth_it(both, Race(known), 200.0, plan)
    assert not is_worth_it(both[:1], Race(known), 300.0, plan)
    assert is_worth_it(both, Race(), 0.0, plan)
    assert not is_worth_it(both, Race(known, {Turn(2, 0)}), 300.0, plan)  # it would diverge again


def test_the_best_of_what_was_searched_is_gone_on_with_though_it_takes_all_the_time() -> None:
    """Its first turn is never cut for want of time: where a fold is missing, there was a kill."""
    known = [fold_of(2, fold) for fold in range(2)] + [fold_of(1, 0)]
    plan, both = Plan(folds=2, repeats=1), [row(1), row(2)]
    assert is_worth_it(both, Race(known), 200.0, plan)
    assert not is_worth_it(both[::-1], Race(known), 200.0, plan)
    assert not is_worth_it(both, Race(known), 70.0, plan)
