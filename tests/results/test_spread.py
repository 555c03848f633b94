"""How far trainings lie apart is found from what each scored on images of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from results.evidence import Floats
from results.schema import Objective
from results.spread import Spread, widened

ACCURACY = Objective.VAL_ACCURACY


def shares(true: Sequence[float], counts: Sequence[int], seed: int) -> list[Floats]:
    """Return hits of trainings that are right with the probabilities given."""
    rng = np.random.default_rng(seed)
    return [
        (rng.random(count) < p).astype(np.float64) for p, count in zip(true, counts, strict=True)
    ]


@pytest.mark.parametrize("known", [0.04, 0.08])
def test_it_is_found_in_the_mean_of_many(known: float) -> None:
    rng = np.random.default_rng(0)
    squares = []
    for seed in range(300):
        true = np.clip(rng.normal(0.75, known, 5), 0, 1).tolist()
        found = Spread.of([shares(true, (80, 90, 100, 90, 80), seed)])
        assert found.count == 5
        squares.append(found.deviation**2)
    # what is below zero counts as zero, so that small ones are a little too large in the mean
    assert known <= np.sqrt(np.mean(squares)) < 1.25 * known


def test_where_only_images_differ_most_find_none_and_repeats_make_that_surer() -> None:
    means = []
    for repeats in (1, 5):
        found = [
            Spread.of(shares([0.8] * 5, [60] * 5, 10 * seed + r) for r in range(repeats)).deviation
            for seed in range(200)
        ]
        assert np.mean(np.array(found) == 0) > 0.45
        means.append(np.mean(found))
    assert means[1] < 0.75 * means[0] < 0.03


def test_of_trainings_whose_images_are_all_alike_it_is_that_of_their_scores() -> None:
    trainings = [np.full(10, score) for score in (0.6, 0.8, 1.0)]
    found = Spread.of([trainings])
    assert found.deviation == pytest.approx(0.2)
    assert found.of_mean == pytest.approx(0.2 / math.sqrt(3))
    assert found.of_another == pytest.approx(0.2 * math.sqrt(4 / 3))


def test_a_repeat_of_which_one_fold_is_there_says_nothing_against_the_others() -> None:
    trainings = [np.full(10, score) for score in (0.6, 0.8, 1.0)]
    assert Spread.of([trainings, [np.full(10, 0.7)]]).deviation == pytest.approx(0.2)


@pytest.mark.parametrize("counts", [(), (20,), (1, 1, 1)])
def test_too_few_tell_nothing(counts: Sequence[int]) -> None:
    found = Spread.of([shares([0.5] * len(counts), counts, 0)])
    assert (found.deviation, found.of_another) == (0.0, 0.0)


def test_an_interval_is_widened_by_the_root_of_the_sum_of_squares() -> None:
    low, high = widened(0.6, (0.6 - 0.03 * 1.96, 0.6 + 0.04 * 1.96), 0.04, ACCURACY)
    assert low == pytest.approx(0.6 - 0.05 * 1.96, abs=1e-5)
    assert high == pytest.approx(0.6 + math.sqrt(0.0032) * 1.96, abs=1e-5)
    assert widened(0.6, (0.5, 0.7), 0.0, ACCURACY) == pytest.approx((0.5, 0.7))


def test_the_ends_are_those_of_the_score() -> None:
    assert widened(0.9, (0.8, 0.95), 0.9, ACCURACY) == (0.0, 1.0)
    low, high = widened(0.9, (0.8, 0.95), 0.9, Objective.VAL_LOSS)
    assert (low, high > 1) == (0.0, True)
