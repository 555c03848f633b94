"""Opens the images a source names: a folder, a zip, the tutorial's photographs, drawn ones."""

from __future__ import annotations

import http.client
import os
import stat
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from antsbees.data import tutorial
from antsbees.data.archive import unzipped
from antsbees.data.datasets import Dataset
from antsbees.data.folder import read_folder
from antsbees.data.names import printable
from antsbees.data.synthetic import drawing as synthetic
from antsbees.errors import DataError
from antsbees.storage import cache_folder, prepared_folder

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
        return _drawn()
    path = Path(source).expanduser().absolute()
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError as error:
        raise DataError(
            f"no images at {printable(path)}: give a folder with train/<class>/ and val/<class>/, "
            f"a zip of one, '{SYNTHETIC}' or '{AUTO}'"
        ) from error
    except OSError as error:
        raise DataError(f"{printable(path)} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{printable(path)} is no path: {error}") from error
    name = _free_name(path.name if is_folder else path.stem)
    return read_folder(path if is_folder else unzipped(path), name)


def _free_name(name: str) -> str:
    """Return the name of a user's images, which is never that of the drawn set."""
    return f"{name}-folder" if name == SYNTHETIC else name


def _drawn(notice: str | None = None) -> Dataset:
    """Open the drawn set."""
    drawn = replace(read_folder(_synthetic_folder(), name=SYNTHETIC), notice=notice)
    if not (Path(SYNTHETIC) / "train").is_dir():
        return drawn
    return replace(
        drawn,
        warnings=(
            f"'{SYNTHETIC}' means the drawn images, although there is a folder of that name here; "
            f"to use the folder say ./{SYNTHETIC}",
        ),
    )


def _auto(progress: tutorial.Progress | None) -> Dataset:
    try:
        folder = tutorial.photographs(progress)
    except (OSError, http.client.HTTPException, DataError) as error:
        return _drawn(_synthetic_notice(error))
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
    name = f"{SYNTHETIC}-{synthetic.VERSION}"
    if (cache_folder() / name).is_dir():
        return cache_folder() / name
    folder = prepared_folder() / name
    with FileLock(f"{folder}.lock"):
        synthetic.write(folder)
    return folder
