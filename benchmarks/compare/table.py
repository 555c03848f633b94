"""Renders what was measured: a Markdown table with notes, and plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.compare.measured import Baseline, Row, Run

OURS = "antsbees"
HEADER = (
    "measurement", "system", "seconds", "ratio", "trials / min", "overhead s / trial",
    "driver MiB", "worker MiB", "cache MiB", "trained part of training",
    "trained part of slots",
)  # fmt: skip


def figures(run: Run) -> dict[str, Any]:
    """Return the figures of a run as plain values."""
    return {
        "seconds": run.seconds,
        "trials": len(run.trials),
        "epochs": run.num_epochs,
        "trials_a_minute": run.trials_a_minute,
        "training_s": run.training_s,
        "trained_part_s": run.trained_part_s,
        "worker_s": run.worker_s,
        "overhead_s_a_trial": run.overhead_s,
        "trained_share_of_training": _share(run.trained_part_s, run.training_s),
        "trained_share_of_worker_time": _share(run.trained_part_s, run.worker_s),
        "driver_peak_bytes": run.driver_peak_bytes,
        "driver_rss_bytes": dict(run.driver_rss_bytes),
        "worker_peak_bytes": run.worker_peak_bytes,
        "cache_bytes": run.cache_bytes,
        "was_cut": run.was_cut,
        "best_val_accuracy": max(
            (epoch.val_accuracy for trial in run.trials for epoch in trial.epochs), default=None
        ),
        "training_s_of_trials": [
            [trial.frozen_stages, *(round(epoch.seconds, 3) for epoch in trial.epochs)]
            for trial in run.trials[:100]
        ],
    }


def plain(row: Row) -> dict[str, Any]:
    """Return a row as plain values."""
    found: dict[str, Any] = {"name": row.name, "ours": figures(row.ours), "notes": list(row.notes)}
    if row.baseline is not None:
        found["baseline_s"] = row.baseline.seconds
        found["baseline_extrapolated_from"] = row.baseline.extrapolated_from
        found["baseline_run"] = figures(row.baseline.run)
        found["ratio"] = row.ratio
    return found


def markdown(rows: Sequence[Row]) -> str:
    """Return the table of all rows, then what is to be said about them."""
    lines = [_line(HEADER), _line(["---"] * len(HEADER))]
    for row in rows:
        ratio = "-" if row.ratio is None else f"{row.ratio:.1f}"
        lines.append(_line([row.name, OURS, f"{row.ours.seconds:.1f}", ratio, *_cells(row.ours)]))
        if row.baseline is not None:
            cells = _baseline_cells(row.baseline, row.ours)
            lines.append(_line([row.name, row.baseline.system, *cells]))
    return "\n".join([*lines, "", *(f"- {note}" for row in rows for note in _notes(row))])


def _baseline_cells(baseline: Baseline, ours: Run) -> list[str]:
    """Show the whole work's seconds and pace; what cannot be extrapolated is the sample's."""
    extrapolated = baseline.extrapolated_from is not None
    seconds = f"{baseline.seconds:.1f}" + (" (extrapolated)" if extrapolated else "")
    pace = f"{60 * len(ours.trials) / baseline.seconds:.3g}"
    return [seconds, "-", pace, *_cells(baseline.run)[1:]]


def _cells(run: Run) -> list[str]:
    return [
        f"{run.trials_a_minute:.3g}",
        "-" if run.overhead_s is None else f"{run.overhead_s:.2f}",
        _mebibytes(run.driver_peak_bytes),
        _mebibytes(run.worker_peak_bytes),
        "-" if run.cache_bytes is None else _mebibytes(run.cache_bytes),
        _percent(_share(run.trained_part_s, run.training_s)),
        _percent(_share(run.trained_part_s, run.worker_s)),
    ]


def _notes(row: Row) -> Iterator[str]:
    for note in row.notes:
        yield f"{row.name}: {note}"
    if row.baseline is not None and row.baseline.extrapolated_from is not None:
        yield (
            f"{row.name}: seconds and trials / min of {row.baseline.system} are extrapolated from "
            f"{row.baseline.extrapolated_from}; its other figures are the sample's"
        )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f}"


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
