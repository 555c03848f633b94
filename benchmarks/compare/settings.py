"""How large the measurements are: the real ones, or tiny ones that only show that all paths run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from antsbees.data.synthetic import drawing as synthetic

TINY_COUNTS = {"train": 8, "val": 6}
TINY_SIZE = 64


@dataclass(frozen=True)
class Settings:
    """What all measurements of a run share.

    Args:
        data: A folder ``train/<class>/*``, ``val/<class>/*``; both systems read it.
        scratch: Everything a measurement writes goes below it.
        slots: Trials at once, one CPU each, for both systems.
        max_trials: The most trials of *overhead* and *scale*.
        time_budget_s: After which the baseline of *sweep* is cut off.
        ours_first: Which system of a pair runs first.
    """

    data: Path
    scratch: Path
    slots: int
    max_trials: int = 1000
    time_budget_s: float = 600.0
    tiny: bool = False
    ours_first: bool = True

    @property
    def image_size(self) -> int:
        """Edge of the square the network sees, in pixels."""
        return TINY_SIZE if self.tiny else 224

    def pick(self, real: int, tiny: int) -> int:
        """Return the number for the size of these measurements."""
        return tiny if self.tiny else real

    @contextmanager
    def folder(self, name: str) -> Iterator[Path]:
        """Yield a new folder below ``scratch`` that is deleted at the end."""
        with tempfile.TemporaryDirectory(
            prefix=f"{name}-", dir=self.scratch, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)


def default_slots() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0))


def draw(folder: Path, *, tiny: bool, factor: int = 1) -> Path:
    """Draw a synthetic dataset of ``factor`` times the usual number of images."""
    base: Mapping[str, int] = TINY_COUNTS if tiny else synthetic.COUNTS
    counts = {split: count * factor for split, count in base.items()}
    synthetic.write(folder, counts=counts, size=TINY_SIZE if tiny else 256)
    return folder
