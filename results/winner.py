"""The winner of finals: which finalist it is, what it scores, and how it compares with others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from results.correction import Corrected, Verdict, compare, correct
from results.ensemble import MOST_OFFERED, Ensemble, best_ensemble
from results.evidence import Evidence
from results.finals import FoldRecord, out_of_fold
from results.ranking import wilson_interval
from results.schema import PROBE, TUTORIAL, Objective, TrialRecord
from results.selection import Select, always, among, best, cheapest_of_the_best
from results.spread import spread_of_folds

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
class Score:
    """What a model that learnt from all images is expected to score on new ones.

    Args:
        low: Lower end of the accuracy's 95 % interval.
        high: Upper end.
        is_corrected: For having been chosen among many; else it is the out-of-fold score.
    """

    accuracy: float
    low: float
    high: float
    loss: float
    num_images: int
    is_corrected: bool

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
    """What a finalist scored on images it had not learnt from; it owes nothing to a choice."""

    accuracy: float
    loss: float


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

    def score_of(self, trial_number: int) -> Score | None:
        """Return the score of a finalist; ``None`` of what was none, or was given up."""
        if trial_number == self.trial_number:
            return self._corrected(self.accuracy, self.loss)
        if (known := self.scores.get(trial_number)) is None:
            return None
        interval = wilson_interval(known.accuracy, self.num_images)
        return Score(
            known.accuracy, interval.low, interval.high, known.loss, self.num_images, False
        )

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
    """Choose the winner; ``None`` if no finalist answered for every image.

    The cheapest has fewest stages to train, then far smaller images, then the fewest epochs, those
    of each training of a soup: what
    depends on how busy a machine was would choose another one each time. Of several networks that
    cost about the same, the one that was better at what it was pre-trained on is chosen: a few
    hundred images tell less of them than that does (Kornblith, Shlens and Le, 2019,
    https://arxiv.org/abs/1805.08974).

    Args:
        trials: The rows of the sweep.
        most_members: Of the ensemble.
        backbones: What is known of each; one that is missing promises nothing, and has as many
            stages as a finalist has frozen.
    """
    rows = {trial.trial_number: trial for trial in trials}
    known = _of_one_division([fold for fold in folds if fold.trial_number in rows])
    if not known:
        return None
    answered = out_of_fold(known)
    finalists = [rows[number] for number in answered.trial_numbers]
    if not finalists:
        return None
    networks = backbones or {}
    depths = _depths(finalists, networks)
    evidence, prices = answered.evidence, _prices(finalists, depths)
    is_rival = [trial.first in RIVALS for trial in finalists]
    promises = [_promise(trial, networks) for trial in finalists]
    rule = cheapest_of_the_best(Objective.VAL_LOSS, prices, is_rival, promises)
    won = int(np.argmax(rule(evidence)))
    repeated = _as_chosen(evidence, rule, won, prices, is_rival, promises)
    verdicts = _verdicts(evidence, finalists, repeated, bootstraps)
    number = finalists[won].trial_number
    trainings = [fold for fold in known if fold.trial_number == number and depths[won]]
    accuracy, loss = (
        correct(evidence, objective, repeated, bootstraps).widened(
            spread_of_folds(trainings, objective), objective
        )
        for objective in (Objective.VAL_ACCURACY, Objective.VAL_LOSS)
    )
    accuracies, losses = evidence.means(Objective.VAL_ACCURACY), evidence.means(Objective.VAL_LOSS)
    whole = [fold for fold in known if fold.trial_number in answered.trial_numbers]
    return FinalWinner(
        trial_number=number,
        num_images=len(answered.labels),
        accuracy=accuracy,
        loss=loss,
        scores={
            trial.trial_number: OutOfFoldScore(float(accuracy), float(loss))
            for trial, accuracy, loss in zip(finalists, accuracies, losses, strict=True)
        },
        verdicts=tuple(verdicts.values()),
        advice=_advice(finalists, prices, promises, won, verdicts),
        ensemble=best_ensemble(whole, number, rule, most_members),
    )


def _as_chosen(
    evidence: Evidence,
    rule: Select,
    won: int,
    prices: Sequence[float],
    is_rival: Sequence[bool],
    promises: Sequence[float],
) -> Select:
    """Return the choice that is repeated to correct a winner's score: the plainest that finds it.

    Most winners are the best of what was searched, and owe luck what a best one does; verdicts hold
    them against the rivals. A careful choice, which on many a draw of the images falls back on a
    rival or on what is cheaper, would tell what the care is worth, and not what was chosen.
    """
    searched = [place for place, known in enumerate(is_rival) if not known]
    loss = Objective.VAL_LOSS
    paid, promised = ([of[place] for place in searched] for of in (prices, promises))
    plainer = (
        among(searched, best(loss)),
        among(searched, cheapest_of_the_best(loss, paid, promises=promised)),
    )
    found = (own for own in plainer if int(np.argmax(own(evidence))) == won)
    return next(found, rule) if won in searched else rule


def _of_one_division(folds: list[FoldRecord]) -> list[FoldRecord]:
    """Keep the folds of the division into so many folds that most rows are of."""
    counts = Counter(fold.num_folds for fold in folds)
    return [fold for fold in folds if fold.num_folds == counts.most_common(1)[0][0]]


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


def _verdicts(
    evidence: Evidence, finalists: Sequence[TrialRecord], rule: Select, bootstraps: int
) -> dict[int, Verdict]:
    """Hold the winner against the rivals, by their places: of several probes, the best."""
    objective, losses = Objective(finalists[0].objective), evidence.means(Objective.VAL_LOSS)
    found = {}
    for first in RIVALS:
        places = [place for place, trial in enumerate(finalists) if trial.first == first]
        if places:
            place = min(places, key=lambda place: losses[place])
            name = _name(finalists, place)
            found[place] = compare(evidence, objective, rule, always(place), name, bootstraps)
    return found


def _name(finalists: Sequence[TrialRecord], place: int) -> str:
    """Return what sentences call a rival: with its backbone where others are of its kind."""
    trial = finalists[place]
    of_its_kind = sum(other.first == trial.first for other in finalists)
    name = RIVALS[str(trial.first)]
    return name if of_its_kind == 1 else f"{name} on {trial.backbone}"


def _advice(
    finalists: Sequence[TrialRecord],
    prices: Sequence[float],
    promises: Sequence[float],
    won: int,
    verdicts: dict[int, Verdict],
) -> str:
    """Say which one to take: of two that cannot be told apart, the cheaper."""
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
