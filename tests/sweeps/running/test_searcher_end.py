"""What the searcher promises about where a search begins again, and where it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from ray.tune.search import Searcher

from results.errors import LeaderboardError
from results.schema import TrialRecord, TrialStatus
from sweeps.spec.models import SweepSpec
from tests.sweeps.search_bench import Bench, finish, opened, trials_of
from tests.sweeps.sweep_fakes import (
    GRID_SPACE,
    NUM_IN_GRID,
    epoch,
    make_spec,
)

COMPLETE, RUNNING = TrialState.COMPLETE, TrialState.RUNNING
FINISHED = Searcher.FINISHED


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(opened(tmp_path))


def test_the_number_of_trials_is_kept_and_nothing_is_left_running(bench: Bench) -> None:
    assert len(finish(bench)) == 5
    assert bench.states() == [COMPLETE] * 5
    assert bench.searcher.num_in_flight == 0


def test_a_sweep_taken_up_again_runs_only_what_is_missing(tmp_path: Path) -> None:
    first = Bench(opened(tmp_path))
    for name in "ab":
        first.searcher.suggest(name)
        first.run(name, 0.7, 0.8)
    second = Bench(opened(tmp_path))
    assert [p["number"] for p in finish(second)] == [2, 3, 4]
    assert finish(Bench(opened(tmp_path))) == []


def test_interrupted_trials_come_first_under_their_numbers_and_as_they_were(tmp_path: Path) -> None:
    first = Bench(opened(tmp_path))
    before = [first.searcher.suggest(name) for name in "abc"]
    first.run("b", 0.7, 0.8)
    first.searcher.on_trial_result("a", first.report(epoch(1, 0.7)))
    second = Bench(opened(tmp_path))
    after = [second.searcher.suggest(name) for name in "xyz"]
    assert [p["number"] for p in after] == [0, 2, 3]
    assert [p["trial"] for p in after[:2]] == [before[0]["trial"], before[2]["trial"]]
    assert len(second.run("x", 0.7, 0.8).curve or []) == 2
    second.run("y", 0.7, 0.8)
    second.run("z", 0.7, 0.8)
    assert [p["number"] for p in finish(second)] == [4]
    assert second.states() == [COMPLETE] * 5


def test_after_the_deadline_nothing_is_proposed_and_what_runs_is_cut_unjudged(
    tmp_path: Path,
) -> None:
    bench = Bench(opened(tmp_path), deadline_s=1060.0)
    for name in "ab":
        assert bench.searcher.suggest(name) != FINISHED
    bench.searcher.on_trial_result("a", bench.report(epoch(1, 0.7)))
    assert not bench.searcher.should_end("a", is_running=True)
    bench.now_s = 1060.0
    assert bench.searcher.suggest("c") == FINISHED
    for name in "ab":
        assert bench.searcher.should_end(name, is_running=True)
        bench.searcher.on_trial_complete(name, None)
    (record,) = bench.rows  # of the one that completed an epoch
    assert (record.status, record.score) == (TrialStatus.UNFINISHED, 0.7)
    assert bench.states() == [RUNNING, RUNNING]
    assert [p["number"] for p in finish(Bench(opened(tmp_path)))] == [0, 1, 2, 3, 4]


def test_first_tries_run_on_after_the_deadline_but_not_after_a_signal(tmp_path: Path) -> None:
    spec = make_spec(epochs=2, search={"trials": 3, "first": [{"name": "mine"}]})
    bench = Bench(opened(tmp_path, spec), spec, deadline_s=1060.0)
    for name in "abc":
        bench.searcher.suggest(name)
    bench.now_s = 1060.0
    running = [bench.searcher.should_end(name, is_running=True) for name in "abc"]
    assert running == [False, True, True]
    assert bench.searcher.runs_first_tries
    bench.searcher.interrupt()
    assert bench.searcher.should_end("a", is_running=True)


def test_tries_of_the_portfolio_have_a_while_after_the_deadline(tmp_path: Path) -> None:
    search = {"trials": 2, "minutes": 1, "first": ["tutorial", "portfolio"]}
    spec = make_spec({"frozen_stages": "all"}, search=search)
    bench = Bench(opened(tmp_path, spec), spec, deadline_s=1060.0)
    for name in "ab":
        bench.searcher.suggest(name)
    ended = []
    for now_s in (1060.0, 1069.0, 1070.0):
        bench.now_s = now_s
        ended.append([bench.searcher.should_end(name, is_running=True) for name in "ab"])
    assert ended == [[False, False], [False, False], [False, True]]
    assert bench.searcher.runs_first_tries  # the tutorial's


def test_a_first_try_that_waits_at_the_deadline_is_given_back(tmp_path: Path) -> None:
    spec = make_spec(epochs=2, search={"trials": 3, "first": [{"name": "mine"}]})
    bench = Bench(opened(tmp_path, spec), spec, deadline_s=1060.0)
    bench.searcher.suggest("a")
    bench.now_s = 1060.0
    assert bench.searcher.should_end("a", is_running=False)
    bench.searcher.on_trial_complete("a", None)
    assert (bench.rows, bench.states()) == ([], [RUNNING])


def test_what_is_still_in_flight_at_the_end_is_kept_unfinished(tmp_path: Path) -> None:
    bench = Bench(opened(tmp_path))
    bench.searcher.suggest("a")
    bench.searcher.on_trial_result("a", bench.report(epoch(1, 0.7)))
    bench.searcher.close()
    assert [record.status for record in bench.rows] == [TrialStatus.UNFINISHED]
    bench.searcher.on_trial_complete("a", bench.report(epoch(2, 0.8)))
    assert len(bench.rows) == 1


def grid_spec(**search: Any) -> SweepSpec:
    return make_spec(GRID_SPACE, search={"sampler": "grid", "trials": 99, "first": [], **search})


def test_a_grid_ends_after_every_combination(tmp_path: Path) -> None:
    spec = grid_spec()
    first = Bench(opened(tmp_path, spec), spec)
    for name in "abc":
        first.searcher.suggest(name)
    first.run("a", 0.6)
    second = Bench(opened(tmp_path, spec), spec)  # two were interrupted
    assert len(finish(second)) == NUM_IN_GRID - 1
    trials = trials_of(second.study)
    assert len({str(sorted(trial.params.items())) for trial in trials}) == NUM_IN_GRID
    assert len(trials) == NUM_IN_GRID
    assert RUNNING not in second.states()


def test_a_first_try_that_is_in_the_grid_runs_once(tmp_path: Path) -> None:
    own = {"lr": 0.1, "batch_size": 32, "frozen_stages": "all", "schedule": "constant"}
    spec = grid_spec(first=[own])
    assert len(finish(Bench(opened(tmp_path, spec), spec))) == NUM_IN_GRID


def test_a_row_that_cannot_be_kept_ends_the_search_and_loses_no_trial(tmp_path: Path) -> None:
    bench = Bench(opened(tmp_path))
    bench.searcher.suggest("a")
    bench.searcher._publish = _full_disk
    bench.searcher.on_trial_complete("a", bench.report(epoch(1, 0.7)))
    assert bench.searcher.ended == (
        "the disk is full; run the same command again once that is fixed"
    )
    assert bench.searcher.suggest("b") == FINISHED
    assert bench.states() == [RUNNING]
    assert Bench(opened(tmp_path)).searcher.suggest("c")["number"] == 0


def _full_disk(_: TrialRecord) -> None:
    raise LeaderboardError("the disk is full")
