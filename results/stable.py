"""A Parquet file that grows while it is read: the data of an older version begins a newer one.

Some readers open a file twice, for its footer and then for its data; when it is replaced in
between, the older footer must fit the newer data. Rows are therefore added as row groups behind
those there are. Small groups are now and then written again as one, which leaves their old bytes
in the file; its footer lists only the groups in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from results.files import Layout, read_all_columns

MERGED_ROWS = (8, 64, 512)
"""Groups with fewer rows become one when they have so many together."""
MAX_GROUPS = 32
MAX_DATA_BYTES = 32 * 1024 * 1024
"""A file with so many bytes no longer in use is written again; only then a reader may break."""
_MAGIC = b"PAR1"


@dataclass(frozen=True)
class _Piece:
    """Rows that lie in the file, and where."""

    rows: pa.Table
    metadata: pq.FileMetaData


class StableFile:
    """The rows of a file and its bytes, up to the footer."""

    def __init__(self) -> None:
        self._data = b""
        self._pieces: list[_Piece] = []

    @classmethod
    def read(cls, path: Path, layout: Layout) -> StableFile:
        """Take up a file to add rows to it.

        Raises:
            FileNotFoundError, DamagedFile, OSError: It is gone, damaged, or cannot be opened.
        """
        file = cls()
        rows = read_all_columns(path, layout)
        file._data, metadata = _split(path.read_bytes())
        if _is_as_written_here(metadata, rows.schema):
            file._pieces = [_Piece(rows, metadata)]
        else:  # written by another version: further groups must have the same columns
            file._write([rows])
        return file

    @property
    def rows(self) -> pa.Table:
        """All rows in use."""
        return _joined([piece.rows for piece in self._pieces])

    def add(self, rows: pa.Table) -> None:
        """Add rows behind those there are."""
        if self._pieces:
            rows = _joined([self._pieces[0].rows.schema.empty_table(), rows])
        self._write([rows])
        for size in MERGED_ROWS:
            small = self._small_at_end(size)
            if sum(piece.rows.num_rows for piece in small) >= size and len(small) > 1:
                self._merge(len(small))
        if self._num_groups > MAX_GROUPS:
            self.merge()

    def replace(self, rows: pa.Table) -> None:
        """Let these rows take the place of all there are."""
        self._pieces = []
        if len(self._data) > MAX_DATA_BYTES:
            self._data = b""
        self._write([rows])

    def merge(self) -> None:
        """Write all rows again as one group, if they are in several."""
        if self._num_groups > 1:
            self._merge(len(self._pieces))

    def content(self) -> bytes:
        """Return the bytes of the file, footer included."""
        first, *others = [piece.metadata for piece in self._pieces]
        metadata = pq.read_metadata(pa.BufferReader(_footer(first)))  # a copy, to be added to
        for further in others:
            metadata.append_row_groups(further)
        return self._data + _footer(metadata)[len(_MAGIC) :]

    @property
    def _num_groups(self) -> int:
        return sum(piece.metadata.num_row_groups for piece in self._pieces)

    def _small_at_end(self, size: int) -> list[_Piece]:
        large = [i for i, piece in enumerate(self._pieces) if piece.rows.num_rows >= size]
        return self._pieces[1 + max(large, default=-1) :]

    def _merge(self, count: int) -> None:
        """Write the rows of the last pieces again, as one."""
        merged = self._pieces[-count:]
        del self._pieces[-count:]
        self._write([piece.rows for piece in merged])

    def _write(self, tables: Sequence[pa.Table]) -> None:
        """Write rows as one group behind the data there is."""
        rows = _joined(tables)
        sink = pa.BufferOutputStream()
        # Dictionaries and statistics cost time, and small groups no bytes.
        with pq.ParquetWriter(
            sink, rows.schema, compression="zstd", use_dictionary=False, write_statistics=False
        ) as writer:
            sink.write(self._data[len(_MAGIC) :])  # the writer asks the sink for a group's offset
            writer.write_table(rows)
        self._data, metadata = _split(sink.getvalue().to_pybytes())
        self._pieces.append(_Piece(rows, metadata))


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def _is_as_written_here(metadata: pq.FileMetaData, schema: pa.Schema) -> bool:
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    ours = pq.read_metadata(pa.BufferReader(sink.getvalue()))
    same_columns: bool = metadata.schema.equals(ours.schema)
    return same_columns and metadata.metadata == ours.metadata


def _split(content: bytes) -> tuple[bytes, pq.FileMetaData]:
    """Return the data of a file, and what its footer says."""
    length = int.from_bytes(content[-8:-4], "little")
    return content[: -8 - length], pq.read_metadata(pa.BufferReader(content))


def _footer(metadata: pq.FileMetaData) -> bytes:
    """Return a Parquet file that has a footer only."""
    sink = pa.BufferOutputStream()
    metadata.write_metadata_file(sink)
    return bytes(sink.getvalue())
