"""A Parquet table of rows by sweep: a folder for each, read together or one alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock

from results import older
from results.errors import LeaderboardError
from results.files import DamagedFile, Layout, cannot_write, read_file, read_or_skip
from results.growing import GrowingFiles, Key, files_in, keys_of

SWEEP = "sweep"
_ATTEMPTS = 5


class SweepTable:
    """A folder ``<sweep>/rows-*.parquet``; the name of the sweep is a column of its rows.

    Args:
        noun: What the table is called in messages.
    """

    def __init__(self, folder: Path, layout: Layout, noun: str) -> None:
        self.folder = folder
        self.layout = layout
        self._noun = noun
        self._growing: dict[str, GrowingFiles] = {}

    def append(self, sweep: str, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Publish rows of a sweep; they are on disk when this returns the last file.

        A row whose key is there already replaces it.

        Raises:
            LeaderboardError: The folder cannot be written.
        """
        if not self._growing:
            self._renew()
        table = pa.Table.from_pylist(list(rows), schema=self.layout.schema)
        return self._files_of(sweep).append(table)

    def sweeps(self) -> list[str]:
        """List the sweeps that have rows, by name."""
        return sorted({name for name, files in self._listed() if files})

    def known_sweeps(self) -> list[str]:
        """List the sweeps that have rows, by name.

        Raises:
            LeaderboardError: There is none.
        """
        if not (names := self.sweeps()):
            raise LeaderboardError(f"there is no {self._noun} in {self.folder}; run a sweep first")
        return names

    def read_table(
        self, sweeps: Sequence[str], columns: Iterable[str], keys: Set[Key] | None = None
    ) -> pa.Table:
        """Read columns of sweeps, one after another, each in the order of its keys.

        A file that cannot be read is left out, with a warning.

        Args:
            keys: Read only rows of these.

        Raises:
            LeaderboardError: There is no table, or no such sweep.
        """
        names = self.known_sweeps()
        if unknown := [sweep for sweep in sweeps if sweep not in names]:
            raise LeaderboardError(
                f"there is no sweep {unknown[0]!r} in {self.folder}; there is: {', '.join(names)}"
            )
        wanted = list(columns)
        return pa.concat_tables([self._read_sweep(name, wanted, keys) for name in sweeps])

    def largest(self, sweep: str, column: str) -> Any:
        """Return the largest value of a column; ``None`` if there is none that can be read."""
        found = []
        for file in self._files(sweep):
            with contextlib.suppress(DamagedFile, OSError):  # who reads its rows is told
                found.append(pc.max(read_file(file, self.layout, [column]).column(0)).as_py())
        return max((value for value in found if value is not None), default=None)

    def _read_sweep(self, sweep: str, columns: list[str], only: Set[Key] | None) -> pa.Table:
        layout = self.layout
        wanted = list(dict.fromkeys([*columns, *layout.key, SWEEP]))
        types = pa.schema([layout.schema.field(name) for name in wanted])
        tables = [types.empty_table(), *self._read_files(sweep, wanted, only)]
        table = pa.concat_tables(tables)
        # Files of the older layout may hold a row twice: the last one counts.
        rows = sorted({key: row for row, key in enumerate(keys_of(table, layout))}.items())
        if [row for _, row in rows] != list(range(table.num_rows)):
            table = table.take([row for _, row in rows])
        names = pa.array([sweep] * table.num_rows, pa.string())
        return table.set_column(wanted.index(SWEEP), SWEEP, names).select(columns)

    def _read_files(self, sweep: str, columns: list[str], only: Set[Key] | None) -> list[pa.Table]:
        """Read a sweep's files; start over if one is converted or set aside meanwhile."""
        for _ in range(_ATTEMPTS):
            try:
                read = [self._read_rows(file, columns, only) for file in self._files(sweep)]
            except FileNotFoundError:
                continue
            return [table for table in read if table is not None]
        raise LeaderboardError(f"the files of sweep {sweep!r} in {self.folder} keep vanishing")

    def _files(self, sweep: str) -> list[Path]:
        return [*older.files_of(self.folder, sweep), *files_in(self.folder / sweep)]

    def _read_rows(self, file: Path, columns: list[str], only: Set[Key] | None) -> pa.Table | None:
        if only is None:
            return read_or_skip(file, self.layout, columns)
        keys = read_or_skip(file, self.layout, self.layout.key)
        if keys is None or only.isdisjoint(keys_of(keys, self.layout)):
            return None
        table = read_or_skip(file, self.layout, columns)  # it may have grown in between
        if table is None:
            return None
        return table.filter([key in only for key in keys_of(table, self.layout)])

    def _renew(self) -> None:
        """Bring files of the older layout into this one, so that other tools read all alike."""
        if not older.sweeps_in(self.folder):
            return
        try:
            with FileLock(self.folder / ".renewing.lock"):
                for sweep in older.sweeps_in(self.folder):
                    older.renew(self.folder, sweep, self._files_of(sweep), self.layout)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def _files_of(self, sweep: str) -> GrowingFiles:
        if sweep not in self._growing:
            self._growing[sweep] = GrowingFiles(self.folder / sweep, self.layout)
        return self._growing[sweep]

    def _listed(self) -> Iterator[tuple[str, list[Path]]]:
        for name in older.sweeps_in(self.folder):
            yield name, older.files_of(self.folder, name)
        for folder in self.folder.glob("*"):
            yield folder.name, files_in(folder)
