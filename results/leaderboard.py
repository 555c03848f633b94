"""The Parquet leaderboard: append a row, read rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from results.files import Layout
from results.schema import (
    COLUMNS,
    FORMER_NAMES,
    HEAVY_COLUMNS,
    SCHEMA,
    TrialRecord,
    TrialStatus,
)
from results.table import SweepTable

if TYPE_CHECKING:
    import pandas as pd

LAYOUT = Layout(SCHEMA, key=("trial_number",), former_names=FORMER_NAMES)


class Leaderboard:
    """The rows of all sweeps: ``<sweep>/rows-*.parquet`` in a folder.

    A row appended later replaces one of the same trial.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._table = SweepTable(folder, LAYOUT, "leaderboard")

    def append(self, record: TrialRecord) -> Path:
        """Publish one row; it is on disk when this returns the file it is in.

        Raises:
            LeaderboardError: The folder cannot be written.
        """
        return self._table.append(record.sweep, [asdict(record)])

    def sweeps(self) -> list[str]:
        """List the sweeps that have rows, the one with the newest row last."""
        return self._table.sweeps()

    def read_table(self, sweep: str | None = None, columns: Iterable[str] = COLUMNS) -> pa.Table:
        """Read rows as an Arrow table, of one sweep or of all, in the order of their trials.

        A file that cannot be read is left out, with a warning.

        Raises:
            LeaderboardError: There is no leaderboard, or no such sweep.
        """
        return self._table.read_table(sweep, columns)

    def read(self, sweep: str | None = None, heavy: bool = False) -> list[TrialRecord]:
        """Read rows as records.

        Args:
            heavy: Read curves and probabilities too; they are empty otherwise.

        Raises:
            LeaderboardError: As ``read_table``.
        """
        wanted = [name for name in COLUMNS if heavy or name not in HEAVY_COLUMNS]
        return _records(self.read_table(sweep, wanted))

    def to_pandas(self, sweep: str | None = None) -> pd.DataFrame:
        """Read rows as a pandas data frame.

        Raises:
            LeaderboardError: As ``read_table``.
        """
        frame: pd.DataFrame = self.read_table(sweep).to_pandas()
        return frame


def _records(table: pa.Table) -> list[TrialRecord]:
    """Make records of rows; a column at a time, which takes a tenth of what row by row does."""
    values = {name: _values(table.column(name)) for name in table.column_names}
    statuses = {str(status): status for status in TrialStatus}
    values["status"] = [statuses[status] for status in values["status"]]
    names = list(values)
    return [
        TrialRecord(**dict(zip(names, row, strict=True)))
        for row in zip(*values.values(), strict=True)
    ]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return what ``to_pylist`` does, each distinct text made once."""
    if column.null_count == len(column):
        return [None] * len(column)
    if pa.types.is_string(column.type):
        encoded = column.combine_chunks().dictionary_encode()
        distinct = [*encoded.dictionary.to_pylist(), None]
        return [distinct[i] for i in encoded.indices.fill_null(len(distinct) - 1).to_numpy()]
    if column.null_count == 0 and pa.types.is_primitive(column.type):
        kind = column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            numbers: list[Any] = column.to_numpy().tolist()
            return numbers
    values: list[Any] = column.to_pylist()
    return values
