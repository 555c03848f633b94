"""What tests of the whole path share: a spec for tiny images, a witness, a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from antsbees.config import TrialConfig
from results.schema import TrialRecord
from sweeps.finals.standing import FinalsStanding
from sweeps.running.lanes import Lane
from sweeps.spec.models import SweepSpec
from sweeps.spec.reading import parse_spec

TINY_SPEC = """
name: tiny
image_size: 32
views: 2
epochs: 3
search: {trials: 6, early_stopping: {kind: asha, grace_epochs: 1, reduction_factor: 2}}
space:
  lr: {log_uniform: [1.0e-3, 0.1]}
  momentum: {uniform: [0.5, 0.9]}
  batch_size: {choice: [8, 16]}
  frozen_stages: {int: [7, all]}
  schedule:
    constant:
    cosine: {final_fraction: 0.0}
"""


class Witness:
    """Keeps what it is told; an ``Observer``."""

    def __init__(self) -> None:
        self.lanes: tuple[Lane, ...] = ()
        self.known: list[TrialRecord] = []
        self.started: list[tuple[int, TrialConfig, Lane]] = []
        self.reports: list[tuple[int, int, float]] = []
        self.finished: list[TrialRecord] = []
        self.notes: list[str] = []
        self.standings: list[FinalsStanding] = []

    def sweep_started(self, lanes: tuple[Lane, ...], known: list[TrialRecord]) -> None:
        self.lanes, self.known = lanes, known

    def trial_started(self, number: int, config: TrialConfig, lane: Lane) -> None:
        self.started.append((number, config, lane))

    def trial_reported(self, number: int, epoch: int, score: float) -> None:
        self.reports.append((number, epoch, score))

    def trial_finished(self, record: TrialRecord) -> None:
        self.finished.append(record)

    def finals_went_on(self, standing: FinalsStanding) -> None:
        self.standings.append(standing)

    def noted(self, sentence: str) -> None:
        self.notes.append(sentence)


def tiny_spec(**overrides: Any) -> SweepSpec:
    """Return the spec for tiny images, some of its top-level keys overridden."""
    return parse_spec(TINY_SPEC, "tiny.yaml", **overrides)


def command(*words: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a user does."""
    return subprocess.run(
        command_line(*words), cwd=cwd, env=os.environ | env, capture_output=True, text=True,
        timeout=240,
    )  # fmt: skip


def command_line(*words: str | Path) -> list[str]:
    """Return the words that start the program with this interpreter."""
    return [sys.executable, "-m", "sweeps.cli", *map(str, words)]
