"""What the driver refuses before it starts a Ray, and how it sums up."""

from __future__ import annotations

import time

import pytest
from filelock import FileLock

from antsbees.data.datasets import Dataset
from sweeps.errors import UsageError
from sweeps.paths import RunPaths
from sweeps.running import driver
from sweeps.running.driver import SweepOutcome, run_sweep
from tests.sweeps.sweep_fakes import Notes, make_spec, row


def test_a_sweep_that_another_process_runs_is_refused(
    tiny_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> None:
    paths = RunPaths(tmp_path_factory.mktemp("runs"))
    spec = make_spec()
    paths.sweep(spec.name).mkdir(parents=True)
    with (
        FileLock(paths.lock(spec.name)),
        pytest.raises(UsageError, match="'test' is being run by another process; wait for it"),
    ):
        run_sweep(spec, tiny_dataset, paths, Notes())
    assert not paths.study(spec.name).exists()


def test_the_deadline_counts_from_now() -> None:
    assert driver._deadline_s(make_spec()) is None
    late_s = driver._deadline_s(make_spec(search={"minutes": 2}))
    assert late_s == pytest.approx(time.time() + 120, abs=5)


def test_what_an_early_end_leaves_is_counted_without_open_rows() -> None:
    outcome = SweepOutcome(records=[row(0), row(1)])
    assert driver._told(outcome).startswith("2 trials are in the leaderboard; run the same")
    outcome.records.pop()
    assert driver._told(outcome).startswith("1 trial is in the leaderboard")
