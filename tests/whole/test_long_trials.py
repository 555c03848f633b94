"""A trial that ran for long when its sweep was killed goes on from where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from results.leaderboard import Leaderboard
from results.schema import TrialRecord, TrialStatus
from tests.whole.tiny_sweep import TINY_SPEC

EPOCHS = 60
KEEPING_OFTEN = """
from sweeps.running import driver
driver.KEPT_EVERY_S = {seconds}
from sweeps.cli.app import main
main()
"""
LONG_SPEC = TINY_SPEC.replace("epochs: 3", f"epochs: {EPOCHS}").replace(
    "search: {trials: 6, early_stopping: {kind: asha, grace_epochs: 1, reduction_factor: 2}}",
    "search: {trials: 1, early_stopping: none, first: [{lr: 0.01, frozen_stages: 0}]}\n"
    "lanes: {gpu: {slots: 0}}\nfinals: none",
)


def started(folder: Path, images: Path, name: str, every_s: float) -> subprocess.Popen[str]:
    """Start a sweep that keeps its trials every so many seconds."""
    program = [sys.executable, "-c", KEEPING_OFTEN.format(seconds=every_s)]
    words = ["sweep", "long.yaml", "--data", str(images), "--name", name, "--no-report"]
    return subprocess.Popen(
        [*program, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def row_of(folder: Path, name: str) -> TrialRecord:
    (row,) = Leaderboard(folder / "runs" / "leaderboard").read(name, heavy=True)
    return row


def without_times(row: TrialRecord) -> list[dict[str, Any]]:
    assert row.curve is not None
    return [
        {key: epoch[key] for key in ("epoch", "train_loss", "val_loss", "lr")}
        for epoch in row.curve
    ]


def test_a_killed_sweep_takes_its_long_trial_up_where_it_was(
    tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "long.yaml").write_text(LONG_SPEC)
    process = started(tmp_path, tiny_folder, "killed", every_s=0.3)
    file = tmp_path / "runs/sweeps/killed/unfinished/trial-000000.pt"
    deadline_s = time.monotonic() + 120
    while not file.exists():
        assert time.monotonic() < deadline_s, "waited for a state to be kept"
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    kept = torch.load(file, weights_only=True)["state"]["curve"]
    assert 0 < len(kept) < EPOCHS
    assert "killed" not in Leaderboard(tmp_path / "runs/leaderboard").sweeps()

    for name in ("killed", "whole"):
        process = started(tmp_path, tiny_folder, name, every_s=1e6)
        _, errors = process.communicate(timeout=200)
        assert process.returncode == 0, errors
    resumed, whole = row_of(tmp_path, "killed"), row_of(tmp_path, "whole")
    assert resumed.status is whole.status is TrialStatus.COMPLETE
    assert resumed.curve is not None
    assert resumed.curve[: len(kept)] == kept  # with its times
    assert without_times(resumed) == without_times(whole)
    assert resumed.probabilities == whole.probabilities
    assert not file.parent.exists()
