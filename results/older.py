"""The older layout of a table: ``sweep=<name>``, a file for each row, or one for a finished sweep.

Tools that take such a folder's name for a column find another one of that name in newer files.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyarrow as pa

from results.files import ASIDE, DamagedFile, Layout, read_file, set_aside
from results.growing import GrowingFiles, keys_of

PREFIX = "sweep="
FINISHED = "trials.parquet"


def sweeps_in(folder: Path) -> list[str]:
    """List the sweeps that have a folder of the older layout."""
    return sorted(found.name.removeprefix(PREFIX) for found in folder.glob(f"{PREFIX}*"))


def files_of(folder: Path, sweep: str) -> list[Path]:
    """List a sweep's files; where two hold the same row, the later one counts."""
    files = (folder / f"{PREFIX}{sweep}").glob("*.parquet")
    return sorted(files, key=lambda file: (file.name != FINISHED, file.name))


def renew(folder: Path, sweep: str, files: GrowingFiles, layout: Layout) -> None:
    """Move a sweep's rows into files of the present layout; damaged ones are set aside there.

    It can be begun again wherever it ended.

    Raises:
        LeaderboardError: The folder cannot be written.
    """
    rows: dict[tuple[object, ...], pa.Table] = {}
    for file in files_of(folder, sweep):
        try:
            table = read_file(file, layout, layout.schema.names)
        except DamagedFile as error:
            set_aside(file, error)
            continue
        names = pa.array([sweep] * table.num_rows, pa.string())
        table = table.set_column(layout.schema.get_field_index("sweep"), "sweep", names)
        table = table.cast(layout.schema)
        rows |= {key: table.slice(i, 1) for i, key in enumerate(keys_of(table, layout))}
    known = files.keys()
    fresh = [row for key, row in sorted(rows.items()) if key not in known]
    if fresh:
        files.append(pa.concat_tables(fresh).combine_chunks())
    left = folder / f"{PREFIX}{sweep}"
    for damaged in left.glob(ASIDE.format("*")):
        damaged.rename(files.folder / damaged.name)
    for file in [*files_of(folder, sweep), *left.glob(".*.tmp")]:
        file.unlink()
    with contextlib.suppress(OSError):  # it has something of the user's
        left.rmdir()
