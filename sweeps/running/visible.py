"""Keeps a worker without a GPU from ever touching one."""

from __future__ import annotations

import os

import ray


def hide_gpus(device: str) -> None:
    """Hide all GPUs from this worker, if it is to compute on the CPU.

    Ray hides none from a worker that asked for none. It works as long as torch has not looked for
    them yet; outside of a worker of Ray's nothing is hidden.
    """
    if device == "cpu" and ray.is_initialized() and ray.get_runtime_context().get_task_id():
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
