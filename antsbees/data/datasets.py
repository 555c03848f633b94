"""Labelled images as values: splits of files with the index of their class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "val")


@dataclass(frozen=True)
class Split:
    """Image files in a fixed order, and for each the index of its class."""

    paths: tuple[Path, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True)
class Dataset:
    """Checked, labelled images.

    Args:
        name: ``synthetic``, or the name of the folder or archive.
        fingerprint: SHA-256 over the names and contents of all images, hexadecimal.
        num_skipped: Files left out because they are no images.
        notice: What the user must know about the choice of this dataset, if anything.
    """

    name: str
    root: Path
    classes: tuple[str, ...]
    train: Split
    val: Split
    fingerprint: str
    num_skipped: int = 0
    notice: str | None = None

    def split(self, name: str) -> Split:
        """Return the split of that name, ``train`` or ``val``."""
        return {"train": self.train, "val": self.val}[name]
