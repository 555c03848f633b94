"""Rows for the tests of the leaderboard and of the ranking."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import results.files
from results.leaderboard import Leaderboard
from results.schema import SCHEMA_VERSION, TrialRecord, TrialStatus


def epoch(number: int) -> dict[str, Any]:
    """One entry of a curve."""
    return {
        "epoch": number, "train_loss": 0.5 / number, "val_loss": 0.25 / number,
        "val_accuracy": 1 - 0.1 / number, "lr": 0.01 / number, "seconds": 1.5, "train_s": 1.25,
        "images_per_second": 162.7,
    }  # fmt: skip


def full_row(number: int = 0, sweep: str = "ants", **changes: Any) -> TrialRecord:
    """A row with something in every column."""
    by_type: dict[str, Any] = {
        "int": number + 1,
        "float": number + 0.125,
        "str": f"text {number}",
        "bool": number % 2 == 0,
    }
    values: dict[str, Any] = {
        f.name: by_type.get(str(f.type).split(" | ")[0]) for f in fields(TrialRecord)
    }
    values |= {
        "sweep": sweep,
        "trial_number": number,
        "status": TrialStatus.COMPLETE,
        "objective": "val_accuracy",
        "curve": [epoch(1), epoch(2), epoch(3)],
        "probabilities": [[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]],
        "started_at": datetime(2025, 3, 1, 12, 30, 15, 123456, tzinfo=UTC),
        "finished_at": datetime(2025, 3, 1, 12, 31, 0, tzinfo=UTC),
        "schema_version": SCHEMA_VERSION,
    }
    return replace(TrialRecord(**values), **changes)


def row(number: int = 0, score: float | None = 0.9, **changes: Any) -> TrialRecord:
    """A row of a complete trial that is as short as can be."""
    record = TrialRecord(
        sweep="ants", trial_number=number, status=TrialStatus.COMPLETE,
        objective="val_accuracy", seed=0, score=score, val_loss=0.3,
        dataset="hymenoptera", dataset_fingerprint="abc",
    )  # fmt: skip
    return replace(record, **changes)


def append_rows(folder: Path, first: int, last: int) -> None:
    """Append rows with a breath between them; run in a process of its own."""
    board = Leaderboard(folder)
    for number in range(first, last):
        board.append(full_row(number))
        time.sleep(0.01)


def die_before_publishing(folder: Path, number: int) -> None:
    """Append a row, and be killed when it is written but has no name yet."""
    results.files.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[attr-defined]
    Leaderboard(folder).append(full_row(number))
