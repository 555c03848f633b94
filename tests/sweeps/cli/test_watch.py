"""What `antsbees watch` promises: a sweep seen from outside, as it runs and when it is over."""

from __future__ import annotations

import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from results.finals import FoldRecord
from results.leaderboard import Leaderboard
from results.schema import TrialRecord, TrialStatus
from sweeps import cli
from sweeps.paths import RunPaths
from sweeps.views.watching import seen
from tests.sweeps.sweep_fakes import row

START = datetime(2025, 3, 1, tzinfo=UTC)


def ended(number: int, score: float, status: TrialStatus = TrialStatus.COMPLETE) -> TrialRecord:
    """A trial that ended as many minutes after the start as its number says."""
    minute = timedelta(minutes=number)
    times = {"started_at": START + minute, "finished_at": START + minute + timedelta(seconds=45)}
    return row(number, score, status=status, **times)


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    """A sweep with two trials."""
    paths = RunPaths(tmp_path / "runs")
    paths.sweep("test").mkdir(parents=True)
    for number, score in enumerate((0.8, 0.7)):
        Leaderboard(paths.leaderboard).append(ended(number, score))
    return paths


def watch(monkeypatch: pytest.MonkeyPatch, paths: RunPaths) -> int:
    monkeypatch.setattr(sys, "argv", ["antsbees", "watch", "--runs", str(paths.root)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def test_a_sweep_that_is_over_is_shown_once(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch(monkeypatch, paths) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "Sweep test (not running): 2 complete",
        "best so far: 0.8000 (trial 0)  ▁▁",
        "cpu: 2 trials by 1 workers, 86% busy",
    ]


def test_a_sweep_that_runs_is_shown_until_it_ends(
    paths: RunPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its lock stays its driver's, and rows are seen as they come."""
    lock = FileLock(paths.lock("test"))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            Leaderboard(paths.leaderboard).append(ended(2, 0.9))
        if len(slept) == 2:
            lock.release()

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with lock:
        assert watch(monkeypatch, paths) == 0
    assert slept == [2.0, 2.0]
    shown = capsys.readouterr().out
    state = f"(running on {socket.gethostname()})"
    assert f"{state}: 3 complete" in shown
    assert "0.9000 (trial 2)" in shown
    assert shown.index(f"{state}: 2 complete") < shown.index(f"{state}: 3 complete")
    assert shown.rindex("(not running): 3 complete") > shown.rindex(f"{state}: 3 complete")


def test_the_best_is_that_of_complete_trials_in_the_order_they_ended() -> None:
    rows = [ended(2, 0.9), ended(0, 0.7), ended(1, 0.99, TrialStatus.STOPPED), ended(3, 0.8)]
    found = seen("test", None, rows, [])
    assert found.best is not None
    assert found.best.trial_number == 2
    assert found.bests == (0.7, 0.9, 0.9)
    assert [r.trial_number for r in found.latest] == [0, 1, 2, 3]
    assert found.counts == {"complete": 3, "stopped": 1}


def test_finals_are_seen() -> None:
    folds = [
        FoldRecord(
            sweep="test", trial_number=number, repeat=repeat, fold=0, num_folds=2, score=0.9,
            accuracy=0.9, loss=0.2, seconds=1.0, images=[0], labels=[0], probabilities=[[1.0]],
        )
        for number, repeat in ((0, 0), (1, 0), (1, 1))
    ]  # fmt: skip
    found = seen("test", "a-host", [ended(0, 0.7)], folds)
    assert (found.finalists, found.repeats) == (2, 2)


def test_a_sweep_without_a_complete_trial_has_no_best() -> None:
    found = seen("test", "a-host", [row(0, None, status=TrialStatus.FAILED)], [])
    assert (found.best, found.bests) == (None, ())
