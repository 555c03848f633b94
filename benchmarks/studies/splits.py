"""Divides a folder of images anew for a study: re-splits with an unseen part, and small subsets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from antsbees.data.datasets import Dataset, Split
from antsbees.data.images import decode

SHARES = {"train": 0.40, "val": 0.25, "unseen": 0.35}


def resplit(dataset: Dataset, folder: Path, seed: int) -> Path:
    """Divide all images by class into train and val of a new folder, and others nobody sees.

    Args:
        folder: Gets ``train/<class>/`` and ``val/<class>/``, and beside it ``<folder>-unseen`` gets
            ``<class>/``; they hold links.

    Returns:
        The folder of the unseen images.
    """
    unseen = folder.with_name(f"{folder.name}-unseen")
    rng = np.random.default_rng(seed)
    for label in range(len(dataset.classes)):
        of_class = list(_paths(dataset.pooled, label))
        order = rng.permutation(len(of_class))
        ends = np.round(np.cumsum(list(SHARES.values())) * len(of_class)).astype(int)
        for place, part in zip(SHARES, np.split(order, ends[:-1]), strict=True):
            below = unseen if place == "unseen" else folder / place
            _link([of_class[i] for i in part], below / dataset.classes[label])
    return unseen


def few(dataset: Dataset, folder: Path, count: int, seed: int) -> Path:
    """Link ``count`` training images a class, and all validation images, into a new folder."""
    rng = np.random.default_rng(seed)
    for label, name in enumerate(dataset.classes):
        train = list(_paths(dataset.train, label))
        chosen = np.sort(rng.permutation(len(train))[:count])
        _link([train[i] for i in chosen], folder / "train" / name)
        _link(list(_paths(dataset.val, label)), folder / "val" / name)
    return folder


def small(source: Path, folder: Path, edge: int) -> Path:
    """Write every image below a folder anew, its shorter side ``edge`` pixels long."""
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        image = decode(path)
        scale = edge / min(image.size)
        target = (folder / path.relative_to(source)).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        image.resize((round(image.width * scale), round(image.height * scale))).save(target)
    return folder


def _paths(split: Split, label: int) -> Iterator[Path]:
    """Yield the images of a class."""
    return (path for path, of in zip(split.paths, split.labels, strict=True) if of == label)


def _link(paths: list[Path], folder: Path) -> None:
    """Link images under names that say which split each comes from, as both may use one name."""
    folder.mkdir(parents=True)
    for path in paths:
        os.symlink(path.absolute(), folder / f"{path.parent.parent.name}-{path.name}")
