"""How often finalists are trained on folds, and who goes on."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from results.finals import FoldRecord
from results.racing import is_behind


@dataclass(frozen=True)
class Turn:
    """One finalist in one repeat.

    Args:
        fold: The only one that it is trained without; ``None`` for each of the repeat.
    """

    trial_number: int
    repeat: int
    fold: int | None = None

    @property
    def on_all_folds(self) -> Turn:
        """The same finalist on all folds of the repeat."""
        return replace(self, fold=None)


@dataclass
class Race:
    """What is known of finals; it grows while they run.

    Args:
        failed: Turns in which a finalist diverged, as it would again.
        is_cheap: Tells of a trial whether a repeat of it takes next to no time.
    """

    folds: list[FoldRecord] = field(default_factory=list)
    failed: set[Turn] = field(default_factory=set)
    is_cheap: Callable[[int], bool] = lambda _: True

    def missing(self, numbers: Sequence[int], repeat: int) -> list[Turn]:
        """Return the turns of a repeat that are still to be had."""
        had = {Turn(fold.trial_number, fold.repeat) for fold in of_whole_repeats(self.folds)}
        wanted = [Turn(number, repeat) for number in numbers]
        return [turn for turn in wanted if turn not in had | self.failed]

    def one_by_one(self, turn: Turn, num_folds: int) -> list[Turn]:
        """Divide a turn into those of its folds that are still to be had."""
        known = {f.fold for f in self.folds if Turn(f.trial_number, f.repeat) == turn}
        return [replace(turn, fold=fold) for fold in range(num_folds) if fold not in known]

    def still_in(self, numbers: Sequence[int]) -> list[int]:
        """Return who has diverged in no repeat."""
        diverged = {turn.trial_number for turn in self.failed}
        return [number for number in numbers if number not in diverged]

    def going_on(self, numbers: Sequence[int], repeat: int) -> list[int]:
        """Return who goes on after a repeat: all not behind the leader by more than chance.

        One that diverged, or has not answered for every fold so far, does not go on. One that is
        left alone has won: it goes on only where that is cheap, for its score becomes little surer
        by it.

        Args:
            numbers: The trials that took part in it.
        """
        left = _not_behind(self.still_in(numbers), repeat, self.folds)
        return left if len(left) > 1 or all(map(self.is_cheap, left)) else []


def _not_behind(numbers: Sequence[int], repeat: int, folds: Sequence[FoldRecord]) -> list[int]:
    known = of_whole_repeats(folds)
    losses = {number: _losses(number, repeat, known) for number in numbers}
    there = {number: found for number, found in losses.items() if found}
    longest = max((len(found) for found in there.values()), default=0)
    there = {number: found for number, found in there.items() if len(found) == longest}
    if len(there) < 2 or longest < 2:
        return list(there)
    leads = min(there.values(), key=statistics.fmean)
    ratio = 1 / (folds[0].num_folds - 1)
    return [number for number, found in there.items() if not is_behind(found, leads, ratio)]


def of_whole_repeats(folds: Sequence[FoldRecord]) -> list[FoldRecord]:
    """Leave out the folds of finalists in repeats of which they lack others."""
    known = Counter((fold.trial_number, fold.repeat) for fold in folds)
    return [fold for fold in folds if known[fold.trial_number, fold.repeat] == fold.num_folds]


def _losses(number: int, repeat: int, folds: Sequence[FoldRecord]) -> list[float]:
    """Return a finalist's losses on all folds up to a repeat, in one order."""
    own = [f for f in folds if f.trial_number == number and f.repeat <= repeat]
    return [fold.loss for fold in sorted(own, key=lambda f: (f.repeat, f.fold))]
