"""Which of several backbones a search goes on with, by what their probes answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from results.evidence import Evidence
from results.schema import Objective
from results.selection import standard_errors

Probabilities = Sequence[Sequence[float]]


def contenders(answers: Mapping[str, Probabilities], labels: Sequence[int]) -> list[str]:
    """Return the backbones whose probe is within one standard error of the best, the best first.

    They are compared by log-loss; the standard error is that of the difference to the best, image
    by image.

    Args:
        answers: By backbone, ``(images, classes)`` probabilities of the same images.
        labels: Of these images.
    """
    evidence = Evidence.of(np.minimum([*answers.values()], 1), np.asarray(labels))
    means = evidence.means(Objective.VAL_LOSS)
    leads = int(np.argmin(means))
    behind = evidence.losses - evidence.losses[leads]
    within = means - means[leads] <= standard_errors(behind, evidence.counts)
    names = list(answers)
    return [names[place] for place in np.argsort(means, kind="stable") if within[place]]
