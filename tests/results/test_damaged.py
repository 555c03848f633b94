"""What a damaged file costs: its own rows, and a warning."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import results.growing
from results.leaderboard import Leaderboard
from tests.results.sample_rows import full_row, row

DAMAGES = ["cut off", "empty", "no Parquet", "other bytes inside"]


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leaderboard:
    """A leaderboard with three rows, each in a file of its own."""
    monkeypatch.setattr(results.growing, "SEAL_BYTES", 0)
    board = Leaderboard(tmp_path / "leaderboard")
    for number in range(3):
        board.append(full_row(number))
    return board


@pytest.fixture
def victim(board: Leaderboard) -> Path:
    return board.folder / "ants" / "rows-000001.parquet"


def damage(path: Path, kind: str) -> None:
    whole = path.read_bytes()
    path.write_bytes(
        {
            "cut off": whole[: len(whole) // 2],
            "empty": b"",
            "no Parquet": b"trial,score\n1,0.9\n",
            "other bytes inside": whole[:4] + b"\xff" * 400 + whole[404:],
        }[kind]
    )


@pytest.mark.parametrize("kind", DAMAGES)
def test_the_rows_of_all_other_files_are_read(
    board: Leaderboard, victim: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(victim, kind)
    assert board.read(heavy=True) == [full_row(0), full_row(2)]
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert warning.getMessage().startswith(f"{victim} cannot be read and is left out: ")
    assert "\n" not in warning.getMessage()


@pytest.mark.parametrize("kind", DAMAGES[:3])
def test_the_next_writer_sets_a_damaged_file_aside_so_that_all_tools_read_the_rest(
    board: Leaderboard, victim: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(victim, kind)
    found = victim.read_bytes()
    Leaderboard(board.folder).append(full_row(3))
    aside = victim.with_name("_rows-000001.parquet.damaged")
    assert aside.read_bytes() == found
    assert not victim.exists()
    told = f"{victim} cannot be read and was set aside as {aside.name}: "
    assert caplog.records[0].getMessage().startswith(told)
    assert sorted(pd.read_parquet(board.folder).trial_number) == [0, 2, 3]


def test_a_damaged_file_in_which_rows_were_to_be_added_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    board = Leaderboard(tmp_path)
    damage(board.append(row(0)), "other bytes inside")
    for number in (1, 2):
        Leaderboard(tmp_path).append(row(number))
    assert [record.trial_number for record in board.read()] == [1, 2]
    assert (tmp_path / "ants" / "_rows-000000.parquet.damaged").exists()
    assert (tmp_path / "ants" / "rows-000001.parquet").exists()
    assert len(caplog.records) == 1


def change_type(path: Path, column: str, values: pa.Array) -> None:
    table = pq.ParquetFile(path).read()
    pq.write_table(table.set_column(table.column_names.index(column), column, values), path)


def test_a_file_with_a_column_of_another_type_is_left_out(
    board: Leaderboard, victim: Path, caplog: pytest.LogCaptureFixture
) -> None:
    change_type(victim, "score", pa.array(["good"]))
    assert [record.trial_number for record in board.read()] == [0, 2]
    (warning,) = caplog.records
    assert f"{victim} cannot be read and is left out: its column score is string, not double" in (
        warning.getMessage()
    )


@pytest.mark.parametrize("narrow", [pa.array([2], pa.int32()), pa.array(["2"])])
def test_a_type_from_which_the_value_follows_is_read(
    board: Leaderboard, victim: Path, narrow: pa.Array
) -> None:
    change_type(victim, "batch_size", narrow)
    assert [record.batch_size for record in board.read()] == [1, 2, 3]


def test_a_file_that_may_not_be_opened_stays_where_it_is(
    board: Leaderboard, victim: Path, caplog: pytest.LogCaptureFixture
) -> None:
    victim.unlink()
    victim.mkdir()  # root may open any file, but no folder
    assert [record.trial_number for record in board.read()] == [0, 2]
    assert len(caplog.records) == 1
    assert victim.exists()
