"""``antsbees cache``: show or clear what frozen stages put out, and photographs that were sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.running import arrived
from sweeps.running.arrived import Arrived

if TYPE_CHECKING:
    from antsbees.frozen.cache import TensorCache


def show() -> None:
    """Show where the cache is and how much it holds."""
    cache, folder = _activation_cache()
    usage = cache.usage()
    print(f"{folder}: {usage.num_files} files, {usage.num_bytes / 1024**3:.2f} GB")
    there = arrived.usage(folder.parent)
    if there.num_bytes:
        print(f"{folder.parent / arrived.FOLDER}: {_told(there)}")


def clear() -> None:
    """Delete what no running sweep uses; all of it can be computed again."""
    cache, folder = _activation_cache()
    deleted = cache.clear()
    print(f"{folder}: deleted {deleted.num_files} files, {deleted.num_bytes / 1024**3:.2f} GB")
    images = folder.parent / arrived.FOLDER
    gone = arrived.clear(folder.parent)
    if gone is None:
        print(f"{images}: a sweep uses {_told(arrived.usage(folder.parent))}")
    elif gone.num_bytes:
        print(f"{images}: deleted {_told(gone)}")


def _told(there: Arrived) -> str:
    sets = f"{there.num_sets} data set{'' if there.num_sets == 1 else 's'}"
    what = sets if there.num_sets else "parts of data sets"
    return f"{what} sent by other machines, {there.num_bytes / 1024**3:.2f} GB"


def _activation_cache() -> tuple[TensorCache, Path]:
    from antsbees.frozen.cache import TensorCache
    from antsbees.storage import cache_folder

    folder = cache_folder() / "activations"
    return TensorCache(folder, max_bytes=0), folder
