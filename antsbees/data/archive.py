"""Unpacks a zip of images safely, once for each content."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from filelock import FileLock

from antsbees.data.datasets import SPLITS, TEST
from antsbees.data.names import printable
from antsbees.errors import DataError
from antsbees.storage import cache_folder, prepared_folder, publish_folder

MAX_UNPACKED_BYTES = 20 * 1024**3


def unzipped(archive: Path) -> Path:
    """Return the folder of a zip's images, unpacked below the cache the first time.

    Raises:
        DataError: The file is no zip of images.
    """
    try:
        if not zipfile.is_zipfile(archive):
            raise DataError(f"{printable(archive)} is neither a folder nor a zip file")
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise DataError(f"{printable(archive)} cannot be read: {error.strerror}") from error
    ready = cache_folder() / "unzipped" / digest
    if ready.is_dir():
        return ready
    folder = prepared_folder() / "unzipped" / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            extract(archive, folder)
    return folder


def extract(archive: Path, folder: Path, verify: Callable[[Path], None] | None = None) -> None:
    """Unpack a zip, and publish the folder in it that holds ``train`` as ``folder``.

    Args:
        verify: Called with the unpacked folder before it is published; may raise ``DataError``.

    Raises:
        DataError: The archive is damaged or too large, an entry points outside of it or cannot be
            written, or there is no folder ``train``.
    """
    with publish_folder(folder) as fresh:
        unpacked = fresh / "unpacked"
        unpacked.mkdir()
        try:
            _unpack(archive, unpacked)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise DataError(f"{printable(archive)} cannot be unpacked: {error}") from error
        except OSError as error:
            name = printable(PurePosixPath(str(error.filename)).name)
            raise DataError(
                f"{printable(archive)} cannot be unpacked: {error.strerror}: {name}"
            ) from error
        roots = [unpacked, *sorted(p for p in unpacked.iterdir() if p.is_dir())]
        root = next((p for p in roots if (p / "train").is_dir()), None)
        if root is None:
            raise DataError(
                f"{printable(archive)} holds no folder train/, at its top or one level below"
            )
        if verify:
            verify(root)
        for split in (*SPLITS, TEST):
            if (root / split).is_dir():
                shutil.move(root / split, fresh / split)
        shutil.rmtree(unpacked)


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.namelist():
            if PurePosixPath(entry).is_absolute() or ".." in PurePosixPath(entry).parts:
                raise DataError(
                    f"{printable(archive)} holds an unsafe path, {printable(entry)}; "
                    "nothing was unpacked"
                )
        num_bytes = sum(entry.file_size for entry in opened.infolist())
        free = shutil.disk_usage(folder).free
        if num_bytes > min(free, MAX_UNPACKED_BYTES):
            raise DataError(
                f"{printable(archive)} would take {num_bytes / 1024**3:.1f} GB unpacked; at most "
                f"{MAX_UNPACKED_BYTES // 1024**3} GB are taken, and {free / 1024**3:.1f} GB are "
                "free; unpack it yourself and name the folder"
            )
        opened.extractall(folder)  # no entry can hold more than it declares
