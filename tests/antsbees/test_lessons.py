"""A fold learns from some of all images, and is judged on the others, as a split would be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from antsbees.config import TrialConfig
from antsbees.lessons import Fold
from tests.antsbees.laboratory import Laboratory, timeless

HEAD = TrialConfig(9, lr=0.01, batch_size=8, epochs=2)
TRAIN = tuple(range(24))  # of the tiny images
VAL = tuple(range(24, 40))


@pytest.mark.parametrize("k", [8, 9])
def test_the_fold_that_is_the_split_gives_its_bits(lite0_lab: Laboratory, k: int) -> None:
    config = replace(HEAD, frozen_stages=k)
    bench = lite0_lab.bench(lite0_lab.cache)
    split, fold = bench.training(config), bench.fold_training(config, TRAIN, VAL)
    for _ in range(config.epochs):
        assert timeless(split.run_epoch()) == timeless(fold.run_epoch())
    assert split.evaluation is not None
    assert fold.evaluation is not None
    assert np.array_equal(split.evaluation.probabilities, fold.evaluation.probabilities)


def test_a_fold_judges_the_images_it_did_not_learn(lite0_lab: Laboratory) -> None:
    held_out = (*range(0, 24, 3), 24, 39)
    learnt = tuple(place for place in range(40) if place not in held_out)
    source = lite0_lab.activations(lite0_lab.cache)
    fold = Fold(source, learnt, held_out)
    labels = lite0_lab.dataset.pooled.labels
    assert fold.labels == tuple(labels[place] for place in learnt)
    assert fold.judged_labels == tuple(labels[place] for place in held_out)
    assert (fold.inputs(9, 1) == source.pooled(9, 1)[list(learnt)]).all()
    assert (fold.judged(9) == source.pooled_val(9)[list(held_out)]).all()


@pytest.mark.parametrize(
    ("learnt", "held_out", "message"),
    [
        ((0, 1), (1, 2), r"cannot be learnt and held out, as are \[1\]"),
        ((1, 0), (2,), r"must be ascending, and in 0 to 39, got \(1, 0\)"),
        ((0, 1), (40,), r"in 0 to 39, got \(40,\)"),
        ((), (1,), r"got \(\)"),
    ],
)
def test_places_that_make_no_fold_are_refused(
    lite0_lab: Laboratory, learnt: tuple[int, ...], held_out: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Fold(lite0_lab.activations(), learnt, held_out)
