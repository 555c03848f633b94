"""Folds are stratified, keep groups together, and depend on their arguments alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from antsbees.data.folds import folds, loosened
from antsbees.errors import DataError


def shares(held_out: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.bincount(labels[held_out], minlength=labels.max() + 1)


@pytest.mark.parametrize("num_folds", [2, 3, 5])
def test_every_image_is_held_out_once_a_repeat(num_folds: int) -> None:
    labels = np.arange(47) % 3
    made = folds(labels, num_folds=num_folds, repeats=3)
    assert len(made) == 3
    for repeat in made:
        assert len(repeat) == num_folds
        assert sorted(np.concatenate(repeat)) == list(range(47))
        assert all((np.diff(held_out) > 0).all() for held_out in repeat)


def test_classes_and_sizes_differ_by_one_image_at_most() -> None:
    labels = np.repeat([0, 1, 2, 3], [50, 31, 7, 112])
    for repeat in folds(labels, num_folds=5, repeats=4, seed=1):
        spread = np.ptp([shares(held_out, labels) for held_out in repeat], axis=0)
        assert spread.max() <= 1
        assert np.ptp([len(held_out) for held_out in repeat]) <= 1


def test_groups_stay_together_and_classes_are_still_shared_out() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 90, 400)
    labels = groups % 3  # a group has one class
    for repeat in folds(labels, num_folds=5, repeats=3, groups=groups):
        fold_of = np.empty(400, dtype=int)
        for fold, held_out in enumerate(repeat):
            fold_of[held_out] = fold
        assert all(len(set(fold_of[groups == group])) == 1 for group in range(90))
        counts = np.array([shares(held_out, labels) for held_out in repeat])
        assert (counts / counts.sum(axis=0)).max() < 0.25
        assert (counts / counts.sum(axis=0)).min() > 0.15


def test_the_names_of_groups_are_no_matter() -> None:
    labels = np.arange(30) % 2
    groups = np.arange(30) // 2
    one, other = (folds(labels, num_folds=3, groups=g) for g in (groups, groups * 7 + 1000))
    assert all(np.array_equal(a, b) for a, b in zip(one[0], other[0], strict=True))


def test_the_same_arguments_give_the_same_folds_and_a_repeat_stands_alone() -> None:
    labels = np.arange(40) % 2
    two, three = (folds(labels, num_folds=4, repeats=n, seed=5) for n in (2, 3))
    for one, other in zip(two, three[:2], strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(three[0][0], three[1][0])
    assert not np.array_equal(folds(labels, num_folds=4, seed=6)[0][0], three[0][0])


def test_a_class_of_which_all_images_are_alike_is_shared_out_and_others_stay_together() -> None:
    """Image 8 has another class than its near-duplicates, 9 and 10 are alike."""
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    groups = np.array([0, 1, 2, 3, 4, 4, 4, 4, 4, 9, 9, 11])
    loose, alike = loosened(labels, groups)
    assert alike == (1,)
    assert loose[[0, 1, 2, 3, 8, 9, 10, 11]].tolist() == [0, 1, 2, 3, 4, 9, 9, 11]
    assert len(set(loose)) == 11
    for repeat in folds(labels, num_folds=2, repeats=5, groups=loose):
        assert all(shares(held_out, labels)[1] == 2 for held_out in repeat)
    assert loosened([0, 0, 1], [0, 1, 2])[1] == ()  # a single image is alike with nothing


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([0, 1, 0, 1], {"num_folds": 1}, "at least 2 folds are needed, got 1"),
        ([0, 1, 0, 1], {"num_folds": 2, "repeats": 0}, "at least once, got 0 repeats"),
        ([0, 1, 0, 1], {"num_folds": 5}, "4 images that differ are too few for 5 folds"),
        ([0, 0, 1, 1], {"num_folds": 2, "groups": [0, 1, 2, 2]}, "class 1 has all of its 2 images"),
        ([0, 0, 1], {"num_folds": 2}, "class 1 has its only image in one fold"),
        (
            [0, 0, 1],
            {"num_folds": 2, "names": ["ants", "bees"]},
            "class bees has its only image in one fold",
        ),
    ],
)
def test_what_cannot_be_divided_is_refused(
    labels: list[int], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        folds(labels, **options)


def test_ten_thousand_images_are_divided_within_a_second() -> None:
    labels = np.arange(10_000) % 10
    assert len(folds(labels, num_folds=5)[0]) == 5
