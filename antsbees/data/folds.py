"""Divides labelled images into folds: stratified, with groups kept together, repeated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from antsbees.errors import DataError

Indices = NDArray[np.int64]


def folds(
    labels: Sequence[int] | Indices,
    *,
    num_folds: int,
    repeats: int = 1,
    seed: int = 0,
    groups: Sequence[int] | Indices | None = None,
    names: Sequence[str] = (),
) -> tuple[tuple[Indices, ...], ...]:
    """Divide images into folds, several times over; a pure function of its arguments.

    Every fold has its share of every class, and images of one group lie in one fold. A repeat does
    not depend on how many there are.

    Args:
        groups: The group of each image, such as ``near_duplicates`` finds; by default each image
            is one of its own.
        names: Of the classes, for what is told; by default their numbers.

    Returns:
        ``[repeat][fold]``: the sorted indices of the images held out, each in one fold a repeat.

    Raises:
        DataError: There are too few groups, or a class lies in a single one, so that a fold would
            have nothing to learn it from: see ``loosened``.
    """
    if num_folds < 2:
        raise DataError(f"at least 2 folds are needed, got {num_folds}")
    if repeats < 1:
        raise DataError(f"folds must be made at least once, got {repeats} repeats")
    classes = np.asarray(labels, dtype=np.int64)
    members = _members(np.arange(len(classes)) if groups is None else np.asarray(groups))
    if len(members) < num_folds:
        raise DataError(f"{len(members)} images that differ are too few for {num_folds} folds")
    made = []
    for repeat in range(repeats):
        divided = _divided(classes, members, num_folds, np.random.default_rng((seed, repeat)))
        _require_shared(divided, classes, names)
        made.append(divided)
    return tuple(made)


def loosened(
    labels: Sequence[int] | Indices, groups: Sequence[int] | Indices
) -> tuple[Indices, tuple[int, ...]]:
    """Take the images of a class apart where all of them are in one group, so that folds share it.

    Returns:
        The groups, each image of such classes one of its own; and these classes.
    """
    classes, loose = np.asarray(labels, dtype=np.int64), np.array(groups, dtype=np.int64)
    alike = []
    for label in np.unique(classes):
        (places,) = np.nonzero(classes == label)
        if len(places) > 1 and len(np.unique(loose[places])) == 1:
            alike.append(int(label))
            loose[places] = loose.max() + 1 + np.arange(len(places))
    return loose, tuple(alike)


def _members(groups: Indices) -> list[Indices]:
    """Return the indices of the images of each group."""
    _, first_seen = np.unique(groups, return_inverse=True)
    order = np.argsort(first_seen, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(first_seen[order])) + 1)


def _divided(
    labels: Indices, members: list[Indices], num_folds: int, rng: np.random.Generator
) -> tuple[Indices, ...]:
    """Put each group, the largest first, where its classes are rarest, then where most room is."""
    num_classes = int(labels.max()) + 1
    counts = np.zeros((num_folds, num_classes), dtype=np.int64)
    folds: list[list[Indices]] = [[] for _ in range(num_folds)]
    shuffled = [members[i] for i in rng.permutation(len(members))]
    for group in sorted(shuffled, key=lambda group: (-len(group), labels[group[0]])):
        added = np.bincount(labels[group], minlength=num_classes)
        crowd, sizes = counts @ added, counts.sum(axis=1)
        fold = int(np.lexsort((rng.random(num_folds), sizes, crowd))[0])
        folds[fold].append(group)
        counts[fold] += added
    return tuple(np.sort(np.concatenate(fold)) for fold in folds)


def _require_shared(divided: Sequence[Indices], labels: Indices, names: Sequence[str]) -> None:
    """Raise ``DataError`` where a class lies in a single fold."""
    counts = np.array([np.bincount(labels[fold], minlength=labels.max() + 1) for fold in divided])
    for label, total in enumerate(counts.sum(axis=0)):
        if total and counts[:, label].max() == total:
            what = "its only image" if total == 1 else f"all of its {total} images"
            raise DataError(
                f"class {names[label] if names else label} has {what} in one fold: no fold could "
                "learn it and be scored on it"
            )
