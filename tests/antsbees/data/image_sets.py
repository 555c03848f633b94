"""Tiny sets of images for tests, and what a refused one says."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from PIL import Image

from antsbees.data.sources import open_dataset
from antsbees.errors import DataError


def write_image(path: Path, shade: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (shade % 256, shade // 256, 0)).save(path)


def write_set(root: Path, classes: tuple[str, ...] = ("ants", "bees"), count: int = 2) -> Path:
    for first, split in ((0, "train"), (100, "val")):
        for number, name in enumerate(classes):
            for i in range(count):
                write_image(root / split / name / f"{i}.png", first + 10 * number + i)
    return root


def zipped(archive: Path, root: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(archive, "w") as opened:
        for file in sorted(root.rglob("*.*")):
            opened.write(file, inside + file.relative_to(root).as_posix())
    return archive


def refusal(source: Path | str) -> str:
    with pytest.raises(DataError) as refused:
        open_dataset(str(source))
    return str(refused.value)
