"""What a winner's score owes to having been chosen among many, and what is left of it.

Source: Tsamardinos, Greasidou and Borboudakis (2018), https://doi.org/10.1007/s10994-018-5714-4.
A selection is repeated inside a bootstrap, and scored on the images that were left out; which one,
``Choice.repeated`` says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from results.evidence import Evidence, Floats
from results.ranking import wilson_interval
from results.schema import Objective
from results.selection import CONVINCING, Select, always, best
from results.spread import widened

LEFT_OUT = float(np.exp(-1))
"""The share of the images that a bootstrap leaves out."""
_NARROWING = float(np.sqrt(LEFT_OUT / (1 - LEFT_OUT)))
"""From how means of the images left out spread around the mean of all, which contains them, to how
the mean of all spreads around the truth."""
_TAILS = (2.5, 97.5)
_LEAST_VARIANCE = 1e-12  # of log-losses, so that equal ones have a spread too


@dataclass(frozen=True)
class Corrected:
    """A score as reported and corrected, with the 95 % interval of the corrected one."""

    reported: float
    corrected: float
    low: float
    high: float

    def of_another_training(self, error: float, objective: Objective) -> Corrected:
        """Return the same with an interval that counts the luck of a training, too.

        Args:
            error: The standard error that it adds: see ``Spread.of_another``.
        """
        low, high = widened(self.corrected, (self.low, self.high), error, objective)
        return replace(self, low=low, high=high)


@dataclass(frozen=True)
class Verdict:
    """How a winner compares with a rival.

    Args:
        probability: That the winner is better.
        difference: How much better it is, corrected for having been chosen: a fraction of the
            images, or log-loss; positive is better, for either.
        low: Lower end of its 95 % interval.
        high: Upper end.
        sentence: The same in words.
    """

    probability: float
    difference: float
    low: float
    high: float
    sentence: str

    @property
    def is_convincing(self) -> bool:
        """Whether the winner is surely better."""
        return self.probability >= CONVINCING and self.difference > 0


def bbc(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], objective: Objective,
    bootstraps: int = 1000, seed: int = 0, select: Select | None = None,
) -> Corrected:  # fmt: skip
    """Correct the score of what a rule chooses.

    Args:
        probabilities: Out of fold, ``(configurations, images, classes)``.
        labels: ``(images,)``.
        select: The rule; the best by the objective if left out.

    Raises:
        ValueError: As ``Evidence.of``.
    """
    evidence = Evidence.of(probabilities, labels)
    return correct(evidence, objective, select or best(objective), bootstraps, seed)


def correct(
    evidence: Evidence, objective: Objective, rule: Select, bootstraps: int = 1000, seed: int = 0
) -> Corrected:
    """Correct the score of what a rule chooses on evidence; see ``bbc``.

    The interval of an accuracy is no narrower than Wilson's of as many images.
    """
    scores = np.array(
        [
            left_out.mixed(rule(drawn), objective)
            for drawn, left_out in _draws(evidence, bootstraps, seed)
        ]
    )
    corrected = float(scores.mean())
    low, high = _interval(scores)
    if objective is Objective.VAL_ACCURACY:  # a few errors, or none, hardly spread when drawn
        of_images = wilson_interval(corrected, len(evidence.labels))
        low, high = max(min(low, of_images.low), 0.0), min(max(high, of_images.high), 1.0)
    return Corrected(evidence.mixed(rule(evidence), objective), corrected, max(low, 0.0), high)


def verdict(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], objective: Objective,
    rival: int, name: str, bootstraps: int = 1000, seed: int = 0, select: Select | None = None,
) -> Verdict:  # fmt: skip
    """Compare what a rule chooses with a rival that was not chosen, image by image.

    Args:
        rival: Its place among the configurations.
        name: What the sentence calls it.

    Raises:
        ValueError: As ``Evidence.of``, or there is no such rival.
    """
    evidence = Evidence.of(probabilities, labels)
    if not 0 <= rival < len(evidence.losses):
        raise ValueError(f"rival must be one of 0 to {len(evidence.losses) - 1}, got {rival}")
    other = always(rival)
    return compare(evidence, objective, select or best(objective), other, name, bootstraps, seed)


def compare(
    evidence: Evidence, objective: Objective, rule: Select, other: Select, name: str,
    bootstraps: int = 1000, seed: int = 0, error: float = 0.0,
) -> Verdict:  # fmt: skip
    """Compare what a rule chooses on evidence with what another does; see ``verdict``.

    Args:
        name: What the sentence calls the other's choice.
        error: The standard error that the luck of trainings adds.
    """
    sign = 1 if objective is Objective.VAL_ACCURACY else -1
    chosen, rival = rule(evidence), other(evidence)
    if np.flatnonzero(chosen).tolist() == np.flatnonzero(rival).tolist() and _is_one(rival):
        return Verdict(0.5, 0.0, 0.0, 0.0, f"it is {name}")
    differences = sign * np.array(
        [
            left_out.mixed(rule(drawn), objective) - left_out.mixed(other(drawn), objective)
            for drawn, left_out in _draws(evidence, bootstraps, seed)
        ]
    )
    difference = float(differences.mean())
    apart = evidence.mixed_values(chosen, objective) - evidence.mixed_values(rival, objective)
    spread = max(float(_narrowed(differences).std()), _paired_error(apart, objective))
    curve = NormalDist(difference, math.hypot(spread, error))
    known = Verdict(1 - curve.cdf(0), difference, curve.inv_cdf(0.025), curve.inv_cdf(0.975), "")
    return replace(known, sentence=_sentence(known, name, objective))


def _is_one(weights: Floats) -> bool:
    return int(np.count_nonzero(weights)) == 1


def _paired_error(apart: Floats, objective: Objective) -> float:
    """Return the standard error of the mean difference to a rival, given that of every image.

    A few images that one of two got right are not proof, however one-sided: as Agresti and Min do
    (2005, https://doi.org/10.1002/sim.1781), half an image is added to each side. Without it, two
    that were right everywhere alike would differ with certainty once one image tells them apart.
    """
    num_images = len(apart)
    added = 1 / num_images if objective is Objective.VAL_ACCURACY else _LEAST_VARIANCE
    return float(np.sqrt((apart.var() + added) / num_images))


def _draws(evidence: Evidence, bootstraps: int, seed: int) -> Iterator[tuple[Evidence, Evidence]]:
    """Draw images with replacement; return what was drawn and what was left out, each time."""
    if bootstraps < 1:
        raise ValueError(f"bootstraps must be at least 1, got {bootstraps}")
    num_images = len(evidence.labels)
    if num_images < 2:
        raise ValueError(f"a bootstrap needs at least 2 images, got {num_images}")
    generator = np.random.default_rng(seed)
    drawn_so_far = 0
    while drawn_so_far < bootstraps:
        drawn = generator.integers(num_images, size=num_images)
        counts = np.bincount(drawn, minlength=num_images).astype(np.float64)
        if (counts == 0).any():
            left_out = (counts == 0).astype(np.float64)
            yield evidence.counted(counts), evidence.counted(left_out)
            drawn_so_far += 1


def _narrowed(scores: Floats) -> Floats:
    """Return scores of the images left out with the spread that they would have on all images."""
    middle = scores.mean()
    narrowed: Floats = middle + (scores - middle) * _NARROWING
    return narrowed


def _interval(scores: Floats) -> tuple[float, float]:
    low, high = np.percentile(_narrowed(scores), _TAILS)
    return float(low), float(high)


def _sentence(known: Verdict, name: str, objective: Objective) -> str:
    if objective is Objective.VAL_ACCURACY:
        told = f"{100 * known.difference:+.1f} points"
        ends = f"{100 * known.low:.1f} to {100 * known.high:.1f}"
    else:
        lower = "lower" if known.difference >= 0 else "higher"
        told = f"log-loss {abs(known.difference):.3f} {lower}"
        ends = f"{known.low:.3f} to {known.high:.3f} lower"
    figures = f"({told}, 95 %: {ends})"
    if not known.is_convincing:
        return f"{'not surely' if known.difference > 0 else 'no'} better than {name} {figures}"
    return f"better than {name} with probability {known.probability:.2f} {figures}"
