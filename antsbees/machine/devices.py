"""Device, threads and precision: how the arithmetic of a trial is carried out."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from antsbees.config import Precision
from antsbees.errors import ConfigError, DeviceError
from antsbees.machine.kinds import Device, device_named


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
        if device_named(self.device) is None:
            raise ConfigError(f"device must be cpu, cuda or cuda:<number>, got {self.device!r}")
        if self.threads < 1:
            raise ConfigError(f"threads must be at least 1, got {self.threads}")

    @property
    def where(self) -> Device:
        """The device, and what its kind does in its own way."""
        if (device := device_named(self.device)) is None:
            raise ConfigError(f"there is no device {self.device!r}")
        return device

    @property
    def on_gpu(self) -> bool:
        """Whether what is computed on must be brought to the device."""
        return self.where.has_own_memory


def configure(execution: Execution) -> None:
    """Prepare this process for an execution.

    Raises:
        DeviceError: torch cannot use the device.
    """
    torch.set_num_threads(execution.threads)
    try:
        execution.where.prepare()
    except (RuntimeError, AssertionError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise DeviceError(f"device {execution.device} cannot be used: {reason}") from error


def divide_memory(execution: Execution, share: float) -> None:
    """Keep this process to its share of a GPU's memory, where several processes share one."""
    if 0 < share < 1:
        execution.where.limit_memory(share)


def arithmetic(device: str, precision: Precision) -> AbstractContextManager[object]:
    """Return the context in which a forward pass runs in a precision."""
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=precision is Precision.BF16)


def numerics(execution: Execution) -> str:
    """Name what the last bits of a frozen part's output depend on, beside weights and images."""
    version = torch.__version__.split("+")[0]
    processor = execution.where.processor(execution.threads)
    return f"{processor}-{execution.inference_precision}-torch{version}"
