"""How far from the truth the best of many scores is, before and after its correction.

Configurations whose true score is known answer for drawn images: the logit of the right class is
the configuration's own mean, an image's difficulty that all share, and noise.
``python -m benchmarks.studies.correction [--configurations 300] [--images 153,244,400]``
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import numpy as np

from results.correction import Corrected, bbc
from results.evidence import Evidence, Floats
from results.schema import Objective
from results.selection import best

SHARED = 0.7
"""The share of an answer's variance that is the image's difficulty."""
SHARPNESS = 3.0
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(64)


@dataclass(frozen=True)
class Outcome:
    """One sweep: what was said of its winner, and what is true."""

    told: Corrected
    truth: float


def simulate(num_configurations: int, num_images: int, objective: Objective, seed: int) -> Outcome:
    """Draw the answers of a sweep, and correct the score of its best configuration."""
    generator = np.random.default_rng(seed)
    means = generator.normal(1.6, 0.12, size=(num_configurations, 1))  # 94.5 % right
    shared = math.sqrt(SHARED) * generator.standard_normal(num_images)
    noise = math.sqrt(1 - SHARED) * generator.standard_normal((num_configurations, num_images))
    right = 1 / (1 + np.exp(-SHARPNESS * (means + shared + noise)))
    probabilities = np.stack([right, 1 - right], axis=2)
    labels = np.zeros(num_images, np.int64)
    chosen = int(np.argmax(best(objective)(Evidence.of(probabilities, labels))))
    told = bbc(probabilities, labels, objective, bootstraps=200, seed=seed)
    return Outcome(told, _truth(means[chosen], objective))


def _truth(mean: Floats, objective: Objective) -> float:
    if objective is Objective.VAL_ACCURACY:
        return 0.5 * (1 + math.erf(float(mean[0]) / math.sqrt(2)))
    losses = np.log1p(np.exp(-SHARPNESS * (mean + _NODES)))
    return float(losses @ _WEIGHTS / _WEIGHTS.sum())


def summary(outcomes: list[Outcome]) -> tuple[float, float, float, float]:
    """Return mean error as reported and corrected, coverage, and mean width of the interval."""
    reported = float(np.mean([o.told.reported - o.truth for o in outcomes]))
    corrected = float(np.mean([o.told.corrected - o.truth for o in outcomes]))
    covered = float(np.mean([o.told.low <= o.truth <= o.told.high for o in outcomes]))
    width = float(np.mean([o.told.high - o.told.low for o in outcomes]))
    return reported, corrected, covered, width


def main() -> None:
    """Print a row for each number of images and objective."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.correction")
    parser.add_argument("--configurations", type=int, default=300)
    parser.add_argument("--images", default="153,244,400")
    parser.add_argument("--sweeps", type=int, default=200)
    options = parser.parse_args()
    print("| images | objective | reported - true | corrected - true | coverage | width |")
    print("|---|---|---|---|---|---|")
    for num_images in map(int, options.images.split(",")):
        for objective in Objective:
            outcomes = [
                simulate(options.configurations, num_images, objective, seed)
                for seed in range(options.sweeps)
            ]
            figures = " | ".join(f"{value:.4f}" for value in summary(outcomes))
            print(f"| {num_images} | {objective} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
