"""What can be seen of a sweep from outside: its rows, as text for another terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from results.finals import FoldRecord
from results.ranking import rank
from results.report.timeline import LaneUse, timeline
from results.schema import Objective, TrialRecord, TrialStatus
from sweeps.views.sparkline import sparkline
from sweeps.views.tables import told_score

LATEST = 10
"""Trials that are listed, the last ones that ended."""


@dataclass(frozen=True)
class Seen:
    """A sweep as its rows tell it.

    Args:
        running_on: The machine whose driver runs it; ``None`` if none does.
        best: Of the complete trials.
        bests: The best score after each trial that ended, better ones higher.
        finalists: That have answered on folds so far.
    """

    sweep: str
    running_on: str | None
    counts: dict[str, int]
    best: TrialRecord | None
    bests: tuple[float, ...]
    lanes: tuple[LaneUse, ...]
    latest: tuple[TrialRecord, ...]
    finalists: int
    repeats: int


def seen(
    sweep: str,
    running_on: str | None,
    records: Sequence[TrialRecord],
    folds: Sequence[FoldRecord],
) -> Seen:
    """Sum up the rows of a sweep."""
    ended = sorted(
        records, key=lambda r: (r.finished_at is not None, r.finished_at, r.trial_number)
    )
    complete = [r for r in ended if r.status is TrialStatus.COMPLETE and r.score is not None]
    counts = {str(status): sum(r.status is status for r in records) for status in TrialStatus}
    return Seen(
        sweep=sweep,
        running_on=running_on,
        counts={status: count for status, count in counts.items() if count},
        best=rank(complete)[0] if complete else None,
        bests=tuple(_bests(complete)),
        lanes=timeline(records).lanes,
        latest=tuple(ended[-LATEST:]),
        finalists=len({fold.trial_number for fold in folds}),
        repeats=1 + max((fold.repeat for fold in folds), default=-1),
    )


def _bests(complete: Sequence[TrialRecord]) -> list[float]:
    found: list[float] = []
    for record in complete:
        sign = 1 if record.objective == Objective.VAL_ACCURACY else -1
        found.append(max([*found[-1:], sign * (record.score or 0.0)]))
    return found


def picture(found: Seen) -> RenderableType:
    """Draw what is seen of a sweep."""
    state = f"running on {found.running_on}" if found.running_on else "not running"
    counts = ", ".join(f"{count} {status}" for status, count in found.counts.items())
    lines: list[RenderableType] = [Text(f"Sweep {found.sweep} ({state}): {counts}", style="bold")]
    if found.best is None:
        lines.append(Text("best so far: none yet"))
    else:
        told = f"best so far: {told_score(found.best)} (trial {found.best.trial_number})  "
        lines.append(Text(told + sparkline(found.bests)))
    lines += [
        Text(
            f"{use.lane}: {use.num_trials} trials by {use.num_workers} workers, "
            f"{1 - use.idle:.0%} busy"
        )
        for use in found.lanes
    ]
    if found.finalists:
        repeats = f"{found.repeats} repeat{'s' if found.repeats != 1 else ''}"
        lines.append(Text(f"finals: {found.finalists} finalists, {repeats} so far"))
    return Group(*lines, _latest(found.latest))


def _latest(records: Sequence[TrialRecord]) -> Table:
    table = Table(box=None, header_style="dim")
    for column in ("trial", "status", "score", "epochs", "frozen", "lane", "seconds"):
        table.add_column(column, justify="left" if column == "status" else "right")
    for record in records:
        table.add_row(
            str(record.trial_number),
            str(record.status),
            told_score(record),
            str(record.epochs_run),
            str(record.frozen_stages),
            record.lane or "",
            f"{record.training_s:.1f}",
        )
    return table
