"""What this machine has, as Ray would say it, without starting one."""

from __future__ import annotations

import os


def resources_here() -> dict[str, float]:
    """Return the cores and GPUs that a Ray started on this machine would find."""
    import torch

    affine = getattr(os, "sched_getaffinity", None)  # not on every system
    cores = len(affine(0)) if affine else os.cpu_count() or 1
    found = {"CPU": float(cores)}
    if num_gpus := torch.cuda.device_count():
        found["GPU"] = float(num_gpus)
    return found
