"""Where what can be recomputed is kept, and how a file or folder is published whole."""

from __future__ import annotations

import atexit
import errno
import functools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the folder for downloads and activations: ``ANTSBEES_CACHE``, or the user's cache."""
    chosen = os.environ.get("ANTSBEES_CACHE")
    return Path(chosen).absolute() if chosen else Path(platformdirs.user_cache_dir("antsbees"))


def prepared_folder() -> Path:
    """Return a folder to write prepared images to: the cache, or a temporary one in its place.

    The temporary one takes over, with a warning, where the cache cannot be written; it is deleted
    when this process ends.
    """
    return _writable_or_temporary(cache_folder())


@functools.cache
def _writable_or_temporary(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        temporary = Path(tempfile.mkdtemp(prefix="antsbees-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        logger.warning(
            "the cache folder %s cannot be written (%s): what is prepared goes to %s and is "
            "deleted at the end; choose another folder with ANTSBEES_CACHE",
            folder, error.strerror, temporary,
        )  # fmt: skip
        return temporary


_reported: set[Path] = set()


def report_unusable(folder: Path, error: OSError) -> None:
    """Say, once in a process, that nothing is kept in a folder; what fails there costs only time.

    A full disk is said every time.
    """
    if error.errno != errno.ENOSPC:
        if folder in _reported:
            return
        _reported.add(folder)
    logger.warning("nothing is kept in %s, which cannot be used: %s", folder, error)


@contextmanager
def publish_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=f".{path.name[-80:]}", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def publish_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``path``, taking the place of one already there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=path.parent))
    try:
        yield fresh
        fresh.chmod(0o755)
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=".old-", dir=path.parent))
            os.replace(path, old)
            os.replace(fresh, path)
            shutil.rmtree(old)
        else:
            os.replace(fresh, path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
