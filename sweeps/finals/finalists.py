"""Which configurations become finalists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from results.choice import RIVALS
from results.ranking import latest
from results.schema import HYPERPARAMETERS, Objective, TrialRecord, TrialStatus

PATIENCE = 3.0
"""How many times the time of all one may need that is better than the rivals."""

_JUDGED = (TrialStatus.COMPLETE, TrialStatus.STOPPED)


def finalists(
    records: Sequence[TrialRecord],
    count: int,
    cost_s: Callable[[TrialRecord], float] = lambda _: 0.0,
    time_s: float = 0.0,
) -> list[TrialRecord]:
    """Return the best distinct configurations, those that the winner is held against in front.

    What would need more than the time that is left is passed over, so that all those chosen come to
    answer. One that is no rival is always among them: the best of those that are better than the
    rivals and need at most ``PATIENCE`` times the time; where there is none, the best.

    Args:
        records: Rows of one sweep.
        count: How many, rivals included; more where those that are always among them are more.
        cost_s: Returns what a configuration needs of the time.
        time_s: For all of them together.
    """
    judged = sorted((r for r in latest(records) if _is_judged(r)), key=_key)
    in_front = [record for record in judged if record.first in RIVALS]
    others = [record for record in judged if record.first not in RIVALS]
    chosen: dict[str, TrialRecord] = {}
    left_s = time_s
    better = others[: next((i for i, r in enumerate(judged) if r.first in RIVALS), len(others))]
    affordable = (record for record in better if cost_s(record) <= PATIENCE * time_s)
    one = next(affordable, others[0] if others else None)
    needed = [*in_front, *([] if one is None else [one])]
    for place, record in enumerate([*needed, *judged]):
        is_needed = place < len(needed)
        if len(chosen) >= count and not is_needed:
            break
        if _configuration(record) in chosen or not (
            is_needed or cost_s(record) <= max(left_s, 0.0)
        ):
            continue
        chosen[_configuration(record)] = record
        left_s -= cost_s(record)
    return list(chosen.values())


def best_searched(chosen: Sequence[TrialRecord]) -> TrialRecord | None:
    """Return the best finalist that is no rival, the first of them; ``None`` of rivals alone."""
    return next((record for record in chosen if record.first not in RIVALS), None)


def is_ahead(record: TrialRecord, other: TrialRecord) -> bool:
    """Tell whether a row is before another one of the sweep in the ranking."""
    return _key(record) < _key(other)


def _is_judged(record: TrialRecord) -> bool:
    return record.status in _JUDGED and record.score is not None


def _configuration(record: TrialRecord) -> str:
    """Name a configuration; its seed is no part of it."""
    return repr([record.backbone, *(getattr(record, name) for name in HYPERPARAMETERS)])


def _key(record: TrialRecord) -> tuple[float, float, int]:
    sign = -1 if Objective(record.objective) is Objective.VAL_ACCURACY else 1
    loss = float("inf") if record.val_loss is None else record.val_loss
    return sign * (record.score or 0.0), loss, record.trial_number
