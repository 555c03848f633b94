"""What configurations answered for images none of them had learnt from, and how good that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from results.schema import Objective

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LEAST = 1e-12  # of a probability: one that is zero would make a loss infinite


@dataclass(frozen=True)
class Evidence:
    """Out-of-fold probabilities of configurations, and how often each image counts.

    Args:
        probabilities: ``(configurations, images, classes)``.
        labels: ``(images,)``.
        counts: ``(images,)``, all one unless a bootstrap drew them.
        losses: ``(configurations, images)``, the log-loss of every answer.
        hits: ``(configurations, images)``, one where the answer is right.
    """

    probabilities: Floats
    labels: Integers
    counts: Floats
    losses: Floats
    hits: Floats

    @classmethod
    def of(cls, probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> Evidence:
        """Take probabilities and labels as evidence in which every image counts once.

        Raises:
            ValueError: Shapes do not fit, or a value is no probability.
        """
        given, known = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
        if given.ndim != 3 or known.shape != given.shape[1:2] or not given.size:
            raise ValueError(
                "probabilities must be (configurations, images, classes) and labels (images,), "
                f"got {given.shape} and {known.shape}"
            )
        if not (np.isfinite(given).all() and given.min() >= 0 and given.max() <= 1 + 1e-6):
            raise ValueError(
                f"probabilities must lie in [0, 1], got {given.min()} to {given.max()}"
            )
        if known.min() < 0 or known.max() >= given.shape[2]:
            raise ValueError(
                f"labels must lie in 0 to {given.shape[2] - 1}, got {known.min()} to {known.max()}"
            )
        hits = (given.argmax(axis=2) == known).astype(np.float64)
        right = np.take_along_axis(given, known[None, :, None], axis=2)[:, :, 0]
        losses = -np.log(np.maximum(right, _LEAST))
        return cls(given, known, np.ones(len(known)), losses, hits)

    def counted(self, counts: Floats) -> Evidence:
        """Return the same answers with images that count otherwise."""
        return replace(self, counts=counts)

    def scores_of(self, places: Sequence[int]) -> Evidence:
        """Return how well some configurations did, in this order, without what they answered."""
        kept = list(places)
        return replace(
            self,
            probabilities=self.probabilities[:0],
            losses=self.losses[kept],
            hits=self.hits[kept],
        )

    def values(self, objective: Objective) -> Floats:
        """Return what the objective averages: ``(configurations, images)``."""
        return self.hits if objective is Objective.VAL_ACCURACY else self.losses

    def means(self, objective: Objective) -> Floats:
        """Return the objective of every configuration."""
        means: Floats = self.values(objective) @ self.counts / self.counts.sum()
        return means

    def costs(self, objective: Objective) -> Floats:
        """Return the same as ``means`` with lower always better."""
        means = self.means(objective)
        return -means if objective is Objective.VAL_ACCURACY else means

    def mixed(self, weights: Floats, objective: Objective) -> float:
        """Return the objective of a weighted mean of the configurations' probabilities."""
        return float(self.mixed_values(weights, objective) @ self.counts / self.counts.sum())

    def mixed_values(self, weights: Floats, objective: Objective) -> Floats:
        """Return what the objective averages of such a mean, ``(images,)``."""
        chosen = np.flatnonzero(weights)
        if len(chosen) == 1:
            alone: Floats = self.values(objective)[chosen[0]]
            return alone
        shares = weights[chosen] / weights[chosen].sum()
        mixture = np.tensordot(shares, self.probabilities[chosen], axes=1)[None]
        together: Floats = Evidence.of(np.minimum(mixture, 1), self.labels).values(objective)[0]
        return together
