"""Device, threads and precision: how the arithmetic of a trial is carried out."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from antsbees.config import Precision
from antsbees.errors import ConfigError, DeviceError
from antsbees.machine.instructions import instruction_set

CUBLAS_WORKSPACES = ":4096:8"  # with which cuBLAS repeats itself to the bit


@dataclass(frozen=True)
class Execution:
    """Where and how a trial computes; equal executions give equal numbers, to the last bit.

    Args:
        device: As torch names it: ``cpu``, ``cuda``, ``cuda:1``.
        threads: Threads of the CPU's arithmetic.
        precision: Of the trained part's forward and backward pass.
        inference_precision: Of the frozen part and of evaluation.
        fast_layers: Put layers of our own in the place of torch's (``antsbees.layers``).

    Raises:
        ConfigError: The device is neither the CPU nor a CUDA device, or there are no threads.
    """

    device: str = "cpu"
    threads: int = 1
    precision: Precision = Precision.FP32
    inference_precision: Precision = Precision.FP32
    fast_layers: bool = True

    def __post_init__(self) -> None:
        if self.device != "cpu" and self.gpu_index is None:
            raise ConfigError(f"device must be cpu, cuda or cuda:<number>, got {self.device!r}")
        if self.threads < 1:
            raise ConfigError(f"threads must be at least 1, got {self.threads}")

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a CUDA device."""
        return self.device != "cpu"

    @property
    def gpu_index(self) -> int | None:
        """Which of the GPUs that this process sees it is; ``cuda`` is the first."""
        kind, _, number = self.device.partition(":")
        if kind != "cuda" or (self.device != "cuda" and not number.isdecimal()):
            return None
        return int(number or 0)


def configure(execution: Execution) -> None:
    """Prepare this process for an execution.

    On a GPU, algorithms are those that repeat themselves to the bit, chosen by rule: trying them
    out (``cudnn.benchmark``) may choose another one in another process. FP32 is float32, not TF32.

    Raises:
        DeviceError: torch cannot use the device.
    """
    torch.set_num_threads(execution.threads)
    if (index := execution.gpu_index) is None:
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACES)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        torch.cuda.set_device(index)
    except (RuntimeError, AssertionError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise DeviceError(f"device {execution.device} cannot be used: {reason}") from error


def divide_memory(execution: Execution, share: float) -> None:
    """Keep this process to its share of a GPU's memory, where several processes share one."""
    if execution.gpu_index is not None and 0 < share < 1:
        torch.cuda.set_per_process_memory_fraction(share, execution.gpu_index)


def arithmetic(device: str, precision: Precision) -> AbstractContextManager[object]:
    """Return the context in which a forward pass runs in a precision."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=precision is Precision.BF16)


def processor_of(execution: Execution) -> str:
    """Name the processor as far as the last bits of its results depend on it."""
    if (index := execution.gpu_index) is None:
        return f"cpu-{instruction_set()}-t{execution.threads}"
    name = torch.cuda.get_device_name(index).replace(" ", "-")
    return f"{name}-cuda{torch.version.cuda}-cudnn{torch.backends.cudnn.version()}"


def numerics(execution: Execution) -> str:
    """Name what the last bits of a frozen part's output depend on, beside weights and images."""
    version = torch.__version__.split("+")[0]
    return f"{processor_of(execution)}-{execution.inference_precision}-torch{version}"
