"""What a worker does in finals: heads together, the others alone, on benches that stay warm."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import pytest

from antsbees.config import Precision, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.hyperparameters import OptimizerKind
from results.schema import Objective
from sweeps.running import folding
from sweeps.running.folding import OnFolds, train_on_folds
from sweeps.running.trainable import Job
from tests.sweeps.sweep_fakes import make_spec

FOLDS = (tuple(range(0, 40, 2)), tuple(range(1, 40, 2)))
SPEC = make_spec(backbone="resnet18", weights="none", image_size=32, views=2)
HEAD = TrialConfig(5, backbone="resnet18", epochs=1)


@pytest.fixture
def job(tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> Job:
    """The job of a sweep on this machine, without Ray and without a cache."""
    monkeypatch.setattr(folding, "settled", lambda job: job)
    fp32 = Precision.FP32
    return Job(
        (SPEC.task,), tiny_dataset, Objective.VAL_ACCURACY, frozenset(), fp32, fp32,
        fast_layers=True, cache_folder=None, cache_max_bytes=0, driver_node="here",
    )  # fmt: skip


def asked(*trials: tuple[int, TrialConfig], without: Sequence[int] = (0, 1)) -> OnFolds:
    return OnFolds("test", trials, 0, FOLDS, without, (), "cpu", "cpu", 1)


def test_rows_come_in_the_order_of_folds_and_score_by_the_objective(job: Job) -> None:
    """A head with AdamW is none of those that are trained together, and has rows like them."""
    adamw = replace(HEAD, optimizer=OptimizerKind.ADAMW, momentum=None, nesterov=None)
    found = train_on_folds(job, asked((7, HEAD), (3, adamw)))
    assert [(row.trial_number, row.fold) for row in found.rows] == [(7, 0), (7, 1), (3, 0), (3, 1)]
    labels = job.dataset.pooled.labels
    for row in found.rows:
        assert row.labels == [labels[place] for place in FOLDS[row.fold]]
        assert row.score == row.accuracy
        assert (row.lane, row.worker_pid) == ("cpu", os.getpid())
    began = [row.started_at for row in found.rows if row.started_at is not None]
    assert began == sorted(began)
    assert len(set(began)) == 4


def test_a_fold_alone_comes_out_as_with_the_others(job: Job) -> None:
    """So several workers can have a part each of one finalist."""
    deep = replace(HEAD, frozen_stages=4)
    whole = train_on_folds(job, asked((7, deep))).rows
    for fold in (1, 0):
        (alone,) = train_on_folds(job, asked((7, deep), without=(fold,))).rows
        assert (alone.fold, alone.num_folds, alone.images) == (fold, 2, list(FOLDS[fold]))
        assert alone.probabilities == whole[fold].probabilities


def test_rows_say_of_how_many_trainings_the_mean_answered(job: Job) -> None:
    deep = replace(HEAD, frozen_stages=4, lr=0.01)
    alone, soup = (
        train_on_folds(job, asked((7, replace(deep, soup_size=size)))).rows for size in (1, 3)
    )
    head = train_on_folds(job, asked((7, replace(HEAD, soup_size=3)))).rows
    assert [row.soup_size for row in alone + soup + head] == [1, 1, 3, 3, 1, 1]
    assert alone[0].probabilities != soup[0].probabilities


def test_one_that_diverges_is_told_beside_the_rows_of_the_others(job: Job) -> None:
    found = train_on_folds(job, asked((7, HEAD), (8, replace(HEAD, lr=1e38))))
    assert {row.trial_number for row in found.rows} == {7}
    assert found.failures == {8: "the loss is no longer finite"}


def test_a_bench_is_not_used_for_a_job_that_computes_otherwise(job: Job) -> None:
    """One Ray may run one sweep after another on the same images, with the same workers."""
    tasks = job.tasks[0], "cpu", 1
    bench = folding._bench(job, *tasks)
    assert folding._bench(job, *tasks) is bench
    other = folding._bench(replace(job, fast_layers=False), *tasks)
    assert other is not bench
    assert not other.backbone.fast_layers
