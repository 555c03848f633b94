"""Which configurations answer best together: the winner, and whoever helps it.

Source: greedy selection after Caruana et al. (2004), https://doi.org/10.1145/1015330.1015432. They
let members come again; of a few hundred images that makes too much (see ``docs/search.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.correction import Corrected, Verdict, compare, correct
from results.evidence import Evidence, Floats
from results.finals import FoldRecord, OutOfFold, out_of_fold
from results.schema import Objective
from results.selection import NEGLIGIBLE, Select, as_found, one

MOST_OFFERED = 5  # members: each of them costs a training, and time with every answer
SINGLE = "the single winner"  # what sentences call it
BOOTSTRAPS = 500  # choosing an ensemble takes longer than choosing one configuration


@dataclass(frozen=True)
class Ensemble:
    """Configurations that answer together: the mean of their probabilities.

    Args:
        sweep: The sweep they are of.
        members: Their trials, that of the winner first.
        accuracy: Out of fold, and corrected for the choice.
        loss: The same of the log-loss.
        verdict: How it compares with the single winner, by log-loss.
    """

    sweep: str
    members: tuple[int, ...]
    accuracy: Corrected
    loss: Corrected
    verdict: Verdict

    @property
    def is_better(self) -> bool:
        """Whether it is surely better than the winner, image by image, and not negligibly so."""
        is_of_use = self.verdict.difference > NEGLIGIBLE
        return len(self.members) > 1 and self.verdict.is_convincing and is_of_use

    @property
    def offer(self) -> str | None:
        """What to do for it, in words; ``None`` where it is not better."""
        if not self.is_better:
            return None
        return (
            f"an ensemble of {len(self.members)} would be {self.verdict.sentence}: "
            f"antsbees retrain --sweep {self.sweep} --ensemble {len(self.members)}"
        )


def helped(first: Select, most_members: int = MOST_OFFERED) -> Select:
    """Start with what a rule chooses; add whoever lowers the log-loss most, until none does.

    Args:
        most_members: With the first.

    Raises:
        ValueError: An ensemble of nothing is asked for.
    """
    if most_members < 1:
        raise ValueError(f"an ensemble needs at least 1 member, got {most_members}")

    def select(evidence: Evidence) -> Floats:
        members = _members(evidence, int(np.argmax(first(evidence))), most_members)
        return _shares(members, len(evidence.losses))

    return select


def _shares(members: list[int], length: int) -> Floats:
    weights = np.zeros(length)
    weights[members] = 1 / len(members)
    return weights


def _members(evidence: Evidence, first: int, most_members: int) -> list[int]:
    """Return the places of members, in the order in which they were added."""
    right = np.exp(-evidence.losses)  # (configurations, images): of the right class
    shares = evidence.counts / evidence.counts.sum()
    members, together = [first], right[first]
    lowest = float(-np.log(together) @ shares)
    while len(members) < min(most_members, len(right)):
        losses = -np.log((together + right) / (len(members) + 1)) @ shares
        losses[members] = np.inf
        member = int(np.argmin(losses))
        if losses[member] >= lowest - 1e-12:
            break
        lowest = float(losses[member])
        together = together + right[member]
        members.append(member)
    return members


def best_ensemble(
    folds: Sequence[FoldRecord],
    winner: int,
    single: Select,
    most_members: int = MOST_OFFERED,
    bootstraps: int = BOOTSTRAPS,
    error: float = 0.0,
) -> Ensemble | None:
    """Choose who helps the winner, and compare them together with what a rule alone chooses.

    Only one repeat counts, the first: the mean over repeats is an ensemble already. Where rows of
    it are lost, the first in which all answered for every image takes its place.

    Args:
        folds: Of finalists that answered for every image.
        winner: Its trial, which the rule chose on all repeats.
        single: The choice that the winner came out of, for the same finalists by their numbers.
        error: The standard error that the luck of the winner's trainings adds.

    Returns:
        ``None`` where no repeat is whole.
    """
    known = _first_whole(folds)
    if known is None:
        return None
    evidence, place = known.evidence, known.trial_numbers.index(winner)
    members = _members(evidence, place, most_members)
    shares = _shares(members, len(known.trial_numbers))
    rule = as_found(shares, helped(single, most_members), evidence)
    alone = as_found(one(place, len(shares)), single, evidence)
    accuracy, loss = (correct(evidence, objective, rule, bootstraps) for objective in Objective)
    return Ensemble(
        sweep=folds[0].sweep,
        members=tuple(known.trial_numbers[place] for place in members),
        accuracy=accuracy,
        loss=loss,
        verdict=compare(evidence, Objective.VAL_LOSS, rule, alone, SINGLE, bootstraps, error=error),
    )


def _first_whole(folds: Sequence[FoldRecord]) -> OutOfFold | None:
    """Return what the finalists answered in the first repeat that has an answer of all to all."""
    everyone = out_of_fold(folds)
    for repeat in sorted({fold.repeat for fold in folds}):
        known = out_of_fold([fold for fold in folds if fold.repeat == repeat])
        has_all_images = len(known.labels) == len(everyone.labels)
        if has_all_images and known.trial_numbers == everyone.trial_numbers:
            return known
    return None
