"""The one owner of every file name below ``runs/``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sweeps.errors import UsageError


@dataclass(frozen=True)
class RunPaths:
    """Where sweeps and trained models are written.

    Args:
        root: ``runs/`` in the current folder, or what the user chose; absolute.
    """

    root: Path

    @classmethod
    def choose(cls, chosen: Path | None) -> RunPaths:
        """Return the paths below ``chosen``, else ``ANTSBEES_RUNS``, else ``./runs``."""
        root = chosen or Path(os.environ.get("ANTSBEES_RUNS") or "runs")
        return cls(root.expanduser().absolute())

    @property
    def leaderboard(self) -> Path:
        """The Parquet dataset."""
        return self.root / "leaderboard"

    @property
    def finals(self) -> Path:
        """The Parquet dataset of finals."""
        return self.root / "finals"

    def model(self, name: str) -> Path:
        """The folder of a retrained model."""
        return self.root / "models" / name

    def report(self, name: str) -> Path:
        """The page that shows what came out of a sweep."""
        return self.root / "reports" / f"{name}.html"

    def sweep(self, name: str) -> Path:
        """The folder of a sweep's own files."""
        return self.root / "sweeps" / name

    def study(self, name: str) -> Path:
        """The journal of a sweep's Optuna study."""
        return self.sweep(name) / "study.journal"

    def spec(self, name: str) -> Path:
        """What a sweep was started with."""
        return self.sweep(name) / "sweep.json"

    def lock(self, name: str) -> Path:
        """Held by the driver of a sweep."""
        return self.sweep(name) / "driver.lock"

    def heartbeat(self, name: str) -> Path:
        """The name of the driver's machine, written anew while it runs."""
        return self.sweep(name) / "driver.host"

    def log(self, name: str) -> Path:
        """What Ray, Optuna and the driver have to say."""
        return self.sweep(name) / "driver.log"

    def ray(self, name: str) -> Path:
        """Ray Tune's own files; nothing in it is needed again."""
        return self.sweep(name) / "ray"

    def unfinished(self, name: str) -> Path:
        """The folder of the states that long trials go on from after an interruption."""
        return self.sweep(name) / "unfinished"

    def require_writable(self) -> None:
        """Create the root.

        Raises:
            UsageError: It cannot be created or written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            writable = os.access(self.root, os.W_OK | os.X_OK)
        except OSError as error:
            raise UsageError(f"cannot write to {self.root}: {error.strerror}; {_REMEDY}") from error
        if not writable:
            raise UsageError(f"cannot write to {self.root}: permission denied; {_REMEDY}")


def state_file(folder: Path, number: int) -> Path:
    """Return the file of a trial's state in the folder of such states."""
    return folder / f"trial-{number:06d}.pt"


_REMEDY = "choose another folder with --runs or ANTSBEES_RUNS"
