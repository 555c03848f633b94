"""Which configurations answer best together: greedy selection with replacement.

Source: Caruana et al. (2004), https://doi.org/10.1145/1015330.1015432.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.correction import Corrected, correct
from results.evidence import Evidence, Floats
from results.finals import FoldRecord, OutOfFold, out_of_fold
from results.schema import Objective
from results.selection import Select

MOST_MEMBERS = 50
MOST_OFFERED = 5  # members: each of them costs a training, and time with every answer
BOOTSTRAPS = 500  # choosing an ensemble takes longer than choosing one configuration


@dataclass(frozen=True)
class Ensemble:
    """Configurations that answer together.

    Args:
        sweep: The sweep they are of.
        picks: How often each trial was picked, the most often first: its weight in the mean.
        accuracy: Out of fold, and corrected for the choice.
        loss: The same of the log-loss.
        single_loss: What the rule that chooses a single winner came to on the same bootstraps.
    """

    sweep: str
    picks: dict[int, int]
    accuracy: Corrected
    loss: Corrected
    single_loss: Corrected

    @property
    def num_picks(self) -> int:
        """How many members it has, each counted as often as it was picked."""
        return sum(self.picks.values())

    @property
    def is_better(self) -> bool:
        """Whether it does better than the winner, and does so too where both do badly.

        The lower end of what it is worth, the upper one of its log-loss, beats that of the winner.
        """
        is_lower = self.loss.corrected < self.single_loss.corrected
        return self.num_picks > 1 and is_lower and self.loss.high < self.single_loss.high

    @property
    def offer(self) -> str | None:
        """What to do for it, in words; ``None`` where it is not better."""
        if not self.is_better:
            return None
        return (
            f"an ensemble of {self.num_picks} would be better ({self.sentence}): "
            f"antsbees retrain --sweep {self.sweep} --ensemble {self.num_picks}"
        )

    @property
    def sentence(self) -> str:
        """How its log-loss compares with that of the single winner, in words."""
        return (
            f"log-loss {self.loss.corrected:.3f} instead of {self.single_loss.corrected:.3f}; at "
            f"the bad end of 95 %, {self.loss.high:.3f} instead of {self.single_loss.high:.3f}"
        )


def greedy(most_members: int = MOST_MEMBERS) -> Select:
    """Add the member that lowers the log-loss most, until none does; members may come again.

    Args:
        most_members: Counts a member as often as it was added.

    Raises:
        ValueError: An ensemble of nothing is asked for.
    """
    if most_members < 1:
        raise ValueError(f"an ensemble needs at least 1 member, got {most_members}")

    def select(evidence: Evidence) -> Floats:
        picked = _picked(evidence, most_members)
        mixed: Floats = picked / picked.sum()
        return mixed

    return select


def _picked(evidence: Evidence, most_members: int) -> Floats:
    """Return how often each configuration is picked."""
    right = np.exp(-evidence.losses)  # (configurations, images): of the right class
    shares = evidence.counts / evidence.counts.sum()
    picked = np.zeros(len(right))
    together, lowest = np.zeros(right.shape[1]), np.inf
    for size in range(1, most_members + 1):
        losses = -np.log((together + right) / size) @ shares
        member = int(np.argmin(losses))
        if losses[member] >= lowest - 1e-12:
            break
        lowest = float(losses[member])
        together = together + right[member]
        picked[member] += 1
    return picked


def best_ensemble(
    folds: Sequence[FoldRecord],
    single: Select,
    most_members: int = MOST_OFFERED,
    bootstraps: int = BOOTSTRAPS,
) -> Ensemble | None:
    """Choose an ensemble of finalists, and compare it with the single one that a rule chooses.

    Only one repeat counts, the first: the mean over repeats is an ensemble already. Where rows of
    it are lost, the first in which all answered for every image takes its place.

    Args:
        folds: Of finalists that answered for every image.
        single: The rule, for the same finalists by their numbers.

    Returns:
        ``None`` where no repeat is whole.
    """
    known = _first_whole(folds)
    if known is None:
        return None
    evidence, rule = known.evidence, greedy(most_members)
    picked = _picked(evidence, most_members)
    order = np.argsort(-picked, kind="stable")[: np.count_nonzero(picked)]
    return Ensemble(
        sweep=folds[0].sweep,
        picks={known.trial_numbers[place]: int(picked[place]) for place in order},
        accuracy=correct(evidence, Objective.VAL_ACCURACY, rule, bootstraps),
        loss=correct(evidence, Objective.VAL_LOSS, rule, bootstraps),
        single_loss=correct(evidence, Objective.VAL_LOSS, single, bootstraps),
    )


def _first_whole(folds: Sequence[FoldRecord]) -> OutOfFold | None:
    """Return what the finalists answered in the first repeat that has an answer of all to all."""
    everyone = out_of_fold(folds)
    for repeat in sorted({fold.repeat for fold in folds}):
        known = out_of_fold([fold for fold in folds if fold.repeat == repeat])
        if known.trial_numbers == everyone.trial_numbers and len(known.labels) == len(
            everyone.labels
        ):
            return known
    return None
