"""How a Parquet file of rows is written and read: published whole, set aside when it is damaged."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from results.errors import LeaderboardError

logger = logging.getLogger(__name__)

ASIDE = "_{}.damaged"
"""Readers of folders pass over names with such a beginning, those of patterns over such an end."""


@dataclass(frozen=True)
class Layout:
    """What a table's files hold.

    Args:
        key: The columns by which a row is known within its sweep.
        former_names: What a column was called in older files.
    """

    schema: pa.Schema
    key: tuple[str, ...]
    former_names: Mapping[str, str] = field(default_factory=dict)


class DamagedFile(Exception):  # noqa: N818 # a state, named as what it is
    """A file is no readable Parquet file, or a column in it cannot be read as what it is."""


def read_file(file: Path, layout: Layout, columns: Iterable[str]) -> pa.Table:
    """Read columns of a file, in the types of the schema; those that it lacks are empty.

    Raises:
        FileNotFoundError: It is gone since it was listed.
        DamagedFile: See there.
        OSError: It cannot be opened.
    """
    try:
        opened = pq.ParquetFile(file)
        names = set(opened.schema_arrow.names)
        in_file = {name: _name_in_file(name, names, layout) for name in columns}
        found = opened.read(columns=sorted(set(in_file.values()) & names), use_threads=False)
        arrays = []
        for name, known in in_file.items():
            kind = layout.schema.field(name).type
            if known in names:
                arrays.append(_cast(name, found.column(known), kind))
            else:
                arrays.append(pa.nulls(found.num_rows, kind))
    except pa.ArrowException as error:
        raise DamagedFile(str(error).splitlines()[0]) from error
    except OSError as error:
        if error.errno is None:  # Arrow's, for bytes that cannot be decompressed
            raise DamagedFile(str(error).splitlines()[0]) from error
        raise
    return pa.table(arrays, names=list(in_file))


def read_all_columns(file: Path, layout: Layout) -> pa.Table:
    """Read a file to write it again: what a newer version knows beside the schema stays in it.

    Raises:
        FileNotFoundError, DamagedFile, OSError: As ``read_file``.
    """
    table = read_file(file, layout, layout.schema.names).cast(layout.schema)
    known = {*layout.schema.names, *layout.former_names.values()}
    for name in (further := pq.ParquetFile(file).read(use_threads=False)).column_names:
        if name not in known:
            table = table.append_column(name, further.column(name))
    return table


def read_or_skip(file: Path, layout: Layout, columns: Iterable[str]) -> pa.Table | None:
    """Read columns of a file; ``None``, with a warning, if it cannot be read.

    Raises:
        FileNotFoundError: It is gone since it was listed.
    """
    try:
        return read_file(file, layout, columns)
    except FileNotFoundError:
        raise
    except (DamagedFile, OSError) as error:
        logger.warning("%s cannot be read and is left out: %s", file, error)
        return None


def set_aside(file: Path, error: DamagedFile) -> None:
    """Give a damaged file a name that no reader looks at."""
    aside = file.with_name(ASIDE.format(file.name))
    os.replace(file, aside)
    logger.warning("%s cannot be read and was set aside as %s: %s", file, aside.name, error)


def publish(content: bytes, path: Path) -> None:
    """Write a file under a name readers ignore, then give it its own; it is on disk afterwards.

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
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise cannot_write(path.parent, error) from error


def cannot_write(folder: Path, error: OSError) -> LeaderboardError:
    """Return what is raised when a folder of rows cannot be written."""
    return LeaderboardError(f"cannot write the leaderboard in {folder}: {error}")


def _name_in_file(name: str, names: set[str], layout: Layout) -> str:
    return name if name in names else layout.former_names.get(name, name)


def _cast(name: str, column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if column.type == kind:
        return column
    try:
        return column.cast(kind)
    except pa.ArrowException as error:
        raise DamagedFile(f"its column {name} is {column.type}, not {kind} ({error})") from error


def _sync_folder(folder: Path) -> None:
    """Put a file's new name on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
