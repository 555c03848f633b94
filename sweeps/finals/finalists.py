"""Which configurations become finalists."""

from __future__ import annotations

from collections.abc import Sequence

from results.ranking import latest
from results.schema import HYPERPARAMETERS, Objective, TrialRecord, TrialStatus
from results.winner import RIVALS

_JUDGED = (TrialStatus.COMPLETE, TrialStatus.STOPPED)


def finalists(records: Sequence[TrialRecord], count: int) -> list[TrialRecord]:
    """Return the best distinct configurations, those that the winner is held against in front.

    Args:
        records: Rows of one sweep.
        count: How many, rivals included.
    """
    judged = sorted((r for r in latest(records) if _is_judged(r)), key=_key)
    in_front = [record for record in judged if record.first in RIVALS]
    chosen: dict[str, TrialRecord] = {}
    for record in [*in_front, *judged]:
        if len(chosen) < max(count, len(in_front)):
            chosen.setdefault(_configuration(record), record)
    return list(chosen.values())


def _is_judged(record: TrialRecord) -> bool:
    return record.status in _JUDGED and record.score is not None


def _configuration(record: TrialRecord) -> str:
    """Name a configuration; its seed is no part of it."""
    return repr([record.backbone, *(getattr(record, name) for name in HYPERPARAMETERS)])


def _key(record: TrialRecord) -> tuple[float, float, int]:
    sign = -1 if Objective(record.objective) is Objective.VAL_ACCURACY else 1
    loss = float("inf") if record.val_loss is None else record.val_loss
    return sign * (record.score or 0.0), loss, record.trial_number
