"""Tensors in files: published whole, checked before use, shared by memory map, capped."""

from __future__ import annotations

import fcntl
import json
import logging
import math
import mmap
import os
import time
import weakref
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from antsbees.storage import publish_file, report_unusable

logger = logging.getLogger(__name__)

HEADER_BYTES = 4096  # a page, so that the payload is aligned in the map
SUFFIX = ".tensor"
ABANDONED_S = 60.0  # an unfinished file that no process holds is old enough to be deleted
_DTYPES = {str(d).removeprefix("torch."): d for d in (torch.uint8, torch.bfloat16, torch.float32)}


@dataclass(frozen=True)
class Usage:
    """What the cache takes on disk."""

    num_files: int
    num_bytes: int


class TensorCache:
    """A folder of tensors that several processes fill and read at once.

    A file in use is held by a shared lock of the kernel's, which ends with the process that holds
    it, however it ends; the oldest files not in use make room when the cap is passed. A folder or
    file that cannot be used (read-only, another user's, a file in the folder's place) counts as
    one that holds nothing, and is reported once.

    Args:
        max_bytes: The size above which the files used longest ago are deleted.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    @contextmanager
    def computing(self, key: str, wait: bool = True) -> Iterator[None]:
        """Hold the lock of a key while its tensor is computed; without one where there is none.

        Raises:
            Timeout: Another process holds it, and we do not wait.
        """
        with ExitStack() as held:
            path = self.folder / f"{key}.lock"
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(FileLock(path).acquire(blocking=wait))
            except Timeout:
                raise
            except OSError as error:
                report_unusable(self.folder, error)
            yield

    def has(self, key: str) -> bool:
        """Tell whether there is a tensor of this key; only ``load`` tells if it is whole."""
        try:
            return self._path(key).exists()
        except OSError:  # a folder we may not look into
            return False

    def load(self, key: str) -> Tensor | None:
        """Map the tensor of a key into memory; ``None`` when it is absent, damaged or not ours."""
        path = self._path(key)
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            report_unusable(self.folder, error)
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            tensor = _map(descriptor)
        except (ValueError, OSError) as error:
            os.close(descriptor)
            logger.warning("%s is damaged (%s) and will be computed again", path, error)
            with suppress(OSError):  # gone already, or another user's
                path.unlink()
            return None
        weakref.finalize(tensor.untyped_storage(), os.close, descriptor)
        with suppress(PermissionError):  # another user's, who lets us read
            os.utime(descriptor)
        return tensor

    @contextmanager
    def filling(self, key: str, shape: Sequence[int], dtype: torch.dtype) -> Iterator[Tensor]:
        """Yield a tensor to fill, in a file that is published when the block ends well.

        Then room is made, if the cap is passed.

        Raises:
            OSError: There is no room on the disk, or the folder cannot be written.
        """
        for _, _, path in self._abandoned():
            _delete_unused(path)
        num_bytes = HEADER_BYTES + math.prod(shape) * dtype.itemsize
        with publish_file(self._path(key)) as partial, partial.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # in use, see _abandoned
            _reserve(file.fileno(), num_bytes)
            mapped = mmap.mmap(file.fileno(), num_bytes)
            yield torch.frombuffer(mapped, dtype=dtype, offset=HEADER_BYTES).reshape(shape)
            header = {
                "dtype": str(dtype).removeprefix("torch."),
                "shape": list(shape),
                "crc32": zlib.crc32(memoryview(mapped)[HEADER_BYTES:]),
            }
            mapped[:HEADER_BYTES] = json.dumps(header).encode().ljust(HEADER_BYTES)
            os.utime(file.fileno())  # not every file system notes what is written through a map
            fcntl.flock(file, fcntl.LOCK_UN)  # the map would hold it on
        self._make_room()

    def usage(self) -> Usage:
        """Count the files and their bytes."""
        sizes = [size for _, size, _ in self._files()]
        return Usage(len(sizes), sum(sizes))

    def clear(self) -> Usage:
        """Delete every file that is not in use; return what was deleted."""
        files = [*self._files(), *self._abandoned()]
        sizes = [size for _, size, path in files if _delete_unused(path)]
        return Usage(len(sizes), sum(sizes))

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _files(self) -> list[tuple[float, int, Path]]:
        """List the files with the time of their last use and their size, oldest use first."""
        return self._matching(f"[!.]*{SUFFIX}")

    def _abandoned(self) -> list[tuple[float, int, Path]]:
        """List what may be left of processes that were killed while they filled a file."""
        long_ago = time.time() - ABANDONED_S
        return [file for file in self._matching(f".*{SUFFIX}") if file[0] < long_ago]

    def _matching(self, pattern: str) -> list[tuple[float, int, Path]]:
        found = []
        for path in self.folder.rglob(pattern):
            try:
                status = path.stat()
            except OSError:  # deleted by another process meanwhile, or not for us to see
                continue
            found.append((status.st_mtime, status.st_size, path))
        return sorted(found)

    def _make_room(self) -> None:
        files = self._files()
        excess = sum(size for _, size, _ in files) - self.max_bytes
        for _, size, path in files:
            if excess <= 0:
                return
            if _delete_unused(path):
                excess -= size


def _reserve(descriptor: int, num_bytes: int) -> None:
    """Give a file its size, and its place on the disk: a map of a full disk ends its process.

    Raises:
        OSError: There is no room.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, num_bytes)
    else:  # macOS
        os.truncate(descriptor, num_bytes)


def _map(descriptor: int) -> Tensor:
    """Map an open file and check it against its header.

    Raises:
        ValueError: The file is truncated or was changed.
    """
    mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)  # ValueError when empty
    if len(mapped) < HEADER_BYTES:
        raise ValueError("truncated header")
    header = json.loads(mapped[:HEADER_BYTES].decode("ascii", "replace"))
    try:
        shape, dtype, crc32 = header["shape"], _DTYPES[header["dtype"]], header["crc32"]
    except (KeyError, TypeError) as error:
        raise ValueError("unknown header") from error
    payload = memoryview(mapped)[HEADER_BYTES:]
    if len(payload) != math.prod(shape) * dtype.itemsize:
        raise ValueError("its size is not that of its shape")
    if zlib.crc32(payload) != crc32:
        raise ValueError("checksum differs")
    return torch.frombuffer(mapped, dtype=dtype, offset=HEADER_BYTES).reshape(shape)


def _delete_unused(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # gone meanwhile, or another user's
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
        return True
    except OSError:  # in use, or another user's
        return False
    finally:
        os.close(descriptor)
