"""How long a sweep takes before it trains: told by the first trials of earlier workers. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from results.schema import TrialRecord

BEFORE_WORKERS = 2.0  # times what the process of a worker takes: Python, the images, Ray


@dataclass(frozen=True)
class Start:
    """Seconds before a sweep trains; the defaults are those where nothing was measured.

    Args:
        before_s: From the command to the first proposal, from which the time limit counts.
        worker_s: From there to the first epoch.
    """

    before_s: float = 5.0
    worker_s: float = 5.0


def start_of(rows: Iterable[TrialRecord]) -> Start:
    """Return what rows tell of the start.

    Of loading torch, the backbone and the probe the shortest of each sweep counts: the worker that
    was first may have computed what it found later in the cache.
    """
    firsts = _firsts(rows)
    if not firsts:
        return Start()
    process_s = median(row.waiting_s or 0.0 for row in firsts)
    loading: dict[str, float] = {}
    for row in firsts:
        loading[row.sweep] = min(loading.get(row.sweep, math.inf), _beside_s(row))
    return Start(BEFORE_WORKERS * process_s, process_s + median(loading.values()))


def _firsts(rows: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return the first trial of each worker, where its times are known."""
    found: dict[tuple[str, str | None, int | None], TrialRecord] = {}
    timed = [row for row in rows if row.started_at and row.finished_at and row.epochs_run]
    for row in sorted(timed, key=lambda row: (row.sweep, row.finished_at)):
        found.setdefault((row.sweep, row.node, row.worker_pid), row)
    return [row for row in found.values() if row.waiting_s is not None and not row.is_resumed]


def _beside_s(row: TrialRecord) -> float:
    if row.started_at is None or row.finished_at is None:
        return 0.0
    return max(0.0, (row.finished_at - row.started_at).total_seconds() - row.training_s)
