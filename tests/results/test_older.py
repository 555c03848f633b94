"""Leaderboards of the older layout: ``sweep=<name>``, a file for each row or for all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results.leaderboard import LAYOUT, Leaderboard
from results.schema import SCHEMA, TrialRecord
from tests.results.sample_rows import full_row

SINCE = (
    "optimizer", "nesterov", "beta1", "beta2", "stage_lr_decay", "batchnorm", "head_start",
    "soup_size",
)  # fmt: skip


def write_older(folder: Path, name: str, *records: TrialRecord) -> Path:
    """Write a file as version 1 of the schema did."""
    (sweep,) = {record.sweep for record in records}
    path = folder / f"sweep={sweep}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{n: getattr(r, n) for n in SCHEMA.names} for r in records]
    table = pa.Table.from_pylist(rows, schema=SCHEMA).drop_columns(["sweep", *SINCE])
    names = [LAYOUT.former_names.get(name, name) for name in table.column_names]
    pq.write_table(table.rename_columns(names), path)
    return path


def as_read(record: TrialRecord) -> TrialRecord:
    nothing: dict[str, Any] = dict.fromkeys(SINCE)
    return replace(record, **nothing)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sweeps: one finished, one with a row in a file of its own and in that of all."""
    folder = tmp_path / "leaderboard"
    write_older(folder, "trials.parquet", *(full_row(n, "done") for n in range(3)))
    write_older(folder, "trials.parquet", full_row(0), full_row(1, score=0.1))
    write_older(folder, "trial-000001.parquet", full_row(1))
    write_older(folder, "trial-000002.parquet", full_row(2))
    return folder


def test_rows_of_the_older_layout_are_read_each_once(folder: Path) -> None:
    board = Leaderboard(folder)
    assert set(board.sweeps()) == {"ants", "done"}
    for sweep in ("ants", "done"):
        expected = [as_read(full_row(number, sweep)) for number in range(3)]
        assert board.read(sweep, heavy=True) == expected


def test_the_first_new_row_brings_the_older_ones_into_the_present_layout(folder: Path) -> None:
    (folder / "sweep=done" / "notes.txt").write_text("of the user")
    Leaderboard(folder).append(full_row(0, "new"))
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("[!.]*") if p.is_file()) == [
        "ants/rows-000000.parquet", "done/rows-000000.parquet", "new/rows-000000.parquet",
        "sweep=done/notes.txt",
    ]  # fmt: skip
    board = Leaderboard(folder)
    assert board.sweeps() == ["ants", "done", "new"]
    for sweep in ("ants", "done"):
        expected = [as_read(full_row(number, sweep)) for number in range(3)]
        assert board.read(sweep, heavy=True) == expected


def test_other_tools_read_a_leaderboard_that_was_brought_over(folder: Path) -> None:
    Leaderboard(folder).append(full_row(3))
    by_pandas = pd.read_parquet(folder)[["sweep", "trial_number"]].values.tolist()
    query = "SELECT sweep, trial_number FROM read_parquet(?)"
    by_duckdb = duckdb.execute(query, [f"{folder}/*/*.parquet"]).fetchall()
    expected = sorted([("ants", n) for n in range(4)] + [("done", n) for n in range(3)])
    assert sorted(map(tuple, by_pandas)) == sorted(by_duckdb) == expected


def test_bringing_rows_over_can_be_begun_again_where_it_ended(folder: Path) -> None:
    """A kill between the new file and the removal of the old ones leaves both."""
    kept = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    Leaderboard(folder).append(full_row(0, score=0.7))
    for path, content in kept.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    expected = [full_row(0, score=0.7), as_read(full_row(1)), as_read(full_row(2))]
    assert Leaderboard(folder).read("ants", heavy=True) == expected
    Leaderboard(folder).append(full_row(0, "new"))
    assert Leaderboard(folder).read("ants", heavy=True) == expected
    assert not list(folder.glob("sweep=*"))


def test_a_damaged_file_of_the_older_layout_is_set_aside(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "sweep=ants" / "trial-000002.parquet").write_bytes(b"nothing")
    board = Leaderboard(folder)
    assert len(board.read("ants")) == 2
    board.append(full_row(3))
    assert [record.trial_number for record in board.read("ants")] == [0, 1, 3]
    assert (folder / "ants" / "_trial-000002.parquet.damaged").read_bytes() == b"nothing"
    assert len(caplog.records) == 2
