"""What appending to a long leaderboard and reading its best cost.

``python -m benchmarks.studies.leaderboard [TRIALS]`` fills a sweep with rows that have curves and
probabilities of the tutorial's size, and times both; ``best`` without and with starting Python.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from results.leaderboard import LAYOUT, Leaderboard
from results.schema import TUTORIAL, TrialRecord, TrialStatus
from results.standing import read_standing
from results.table import SweepTable
from sweeps.paths import RunPaths

NUM_EPOCHS, NUM_IMAGES = 25, 153
NUM_TIMED = 100
"""So many rows are appended one by one, the others before them a batch at a time."""
BATCH = 50


def draw_row(number: int, generator: random.Random) -> TrialRecord:
    """Make up a trial."""
    score, now = generator.random(), datetime.now(UTC)
    entry = ("train_loss", "val_loss", "val_accuracy", "lr", "seconds", "train_s")
    curve = [
        {"epoch": epoch, "images_per_second": 100.0, **{k: generator.random() for k in entry}}
        for epoch in range(1, NUM_EPOCHS + 1)
    ]
    right = [generator.random() for _ in range(NUM_IMAGES)]
    record = TrialRecord(
        sweep="long", trial_number=number, status=TrialStatus.COMPLETE, objective="val_accuracy",
        seed=number, first=None if number else TUTORIAL, score=score, val_accuracy=score,
        val_loss=1 - score, num_val_images=NUM_IMAGES, curve=curve, started_at=now,
        probabilities=[[value, 1 - value] for value in right], finished_at=now,
    )  # fmt: skip
    return replace(record, lr=generator.random(), momentum=0.9, library_versions="a, b, c" * 10)


def main() -> None:
    """Print a Markdown table."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    generator = random.Random(1)
    with tempfile.TemporaryDirectory() as scratch:
        board = Leaderboard(RunPaths(Path(scratch)).leaderboard)
        table = SweepTable(board.folder, LAYOUT, "leaderboard")
        for first in range(0, trials - NUM_TIMED, BATCH):
            numbers = range(first, min(first + BATCH, trials - NUM_TIMED))
            table.append("long", [asdict(draw_row(number, generator)) for number in numbers])
        append_s = []
        for number in range(trials - NUM_TIMED, trials):
            row = draw_row(number, generator)
            start = time.perf_counter()
            board.append(row)
            append_s.append(time.perf_counter() - start)
        files = list(board.folder.glob("*/*.parquet"))
        size_mb = sum(file.stat().st_size for file in files) / 1e6
        best_s = median(_timed(lambda: read_standing(Leaderboard(board.folder), "long")))
        command_s = _command_s("best", "--runs", scratch)
        start_s = _command_s("best", "--help")
    print("| rows | files | MB | ms an append | best, s | `antsbees best`, s | its `--help`, s |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {trials} | {len(files)} | {size_mb:.0f} | {1000 * median(append_s):.0f} | {best_s:.2f} "
        f"| {command_s:.2f} | {start_s:.2f} |"
    )


def _command_s(*arguments: str) -> float:
    command = [sys.executable, "-m", "sweeps.cli", *arguments]
    return median(_timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)))


def _timed(call: Callable[[], object], times: int = 5) -> list[float]:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return taken


if __name__ == "__main__":
    main()
