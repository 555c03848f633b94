"""How the files of a sweep grow, and are sealed."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

import results.growing
from results.errors import LeaderboardError
from results.leaderboard import Leaderboard
from results.schema import TrialStatus
from tests.results.sample_rows import full_row, row


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    return Leaderboard(tmp_path / "leaderboard")


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seals every file when it has its first row."""
    monkeypatch.setattr(results.growing, "SEAL_BYTES", 0)


def contents(board: Leaderboard, sweep: str = "ants") -> dict[str, list[int]]:
    """The trials in each file, as any tool reads them."""
    files = sorted((board.folder / sweep).glob("*.parquet"))
    return {f.name: pq.ParquetFile(f).read().column("trial_number").to_pylist() for f in files}


def numbers(board: Leaderboard) -> list[int]:
    return [record.trial_number for record in board.read()]


def test_the_last_file_grows_until_it_is_large_and_then_the_next_begins(
    board: Leaderboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = board.append(row(0)).stat().st_size
    monkeypatch.setattr(results.growing, "SEAL_BYTES", size + 1)
    for number in range(1, 5):
        board.append(row(number))
    assert contents(board) == {"rows-000000.parquet": [0, 1], "rows-000001.parquet": [2, 3],
                               "rows-000002.parquet": [4]}  # fmt: skip
    assert numbers(board) == [0, 1, 2, 3, 4]


def test_a_file_of_default_size_takes_more_than_a_hundred_rows(board: Leaderboard) -> None:
    for number in range(120):
        board.append(row(number))
    assert contents(board) == {"rows-000000.parquet": list(range(120))}


def test_another_process_goes_on_in_the_last_file(board: Leaderboard) -> None:
    board.append(full_row(0))
    Leaderboard(board.folder).append(full_row(1))
    assert contents(board) == {"rows-000000.parquet": [0, 1]}
    assert board.read(heavy=True) == [full_row(0), full_row(1)]


def test_two_writers_in_turn_lose_no_row_of_each_other(board: Leaderboard) -> None:
    others = Leaderboard(board.folder)
    for number in range(0, 8, 2):
        board.append(row(number))
        others.append(row(number + 1))
    assert numbers(board) == list(range(8))
    assert sorted(contents(board)["rows-000000.parquet"]) == list(range(8))


@pytest.mark.usefixtures("small_files")
def test_a_row_of_a_sealed_file_is_replaced_there(board: Leaderboard) -> None:
    cut = row(0, 0.3, status=TrialStatus.UNFINISHED)
    for record in (cut, row(1), row(2)):
        board.append(record)
    Leaderboard(board.folder).append(row(0, 0.8))
    assert contents(board) == {"rows-000000.parquet": [0], "rows-000001.parquet": [1],
                               "rows-000002.parquet": [2]}  # fmt: skip
    assert [record.score for record in board.read()] == [0.8, 0.9, 0.9]


def test_a_row_of_the_last_file_is_replaced_there(board: Leaderboard) -> None:
    for record in (row(0, 0.3, status=TrialStatus.UNFINISHED), row(1), row(0, 0.8), row(2)):
        board.append(record)
    assert sorted(contents(board)["rows-000000.parquet"]) == [0, 1, 2]
    assert board.read() == [row(0, 0.8), row(1), row(2)]


def test_columns_of_a_newer_version_outlive_an_append_and_a_replacement(
    board: Leaderboard,
) -> None:
    board.append(row(0))
    path = board.append(row(1))
    new = pq.ParquetFile(path).read().append_column("mood", pa.array(["good", "bad"]))
    pq.write_table(new, path)
    for record in (row(2), row(0, 0.8)):
        board.append(record)
    table = pq.ParquetFile(path).read()
    moods = dict(zip(*(table.column(n).to_pylist() for n in ("trial_number", "mood")), strict=True))
    assert moods == {0: None, 1: "bad", 2: None}
    assert board.read() == [row(0, 0.8), row(1), row(2)]


def test_what_a_killed_writer_left_is_swept_up_by_the_next(board: Leaderboard) -> None:
    board.append(row(0))
    (board.folder / "ants" / ".left.tmp").write_bytes(b"PAR1 half a file")
    Leaderboard(board.folder).append(row(1))
    assert sorted(os.listdir(board.folder / "ants")) == [".lock", "rows-000000.parquet"]


def test_a_writer_that_waits_for_another_says_so_in_the_end(
    board: Leaderboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.append(row(0))
    monkeypatch.setattr(results.growing, "LOCK_S", 0)
    lock = FileLock(board.folder / "ants" / ".lock")
    with lock, pytest.raises(LeaderboardError) as caught:
        board.append(row(1))
    told = f"another process has been writing in {board.folder / 'ants'} for 0 s"
    assert str(caught.value) == told
    board.append(row(1))
    assert numbers(board) == [0, 1]
