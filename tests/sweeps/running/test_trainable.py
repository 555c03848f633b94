"""What a worker reports of its trials; no Ray is started for it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from antsbees.config import Precision, TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.networks.catalog import architecture
from results.schema import Objective
from sweeps.running import trainable
from sweeps.running.messages import Proposal, Report
from sweeps.running.shipping import ImagesDifferError
from sweeps.running.trainable import FineTuning, Job, settled
from tests.sweeps.sweep_fakes import FakeRay


@pytest.fixture
def job(tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(trainable, "ray", FakeRay())
    monkeypatch.setattr(trainable, "STEP_S", 60.0)  # a slow machine reports no more often
    return Job(
        tasks=(
            TaskConfig(weights="none", image_size=32, views=1),
            TaskConfig("resnet18", weights="none", image_size=32, views=1),
        ),
        dataset=tiny_dataset,
        objective=Objective.VAL_ACCURACY,
        rungs=frozenset({2}),
        precision=Precision.FP32,
        inference_precision=Precision.FP32,
        fast_layers=True,
        cache_folder=None,
        cache_max_bytes=0,
        driver_node=FakeRay.HERE,
    )


def proposed(number: int = 0, device: str = "cpu", **trial: Any) -> dict[str, Any]:
    config = TrialConfig(**{"frozen_stages": 9, "epochs": 5, "lr": 0.01} | trial)
    proposal = Proposal(
        number=number, trial=config, is_first=False, lane="cpu", device=device, threads=1,
        resources={"CPU": 1}, slots=1,
    )  # fmt: skip
    return proposal.to_plain()


def worker(job: Job, config: dict[str, Any]) -> FineTuning:
    """A worker as Ray makes one, without its folders."""
    made = FineTuning.__new__(FineTuning)
    made.setup(config, job)
    return made


def step(of: FineTuning) -> Report:
    return Report.from_plain(of.step())


def test_a_worker_reports_at_every_rung_and_at_the_end(job: Job) -> None:
    made = worker(job, proposed())
    first, second = step(made), step(made)
    assert [e.epoch for e in first.epochs] == [1, 2]
    assert [e.epoch for e in second.epochs] == [3, 4, 5]
    assert [(r.done, r.epoch) for r in (first, second)] == [(False, 2), (True, 5)]
    assert second.score == second.epochs[-1].val_accuracy
    assert second.probabilities is not None
    assert len(second.probabilities) == len(job.dataset.val)


def test_a_warm_worker_goes_on_with_the_next_trial_on_the_same_bench(job: Job) -> None:
    made = worker(job, proposed(0))
    step(made)
    bench = made._bench
    began_s = time.time()
    assert made.reset_config(proposed(1, lr=0.02))
    report = step(made)
    assert made._bench is bench
    assert report.facts.started_at_s >= began_s
    assert [e.epoch for e in report.epochs] == [1, 2]


def test_a_worker_keeps_the_backbones_of_its_trials(job: Job) -> None:
    made, benches = worker(job, proposed(0)), []
    names = ("efficientnet_lite0", "resnet18", "efficientnet_lite0")
    for number, name in enumerate(names):
        stages = architecture(name).num_stages
        made.reset_config(proposed(number, backbone=name, frozen_stages=stages))
        step(made)
        assert made._bench is not None
        assert made._bench.task.backbone == name
        benches.append(made._bench)
    assert benches[0] is benches[2]
    assert benches[0].num_bytes > 10 * 2**20


def test_the_facts_say_where_and_how_it_was_computed(job: Job) -> None:
    facts = step(worker(job, proposed())).facts
    assert (facts.precision, facts.inference_precision) == ("fp32", "fp32")
    assert facts.weights_hash
    assert "ray " in str(facts.library_versions)
    assert facts.peak_memory_bytes


@pytest.mark.parametrize("fast", [True, False])
def test_the_layers_are_those_that_the_job_asks_for_and_a_fact(job: Job, fast: bool) -> None:
    made = worker(replace(job, fast_layers=fast), proposed())
    assert step(made).facts.fast_layers is fast
    assert made._bench is not None
    layers = {type(m).__module__ for stage in made._bench.backbone.stages for m in stage.modules()}
    assert any(name.startswith("antsbees.layers") for name in layers) is fast


def test_a_trial_that_was_interrupted_goes_on_in_another_process(job: Job, tmp_path: Path) -> None:
    job = replace(job, unfinished=tmp_path / "sweep" / "unfinished", kept_every_s=0.0)
    assert step(worker(job, proposed())).epoch == 2  # the sweep's folder is not on this machine
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "sweep").mkdir()
    first = step(worker(job, proposed()))
    resumed = worker(job, proposed())
    again, rest = step(resumed), step(resumed)
    assert (again.epochs, again.epoch, again.score) == (first.epochs, 2, first.score)
    assert again.probabilities == first.probabilities
    assert not again.done
    assert [report.restored for report in (first, again, rest)] == [0, 2, 2]
    assert resumed.reset_config(proposed(1))
    assert step(resumed).restored == 0
    whole = worker(replace(job, unfinished=None), proposed())
    step(whole)
    assert [e.val_loss for e in rest.epochs] == [e.val_loss for e in step(whole).epochs]
    assert [e.epoch for e in rest.epochs] == [3, 4, 5]
    assert rest.done


def test_a_sweep_s_folder_that_cannot_be_looked_at_keeps_nothing(job: Job, tmp_path: Path) -> None:
    for folder in (tmp_path / ("long" * 100), tmp_path / "not there"):
        report = step(worker(replace(job, unfinished=folder / "unfinished"), proposed()))
        assert (report.error_kind, report.epoch) == (None, 2)


def test_the_state_of_one_trial_is_not_that_of_another(job: Job, tmp_path: Path) -> None:
    job = replace(job, unfinished=tmp_path / "unfinished", kept_every_s=0.0)
    step(worker(job, proposed(0)))
    assert [e.epoch for e in step(worker(job, proposed(1))).epochs] == [1, 2]
    assert len(step(worker(job, proposed(1, lr=0.02))).epochs) == 2
    assert {file.name for file in (tmp_path / "unfinished").iterdir()} == {
        "trial-000000.pt", "trial-000001.pt",
    }  # fmt: skip


def test_a_divergence_keeps_the_epochs_before_it(job: Job) -> None:
    made = worker(job, proposed(frozen_stages=8))
    made._advance([])
    assert made._training is not None
    run_epoch = made._training.run_epoch

    def second_diverges() -> Any:
        if made._training is not None and made._training.epoch == 3:
            for weights in made._training.trained.parameters():
                weights.data.fill_(float("nan"))
        return run_epoch()

    made._training.run_epoch = second_diverges  # type: ignore[method-assign]
    report = step(made)
    assert (report.done, report.error_kind) == (True, "diverged")
    assert [e.epoch for e in report.epochs] == [3]
    assert report.score == report.epochs[-1].val_accuracy
    assert report.probabilities is not None


def test_the_default_gpu_without_a_gpu_is_a_failure_told_in_a_sentence(job: Job) -> None:
    """Not of the program's making: ``torch`` was asked for a device it can name."""
    report = step(worker(job, proposed(device="cuda")))
    assert report.done
    assert report.error_kind != "ValueError"
    assert "CUDA" in str(report.error_message) or "NVIDIA" in str(report.error_message)
    assert (report.epoch, report.score, report.epochs) == (0, None, ())


def test_another_node_has_its_own_cache_and_looks_for_the_images(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path / "of this node"))
    changed = replace(job, dataset=replace(job.dataset, fingerprint="0" * 64))
    assert settled(changed) == changed
    with pytest.raises(ImagesDifferError, match=r"has other images than the driver in .*00000000"):
        settled(replace(changed, driver_node="another node"))
    elsewhere = replace(job, driver_node="another node", cache_folder=Path("/of/the/driver"))
    assert settled(elsewhere).cache_folder == tmp_path / "of this node"
    assert settled(elsewhere).dataset == job.dataset
