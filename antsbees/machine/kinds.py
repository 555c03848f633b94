"""What each kind of device does in its own way: one class a kind."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch

from antsbees.machine.instructions import instruction_set

CUBLAS_WORKSPACES = ":4096:8"  # with which cuBLAS repeats itself to the bit


class Device(ABC):
    """A device that torch computes on.

    Args:
        index: Which of its kind, of those that this process sees.
    """

    has_own_memory = True
    """Whether what is computed on must be brought to it."""

    def __init__(self, index: int) -> None:
        self.index = index

    @abstractmethod
    def prepare(self) -> None:
        """Have it repeat itself to the bit, in this process; raise what torch raises."""

    @abstractmethod
    def processor(self, threads: int) -> str:
        """Name it as far as the last bits of its results depend on it."""

    @abstractmethod
    def wait(self) -> None:
        """Wait until it has done all that it was asked for."""

    @abstractmethod
    def free_bytes(self) -> int:
        """Return how much of its memory nobody uses."""

    @abstractmethod
    def limit_memory(self, share: float) -> None:
        """Keep this process to a share of its memory."""

    @abstractmethod
    def reset_peak(self) -> bool:
        """Count the memory that is used from now on; tell whether it does."""

    @abstractmethod
    def peak_bytes(self) -> int:
        """Return the most that was used since."""


class Cuda(Device):
    """A GPU of CUDA.

    Algorithms are those that repeat themselves to the bit, chosen by rule: trying them out
    (``cudnn.benchmark``) may choose another one in another process. FP32 is float32, not TF32.
    """

    def prepare(self) -> None:
        """Choose repeatable algorithms, and this GPU."""
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", CUBLAS_WORKSPACES)
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.cuda.set_device(self.index)

    def processor(self, threads: int) -> str:
        """Name the GPU and its libraries."""
        name = torch.cuda.get_device_name(self.index).replace(" ", "-")
        return f"{name}-cuda{torch.version.cuda}-cudnn{torch.backends.cudnn.version()}"

    def wait(self) -> None:
        """Wait for its kernels."""
        torch.cuda.synchronize(self.index)

    def free_bytes(self) -> int:
        """Ask the driver."""
        return int(torch.cuda.mem_get_info(self.index)[0])

    def limit_memory(self, share: float) -> None:
        """Let torch's allocator refuse more."""
        torch.cuda.set_per_process_memory_fraction(share, self.index)

    def reset_peak(self) -> bool:
        """Reset the count of torch's allocator, where there is a GPU at all."""
        if not torch.cuda.is_available():
            return False
        torch.cuda.reset_peak_memory_stats(self.index)
        return True

    def peak_bytes(self) -> int:
        """Return what torch's allocator counted."""
        return int(torch.cuda.max_memory_allocated(self.index))


class Host(Device):
    """The CPU; its memory is counted by ``antsbees.machine.memory``."""

    has_own_memory = False

    def prepare(self) -> None:
        """Nothing is to be done."""

    def processor(self, threads: int) -> str:
        """Name the instructions, and the threads, which add up in another order."""
        return f"cpu-{instruction_set()}-t{threads}"

    def wait(self) -> None:
        """It does nothing by itself."""

    def free_bytes(self) -> int:
        """Return nothing: the memory of a host is shared."""
        return 0

    def limit_memory(self, share: float) -> None:
        """Nothing limits it."""

    def reset_peak(self) -> bool:
        """Leave that to the kernel's count."""
        return False

    def peak_bytes(self) -> int:
        """Return nothing; see ``reset_peak``."""
        return 0


DEVICES: Mapping[str, type[Device]] = {"cpu": Host, "cuda": Cuda}
"""By the name that torch has for a kind."""


def device_named(name: str) -> Device | None:
    """Return the device that torch calls so; ``cuda`` is the first GPU.

    Returns:
        ``None`` where there is no class for its kind.
    """
    kind, colon, number = name.partition(":")
    if kind not in DEVICES or (colon and not number.isdecimal()):
        return None
    if colon and not DEVICES[kind].has_own_memory:
        return None  # there is one host
    return DEVICES[kind](int(number or 0))
