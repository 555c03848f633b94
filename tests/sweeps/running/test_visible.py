"""A worker without a GPU sees none."""

from __future__ import annotations

import os

import pytest

from sweeps.running import visible
from sweeps.running.visible import hide_gpus


class InWorker:
    """As much of Ray as tells that this is a worker."""

    def is_initialized(self) -> bool:
        return True

    def get_runtime_context(self) -> InWorker:
        return self

    def get_task_id(self) -> str:
        return "a task"


@pytest.mark.parametrize(("device", "seen"), [("cpu", ""), ("cuda", "0,1"), ("cuda:1", "0,1")])
def test_a_worker_of_the_cpu_lane_sees_no_gpu(
    device: str, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    hide_gpus(device)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"  # no worker
    monkeypatch.setattr(visible, "ray", InWorker())
    hide_gpus(device)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == seen
