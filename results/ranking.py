"""Which trial is better, who wins, and how sure that is: pure functions of records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from results.errors import EmptyLeaderboard
from results.schema import Objective, TrialRecord, TrialStatus

_ORDER = {status: place for place, status in enumerate(TrialStatus)}  # as they are declared
NOT_COMPARABLE = "rows of different datasets or objectives cannot be ranked together"
_Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Comparable:
    """What two rows must share to be ranked against each other."""

    dataset: str | None
    dataset_fingerprint: str | None
    objective: str


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a proportion, both ends in [0, 1]."""

    low: float
    high: float


def comparable_groups(records: Iterable[TrialRecord]) -> dict[Comparable, list[TrialRecord]]:
    """Split rows into groups that may be ranked: one dataset, one objective each."""
    groups: dict[Comparable, list[TrialRecord]] = {}
    for record in records:
        key = Comparable(record.dataset, record.dataset_fingerprint, record.objective)
        groups.setdefault(key, []).append(record)
    return groups


def latest(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Keep the last row of each trial: it replaces those of earlier, unfinished or lost starts."""
    return list({(record.sweep, record.trial_number): record for record in records}.values())


def rank(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Order rows, best first: by score; ties by validation loss, then by cost, then by number.

    Stopped trials come after the complete ones, then the unfinished, and failed trials last. Of
    several rows of a trial, the last one counts.

    Raises:
        ValueError: The rows are of several datasets or objectives.
    """
    if len(comparable_groups(records)) > 1:
        raise ValueError(NOT_COMPARABLE)
    return sorted(latest(records), key=_key)


def winner(records: Sequence[TrialRecord]) -> TrialRecord:
    """Return the first of the ranking that ran to its end.

    Raises:
        EmptyLeaderboard: No trial is complete.
        ValueError: The rows are of several datasets or objectives.
    """
    ranked = rank(records)
    if not ranked or ranked[0].status is not TrialStatus.COMPLETE or ranked[0].score is None:
        raise no_winner({s: sum(r.status is s for r in ranked) for s in TrialStatus})
    return ranked[0]


def no_winner(counts: Mapping[TrialStatus, int]) -> EmptyLeaderboard:
    """Return what is raised when no trial is complete."""
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    return EmptyLeaderboard(f"no trial is complete yet ({told}), so there is no best one")


def is_better(score: float, other: float, objective: Objective) -> bool:
    """Tell whether a score beats another, in the objective's direction."""
    return score > other if objective is Objective.VAL_ACCURACY else score < other


def wilson_interval(accuracy: float, num_images: int) -> Interval:
    """Return the 95 % interval of an accuracy measured on a number of images.

    Source: Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953.

    Raises:
        ValueError: There are no images.
    """
    if num_images < 1:
        raise ValueError(f"num_images must be at least 1, got {num_images}")
    z2 = _Z_95**2
    scale = 1 + z2 / num_images
    centre = (accuracy + z2 / (2 * num_images)) / scale
    spread = accuracy * (1 - accuracy) / num_images + z2 / (4 * num_images**2)
    half = _Z_95 * math.sqrt(spread) / scale
    low = 0.0 if accuracy == 0 else centre - half
    return Interval(low, 1.0 if accuracy == 1 else centre + half)


def _key(record: TrialRecord) -> tuple[int, float, float, float, str, int]:
    sign = -1.0 if Objective(record.objective) is Objective.VAL_ACCURACY else 1.0
    return (
        _ORDER[record.status],
        math.inf if record.score is None else sign * record.score,
        math.inf if record.val_loss is None else record.val_loss,
        record.training_s,
        record.sweep,
        record.trial_number,
    )
