"""A whole sweep on a real Ray: rows, study, workers, lanes, and going on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import duckdb
import optuna
import pandas as pd
import pyarrow.dataset as ds
import pytest
import ray
from optuna.trial import TrialState

from antsbees.data.datasets import Dataset
from results.leaderboard import Leaderboard
from results.schema import COLUMNS, TrialRecord, TrialStatus
from sweeps.errors import UsageError
from sweeps.paths import RunPaths
from sweeps.running.driver import SweepOutcome, run_sweep
from sweeps.running.lanes import LaneKind
from sweeps.search.study import PASSED_OVER, SearchStudy
from sweeps.spec.first import First
from sweeps.spec.models import NoEarlyStopping, SweepSpec
from tests.whole.tiny_sweep import Witness, tiny_spec


@pytest.fixture(scope="module", autouse=True)
def _one_ray() -> Iterator[None]:
    """One Ray for all tests of this module, with a GPU that is only declared."""
    ray.init("local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def finished(
    tiny_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SweepOutcome, RunPaths, Witness]:
    """One sweep of six trials on the CPU lane that several tests look at."""
    paths, witness = RunPaths(tmp_path_factory.mktemp("finished")), Witness()
    spec = cpu_only(tiny_spec())
    return run_sweep(spec, tiny_dataset, paths, witness), paths, witness


def cpu_only(spec: SweepSpec) -> SweepSpec:
    gpu = spec.lanes.gpu.model_copy(update={"slots": 0})
    return spec.model_copy(update={"lanes": spec.lanes.model_copy(update={"gpu": gpu})})


def study_of(spec: SweepSpec, paths: RunPaths) -> optuna.Study:
    return SearchStudy.open(spec, paths.study(spec.name))._study


def test_every_trial_has_one_whole_row(
    finished: tuple[SweepOutcome, RunPaths, Witness], tiny_dataset: Dataset
) -> None:
    outcome, _, _ = finished
    assert [r.trial_number for r in outcome.records] == list(range(6))
    for record in outcome.records:
        assert record.status in (TrialStatus.COMPLETE, TrialStatus.STOPPED)
        assert record.dataset_fingerprint == tiny_dataset.fingerprint
        assert record.epochs == (25 if record.first else 3)
        assert record.epochs_run <= record.epochs
        assert record.score == record.val_accuracy
        assert record.training_s > record.trained_part_s > 0
        assert record.peak_memory_bytes is not None
        assert record.started_at is not None
        assert record.finished_at is not None
        assert record.started_at < record.finished_at
        absent = [
            name
            for name in COLUMNS
            if getattr(record, name) is None
            and name not in ("step_size", "gamma", "final_fraction", "peak", "first")
            and name not in ("beta1", "beta2", "micro_batch", "test_looks")
            and name not in ("curve", "probabilities", "error_kind", "error_message")
        ]
        assert absent == []


def test_curves_and_probabilities_are_those_of_the_last_epoch(
    finished: tuple[SweepOutcome, RunPaths, Witness], tiny_dataset: Dataset
) -> None:
    _, paths, _ = finished
    records = Leaderboard(paths.leaderboard).read("tiny", heavy=True)
    assert len(records) == 6
    for record in records:
        assert record.curve is not None
        assert record.probabilities is not None
        assert [epoch["epoch"] for epoch in record.curve] == list(range(1, record.epochs_run + 1))
        assert record.curve[-1]["val_loss"] == record.val_loss
        guesses = [row.index(max(row)) for row in record.probabilities]
        right = sum(g == y for g, y in zip(guesses, tiny_dataset.val.labels, strict=True))
        assert right / len(guesses) == pytest.approx(record.val_accuracy)


def test_workers_stay_warm(finished: tuple[SweepOutcome, RunPaths, Witness]) -> None:
    outcome, _, witness = finished
    slots = sum(lane.slots for lane in witness.lanes)
    assert len({record.worker_pid for record in outcome.records}) <= slots == 2


def test_nothing_is_left_running_in_the_study(
    finished: tuple[SweepOutcome, RunPaths, Witness],
) -> None:
    outcome, paths, _ = finished
    states = {TrialStatus.COMPLETE: TrialState.COMPLETE, TrialStatus.STOPPED: TrialState.PRUNED}
    trials = study_of(tiny_spec(), paths).get_trials()
    assert [t.state for t in trials] == [states[r.status] for r in outcome.records]
    for trial, record in zip(trials, outcome.records, strict=True):
        assert len(trial.intermediate_values) == record.epochs_run


def test_the_tutorial_is_tried_first_and_to_its_end(
    finished: tuple[SweepOutcome, RunPaths, Witness],
) -> None:
    first = finished[0].records[0]
    assert (first.first, first.lr, first.batch_size, first.schedule) == (
        "tutorial", 0.001, 4, "step",
    )  # fmt: skip
    assert first.status is TrialStatus.COMPLETE


def test_running_again_adds_only_what_is_missing(tiny_dataset: Dataset, paths: RunPaths) -> None:
    before = run_sweep(cpu_only(tiny_spec(trials=2)), tiny_dataset, paths, Witness())
    witness = Witness()
    after = run_sweep(cpu_only(tiny_spec(trials=4)), tiny_dataset, paths, witness)
    assert after.num_new == 2
    assert after.records[:2] == before.records
    assert [r.trial_number for r in witness.known] == [0, 1]
    again = run_sweep(cpu_only(tiny_spec(trials=4)), tiny_dataset, paths, Witness())
    assert (again.num_new, again.records) == (0, after.records)


def test_another_space_under_the_same_name_is_refused(
    finished: tuple[SweepOutcome, RunPaths, Witness], tiny_dataset: Dataset
) -> None:
    with pytest.raises(UsageError, match="was started with another epochs"):
        run_sweep(tiny_spec(epochs=2), tiny_dataset, finished[1], Witness())


def test_a_trial_the_driver_left_running_is_taken_up_under_its_number(
    tiny_dataset: Dataset, paths: RunPaths
) -> None:
    spec = cpu_only(tiny_spec(trials=3))
    study = study_of(spec, paths)
    left = [study.ask().number, study.ask().number]
    outcome = run_sweep(spec, tiny_dataset, paths, Witness())
    assert [r.trial_number for r in outcome.records] == [*left, 2]
    assert {t.state for t in study_of(spec, paths).trials} <= {
        TrialState.COMPLETE, TrialState.PRUNED,
    }  # fmt: skip


def test_a_diverging_trial_fails_and_teaches_the_search_nothing(
    tiny_dataset: Dataset, paths: RunPaths
) -> None:
    space = tiny_spec().space.model_copy(
        update={"lr": 1e6, "weight_decay": 1e6, "frozen_stages": 7}
    )
    spec = cpu_only(tiny_spec(trials=3)).model_copy(update={"space": space})
    outcome = run_sweep(spec, tiny_dataset, paths, Witness())
    failed = outcome.records[1:]
    assert [r.status for r in failed] == [TrialStatus.FAILED] * 2
    assert {r.error_kind for r in failed} == {"diverged"}
    assert all("no longer finite" in str(r.error_message) for r in failed)
    assert [t.state for t in study_of(spec, paths).trials[1:]] == [TrialState.FAIL] * 2
    assert len({r.worker_pid for r in outcome.records}) <= 2  # a failure costs no worker


def test_cpu_and_gpu_workers_are_busy_in_one_sweep(tiny_dataset: Dataset, paths: RunPaths) -> None:
    """The GPU is declared, not real: its lane computes on the CPU."""
    spec = tiny_spec(trials=40)
    gpu = spec.lanes.gpu.model_copy(update={"device": "cpu"})
    spec = spec.model_copy(update={"lanes": spec.lanes.model_copy(update={"gpu": gpu})})
    witness = Witness()
    outcome = run_sweep(spec, tiny_dataset, paths, witness)
    assert {(lane.kind, lane.slots) for lane in witness.lanes} == {
        (LaneKind.GPU, 1), (LaneKind.CPU, 1),
    }  # fmt: skip
    by_lane = {kind: [r for r in outcome.records if r.lane == kind] for kind in ("gpu", "cpu")}
    assert min(len(records) for records in by_lane.values()) >= 2
    assert sum(len(records) for records in by_lane.values()) == 40
    assert len({r.worker_pid for r in outcome.records}) == 2


def test_a_time_budget_cuts_what_runs_and_more_time_continues_it(
    tiny_dataset: Dataset, paths: RunPaths
) -> None:
    spec = cpu_only(tiny_spec(trials=100_000))
    search = spec.search.model_copy(update={"minutes": 0.25})
    outcome = run_sweep(spec.model_copy(update={"search": search}), tiny_dataset, paths, Witness())
    assert 0 < len(outcome.records) < 100_000
    assert not outcome.interrupted
    known = study_of(spec, paths).get_trials(deepcopy=False)
    trials = [t for t in known if PASSED_OVER not in t.user_attrs]  # for want of time
    left = [t.number for t in trials if t.state is TrialState.RUNNING]
    assert len(left) <= 2  # slots
    assert {r.trial_number for r in outcome.records if r.is_open} <= set(left)
    after = run_sweep(cpu_only(tiny_spec(trials=len(trials))), tiny_dataset, paths, Witness())
    assert [r.trial_number for r in after.records] == [t.number for t in trials]
    assert not any(r.is_open for r in after.records)


class Interrupter(Witness):
    """Sends this process a signal when a trial has reported."""

    def trial_reported(self, number: int, epoch: int, score: float) -> None:
        if not self.reports:
            os.kill(os.getpid(), signal.SIGTERM)
        super().trial_reported(number, epoch, score)


def test_a_trial_cut_by_a_signal_is_unfinished_and_its_row_is_replaced(
    tiny_dataset: Dataset, paths: RunPaths
) -> None:
    """Trials that take seconds on any machine; the first tries are cut too, by a signal."""
    spec = cpu_only(tiny_spec(trials=2, epochs=40))
    search = spec.search.model_copy(
        update={"early_stopping": NoEarlyStopping(), "first": (First(lr=0.001),)}
    )
    space = spec.space.model_copy(update={"frozen_stages": 0, "lr": 0.001})
    spec = spec.model_copy(update={"search": search, "space": space})
    outcome = run_sweep(spec, tiny_dataset, paths, Interrupter())
    assert outcome.interrupted
    assert outcome.num_new == 0
    cut = [r for r in outcome.records if r.status is TrialStatus.UNFINISHED]
    assert cut
    assert all(0 < r.epochs_run < 40 for r in cut)
    after = run_sweep(spec, tiny_dataset, paths, Witness())
    assert [(r.trial_number, r.status) for r in after.records] == [
        (0, TrialStatus.COMPLETE), (1, TrialStatus.COMPLETE),
    ]  # fmt: skip
    assert after.num_new == 2


class Reader(Witness):
    """Reads the leaderboard with every tool each time a trial ends, while the sweep runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.seen: list[tuple[int, int, int]] = []

    def trial_finished(self, record: TrialRecord) -> None:
        super().trial_finished(record)
        with_pandas = pd.read_parquet(self.folder)
        with_arrow = ds.dataset(self.folder, partitioning="hive").to_table()
        query = f"select trial_number, sweep from '{self.folder}/*/*.parquet'"
        with_duckdb = duckdb.execute(query).fetchall()
        assert (record.trial_number, "tiny") in with_duckdb
        assert record.trial_number in set(with_pandas["trial_number"])
        self.seen.append((len(with_pandas), with_arrow.num_rows, len(with_duckdb)))


def test_any_tool_reads_the_leaderboard_while_the_sweep_runs(
    tiny_dataset: Dataset, paths: RunPaths
) -> None:
    reader = Reader(paths.leaderboard)
    run_sweep(cpu_only(tiny_spec(trials=4)), tiny_dataset, paths, reader)
    assert reader.seen == [(n, n, n) for n in range(1, 5)]
