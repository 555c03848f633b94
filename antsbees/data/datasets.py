"""Labelled images as values: splits of files with the index of their class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "val")
TEST = "test"  # the folder of images for a last test, which no sweep opens


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
        name: ``synthetic`` for the drawn set, else the name of the folder or archive.
        fingerprint: SHA-256 over the names and contents of all images, hexadecimal.
        num_skipped: Files left out because they are no images.
        test_folder: Where the user keeps images for a last test; nothing in it has been looked at.
        notice: What the user must know about the choice of this dataset, if anything.
        warnings: What can be wrong with the images although they can be used, a sentence each.
    """

    name: str
    root: Path
    classes: tuple[str, ...]
    train: Split
    val: Split
    fingerprint: str
    num_skipped: int = 0
    test_folder: Path | None = None
    notice: str | None = None
    warnings: tuple[str, ...] = ()

    def split(self, name: str) -> Split:
        """Return the split of that name, ``train`` or ``val``."""
        return {"train": self.train, "val": self.val}[name]

    @property
    def pooled(self) -> Split:
        """All images as one list: the training images under their own indices, then the others."""
        return Split(self.train.paths + self.val.paths, self.train.labels + self.val.labels)
