"""How much time finals may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from results.schema import TrialRecord

LEAST_S = 30.0
"""Finals of a short search may take as long: loading a backbone takes its time."""


def budget_s(trials: Iterable[TrialRecord], share: float, spent_s: float = 0.0) -> float:
    """Return the seconds that finals may take: a share of what the search took.

    Args:
        spent_s: What finals have taken already.
    """
    return max(share * searched_s(trials), LEAST_S) - spent_s


def searched_s(trials: Iterable[TrialRecord]) -> float:
    """Return for how long at least one trial was being trained; pauses of a sweep do not count."""
    spans = sorted(
        (trial.started_at.timestamp(), trial.finished_at.timestamp())
        for trial in trials
        if trial.started_at is not None and trial.finished_at is not None
    )
    total, until = 0.0, float("-inf")
    for start, end in spans:
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def worker_seconds(trials: Sequence[TrialRecord], share: float) -> float:
    """Return the seconds that all workers of a search together have in finals."""
    busy_s = sum(
        (trial.finished_at - trial.started_at).total_seconds()
        for trial in trials
        if trial.started_at is not None and trial.finished_at is not None
    )
    return budget_s(trials, share) * max(1.0, busy_s / max(searched_s(trials), 1.0))


def repeat_s(trial: TrialRecord, num_images: int, num_folds: int) -> float:
    """Return how long a worker will need to train a finalist without each fold, by its own row.

    Args:
        num_images: Of train and val together.
    """
    if not trial.epochs_run:
        return 0.0
    learnt = max(num_images - (trial.num_val_images or 0), 1)
    epoch_s = trial.trained_part_s / trial.epochs_run
    return epoch_s * (trial.epochs or 0) * (num_folds - 1) * num_images / learnt
