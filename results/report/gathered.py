"""What a report is made from: rows, folds, and what is known of the images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from results.finals import FoldRecord, OutOfFold, out_of_fold
from results.schema import Objective, TrialRecord
from results.winner import FinalWinner


@dataclass(frozen=True)
class Images:
    """The images of a sweep as a list, those to learn from first; folds count in this order.

    Args:
        names: Paths below the folder of the images.
        labels: The class of each, by its place in ``classes``.
        num_train: How many are there to learn from; the others validate.
        groups: The first image of each one's near-duplicates; ``None`` if nobody looked.
    """

    names: Sequence[str]
    labels: Sequence[int]
    classes: Sequence[str]
    num_train: int
    groups: Sequence[int] | None = None

    def split(self, place: int) -> str:
        """Return ``train`` or ``val``."""
        return "train" if place < self.num_train else "val"


@dataclass(frozen=True)
class Importance:
    """How much a hyperparameter decided, as a share of all, with a 95 % interval."""

    name: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Reproduction:
    """What somebody else needs to run the sweep again.

    Args:
        spec: The text of a YAML file.
        commands: In the order they are typed.
    """

    spec: str
    commands: Sequence[str]


@dataclass(frozen=True)
class Gathered:
    """All that a report is made from.

    Args:
        trials: Rows of one sweep with curves and probabilities, each trial once.
        folds: Rows of its finals.
        winner: Of its finals.
        on_log: Hyperparameters that were searched on a logarithmic scale.
        images: ``None`` where they are not at hand; then ``missing`` says why.
    """

    sweep: str
    trials: Sequence[TrialRecord]
    folds: Sequence[FoldRecord] = ()
    winner: FinalWinner | None = None
    images: Images | None = None
    missing: str = ""
    importance: Sequence[Importance] = ()
    on_log: frozenset[str] = frozenset()
    reproduction: Reproduction | None = None

    @property
    def objective(self) -> Objective:
        """What the sweep optimises."""
        return Objective(self.trials[0].objective)

    @property
    def by_number(self) -> Mapping[int, TrialRecord]:
        """The rows by their trials."""
        return {trial.trial_number: trial for trial in self.trials}

    @property
    def answers(self) -> OutOfFold | None:
        """What finalists answered out of fold; ``None`` if none answered for every image."""
        trials = self.by_number
        known = [fold for fold in self.folds if fold.trial_number in trials]
        if self.winner is None or not known:
            return None
        ((num_folds, _),) = Counter(fold.num_folds for fold in known).most_common(1)
        return out_of_fold([fold for fold in known if fold.num_folds == num_folds])


def class_names(images: Images | None, count: int) -> list[str]:
    """Return the names of classes; numbers where the images are not at hand."""
    if images is not None and len(images.classes) == count:
        return list(images.classes)
    return [f"class {place}" for place in range(count)]
