"""What compacting a sweep of the leaderboard promises."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from results.leaderboard import Leaderboard
from tests.results.sample_rows import full_row, row


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    return Leaderboard(tmp_path / "leaderboard")


def files(board: Leaderboard, sweep: str = "ants") -> list[str]:
    """The names of everything in a sweep's folder, hidden or not."""
    return sorted(os.listdir(board.folder / f"sweep={sweep}"))


def numbers(board: Leaderboard, sweep: str | None = None) -> list[int]:
    return [record.trial_number for record in board.read(sweep)]


def test_compacting_keeps_every_row_in_one_file(board: Leaderboard) -> None:
    records = [full_row(number) for number in range(5)]
    for record in records:
        board.append(record)
    board.compact("ants")
    assert files(board) == ["trials.parquet"]
    assert board.read("ants", heavy=True) == records


def test_rows_can_be_appended_and_compacted_after_compacting(board: Leaderboard) -> None:
    for number in range(6):
        board.append(row(number))
        if number in (2, 4):
            board.compact("ants")
    assert files(board) == ["trial-000005.parquet", "trials.parquet"]
    assert numbers(board) == list(range(6))
    for _ in range(2):
        board.compact("ants")
        assert files(board) == ["trials.parquet"]
        assert numbers(board) == list(range(6))


def test_a_row_that_is_compacted_and_still_in_its_own_file_counts_once(board: Leaderboard) -> None:
    for number in range(3):
        path = board.append(row(number))
    kept = path.read_bytes()
    board.compact("ants")
    path.write_bytes(kept)
    assert numbers(board) == [0, 1, 2]


def test_a_row_appended_again_after_compacting_replaces_it(board: Leaderboard) -> None:
    for number in range(2):
        board.append(row(number, 0.1))
    board.compact("ants")
    board.append(row(1, 0.8))
    assert [record.score for record in board.read()] == [0.1, 0.8]
    board.compact("ants")
    assert [record.score for record in board.read()] == [0.1, 0.8]


def test_compacting_a_sweep_without_rows_does_nothing(board: Leaderboard) -> None:
    board.compact("ants")
    assert not board.folder.exists()


def test_a_sweep_that_is_compacted_while_it_is_read_is_read_whole(
    board: Leaderboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        board.append(row(number))
    opened = pq.ParquetFile

    def compacted_after_it_was_listed(file: Path) -> pq.ParquetFile:
        monkeypatch.setattr(pq, "ParquetFile", opened)
        board.compact("ants")
        return opened(file)

    monkeypatch.setattr(pq, "ParquetFile", compacted_after_it_was_listed)
    assert numbers(board) == [0, 1, 2]
