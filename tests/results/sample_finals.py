"""Folds and rows of finalists for the tests of the winner and of the ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from results.choice import KnownBackbone
from results.finals import FoldRecord
from results.schema import TrialRecord
from results.winner import FinalWinner, final_winner
from tests.results.sample_rows import full_row

IMAGES = 40


def folds_of(
    number: int, right: list[float], repeat: int = 0, num_folds: int = 2
) -> list[FoldRecord]:
    """Return the folds of a trial that gives each image's class, 0, so much probability."""
    rows = []
    for fold in range(num_folds):
        images = list(range(fold, len(right), num_folds))
        given = [[right[i], 1 - right[i]] for i in images]
        rows.append(
            FoldRecord(
                sweep="s", trial_number=number, repeat=repeat, fold=fold, num_folds=num_folds,
                score=0.5, accuracy=0.5, loss=0.5, seconds=1.0, images=images,
                labels=[0] * len(images), probabilities=given,
            )
        )  # fmt: skip
    return rows


def trial(number: int, frozen_stages: int = 9, first: str | None = None) -> TrialRecord:
    known = full_row(number, first=first, frozen_stages=frozen_stages)
    return replace(known, epochs=10, backbone="lite0", image_size=224)


def steady(mean: float) -> list[float]:
    return list(np.clip(np.random.default_rng(0).normal(mean, 0.01, IMAGES), 0, 1))


def two_with(frozen_stages: int, folds: Sequence[FoldRecord]) -> FinalWinner:
    """Name the winner of trials 0 and 1, which freeze so many of nine stages."""
    found = final_winner(
        folds, [trial(number, frozen_stages) for number in range(2)], bootstraps=50,
        backbones={"lite0": KnownBackbone(9, 0.75)},
    )  # fmt: skip
    assert found is not None
    return found
