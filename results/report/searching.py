"""How the search went: every trial as a point, the best so far, the learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from results.ranking import is_better, rank
from results.report.verdict import configuration
from results.schema import Objective, TrialRecord, TrialStatus

MOST_SHOWN = 800
"""Trials drawn at the most; of more, the better half and every so many-th of the others."""


@dataclass(frozen=True)
class Point:
    """A trial as it is drawn.

    Args:
        best_so_far: The best score of a complete trial up to this one, in their order.
        is_on_front: No other trial is better in as little time.
    """

    trial_number: int
    status: str
    first: str | None
    score: float | None
    accuracy: float | None
    loss: float | None
    best_so_far: float | None
    is_on_front: bool
    training_s: float
    epochs_run: int
    lane: str | None
    configuration: Mapping[str, Any]


@dataclass(frozen=True)
class CurvePoint:
    """One epoch of a trial; ``score`` is the objective then."""

    trial_number: int
    epoch: int
    score: float
    is_stopped: bool


def points(
    trials: Sequence[TrialRecord], objective: Objective, front: Sequence[int]
) -> tuple[Point, ...]:
    """Return every trial as a point, in their order."""
    best: float | None = None
    found = []
    for trial in sorted(trials, key=lambda t: t.trial_number):
        score = trial.score if trial.status is TrialStatus.COMPLETE else None
        if score is not None and (best is None or is_better(score, best, objective)):
            best = score
        found.append(
            Point(
                trial_number=trial.trial_number,
                status=str(trial.status),
                first=trial.first,
                score=trial.score,
                accuracy=trial.val_accuracy,
                loss=trial.val_loss,
                best_so_far=best,
                is_on_front=trial.trial_number in front,
                training_s=trial.training_s,
                epochs_run=trial.epochs_run,
                lane=trial.lane,
                configuration=configuration(trial),
            )
        )
    return tuple(found)


def shown_trials(trials: Sequence[TrialRecord], most: int = MOST_SHOWN) -> list[TrialRecord]:
    """Choose the trials to draw: all, or the better half of ``most`` and a sample of the rest."""
    if len(trials) <= most:
        return list(trials)
    ranked = rank(trials)
    better, rest = ranked[: most // 2], ranked[most // 2 :]
    room = most - len(better)
    sample = [rest[place * len(rest) // room] for place in range(room)]
    numbers = {trial.trial_number for trial in [*better, *sample]}
    firsts = {trial.trial_number for trial in trials if trial.first is not None}
    return [trial for trial in trials if trial.trial_number in numbers | firsts]


def curves(trials: Sequence[TrialRecord], objective: Objective) -> tuple[CurvePoint, ...]:
    """Return the learning curves of trials, epoch by epoch."""
    return tuple(
        CurvePoint(
            trial.trial_number,
            epoch["epoch"],
            epoch[str(objective)],
            trial.status is not TrialStatus.COMPLETE,
        )
        for trial in trials
        for epoch in trial.curve or ()
        if epoch[str(objective)] is not None
    )
