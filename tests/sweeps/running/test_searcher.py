"""What the searcher promises: every trial ends as a row first, and then in the study."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from optuna.trial import TrialState

from results.schema import TrialStatus
from tests.sweeps.search_bench import Bench, finish, opened, trials_of
from tests.sweeps.sweep_fakes import (
    epoch,
    make_spec,
)

COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
RUNNING = TrialState.RUNNING


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(opened(tmp_path))


def test_trials_are_proposed_until_every_slot_is_taken(bench: Bench) -> None:
    proposed = [bench.searcher.suggest(name) for name in "abc"]
    assert [p["device"] for p in proposed] == ["cuda", "cpu", "cpu"]
    assert [p["number"] for p in proposed] == [0, 1, 2]
    assert bench.searcher.suggest("d") is None
    assert bench.searcher.num_in_flight == 3
    bench.run("a", 0.7, 0.8)
    assert bench.searcher.suggest("d")["device"] == "cuda"


def test_a_proposal_is_all_a_worker_needs(bench: Bench) -> None:
    proposed = bench.searcher.suggest("a")
    assert proposed.pop("trial")["epochs"] == 2
    assert proposed == {
        "number": 0, "lane": "gpu", "device": "cuda", "threads": 2,
        "resources": {"CPU": 2, "GPU": 0.5}, "is_first": False, "slots": 1,
        "node_id": None,
    }  # fmt: skip


def test_trials_end_complete_pruned_or_failed_in_the_study(bench: Bench) -> None:
    for name in "abc":
        bench.searcher.suggest(name)
    assert bench.run("a", 0.7, 0.8).status is TrialStatus.COMPLETE
    assert bench.run("b", 0.6).status is TrialStatus.STOPPED
    assert bench.run("c", error_kind="diverged", error_message="nan").status is TrialStatus.FAILED
    assert bench.states() == [COMPLETE, PRUNED, FAIL]
    assert [trial.value for trial in trials_of(bench.study)] == [0.8, 0.6, None]
    assert trials_of(bench.study)[0].intermediate_values == {1: 0.7, 2: 0.8}


def test_a_row_is_published_before_the_study_is_told(bench: Bench) -> None:
    for name, scores in (("a", (0.7, 0.8)), ("b", (0.6,)), ("c", ())):
        bench.searcher.suggest(name)
        bench.run(name, *scores)
    assert bench.states_when_published == [RUNNING] * 3
    assert RUNNING not in bench.states()


def test_the_row_of_a_trial_sums_its_curve_up(bench: Bench) -> None:
    bench.searcher.suggest("a")
    record = bench.run("a", 0.9, 0.75, probabilities=[[0.5, 0.5]])
    assert (record.score, record.val_accuracy, record.val_loss) == (0.75, 0.75, 0.25)
    assert (record.best_epoch, record.epochs_run, record.epochs) == (1, 2, 2)
    assert record.curve == [epoch(1, 0.9), epoch(2, 0.75)]
    assert (record.training_s, record.trained_part_s) == (4.0, 3.0)
    assert (record.probabilities, record.weights_hash) == ([[0.5, 0.5]], "abc")
    assert (record.sweep, record.lane, record.device, record.threads) == ("test", "gpu", "cuda", 2)
    assert (record.dataset, record.num_val_images) == ("photos", 1)
    assert record.waiting_s == 3
    assert record.finished_at == datetime.fromtimestamp(1000, UTC)
    assert (record.schedule, record.frozen_stages, record.first) == ("cosine", 9, None)


def test_epochs_that_are_reported_twice_count_once(bench: Bench) -> None:
    bench.searcher.suggest("a")
    bench.searcher.on_trial_result("a", bench.report(epoch(1, 0.7)))
    bench.searcher.on_trial_complete("a", bench.report(epoch(1, 0.7), epoch(2, 0.8)))
    assert bench.rows[0].curve == [epoch(1, 0.7), epoch(2, 0.8)]


def test_a_loss_is_the_better_the_lower(tmp_path: Path) -> None:
    spec = make_spec(epochs=2, objective="val_loss", search={"first": []})
    bench = Bench(opened(tmp_path, spec), spec)
    bench.searcher.suggest("a")
    record = bench.run("a", 0.75, 0.5)
    assert (record.objective, record.score, record.best_epoch) == ("val_loss", 0.5, 1)


def test_a_failure_is_a_row_with_its_kind_and_message(bench: Bench) -> None:
    bench.searcher.suggest("a")
    record = bench.run("a", 0.7, error_kind="OutOfMemoryError", error_message="2 GB too few")
    assert record.status is TrialStatus.FAILED
    assert (record.error_kind, record.error_message) == ("OutOfMemoryError", "2 GB too few")
    assert (record.score, record.epochs_run) == (0.7, 1)


@pytest.mark.parametrize("epochs", [0, 1])
def test_a_trial_whose_worker_died_is_tried_again_and_then_lost(bench: Bench, epochs: int) -> None:
    for attempt in range(3):
        proposed = bench.searcher.suggest(f"a{attempt}")
        assert proposed["number"] == 0
        assert bench.rows == []
        reported = bench.report(epoch(1)) if epochs else None
        bench.searcher.on_trial_complete(f"a{attempt}", reported, error=True)
    (record,) = bench.rows
    assert (record.status, record.error_kind) == (TrialStatus.FAILED, "lost")
    assert record.error_message == "its worker process or node died, see driver.log"
    assert record.epochs_run == epochs
    assert bench.states() == [RUNNING]
    assert bench.searcher.num_in_flight == 0


def test_a_lost_trial_does_not_count_and_the_next_start_takes_it_up(tmp_path: Path) -> None:
    bench = Bench(opened(tmp_path))
    for attempt in range(3):
        bench.searcher.suggest(f"a{attempt}")
        bench.searcher.on_trial_complete(f"a{attempt}", None, error=True)
    assert [p["number"] for p in finish(bench)] == [1, 2, 3, 4, 5]
    assert [p["number"] for p in finish(Bench(opened(tmp_path)))] == [0]


def test_a_trial_nobody_proposed_changes_nothing(bench: Bench) -> None:
    bench.searcher.on_trial_complete("stranger", bench.report(epoch(1)))
    assert bench.rows == []
    assert bench.states() == []


def test_the_observer_hears_everything_in_order(bench: Bench) -> None:
    bench.searcher.suggest("a")
    bench.run("a", 0.7, 0.8)
    assert bench.notes.taken == [
        ("started", 0, "gpu"),
        ("reported", 0, 1, 0.7),
        ("reported", 0, 2, 0.8),
        ("finished", 0, TrialStatus.COMPLETE),
    ]


def test_first_tries_come_first_and_are_marked(tmp_path: Path) -> None:
    spec = make_spec(epochs=2, search={"trials": 3, "first": [{"name": "mine"}, "tutorial"]})
    bench = Bench(opened(tmp_path, spec), spec)
    assert [p["is_first"] for p in finish(bench)] == [True, True, False]
    assert [record.first for record in bench.rows] == ["mine", "tutorial", None]


def test_ray_keeps_nothing_of_the_searcher(bench: Bench, tmp_path: Path) -> None:
    bench.searcher.save(str(tmp_path / "checkpoint"))
    assert not (tmp_path / "checkpoint").exists()
    assert bench.searcher.__getstate__() == {}
