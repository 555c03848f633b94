"""How far trainings of one configuration lie apart, beyond what their images explain.

Source: the analysis of variance with random effects, one way (Searle, Casella and McCulloch, 1992,
Variance Components, https://doi.org/10.1002/9780470316856, section 3.6).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from results.evidence import Evidence, Floats
from results.finals import FoldRecord
from results.schema import Objective


def spread(trainings: Sequence[Floats]) -> float:
    """Return the standard deviation of what trainings score, less what the luck of images explains.

    Args:
        trainings: What each scored on every image that it was tried on, other images each.

    Returns:
        0 where they lie no further apart than images do, or there are too few to tell.
    """
    counts = np.array([len(values) for values in trainings], np.float64)
    num_trainings, total = len(counts), counts.sum()
    if num_trainings < 2 or total <= num_trainings:
        return 0.0
    means = np.array([values.mean() for values in trainings])
    middle = (means * counts).sum() / total
    between = (counts * (means - middle) ** 2).sum() / (num_trainings - 1)
    within = sum(((values - values.mean()) ** 2).sum() for values in trainings)
    within /= total - num_trainings
    usual_count = (total - (counts**2).sum() / total) / (num_trainings - 1)
    return float(np.sqrt(max(between - within, 0.0) / usual_count))


def spread_of_folds(folds: Sequence[FoldRecord], objective: Objective) -> float:
    """Return the same of a finalist: each fold of each repeat is a training; the mean of repeats.

    Args:
        folds: Of one finalist.
    """
    repeats: dict[int, list[Floats]] = {}
    for fold in folds:
        known = Evidence.of(np.minimum([fold.probabilities], 1), np.array(fold.labels))
        repeats.setdefault(fold.repeat, []).append(known.values(objective)[0])
    squares = [spread(trainings) ** 2 for trainings in repeats.values()]
    return float(np.sqrt(np.mean(squares))) if squares else 0.0
