"""How far trainings lie apart is found from what each scored on images of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from results.evidence import Floats
from results.spread import spread


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
        squares.append(spread(shares(true, (80, 90, 100, 90, 80), seed)) ** 2)
    # what is below zero counts as zero, so that small ones are a little too large in the mean
    assert known <= np.sqrt(np.mean(squares)) < 1.25 * known


def test_where_only_images_differ_most_find_none() -> None:
    found = [spread(shares([0.8] * 5, [60] * 5, seed)) for seed in range(300)]
    assert np.mean(np.array(found) == 0) > 0.5
    assert np.mean(found) < 0.03


def test_of_trainings_whose_images_are_all_alike_it_is_that_of_their_scores() -> None:
    trainings = [np.full(10, score) for score in (0.6, 0.8, 1.0)]
    assert spread(trainings) == pytest.approx(0.2)


@pytest.mark.parametrize("counts", [(), (20,), (1, 1, 1)])
def test_too_few_tell_nothing(counts: Sequence[int]) -> None:
    assert spread(shares([0.5] * len(counts), counts, 0)) == 0.0
