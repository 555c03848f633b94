"""How far finals are, and who leads."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from results.finals import FoldRecord
from sweeps.finals.racing import of_whole_repeats


@dataclass(frozen=True)
class FinalsStanding:
    """What is shown of finals while they run.

    Args:
        repeat: The one that runs, from 1.
        taking_part: Finalists in it.
        answered: Those of them that have answered for every image in it.
        leader: The trial with the least mean log-loss, of those that answered most often.
        loss: The leader's.
        accuracy: The leader's.
    """

    repeat: int
    repeats: int
    taking_part: int
    answered: int
    leader: int | None = None
    loss: float | None = None
    accuracy: float | None = None

    @property
    def sentence(self) -> str:
        """The same in words."""
        told = (
            f"repeat {self.repeat} of at most {self.repeats}: "
            f"{self.answered} of {self.taking_part} finalists have answered"
        )
        if self.leader is None:
            return told
        return f"{told}; trial {self.leader} leads: {self.accuracy:.1%}, log-loss {self.loss:.4f}"


def standing(
    numbers: Sequence[int], repeat: int, repeats: int, folds: Sequence[FoldRecord]
) -> FinalsStanding:
    """Tell how far finals are.

    Args:
        numbers: The trials that take part in the repeat.
        repeat: From 0.
    """
    own: dict[int, list[FoldRecord]] = defaultdict(list)
    for fold in of_whole_repeats(folds):
        if fold.trial_number in numbers:
            own[fold.trial_number].append(fold)
    answered = sum(any(fold.repeat == repeat for fold in known) for known in own.values())
    so_far = FinalsStanding(repeat + 1, repeats, len(numbers), answered)
    if not own:
        return so_far
    most = max(map(len, own.values()))
    losses = {
        n: statistics.fmean(f.loss for f in f_s) for n, f_s in own.items() if len(f_s) == most
    }
    leader = min(losses, key=losses.__getitem__)
    hits = sum(fold.accuracy * len(fold.images) for fold in own[leader])
    accuracy = hits / sum(len(fold.images) for fold in own[leader])
    return FinalsStanding(
        repeat + 1, repeats, len(numbers), answered, leader, losses[leader], accuracy
    )
