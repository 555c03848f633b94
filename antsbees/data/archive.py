"""Unpacks a zip of images safely, once for each content."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from filelock import FileLock

from antsbees.data.datasets import SPLITS
from antsbees.errors import DataError
from antsbees.storage import cache_folder, publish_folder


def unzipped(archive: Path) -> Path:
    """Return the folder of a zip's images, unpacked below the cache the first time.

    Raises:
        DataError: The file is no zip of images.
    """
    if not zipfile.is_zipfile(archive):
        raise DataError(f"{archive} is neither a folder nor a zip file")
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    folder = cache_folder() / "unzipped" / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            extract(archive, folder)
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.namelist():
            if PurePosixPath(entry).is_absolute() or ".." in PurePosixPath(entry).parts:
                raise DataError(f"{archive} holds an unsafe path, {entry}; nothing was unpacked")
        opened.extractall(folder)


def extract(archive: Path, folder: Path, verify: Callable[[Path], None] | None = None) -> None:
    """Unpack a zip, and publish the folder in it that holds ``train`` as ``folder``.

    Raises:
        DataError: The archive is damaged, an entry points outside of it, or there is no ``train``.
    """
    with publish_folder(folder) as fresh:
        try:
            _unpack(archive, fresh)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise DataError(f"{archive} cannot be unpacked: {error}") from error
        roots = [fresh, *sorted(p for p in fresh.iterdir() if p.is_dir())]
        root = next((p for p in roots if (p / "train").is_dir()), None)
        if root is None:
            raise DataError(f"{archive} holds no folder train/, at its top or one level below")
        if verify:
            verify(root)
        if root != fresh:
            for split in SPLITS:
                if (root / split).is_dir():
                    shutil.move(root / split, fresh / split)
            shutil.rmtree(root)
