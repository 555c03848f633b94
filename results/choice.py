"""How a winner is chosen among finalists: what is known of each before it answers, and the rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from results.evidence import Evidence
from results.schema import PROBE, TUTORIAL, Objective, TrialRecord
from results.selection import Select, among, best, cheapest_of_the_best

DEFAULT_WEIGHTS = "default"
RIVALS = {TUTORIAL: "the tutorial's", PROBE: "the probe"}
"""The first tries that a winner is held against, and what sentences call them."""


@dataclass(frozen=True)
class KnownBackbone:
    """What is known of a network before it is tried.

    Args:
        num_stages: Of it.
        pretrained_accuracy: Of its default weights, on the images they were trained for.
    """

    num_stages: int
    pretrained_accuracy: float


@dataclass(frozen=True)
class Choice:
    """A choice among finalists, by their places.

    Args:
        depths: How many stages of each are trained; none of a head.
        prices: What each costs to train and to use; equal ones cost the same.
        promises: What is to be expected of each before any image is seen; higher is better.
        is_rival: Whether it is one of ``RIVALS``.
    """

    depths: Sequence[int]
    prices: Sequence[float]
    promises: Sequence[float]
    is_rival: Sequence[bool]

    @classmethod
    def of(cls, finalists: Sequence[TrialRecord], backbones: Mapping[str, KnownBackbone]) -> Choice:
        """Gather what is known of finalists.

        The cheapest has fewest stages to train, then far smaller images, then the fewest epochs,
        those of each training of a soup: what depends on how busy a machine was would choose
        another one each time. Of several networks that cost about the same, the one that was better
        at what it was pre-trained on is chosen: a few hundred images tell less of them than that
        does (Kornblith, Shlens and Le, 2019, https://arxiv.org/abs/1805.08974).

        Args:
            backbones: What is known of each; one that is missing promises nothing, and has as many
                stages as a finalist has frozen.
        """
        depths = _depths(finalists, backbones)
        promises = [_promise(trial, backbones) for trial in finalists]
        is_rival = [trial.first in RIVALS for trial in finalists]
        return cls(depths, _prices(finalists, depths), promises, is_rival)

    @property
    def rule(self) -> Select:
        """The best log-loss; within one standard error, or negligibly behind it, the cheapest."""
        return cheapest_of_the_best(Objective.VAL_LOSS, self.prices, self.is_rival, self.promises)

    def repeated(self, evidence: Evidence, won: int) -> Select:
        """Return the choice to repeat, to correct a winner's score: the plainest that finds it.

        Most winners are the best of what was searched, and owe luck what a best one does; verdicts
        hold them against the rivals. A careful choice, which on many a draw of the images falls
        back on a rival or on what is cheaper, would tell what the care is worth, and not what was
        chosen. Where a rival won, that is the whole rule.
        """
        searched = [place for place, known in enumerate(self.is_rival) if not known]
        if won not in searched:
            return self.rule
        paid, promised = ([of[place] for place in searched] for of in (self.prices, self.promises))
        loss = Objective.VAL_LOSS
        plainer = (
            among(searched, best(loss)),
            among(searched, cheapest_of_the_best(loss, paid, promises=promised)),
        )
        found = (own for own in plainer if int(np.argmax(own(evidence))) == won)
        return next(found, self.rule)


def _promise(trial: TrialRecord, backbones: Mapping[str, KnownBackbone]) -> float:
    known = backbones.get(str(trial.backbone))
    return known.pretrained_accuracy if known and trial.weights == DEFAULT_WEIGHTS else 0.0


def _depths(trials: Sequence[TrialRecord], backbones: Mapping[str, KnownBackbone]) -> list[int]:
    """Return how many stages of each are trained; none of a head."""
    stages = {name: known.num_stages for name, known in backbones.items()}
    for t in trials:
        stages[str(t.backbone)] = max(stages.get(str(t.backbone), 0), _frozen(t))
    return [stages[str(t.backbone)] - _frozen(t) for t in trials]


def _prices(trials: Sequence[TrialRecord], depths: Sequence[int]) -> list[float]:
    """Number what trials cost to train and to use; equal ones cost the same.

    Networks cost the same to use unless one sees about four times as many pixels.
    """
    sizes = [t.soup_size or 1 if depth else 1 for t, depth in zip(trials, depths, strict=True)]
    costs = [
        (depth, _doublings(t), size * (t.epochs or 0))
        for t, depth, size in zip(trials, depths, sizes, strict=True)
    ]
    order = sorted(set(costs))
    return [float(order.index(cost)) for cost in costs]


def _doublings(trial: TrialRecord) -> int:
    return round(math.log2(trial.image_size or 1))


def _frozen(trial: TrialRecord) -> int:
    return trial.frozen_stages or 0
