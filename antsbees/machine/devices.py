"""Device, threads and precision: how the arithmetic of a trial is carried out."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from antsbees.config import Precision


@dataclass(frozen=True)
class Execution:
    """Where and how a trial computes; equal executions give equal numbers, to the last bit.

    Args:
        device: As torch names it: ``cpu``, ``cuda``, ``cuda:1``.
        threads: Threads of the CPU's arithmetic.
        precision: Of the trained part's forward and backward pass.
        inference_precision: Of the frozen part and of evaluation.
    """

    device: str = "cpu"
    threads: int = 1
    precision: Precision = Precision.FP32
    inference_precision: Precision = Precision.FP32

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a CUDA device."""
        return self.device.startswith("cuda")


def configure(execution: Execution) -> None:
    """Prepare this process for an execution."""
    torch.set_num_threads(execution.threads)
    if execution.on_gpu:
        torch.cuda.set_device(torch.device(execution.device))
        torch.backends.cudnn.benchmark = True  # try algorithms, among
        torch.backends.cudnn.deterministic = True  # those that give the same bits every time


def arithmetic(device: str, precision: Precision) -> AbstractContextManager[object]:
    """Return the context in which a forward pass runs in a precision."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=precision is Precision.BF16)


def numerics(execution: Execution) -> str:
    """Name what the last bits of a frozen part's output depend on, beside weights and images."""
    version = torch.__version__.split("+")[0]
    if execution.on_gpu:
        processor = torch.cuda.get_device_name(execution.device).replace(" ", "-")
    else:
        processor = f"cpu-{torch.backends.cpu.get_cpu_capability()}-t{execution.threads}"
    return f"{processor}-{execution.inference_precision}-torch{version}"
