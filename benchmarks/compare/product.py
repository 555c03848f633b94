"""The process in which a sweep of ours runs: ``-m benchmarks.compare.product REQUEST.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from antsbees.config import TrialConfig
from antsbees.data.sources import open_dataset
from results.schema import TrialRecord
from sweeps.finals.standing import FinalsStanding
from sweeps.paths import RunPaths
from sweeps.running.driver import run_sweep
from sweeps.running.lanes import Lane
from sweeps.spec.models import SweepSpec

COUNTS = (10, 100, 1000)


def memory_bytes(field: str, status: Path = Path("/proc/self/status")) -> int:
    """Read a process's memory: ``VmRSS``, resident now, or ``VmHWM``, resident at its peak."""
    lines = status.read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{field}:")]
    return int(line.split()[1]) * 1024  # the kernel says kB


class MemoryObserver:
    """Notes the driver's memory when so and so many trials have finished."""

    def __init__(self, last: int) -> None:
        self._wanted = {*COUNTS, last}
        self._num_finished = 0
        self.rss_bytes: dict[int, int] = {}

    def sweep_started(self, lanes: tuple[Lane, ...], known: list[TrialRecord]) -> None:
        """Do nothing."""

    def trial_started(self, number: int, config: TrialConfig, lane: Lane) -> None:
        """Do nothing."""

    def trial_reported(self, number: int, epoch: int, score: float) -> None:
        """Do nothing."""

    def trial_finished(self, record: TrialRecord) -> None:
        """Count the trial."""
        self._num_finished += 1
        if self._num_finished in self._wanted:
            self.rss_bytes[self._num_finished] = memory_bytes("VmRSS")

    def finals_went_on(self, standing: FinalsStanding) -> None:
        """Do nothing."""

    def noted(self, sentence: str) -> None:
        """Do nothing."""


def main(request: Path) -> None:
    """Run the sweep asked for, and write what its leaderboard does not hold."""
    asked = json.loads(request.read_text())
    spec = SweepSpec.model_validate(asked["spec"])
    observer = MemoryObserver(spec.search.trials)
    run_sweep(spec, open_dataset(spec.data), RunPaths(Path(asked["runs"])), observer)
    facts = {
        "driver_rss_bytes": observer.rss_bytes,
        "driver_peak_bytes": memory_bytes("VmHWM"),
    }
    Path(asked["out"]).write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
