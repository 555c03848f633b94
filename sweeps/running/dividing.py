"""Divides the images of a sweep into the folds of its finals."""

from __future__ import annotations

from collections.abc import Sequence

from antsbees.data.datasets import Dataset
from antsbees.data.folds import folds, loosened
from sweeps.spec.models import Finals as Plan

Places = tuple[int, ...]


def divided(
    dataset: Dataset, plan: Plan, seed: int, duplicates: Sequence[int]
) -> tuple[list[tuple[Places, ...]], str | None]:
    """Divide train and val together, near-duplicates kept together.

    Args:
        duplicates: For each image the group of near-duplicates it belongs to.

    Returns:
        The places of the images of each fold, by repeat; and what is to be said of it, if anything.

    Raises:
        DataError: There are too few images.
    """
    labels = dataset.pooled.labels
    groups, alike = loosened(labels, duplicates)
    made = folds(
        labels, num_folds=plan.folds, repeats=plan.repeats, seed=seed, groups=groups,
        names=dataset.classes,
    )  # fmt: skip
    places = [tuple(tuple(fold.tolist()) for fold in repeat) for repeat in made]
    if not alike:
        return places, None
    names = " and ".join(dataset.classes[label] for label in alike)
    return places, (
        f"Finals: the images of {names} are all nearly the same, and are divided into folds "
        "nevertheless: new images of that kind will have lower scores than these"
    )
