"""What a model scores on images that nothing was learnt from or chosen by, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.evidence import Evidence, Floats
from results.ranking import Interval, wilson_interval
from results.schema import Objective

BOOTSTRAPS = 2000


@dataclass(frozen=True)
class UnseenScore:
    """Accuracy and log-loss on test images, each with its 95 % interval.

    The accuracy's interval is Wilson's, the log-loss's comes from a bootstrap over images.
    """

    num_images: int
    accuracy: float
    accuracy_95: Interval
    loss: float
    loss_95: Interval


def score_unseen(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], seed: int = 0
) -> UnseenScore:
    """Sum up what a model answered for test images.

    Args:
        probabilities: ``(images, classes)``.
        labels: ``(images,)``.

    Raises:
        ValueError: As ``Evidence.of``.
    """
    evidence = Evidence.of(np.minimum(probabilities, 1)[None], labels)
    accuracy = float(evidence.means(Objective.VAL_ACCURACY)[0])
    return UnseenScore(
        num_images=len(labels),
        accuracy=accuracy,
        accuracy_95=wilson_interval(accuracy, len(labels)),
        loss=float(evidence.means(Objective.VAL_LOSS)[0]),
        loss_95=_interval_of_mean(evidence.losses[0], seed),
    )


def _interval_of_mean(values: Floats, seed: int) -> Interval:
    generator, count = np.random.default_rng(seed), len(values)
    means = [values[generator.integers(count, size=count)].mean() for _ in range(BOOTSTRAPS)]
    low, high = np.percentile(means, (2.5, 97.5))
    return Interval(float(low), float(high))
