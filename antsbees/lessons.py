"""What a training learns from and what it is judged on: splits as they are, or a fold of all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from antsbees.frozen.activations import TRAIN, TRAIN_CENTRED, VAL, Activations

Indices = tuple[int, ...]


class Lesson(Protocol):
    """Images to learn from, and others to be judged on, as what the first k stages put out."""

    @property
    def identity(self) -> str:
        """Which images those are."""

    @property
    def num_classes(self) -> int:
        """How many classes the images have."""

    @property
    def labels(self) -> Indices:
        """The classes of the images to learn from."""

    @property
    def judged_labels(self) -> Indices:
        """The classes of the images to be judged on."""

    def prepare(self, k: int, view: int) -> None:
        """Compute what an epoch needs and no other process is computing."""

    def inputs(self, k: int, view: int) -> Tensor:
        """Return the activations to learn from."""

    def judged(self, k: int) -> Tensor:
        """Return the activations to be judged on."""


@dataclass(frozen=True)
class Splits:
    """Learns from whole splits, and is judged on the validation split.

    Validation images have a single view, also where they are learnt from.
    """

    activations: Activations
    train_on: tuple[str, ...] = (TRAIN,)

    @property
    def identity(self) -> str:
        """See ``Lesson``."""
        return f"{self.train_on} of {self.activations.dataset.fingerprint}"

    @property
    def num_classes(self) -> int:
        """See ``Lesson``."""
        return len(self.activations.dataset.classes)

    @property
    def labels(self) -> Indices:
        """See ``Lesson``."""
        dataset = self.activations.dataset
        return tuple(label for split in self.train_on for label in dataset.split(split).labels)

    @property
    def judged_labels(self) -> Indices:
        """See ``Lesson``."""
        return self.activations.dataset.val.labels

    def prepare(self, k: int, view: int) -> None:
        """See ``Lesson``."""
        self.activations.prepare(k, [(TRAIN, view), (VAL, 0)])

    def inputs(self, k: int, view: int) -> Tensor:
        """See ``Lesson``."""
        return _together(
            [
                self.activations.get(split, k, view if split == TRAIN else 0)
                for split in self.train_on
            ]
        )

    def judged(self, k: int) -> Tensor:
        """See ``Lesson``."""
        return self.activations.val(k)


@dataclass(frozen=True)
class Fold:
    """Learns from some of all images, and is judged on others.

    Validation images have a single view, also where they are learnt from, as in ``Splits``: what is
    found here is how well a training on all images does.

    Args:
        learnt: Places in train and val together, ascending.
        held_out: Places of those to be judged on, ascending.

    Raises:
        ValueError: Places are not ascending, there are none, or one is learnt and judged.
    """

    activations: Activations
    learnt: Indices
    held_out: Indices

    def __post_init__(self) -> None:
        num_images = len(self.activations.dataset.pooled)
        for places in (self.learnt, self.held_out):
            ascending = all(a < b for a, b in pairwise(places))
            if not places or not ascending or places[0] < 0 or places[-1] >= num_images:
                raise ValueError(
                    f"places must be ascending, and in 0 to {num_images - 1}, got {places}"
                )
        if both := set(self.learnt) & set(self.held_out):
            raise ValueError(f"images cannot be learnt and held out, as are {sorted(both)}")

    @property
    def identity(self) -> str:
        """See ``Lesson``."""
        fingerprint = self.activations.dataset.fingerprint
        return f"{self.learnt} without {self.held_out} of {fingerprint}"

    @property
    def num_classes(self) -> int:
        """See ``Lesson``."""
        return len(self.activations.dataset.classes)

    @property
    def labels(self) -> Indices:
        """See ``Lesson``."""
        return self._labels_of(self.learnt)

    @property
    def judged_labels(self) -> Indices:
        """See ``Lesson``."""
        return self._labels_of(self.held_out)

    def prepare(self, k: int, view: int) -> None:
        """See ``Lesson``."""
        self.activations.prepare(k, [(TRAIN, view), (TRAIN_CENTRED, 0), (VAL, 0)])

    def inputs(self, k: int, view: int) -> Tensor:
        """See ``Lesson``."""
        return self._rows((TRAIN, view), k, self.learnt)

    def judged(self, k: int) -> Tensor:
        """See ``Lesson``."""
        return self._rows((TRAIN_CENTRED, 0), k, self.held_out)

    def _labels_of(self, places: Indices) -> Indices:
        labels = self.activations.dataset.pooled.labels
        return tuple(labels[place] for place in places)

    def _rows(self, of_train: tuple[str, int], k: int, places: Indices) -> Tensor:
        """Return rows of a source and view of the training images, and of the validation images."""
        border = self._num_train
        of_first = [place for place in places if place < border]
        of_second = [place - border for place in places if place >= border]
        parts = [
            _taken(self.activations.get(source, k, view), rows)
            for (source, view), rows in zip(
                (of_train, (VAL, 0)), (of_first, of_second), strict=True
            )
            if rows
        ]
        return _together(parts)

    @cached_property
    def _num_train(self) -> int:
        return len(self.activations.dataset.train)


def _taken(rows: Tensor, places: list[int]) -> Tensor:
    """Return some rows; those of a tensor that are all wanted are not copied."""
    if len(places) == len(rows):
        return rows
    return rows[torch.tensor(places, device=rows.device)]


def _together(parts: list[Tensor]) -> Tensor:
    if len({part.device for part in parts}) > 1:  # one does not fit on the GPU
        parts = [part.cpu() for part in parts]
    return parts[0] if len(parts) == 1 else torch.cat(parts)
