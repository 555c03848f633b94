"""What workers are told is what the spec says."""

from __future__ import annotations

from pathlib import Path

import pytest

from antsbees.config import Precision
from results.schema import Objective
from sweeps.running import jobs
from sweeps.running.jobs import job_of
from tests.sweeps.sweep_fakes import DATASET, FakeRay, make_spec


@pytest.fixture(autouse=True)
def _on_one_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ray", FakeRay())


def test_the_default_is_our_layers_in_whichever_precision_is_faster() -> None:
    job = job_of(make_spec(), DATASET)
    assert job.fast_layers is True
    assert job.precision is job.inference_precision is Precision.AUTO


def test_what_a_spec_says_of_computing_reaches_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path))
    job = job_of(
        make_spec(
            precision="bf16", inference_precision="fp32", fast_layers=False,
            objective="val_loss", cache={"max_gb": 0.5},
            backbone={"choice": ["resnet18", "efficientnet_lite1"]}, views=2,
        ),
        DATASET,
    )  # fmt: skip
    assert (job.precision, job.inference_precision) == (Precision.BF16, Precision.FP32)
    assert job.fast_layers is False
    assert job.objective is Objective.VAL_LOSS
    assert (job.cache_folder, job.cache_max_bytes) == (tmp_path, 2**29)
    assert [(task.backbone, task.views) for task in job.tasks] == [
        ("resnet18", 2),
        ("efficientnet_lite1", 2),
    ]
    assert job.driver_node == FakeRay.HERE
