"""Whether a sweep runs can be told from outside, without its lock."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
from filelock import FileLock

from results.leaderboard import Leaderboard
from sweeps import liveness
from sweeps.liveness import QUIET_S, beating, is_running, running_on, written_at_s
from sweeps.paths import RunPaths
from tests.sweeps.sweep_fakes import row

HERE = socket.gethostname()


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


def test_a_sweep_of_another_machine_runs_while_its_driver_speaks(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere, beating(paths, "test"):
        assert running_on(paths, "test") is None  # this machine would see its lock
        elsewhere.setattr(socket, "gethostname", lambda: "another")
        assert running_on(paths, "test") == HERE
        beat_s = paths.heartbeat("test").stat().st_mtime
        assert is_running(paths, "test", now_s=beat_s + QUIET_S - 1)
        assert not is_running(paths, "test", now_s=beat_s + QUIET_S + 1)
    assert list(paths.sweep("test").iterdir()) == []


def test_a_driver_speaks_again_and_again(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "BEAT_S", 0.01)
    with beating(paths, "test"):
        os.utime(paths.heartbeat("test"), (1000, 1000))
        time.sleep(0.1)
        assert paths.heartbeat("test").stat().st_mtime > 1000


def test_where_locks_cannot_be_listed_the_driver_s_word_counts(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(liveness, "_LOCKS", tmp_path / "none")
    assert not is_running(paths, "test")
    with beating(paths, "test"):
        assert running_on(paths, "test") == HERE


def test_the_newest_row_counts(paths: RunPaths) -> None:
    assert written_at_s(paths, "test") == 1000
    assert written_at_s(paths, "another") == 0
