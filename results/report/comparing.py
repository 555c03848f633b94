"""What depth, backbone and time brought: the best of each, and who is not beaten at its price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from results.ranking import is_better, rank
from results.report.verdict import accuracy_interval
from results.schema import Objective, TrialRecord, TrialStatus


@dataclass(frozen=True)
class BestOf:
    """The best complete trial of one backbone at one depth.

    Args:
        num_trials: Of that backbone and depth, however they ended.
        low: Lower end of the accuracy's 95 % interval.
        high: Upper end.
        epoch_s: Seconds of an epoch, the median over the trials.
    """

    backbone: str
    frozen_stages: int
    num_trials: int
    trial_number: int
    score: float
    accuracy: float | None
    low: float | None
    high: float | None
    loss: float | None
    training_s: float
    epoch_s: float


def best_by_depth(trials: Sequence[TrialRecord]) -> tuple[BestOf, ...]:
    """Return the best of every backbone and depth, the deepest training first."""
    return _best_by([(t.backbone or "", t.frozen_stages or 0) for t in trials], trials)


def best_by_backbone(trials: Sequence[TrialRecord]) -> tuple[BestOf, ...]:
    """Return the best of every backbone."""
    return _best_by([(t.backbone or "", -1) for t in trials], trials)


def _best_by(keys: Sequence[tuple[str, int]], trials: Sequence[TrialRecord]) -> tuple[BestOf, ...]:
    found = []
    for key in sorted(set(keys)):
        members = [t for k, t in zip(keys, trials, strict=True) if k == key]
        complete = [t for t in members if t.status is TrialStatus.COMPLETE and t.score is not None]
        if complete:
            found.append(_best_of(rank(complete)[0], members))
    return tuple(found)


def _best_of(best: TrialRecord, members: Sequence[TrialRecord]) -> BestOf:
    ends = (
        (None, None)
        if best.val_accuracy is None
        else accuracy_interval(best.val_accuracy, best.num_val_images)
    )
    return BestOf(
        backbone=best.backbone or "",
        frozen_stages=best.frozen_stages or 0,
        num_trials=len(members),
        trial_number=best.trial_number,
        score=best.score or 0.0,
        accuracy=best.val_accuracy,
        low=ends[0],
        high=ends[1],
        loss=best.val_loss,
        training_s=best.training_s,
        epoch_s=_median([t.training_s / t.epochs_run for t in members if t.epochs_run]),
    )


def _median(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0


def pareto_front(trials: Sequence[TrialRecord], objective: Objective) -> tuple[int, ...]:
    """Return the complete trials that no other beats in as little time, the cheapest first."""
    complete = [t for t in trials if t.status is TrialStatus.COMPLETE and t.score is not None]
    front: list[TrialRecord] = []
    for trial in sorted(complete, key=lambda t: t.training_s):
        if not front or is_better(trial.score or 0.0, front[-1].score or 0.0, objective):
            if front and front[-1].training_s == trial.training_s:
                front.pop()
            front.append(trial)
    return tuple(trial.trial_number for trial in front)
