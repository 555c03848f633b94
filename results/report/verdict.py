"""The verdict: who won, what it scores, and what it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from results.choice import RIVALS
from results.ensemble import Ensemble
from results.errors import EmptyLeaderboard
from results.finals import OutOfFold
from results.ranking import wilson_interval, winner
from results.report.gathered import Gathered
from results.schema import HYPERPARAMETERS, Objective, TrialRecord, TrialStatus
from results.winner import FinalWinner


@dataclass(frozen=True)
class Score:
    """Accuracy and log-loss of one configuration on some images.

    Args:
        name: Whose score, and how it was had.
        low: Lower end of the accuracy's 95 % interval.
        high: Upper end.
    """

    name: str
    trial_number: int | None
    accuracy: float
    loss: float | None
    low: float | None = None
    high: float | None = None
    num_images: int | None = None


@dataclass(frozen=True)
class VerdictSection:
    """What a reader must know first.

    Args:
        trial_number: The winner; ``None`` if no trial is complete yet.
        sentences: The verdict in words.
        counts: How many trials ended how.
    """

    trial_number: int | None
    objective: str
    dataset: str
    num_val_images: int | None
    sentences: tuple[str, ...]
    scores: tuple[Score, ...]
    configuration: Mapping[str, Any]
    counts: Mapping[str, int]
    training_s: float


def verdict_section(gathered: Gathered, answers: OutOfFold | None) -> VerdictSection:
    """Sum the verdict up."""
    best = winning_trial(gathered)
    trials = gathered.trials
    return VerdictSection(
        trial_number=None if best is None else best.trial_number,
        objective=str(gathered.objective),
        dataset=trials[0].dataset or "",
        num_val_images=trials[0].num_val_images,
        sentences=_sentences(gathered, best),
        scores=() if best is None else tuple(_scores(gathered, best, answers)),
        configuration={} if best is None else configuration(best),
        counts={str(status): sum(t.status is status for t in trials) for status in TrialStatus},
        training_s=sum(trial.training_s for trial in trials),
    )


def winning_trial(gathered: Gathered) -> TrialRecord | None:
    """Return the winner's row: of the finals, else the best complete one."""
    if gathered.winner is not None:
        return gathered.by_number[gathered.winner.trial_number]
    try:
        return winner(gathered.trials)
    except EmptyLeaderboard:
        return None


def first_tries(gathered: Gathered, name: str) -> list[TrialRecord]:
    """Return the first tries of that name that have a score; the probe is one for each backbone."""
    return [t for t in gathered.trials if t.first == name and t.score is not None]


def configuration(record: TrialRecord) -> dict[str, Any]:
    """Return the backbone and the hyperparameters that apply to a trial."""
    values = {name: getattr(record, name) for name in ("backbone", *HYPERPARAMETERS)}
    return {name: value for name, value in values.items() if value is not None}


def _sentences(gathered: Gathered, best: TrialRecord | None) -> tuple[str, ...]:
    if best is None:
        return ("No trial is complete yet, so there is no winner",)
    if gathered.winner is None:
        return (
            "No finals have named the winner: it was chosen on the images it is scored on, so "
            "expect a little less on new ones",
        )
    named = gathered.winner
    verdicts = sorted(named.verdicts, key=lambda v: not v.sentence.startswith("it is "))
    told = [f"{named.advice[0].upper()}{named.advice[1:]}"]
    told += [f"The winner is {v.sentence.removeprefix('it is ')}" for v in verdicts]
    if named.ensemble is not None and (offer := named.ensemble.offer):
        told.append(f"{offer[0].upper()}{offer[1:]}")
    return tuple(told)


def _scores(gathered: Gathered, best: TrialRecord, answers: OutOfFold | None) -> list[Score]:
    named = gathered.winner
    found = _scores_of("winner", best, answers)
    if named is not None:
        accuracy, loss = named.accuracy, named.loss
        corrected = Score(
            "winner, corrected", best.trial_number, accuracy.corrected,
            loss.corrected, accuracy.low, accuracy.high, named.num_images,
        )  # fmt: skip
        found.append(corrected)
        if named.ensemble is not None and len(named.ensemble.members) > 1:
            found.append(_score_of_ensemble(named, named.ensemble))
    for first, name in RIVALS.items():
        tries = first_tries(gathered, first)
        for rival in tries:
            of_backbone = f" on {rival.backbone}" if len(tries) > 1 else ""
            if rival.trial_number != best.trial_number:
                found += _scores_of(f"{name.removeprefix('the ')}{of_backbone}", rival, answers)
    return found


def _score_of_ensemble(named: FinalWinner, ensemble: Ensemble) -> Score:
    known = named.score_of_ensemble(ensemble)
    name = f"ensemble of {len(ensemble.members)}, corrected"
    return Score(name, None, known.accuracy, known.loss, known.low, known.high, known.num_images)


def _scores_of(name: str, trial: TrialRecord, answers: OutOfFold | None) -> list[Score]:
    """Return what a trial scored on the validation images, and out of fold if it was a finalist."""
    found = []
    if trial.val_accuracy is not None:
        ends = accuracy_interval(trial.val_accuracy, trial.num_val_images)
        found.append(
            Score(
                f"{name}, reported", trial.trial_number, trial.val_accuracy, trial.val_loss,
                ends[0], ends[1], trial.num_val_images,
            )
        )  # fmt: skip
    if answers is not None and trial.trial_number in answers.trial_numbers:
        place = answers.trial_numbers.index(trial.trial_number)
        evidence = answers.evidence
        accuracy = float(evidence.means(Objective.VAL_ACCURACY)[place])
        loss = float(evidence.means(Objective.VAL_LOSS)[place])
        num_images = len(answers.labels)
        ends = accuracy_interval(accuracy, num_images)
        said = f"{name}, out of fold"
        found.append(Score(said, trial.trial_number, accuracy, loss, ends[0], ends[1], num_images))
    return found


def accuracy_interval(
    accuracy: float, num_images: int | None
) -> tuple[float, float] | tuple[None, None]:
    """Return both ends of an accuracy's 95 % interval; nothing where the images are unknown."""
    if not num_images:
        return None, None
    interval = wilson_interval(accuracy, num_images)
    return interval.low, interval.high
