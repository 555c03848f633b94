"""The winner of finals: which finalist it is, what it scores, and how it compares with others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from results.choice import RIVALS, Choice, KnownBackbone
from results.correction import Corrected, Verdict, compare, correct
from results.ensemble import MOST_OFFERED, Ensemble, best_ensemble
from results.evidence import Evidence
from results.finals import FoldRecord, out_of_fold
from results.ranking import wilson_interval
from results.schema import Objective, TrialRecord
from results.selection import Select, always
from results.spread import Spread, spread_of_folds, widened


@dataclass(frozen=True)
class Score:
    """What a model that learnt from all images is expected to score on new ones.

    Args:
        low: Lower end of the accuracy's 95 % interval.
        high: Upper end.
        is_corrected: For having been chosen among many; else it is the out-of-fold score.
        soup_size: Of how many trainings the models were the mean that it is of; ``None`` where
            that is not known.
    """

    accuracy: float
    low: float
    high: float
    loss: float
    num_images: int
    is_corrected: bool
    soup_size: int | None = None

    @property
    def sentence(self) -> str:
        """The same in words."""
        corrected = ", corrected for the choice" if self.is_corrected else ""
        return (
            f"out of fold, on {self.num_images} images, accuracy {self.accuracy:.1%} "
            f"(95 %: {self.low:.1%} to {self.high:.1%}) and log-loss {self.loss:.4f}{corrected}"
        )


@dataclass(frozen=True)
class OutOfFoldScore:
    """What a finalist scored on images it had not learnt from; it owes nothing to a choice.

    Args:
        error: The standard error that the luck of a training adds to the accuracy.
        soup_size: Of how many trainings the models were the mean; ``None`` where it is not known.
    """

    accuracy: float
    loss: float
    error: float = 0.0
    soup_size: int | None = None


@dataclass(frozen=True)
class FinalWinner:
    """The finalist with the best out-of-fold log-loss; of those that are as good, the cheapest.

    Of networks that cannot be told apart, it is on the one that was better on ImageNet.

    Args:
        accuracy: Out of fold, and corrected for the choice; where stages are trained, its interval
            counts how far trainings of it lie apart, too.
        loss: The same of the log-loss.
        scores: Of each finalist that answered for every image, by trial.
        verdicts: Against each of ``RIVALS`` that was a finalist, by the sweep's objective; of
            several probes, against the best.
        advice: What to do, in words.
        ensemble: The best of a few finalists together; ``None`` where too many rows are lost.
    """

    trial_number: int
    num_images: int
    accuracy: Corrected
    loss: Corrected
    scores: Mapping[int, OutOfFoldScore]
    verdicts: tuple[Verdict, ...]
    advice: str
    ensemble: Ensemble | None

    @property
    def num_finalists(self) -> int:
        """How many answered for every image."""
        return len(self.scores)

    @property
    def soup_size(self) -> int | None:
        """Of how many trainings the models were the mean that were judged; ``None``: not known."""
        known = self.scores.get(self.trial_number)
        return None if known is None else known.soup_size

    def score_of(self, trial_number: int) -> Score | None:
        """Return the score of a finalist; ``None`` of what was none, or was given up."""
        if trial_number == self.trial_number:
            return replace(self._corrected(self.accuracy, self.loss), soup_size=self.soup_size)
        if (known := self.scores.get(trial_number)) is None:
            return None
        of_images = wilson_interval(known.accuracy, self.num_images)
        ends = widened(
            known.accuracy, (of_images.low, of_images.high), known.error, Objective.VAL_ACCURACY
        )
        return Score(known.accuracy, *ends, known.loss, self.num_images, False, known.soup_size)

    def score_of_ensemble(self, ensemble: Ensemble) -> Score:
        """Return the score of an ensemble of these finals."""
        return self._corrected(ensemble.accuracy, ensemble.loss)

    def _corrected(self, accuracy: Corrected, loss: Corrected) -> Score:
        ends = (accuracy.low, accuracy.high)
        return Score(accuracy.corrected, *ends, loss.corrected, self.num_images, True)


def final_winner(
    folds: Sequence[FoldRecord],
    trials: Sequence[TrialRecord],
    bootstraps: int = 1000,
    most_members: int = MOST_OFFERED,
    backbones: Mapping[str, KnownBackbone] | None = None,
) -> FinalWinner | None:
    """Choose the winner, by ``Choice``; ``None`` if no finalist answered for every image.

    Args:
        trials: The rows of the sweep.
        most_members: Of the ensemble.
        backbones: What is known of each.
    """
    rows = {trial.trial_number: trial for trial in trials}
    known = _of_one_division([fold for fold in folds if fold.trial_number in rows])
    if not known:
        return None
    answered = out_of_fold(known)
    finalists = [rows[number] for number in answered.trial_numbers]
    if not finalists:
        return None
    evidence, choice = answered.evidence, Choice.of(finalists, backbones or {})
    won = int(np.argmax(choice.rule(evidence)))
    repeated, number = choice.repeated(evidence, won), finalists[won].trial_number
    spreads = {objective: _spreads(known, finalists, choice, objective) for objective in Objective}
    accuracy, loss = (
        correct(evidence, objective, repeated, bootstraps).of_another_training(
            spreads[objective][number].of_another, objective
        )
        for objective in (Objective.VAL_ACCURACY, Objective.VAL_LOSS)
    )
    told_by = Objective(finalists[0].objective)
    verdicts = _verdicts(
        evidence, finalists, repeated, bootstraps, spreads[told_by][number].of_mean
    )
    whole = [fold for fold in known if fold.trial_number in answered.trial_numbers]
    luck = spreads[Objective.VAL_LOSS][number].of_mean
    ensemble = best_ensemble(whole, number, repeated, most_members, error=luck)
    return FinalWinner(
        trial_number=number,
        num_images=len(answered.labels),
        accuracy=accuracy,
        loss=loss,
        scores=_scores(evidence, finalists, spreads[Objective.VAL_ACCURACY], known),
        verdicts=tuple(verdicts.values()),
        advice=_advice(finalists, choice, won, verdicts),
        ensemble=None if ensemble is None else _of_other_trainings(ensemble, spreads),
    )


def _spreads(
    folds: Sequence[FoldRecord],
    finalists: Sequence[TrialRecord],
    choice: Choice,
    objective: Objective,
) -> dict[int, Spread]:
    """Return how far trainings of each finalist lie apart; those of a head all come to the same."""
    found = {}
    for trial, depth in zip(finalists, choice.depths, strict=True):
        own = [fold for fold in folds if fold.trial_number == trial.trial_number and depth]
        found[trial.trial_number] = spread_of_folds(own, objective)
    return found


def _scores(
    evidence: Evidence,
    finalists: Sequence[TrialRecord],
    spreads: Mapping[int, Spread],
    folds: Sequence[FoldRecord],
) -> dict[int, OutOfFoldScore]:
    sizes = {fold.trial_number: fold.soup_size for fold in folds}
    accuracies, losses = evidence.means(Objective.VAL_ACCURACY), evidence.means(Objective.VAL_LOSS)
    return {
        trial.trial_number: OutOfFoldScore(
            float(accuracy),
            float(loss),
            spreads[trial.trial_number].of_another,
            sizes[trial.trial_number],
        )
        for trial, accuracy, loss in zip(finalists, accuracies, losses, strict=True)
    }


def _of_other_trainings(
    ensemble: Ensemble, spreads: Mapping[Objective, Mapping[int, Spread]]
) -> Ensemble:
    """Return an ensemble whose intervals count the luck of its members' trainings, too."""
    errors = {
        objective: math.hypot(*(of[member].of_another for member in ensemble.members))
        / len(ensemble.members)
        for objective, of in spreads.items()
    }
    accuracy, loss = (
        corrected.of_another_training(errors[objective], objective)
        for corrected, objective in (
            (ensemble.accuracy, Objective.VAL_ACCURACY),
            (ensemble.loss, Objective.VAL_LOSS),
        )
    )
    return replace(ensemble, accuracy=accuracy, loss=loss)


def _of_one_division(folds: list[FoldRecord]) -> list[FoldRecord]:
    """Keep the folds of the division into so many folds that most rows are of."""
    counts = Counter(fold.num_folds for fold in folds)
    return [fold for fold in folds if fold.num_folds == counts.most_common(1)[0][0]]


def _verdicts(
    evidence: Evidence,
    finalists: Sequence[TrialRecord],
    repeated: Select,
    bootstraps: int,
    error: float,
) -> dict[int, Verdict]:
    """Hold the winner against the rivals, by their places: of several probes, the best.

    Args:
        error: The standard error that the luck of the winner's trainings adds.
    """
    objective, losses = Objective(finalists[0].objective), evidence.means(Objective.VAL_LOSS)
    found = {}
    for first in RIVALS:
        places = [place for place, trial in enumerate(finalists) if trial.first == first]
        if places:
            place = min(places, key=lambda place: losses[place])
            name = _name(finalists, place)
            rival = always(place)
            found[place] = compare(
                evidence, objective, repeated, rival, name, bootstraps, error=error
            )
    return found


def _name(finalists: Sequence[TrialRecord], place: int) -> str:
    """Return what sentences call a rival: with its backbone where others are of its kind."""
    trial = finalists[place]
    of_its_kind = sum(other.first == trial.first for other in finalists)
    name = RIVALS[str(trial.first)]
    return name if of_its_kind == 1 else f"{name} on {trial.backbone}"


def _advice(
    finalists: Sequence[TrialRecord], choice: Choice, won: int, verdicts: dict[int, Verdict]
) -> str:
    """Say which one to take: of two that cannot be told apart, the cheaper."""
    prices, promises = choice.prices, choice.promises
    retrain = f"antsbees retrain --sweep {finalists[won].sweep}"  # another one may be newer
    as_good = [place for place, verdict in verdicts.items() if not verdict.is_convincing]
    cheaper = [place for place in as_good if prices[place] < prices[won]]
    if cheaper:
        place = min(cheaper, key=lambda place: prices[place])
        number = finalists[place].trial_number
        return (
            f"take {_name(finalists, place)}, which costs less to train and to use: "
            f"{retrain} --trial {number}"
        )
    if finalists[won].first in RIVALS:
        name = _name(finalists, won)
        alike = (place for place in as_good if prices[place] == prices[won])
        is_promising = any(promises[place] < promises[won] for place in alike)
        why = ", whose network was better on ImageNet" if is_promising else ""
        return f"take {name}{why}: nothing else is surely better: {retrain}"
    costlier = [_name(finalists, place) for place in as_good if prices[place] > prices[won]]
    than = f", which costs less than {' and '.join(costlier)}" if costlier else ""
    return f"take this configuration{than}: {retrain}"
