"""What the driver refuses before it starts a Ray, and how it sums up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from filelock import FileLock

from antsbees.data.datasets import Dataset
from results.leaderboard import Leaderboard
from results.schema import TrialStatus
from sweeps.errors import UsageError
from sweeps.paths import RunPaths, state_file
from sweeps.running import driver
from sweeps.running.driver import SweepOutcome, run_sweep
from sweeps.search.study import SearchStudy
from tests.sweeps.search_bench import next_of
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


def test_the_state_of_a_trial_goes_with_its_row_and_not_before(tmp_path: Path) -> None:
    unfinished = RunPaths(tmp_path).unfinished("test")
    unfinished.mkdir(parents=True)
    leaderboard = Leaderboard(tmp_path / "leaderboard")
    publish = driver._publish(leaderboard, unfinished)
    file = state_file(unfinished, 3)
    file.touch()
    publish(row(4))
    publish(row(3, status=TrialStatus.UNFINISHED))
    assert file.exists()
    publish(row(3))
    assert not file.exists()
    assert [r.trial_number for r in leaderboard.read("test")] == [3, 4]


def test_a_state_that_cannot_be_deleted_does_not_keep_a_row_from_the_study(
    tmp_path: Path,
) -> None:
    leaderboard = Leaderboard(tmp_path / "leaderboard")
    state_file(tmp_path, 3).mkdir()
    driver._publish(leaderboard, tmp_path)(row(3))
    assert len(leaderboard.read("test")) == 1


def test_a_start_and_a_search_that_is_over_keep_only_states_of_open_trials(
    tiny_dataset: Dataset, tmp_path: Path
) -> None:
    spec, paths = make_spec(search={"trials": 1, "first": []}, finals=None), RunPaths(tmp_path)
    study = SearchStudy.open(spec, paths.study(spec.name))
    next_of(study)
    folder = paths.unfinished(spec.name)
    folder.mkdir()
    Leaderboard(paths.leaderboard).append(row(0))  # and the process was killed
    for file in (state_file(folder, 0), folder / ".half.trial-000000.pt"):
        file.touch()
    outcome = run_sweep(spec, tiny_dataset, paths, Notes())
    assert [record.trial_number for record in outcome.records] == [0]
    assert not folder.exists()


def test_what_an_early_end_leaves_is_counted_without_open_rows() -> None:
    outcome = SweepOutcome(records=[row(0), row(1)])
    assert driver._told(outcome).startswith("2 trials are in the leaderboard; run the same")
    outcome.records.pop()
    assert driver._told(outcome).startswith("1 trial is in the leaderboard")
