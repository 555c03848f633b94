"""Opens the images a source names: a folder, a zip, the tutorial's photographs, drawn ones."""

from __future__ import annotations

import http.client
import os
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from antsbees.data import tutorial
from antsbees.data.archive import unzipped
from antsbees.data.datasets import Dataset
from antsbees.data.folder import read_folder
from antsbees.data.synthetic import drawing as synthetic
from antsbees.errors import DataError
from antsbees.storage import cache_folder

SYNTHETIC = "synthetic"
AUTO = "auto"


def open_dataset(source: str, progress: tutorial.Progress | None = None) -> Dataset:
    """Find, fetch if need be, and check the images a source names.

    Args:
        source: A folder ``train/<class>/*``, ``val/<class>/*``; a zip of one; ``synthetic``; or
            ``auto``: the folder in ``ANTSBEES_DATA``, else the tutorial's photographs, else
            ``synthetic``.

    Raises:
        DataError: The images cannot be used; the message names every fault found.
    """
    if source == AUTO and os.environ.get("ANTSBEES_DATA"):
        source = os.environ["ANTSBEES_DATA"]
    if source == AUTO:
        return _auto(progress)
    if source == SYNTHETIC:
        return read_folder(_synthetic_folder(), name=SYNTHETIC)
    path = Path(source).expanduser().absolute()
    if not path.exists():
        raise DataError(
            f"no images at {path}: give a folder with train/<class>/ and val/<class>/, "
            f"a zip of one, '{SYNTHETIC}' or '{AUTO}'"
        )
    if path.is_dir():
        return read_folder(path)
    return read_folder(unzipped(path), name=path.stem)


def _auto(progress: tutorial.Progress | None) -> Dataset:
    try:
        folder = tutorial.photographs(progress)
    except (OSError, http.client.HTTPException, DataError) as error:
        drawn = read_folder(_synthetic_folder(), name=SYNTHETIC)
        return replace(drawn, notice=_synthetic_notice(error))
    return read_folder(folder)


def _synthetic_notice(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return (
        f"Drawn images, not photographs. The tutorial's photographs could not be downloaded "
        f"({reason}), so this uses a synthetic set of drawn ants and bees. It shows that it all "
        f"works; its scores say nothing about real photographs, and its rows are marked "
        f"dataset={SYNTHETIC}. To use real ones: DATA=<folder> with make, --data <folder>, or "
        f"ANTSBEES_DATA=<folder>, a folder with train/<class>/ and val/<class>/."
    )


def _synthetic_folder() -> Path:
    folder = cache_folder() / f"{SYNTHETIC}-{synthetic.VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        synthetic.write(folder)
    return folder
