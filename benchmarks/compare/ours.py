"""Our side of a measurement: a sweep in a fresh process with a cold cache, read from its rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.compare.measured import Epoch, Run, Trial
from benchmarks.compare.processes import run_python
from benchmarks.compare.settings import Settings
from results.leaderboard import Leaderboard
from results.schema import TrialRecord
from sweeps.paths import RunPaths
from sweeps.running.health import DIVERGED
from sweeps.spec.models import SweepSpec


def make_spec(settings: Settings, **parts: Any) -> SweepSpec:
    """Build the spec of a measurement: this machine's cores, and nothing tried before the search.

    Args:
        parts: Of the spec; ``search`` may leave ``first`` out.
    """
    return SweepSpec.model_validate(
        {
            "data": str(settings.data),
            "image_size": settings.image_size,
            "lanes": {"cpu": {"slots": settings.slots, "threads": 1}, "gpu": {"slots": 0}},
            **parts,
            "search": {"first": [], **parts["search"]},
        }
    )


def run_ours(settings: Settings, spec: SweepSpec) -> Run:
    """Run a sweep.

    Raises:
        RuntimeError: The process failed, or a trial did for another reason than divergence.
    """
    with settings.folder(f"ours-{spec.name}") as folder:
        paths, cache = RunPaths(folder / "runs"), folder / "cache"
        request, out = folder / "request.json", folder / "facts.json"
        request.write_text(
            json.dumps(
                {"spec": spec.model_dump(mode="json"), "runs": str(paths.root), "out": str(out)}
            )
        )
        timed = run_python(
            ["-m", "benchmarks.compare.product", str(request)],
            folder / "log.txt",
            {"ANTSBEES_CACHE": str(cache)},
        )
        facts = json.loads(out.read_text())
        rows = Leaderboard(paths.leaderboard).read(spec.name, heavy=True)
        return Run(
            started_at_s=timed.started_at_s,
            seconds=timed.seconds,
            slots=settings.slots,
            trials=tuple(_trial(row) for row in rows),
            driver_peak_bytes=facts["driver_peak_bytes"],
            cache_bytes=_bytes_below(cache / "activations"),
            driver_rss_bytes={int(n): size for n, size in facts["driver_rss_bytes"].items()},
        )


def _trial(row: TrialRecord) -> Trial:
    if row.error_kind not in (None, DIVERGED):
        raise RuntimeError(f"trial {row.trial_number} failed: {row.error_message}")
    if row.finished_at is None or row.frozen_stages is None:
        raise RuntimeError(f"trial {row.trial_number} has no end or no frozen_stages in its row")
    finished_at_s = row.finished_at.timestamp()
    return Trial(
        frozen_stages=row.frozen_stages,
        epochs=tuple(_epochs(row.curve or [], finished_at_s)),
        finished_at_s=finished_at_s,
        peak_memory_bytes=row.peak_memory_bytes or 0,
        diverged=row.error_kind == DIVERGED,
    )


def _epochs(curve: list[dict[str, Any]], finished_at_s: float) -> list[Epoch]:
    """Date a curve's epochs back from the trial's end, so that none is dated too early."""
    found: list[Epoch] = []
    for epoch in reversed(curve):
        found.append(
            Epoch(epoch["val_accuracy"], epoch["seconds"], epoch["train_s"], finished_at_s)
        )
        finished_at_s -= epoch["seconds"]
    return found[::-1]


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
