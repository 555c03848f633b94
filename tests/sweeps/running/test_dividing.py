"""Images are divided into folds, and what is not as it should be is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from antsbees.data.datasets import Dataset
from antsbees.errors import DataError
from sweeps.running.dividing import divided
from sweeps.spec.models import Finals
from tests.sweeps.sweep_fakes import DATASET

PLAN = Finals(folds=2, repeats=2)


def test_near_duplicates_lie_in_one_fold(tiny_dataset: Dataset) -> None:
    pairs = [place // 2 for place in range(len(tiny_dataset.pooled))]
    places, sentence = divided(tiny_dataset, PLAN, 0, pairs)
    assert sentence is None
    for repeat in places:
        assert sorted(place for fold in repeat for place in fold) == list(range(len(pairs)))
        assert all(
            {pairs[p] for p in repeat[0]}.isdisjoint(pairs[p] for p in fold) for fold in repeat[1:]
        )


def test_a_class_whose_images_are_all_alike_has_finals_and_a_sentence(
    tiny_dataset: Dataset,
) -> None:
    labels = tiny_dataset.pooled.labels
    alike = [0 if label == 0 else place for place, label in enumerate(labels, start=1)]
    places, sentence = divided(tiny_dataset, PLAN, 0, alike)
    assert all(sum(labels[p] == 0 for p in fold) == 10 for repeat in places for fold in repeat)
    assert sentence is not None
    assert sentence.startswith("Finals: the images of ants are all nearly the same")


def test_a_class_that_folds_cannot_share_is_called_by_its_name() -> None:
    with pytest.raises(DataError, match="class bees has its only image in one fold"):
        divided(replace(DATASET, train=DATASET.val, val=DATASET.train), PLAN, 0, [0, 1, 2])
