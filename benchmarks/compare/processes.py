"""Runs a command in a fresh process and takes its wall time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TAIL_LINES = 30


@dataclass(frozen=True)
class Timed:
    """When a process was started, and how long it ran."""

    started_at_s: float
    seconds: float


def run_python(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Timed:
    """Run this Python with arguments, its words going to a file.

    Raises:
        RuntimeError: The process failed; the message ends with its last words.
    """
    started_at_s, start = time.time(), time.perf_counter()
    with log.open("wb") as words:
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            check=False,
        )
    seconds = time.perf_counter() - start
    if ended.returncode != 0:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
        raise RuntimeError(f"{' '.join(arguments)} ended with {ended.returncode}:\n{last}")
    return Timed(started_at_s, seconds)
