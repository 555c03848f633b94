"""Whether a sweep runs can be told from outside, without its lock."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from results.leaderboard import Leaderboard
from sweeps import liveness
from sweeps.liveness import QUIET_S, is_running, written_at_s
from sweeps.paths import RunPaths
from tests.sweeps.sweep_fakes import row


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    """A sweep with one row, written at second 1000."""
    paths = RunPaths(tmp_path)
    paths.sweep("test").mkdir(parents=True)
    os.utime(Leaderboard(paths.leaderboard).append(row(0)), (1000, 1000))
    return paths


def test_a_sweep_runs_while_its_driver_holds_the_lock(paths: RunPaths) -> None:
    assert not is_running(paths, "test")
    with FileLock(paths.lock("test")):
        assert is_running(paths, "test")
        assert not is_running(paths, "another")
    assert not is_running(paths, "test")


def test_where_locks_cannot_be_listed_fresh_rows_tell(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(liveness, "_LOCKS", tmp_path / "none")
    assert is_running(paths, "test", now_s=1000 + QUIET_S - 1)
    assert not is_running(paths, "test", now_s=1000 + QUIET_S + 1)


def test_the_newest_row_counts(paths: RunPaths) -> None:
    assert written_at_s(paths, "test") == 1000
    assert written_at_s(paths, "another") == 0
