"""How much memory a trial used at most, in a process that many trials share."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

from antsbees.machine.devices import Execution

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # of clear_refs, see proc_pid_clear_refs(5)


class PeakMemory:
    """Watches the memory of this process, or of its GPU, from its making on.

    Only one watches at a time: another one starts the count again for both. Where the kernel does
    not reset its count (it is Linux that does), it is the process's lifetime's.

    Args:
        execution: Tells the device.
    """

    def __init__(self, execution: Execution) -> None:
        device = execution.where
        self._device = device if device.reset_peak() else None
        self.is_of_trial = self._device is not None or _reset_peak()

    @property
    def num_bytes(self) -> int:
        """The most that was used since: resident on the host, or allocated on the GPU."""
        if self._device is not None:
            return self._device.peak_bytes()
        return _peak_of_host() or _peak_of_lifetime()


def _reset_peak() -> bool:
    """Ask the kernel to count from now on; tell whether it does."""
    with suppress(OSError):
        CLEAR_REFS.write_text(_RESET_PEAK)
        return _peak_of_host() is not None
    return False


def _peak_of_host() -> int | None:
    """Return the resident memory's high-water mark, if the kernel tells."""
    with suppress(OSError):
        for line in STATUS.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "VmHWM":
                return int(value.removesuffix("kB")) * 1024
    return None


def _peak_of_lifetime() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
