"""Photographs that were sent to this machine: in use while a worker lives, else cleared by hand."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = "images"  # in a machine's cache
_LOCK = ".in-use"
_in_use: dict[Path, int] = {}
"""Descriptors of this process that hold the lock of a folder; the kernel ends that with it."""


@dataclass(frozen=True)
class Arrived:
    """What photographs take on disk.

    Args:
        num_sets: Data sets, each sent by a driver.
        num_bytes: Of these, and of what was not unpacked to its end.
    """

    num_sets: int
    num_bytes: int


def use(cache: Path) -> Path:
    """Return where photographs are to be unpacked; none are cleared while this process lives."""
    folder = cache / FOLDER
    if folder not in _in_use:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        _in_use[folder] = descriptor
    return folder


def usage(cache: Path) -> Arrived:
    """Count the photographs that were sent to this machine."""
    folder = cache / FOLDER
    return Arrived(len(_sets(folder)), sum(_sizes(folder)))


def clear(cache: Path) -> Arrived | None:
    """Delete them, or none where a worker uses any; return what was deleted, ``None`` if in use."""
    folder = cache / FOLDER
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:  # there are none, or another user's
        return Arrived(0, 0)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = usage(cache)
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink(missing_ok=True)
        return found
    except BlockingIOError:
        return None
    finally:
        os.close(descriptor)


def _sizes(folder: Path) -> Iterator[int]:
    """Yield the size of each file; what a worker renames or deletes meanwhile is passed over."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                yield (Path(parent) / name).stat().st_size


def _sets(folder: Path) -> list[Path]:
    return [path for path in folder.glob("[!.]*") if path.is_dir()]
