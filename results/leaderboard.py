"""The Parquet leaderboard: append a row, read rows, compact a sweep's files into one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from results.errors import LeaderboardError
from results.schema import (
    COLUMNS,
    FORMER_NAMES,
    HEAVY_COLUMNS,
    SCHEMA,
    TrialRecord,
    TrialStatus,
)

if TYPE_CHECKING:
    import pandas as pd


PARTITION = "sweep"
FILE_SCHEMA = SCHEMA.remove(SCHEMA.get_field_index(PARTITION))
COMPACTED = "trials.parquet"
_ATTEMPTS = 5


class Leaderboard:
    """A folder ``sweep=<name>/*.parquet``; every file is whole from the moment it has its name.

    A trial's row is a file of its own until the sweep is compacted, so that a reader never sees
    a file change.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, record: TrialRecord) -> Path:
        """Publish one row; it is on disk when this returns.

        Raises:
            LeaderboardError: The folder cannot be written.
        """
        row = asdict(record)
        folder = self._sweep_folder(row.pop(PARTITION))
        path = folder / f"trial-{record.trial_number:06d}.parquet"
        _publish(pa.Table.from_pylist([row], schema=FILE_SCHEMA), path)
        return path

    def sweeps(self) -> list[str]:
        """List the sweeps that have rows, the one with the newest row last."""
        found = []
        for folder in self.folder.glob(f"{PARTITION}=*"):
            times = [
                time for file in folder.glob("*.parquet") if (time := _time_of(file)) is not None
            ]
            if times:
                found.append((max(times), folder.name.removeprefix(f"{PARTITION}=")))
        return [name for _, name in sorted(found)]

    def read_table(self, sweep: str | None = None, columns: Iterable[str] = COLUMNS) -> pa.Table:
        """Read rows as an Arrow table, of one sweep or of all, in the order of their trials.

        Raises:
            LeaderboardError: There is no leaderboard, no such sweep, or a file is damaged.
        """
        names = self.sweeps()
        if not names:
            raise LeaderboardError(f"there is no leaderboard in {self.folder}; run a sweep first")
        if sweep is not None and sweep not in names:
            raise LeaderboardError(
                f"there is no sweep {sweep!r} in {self.folder}; there is: {', '.join(names)}"
            )
        chosen = names if sweep is None else [sweep]
        tables = [self._read_sweep(name, columns) for name in chosen]
        return pa.concat_tables(tables)

    def read(self, sweep: str | None = None, heavy: bool = False) -> list[TrialRecord]:
        """Read rows as records.

        Args:
            heavy: Read curves and probabilities too; they are empty otherwise.

        Raises:
            LeaderboardError: As ``read_table``.
        """
        wanted = [name for name in COLUMNS if heavy or name not in HEAVY_COLUMNS]
        rows = self.read_table(sweep, wanted).to_pylist()
        return [_record(row) for row in rows]

    def to_pandas(self, sweep: str | None = None) -> pd.DataFrame:
        """Read rows as a pandas data frame.

        Raises:
            LeaderboardError: As ``read_table``.
        """
        frame: pd.DataFrame = self.read_table(sweep).to_pandas()
        return frame

    def compact(self, sweep: str) -> None:
        """Replace a finished sweep's files by one. Not for a sweep that is running."""
        folder = self._sweep_folder(sweep)
        files = sorted(folder.glob("*.parquet"))
        if len(files) > 1:
            whole = self.read_table(sweep).drop_columns([PARTITION])
            _publish(whole, folder / COMPACTED)
            for file in files:
                if file.name != COMPACTED:
                    file.unlink()

    def _sweep_folder(self, sweep: str) -> Path:
        return self.folder / f"{PARTITION}={sweep}"

    def _read_sweep(self, sweep: str, columns: Iterable[str]) -> pa.Table:
        schema = pa.schema([SCHEMA.field(name) for name in columns])
        in_file = {*columns, "trial_number"} - {PARTITION}
        table = pa.concat_tables(self._read_files(sweep, in_file), promote_options="default")
        # A row that is in the compacted file and in one of its own counts once: the latter.
        numbers = table.column("trial_number").to_pylist()
        rows = sorted({number: row for row, number in enumerate(numbers)}.items())
        table = table.take([row for _, row in rows])
        if PARTITION in columns:
            table = table.append_column(PARTITION, pa.array([sweep] * table.num_rows, pa.string()))
        for missing in set(schema.names) - set(table.column_names):
            empty = pa.nulls(table.num_rows, schema.field(missing).type)
            table = table.append_column(missing, empty)
        return table.select(schema.names).cast(schema)

    def _read_files(self, sweep: str, columns: Iterable[str]) -> list[pa.Table]:
        """Read a sweep's files, the compacted one first; start over if they are just compacted."""
        for _ in range(_ATTEMPTS):
            files = sorted(
                self._sweep_folder(sweep).glob("*.parquet"),
                key=lambda file: (file.name != COMPACTED, file.name),
            )
            try:
                return [_read_file(file, columns) for file in files]
            except FileNotFoundError:
                continue
        raise LeaderboardError(f"the files of sweep {sweep!r} in {self.folder} keep vanishing")


def _read_file(file: Path, columns: Iterable[str]) -> pa.Table:
    """Read those of the columns that a file has.

    Raises:
        FileNotFoundError: It was compacted since it was listed.
        LeaderboardError: It is damaged.
    """
    try:
        opened = pq.ParquetFile(file)
        names = opened.schema_arrow.names
        current = {
            name if name in names else FORMER_NAMES.get(name, name): name for name in columns
        }
        known = [name for name in current if name in names]
        table = opened.read(columns=known, use_threads=False).replace_schema_metadata(None)
        return table.rename_columns([current[name] for name in table.column_names])
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise LeaderboardError(
            f"{file} is no readable Parquet file ({error}); delete it to go on without it"
        ) from error


def _time_of(file: Path) -> float | None:
    """Return when a file was written; ``None`` if it was compacted since it was listed."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return None


def _record(row: dict[str, Any]) -> TrialRecord:
    return TrialRecord(**{**row, "status": TrialStatus(row["status"])})


def _publish(table: pa.Table, path: Path) -> None:
    """Write a file under a name readers ignore, then give it its own.

    Raises:
        LeaderboardError: The folder cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=".", suffix=".tmp", delete=False
        ) as file:
            temporary = Path(file.name)
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise LeaderboardError(f"cannot write the leaderboard in {path.parent}: {error}") from error
