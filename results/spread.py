"""How far trainings of one configuration lie apart, beyond what their images explain.

Source: the analysis of variance with random effects, one way (Searle, Casella and McCulloch, 1992,
Variance Components, https://doi.org/10.1002/9780470316856, section 3.6).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from results.evidence import Evidence, Floats
from results.finals import FoldRecord
from results.schema import Objective

_Z_975 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Spread:
    """How far trainings of one configuration lie apart.

    Args:
        deviation: The standard deviation of what they score; 0 where it is not known.
        count: Of the trainings it is known from.
    """

    deviation: float = 0.0
    count: int = 1

    @classmethod
    def of(cls, repeats: Iterable[Sequence[Floats]]) -> Spread:
        """Estimate it, less what the luck of images explains.

        Args:
            repeats: What each training of a repeat scored on every image that it was tried on,
                other images each.

        Returns:
            A deviation of 0 where trainings lie no further apart than images do, or there are too
            few to tell.
        """
        between = within = size = 0.0
        num_between = num_within = count = 0
        for trainings in filter(None, repeats):
            counts = np.array([len(values) for values in trainings], np.float64)
            means = np.array([values.mean() for values in trainings])
            total = counts.sum()
            between += float(counts @ (means - counts @ means / total) ** 2)
            within += sum(float(((values - values.mean()) ** 2).sum()) for values in trainings)
            size += float(total - counts @ counts / total)
            num_between += len(trainings) - 1
            num_within += int(total) - len(trainings)
            count += len(trainings)
        if not num_between or not num_within:
            return cls(count=max(count, 1))
        surplus = between / num_between - within / num_within
        return cls(math.sqrt(max(surplus, 0.0) / (size / num_between)), count)

    @property
    def of_mean(self) -> float:
        """The standard error of the mean of these trainings."""
        return self.deviation / math.sqrt(self.count)

    @property
    def of_another(self) -> float:
        """The standard error with which their mean tells what another training will score."""
        return math.hypot(self.deviation, self.of_mean)


def spread_of_folds(folds: Sequence[FoldRecord], objective: Objective) -> Spread:
    """Return the spread of a finalist: each fold of each repeat is a training.

    Args:
        folds: Of one finalist.
    """
    repeats: dict[int, list[Floats]] = {}
    for fold in folds:
        known = Evidence.of(np.minimum([fold.probabilities], 1), np.array(fold.labels))
        repeats.setdefault(fold.repeat, []).append(known.values(objective)[0])
    return Spread.of(repeats.values())


def widened(
    middle: float, ends: tuple[float, float], error: float, objective: Objective
) -> tuple[float, float]:
    """Return the ends of a 95 % interval to which another standard error is added."""
    reach = _Z_975 * error
    low = middle - math.hypot(max(middle - ends[0], 0.0), reach)
    high = middle + math.hypot(max(ends[1] - middle, 0.0), reach)
    return max(low, 0.0), min(high, 1.0) if objective is Objective.VAL_ACCURACY else high
