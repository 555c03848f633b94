"""The files of one sweep: the last of them grows, a row at a time, until it is sealed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock, Timeout

from results.errors import LeaderboardError
from results.files import (
    DamagedFile,
    Layout,
    cannot_write,
    publish,
    read_file,
    set_aside,
)
from results.stable import StableFile

SEAL_BYTES = 2 * 1024 * 1024
"""A file of this size gets no further rows: few files, and each quickly written."""
LOCK_S = 30
PATTERN = "rows-*.parquet"

Key = tuple[Any, ...]
Stamp = tuple[tuple[str, int, int, int], ...]


class GrowingFiles:
    """Appends rows to the folder of one sweep.

    A reader sees every row exactly once, at any moment: the last file is replaced whole by one with
    a row more, which begins with the same data, and a row whose key is there already replaces it
    within its own file. Several processes may append; each looks whether the files are still as it
    left them.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.folder = folder
        self._layout = layout
        self._stamp: Stamp | None = None
        self._places: dict[Key, Path] = {}
        self._last: Path | None = None
        self._growing = StableFile()  # the last file, when it is not sealed

    def keys(self) -> set[Key]:
        """Return the keys of all rows.

        Raises:
            LeaderboardError: As ``append``.
        """
        with self._locked():
            self._load()
            return set(self._places)

    def append(self, rows: pa.Table) -> Path:
        """Publish rows of the schema; they are on disk when this returns the last file.

        Raises:
            LeaderboardError: The folder cannot be written, or another process keeps it locked.
        """
        with self._locked():
            return self._append_locked(rows)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=LOCK_S):
                yield
        except Timeout as error:
            raise LeaderboardError(
                f"another process has been writing in {self.folder} for {LOCK_S} s"
            ) from error
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def _append_locked(self, rows: pa.Table) -> Path:
        if self._stamp is None or self._stamp != stamp_of(self.folder):
            self._load()
        keys = keys_of(rows, self._layout)
        self._stamp = None  # until everything is published, what is known here may be wrong
        fresh = []
        for index, key in enumerate(keys):
            if (place := self._places.get(key)) is None:
                fresh.append(index)
            else:
                self._replace_in(place, rows.slice(index, 1))
        path = self._last or self._next()
        if fresh:
            path = self._extend(rows.take(fresh), [keys[index] for index in fresh])
        self._stamp = stamp_of(self.folder)
        return path

    def _extend(self, rows: pa.Table, keys: list[Key]) -> Path:
        path = self._last or self._next()
        self._growing.add(rows)
        self._publish_last(path)
        self._places |= dict.fromkeys(keys, path)
        self._last = path
        self._seal_if_large()
        return path

    def _publish_last(self, path: Path) -> None:
        content = self._growing.content()
        if len(content) >= SEAL_BYTES:  # it is the last time: what is read often has one group
            self._growing.merge()
            content = self._growing.content()
        publish(content, path)

    def _replace_in(self, path: Path, row: pa.Table) -> None:
        """Rewrite the file a row lies in; it alone then changes."""
        (key,) = keys_of(row, self._layout)
        file = self._growing if path == self._last else StableFile.read(path, self._layout)
        rows = file.rows
        others = rows.filter([known != key for known in keys_of(rows, self._layout)])
        file.replace(pa.concat_tables([others, row], promote_options="default"))
        publish(file.content(), path)
        if path == self._last:
            self._seal_if_large()

    def _load(self) -> None:
        """Learn where every row lies, and take up the last file."""
        for left in self.folder.glob(".*.tmp"):  # by a process that was killed: the lock is ours
            left.unlink(missing_ok=True)
        self._places, self._last, self._growing = {}, None, StableFile()
        for path in files_in(self.folder):
            try:
                keys = keys_of(read_file(path, self._layout, self._layout.key), self._layout)
            except DamagedFile as error:
                set_aside(path, error)
                continue
            self._places |= dict.fromkeys(keys, path)
            self._last = path
        if self._last is not None:
            self._take_up(self._last)

    def _take_up(self, path: Path) -> None:
        try:
            self._growing = StableFile.read(path, self._layout)
        except DamagedFile as error:
            set_aside(path, error)
            self._load()
        else:
            self._seal_if_large()

    def _seal_if_large(self) -> None:
        if self._last is not None and self._last.stat().st_size >= SEAL_BYTES:
            self._last, self._growing = None, StableFile()

    def _next(self) -> Path:
        """Return a name no file has had, not even one that was set aside."""
        taken = [int(re.findall(r"\d+", path.name)[0]) for path in self.folder.glob("*rows-[0-9]*")]
        return self.folder / f"rows-{max(taken, default=-1) + 1:06d}.parquet"


def files_in(folder: Path) -> list[Path]:
    """List the files of a sweep that have rows, in the order in which they were begun."""
    return sorted(folder.glob(PATTERN))


def keys_of(table: pa.Table, layout: Layout) -> list[Key]:
    """Return the key of every row."""
    columns: Iterable[list[Any]] = [table.column(name).to_pylist() for name in layout.key]
    return list(zip(*columns, strict=True))


def stamp_of(folder: Path) -> Stamp:
    """Return what changes when a file of a folder does."""
    stats = [(path.name, path.stat()) for path in files_in(folder)]
    return tuple((name, s.st_ino, s.st_mtime_ns, s.st_size) for name, s in stats)
