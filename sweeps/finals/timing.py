"""How much time finals may take."""

from __future__ import annotations

from collections.abc import Iterable

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
