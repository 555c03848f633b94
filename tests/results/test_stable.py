"""How a file grows while readers hold an older footer of it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import results.growing
import results.stable
from results.leaderboard import Leaderboard
from tests.results.sample_rows import full_row, row

NUM_ROWS = 75


def split(content: bytes) -> tuple[bytes, bytes]:
    """The data of a Parquet file, and its footer."""
    length = int.from_bytes(content[-8:-4], "little")
    return content[: -8 - length], content[-8 - length :]


def scores(content: bytes, columns: list[str] | None = None) -> dict[int, float]:
    table = pq.ParquetFile(pa.BufferReader(content)).read(columns)
    return dict(zip(*(table.column(n).to_pylist() for n in ("trial_number", "score")), strict=True))


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    return Leaderboard(tmp_path / "leaderboard")


def versions_of_a_file(board: Leaderboard) -> list[tuple[bytes, dict[int, float]]]:
    """Append, merge, replace, and go on in another process; each version with its rows."""
    told: dict[int, float] = {}
    versions: list[tuple[bytes, dict[int, float]]] = []
    for number in [*range(NUM_ROWS), 3, 70, NUM_ROWS]:
        score = 0.5 + len(versions) / 1000
        if len(versions) in (20, 30):
            board = Leaderboard(board.folder)
        path = board.append(row(number, score))
        told[number] = score
        versions.append((path.read_bytes(), dict(told)))
    return versions


def test_an_older_footer_finds_its_rows_in_every_newer_file(board: Leaderboard) -> None:
    versions = versions_of_a_file(board)
    assert len(versions) == NUM_ROWS + 3
    for (before, told), (after, _) in pairwise(versions):
        (data, footer), (newer_data, _) = split(before), split(after)
        assert newer_data.startswith(data)
        assert scores(before, ["trial_number", "score"]) == told
        assert scores(newer_data + footer) == told
    first = split(versions[0][0])[1]
    assert scores(split(versions[-1][0])[0] + first) == versions[0][1]


def test_small_groups_become_one_so_that_there_are_few(board: Leaderboard) -> None:
    groups = [pq.read_metadata(board.append(row(n))).num_row_groups for n in range(NUM_ROWS)]
    assert groups[:9] == [1, 2, 3, 4, 5, 6, 7, 1, 2]
    assert max(groups) == 14
    assert groups[63:66] == [1, 2, 3]


def test_another_process_adds_to_the_groups_there_are(board: Leaderboard) -> None:
    for number in range(3):
        path = Leaderboard(board.folder).append(full_row(number))
    assert pq.read_metadata(path).num_row_groups == 3


def test_writers_in_turn_do_not_pile_up_groups(
    board: Leaderboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results.stable, "MAX_GROUPS", 4)
    for number in range(20):
        path = Leaderboard(board.folder).append(row(number))
        assert pq.read_metadata(path).num_row_groups <= 4


def test_a_file_is_sealed_with_one_group(
    board: Leaderboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results.growing, "SEAL_BYTES", 30_000)
    numbers = iter(range(100))
    first = board.append(row(next(numbers)))
    while board.append(row(next(numbers))) == first:
        pass
    assert pq.read_metadata(first).num_row_groups == 1
    assert [record.trial_number for record in board.read()] == list(range(next(numbers)))


def test_columns_of_another_version_are_kept_as_the_file_grows(board: Leaderboard) -> None:
    path = board.append(full_row(0))
    old = pq.ParquetFile(path).read().drop_columns(["views"]).append_column("mood", [["good"]])
    pq.write_table(old, path)
    data, footer = split(path.read_bytes())
    for number in range(1, 10):
        board.append(full_row(number))
    newer = split(path.read_bytes())[0]
    assert newer.startswith(data)
    assert pq.ParquetFile(pa.BufferReader(newer + footer)).read().equals(old)
    assert pq.ParquetFile(path).read().column("mood").to_pylist() == ["good", *[None] * 9]


def test_a_file_of_mostly_unused_bytes_is_written_anew(
    board: Leaderboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.append(row(0))
    monkeypatch.setattr(results.stable, "MAX_DATA_BYTES", 10_000)
    sizes = [board.append(row(0, score=n / 10)).stat().st_size for n in range(10)]
    assert max(sizes) < 30_000
    assert sorted(sizes) != sizes
    assert [record.score for record in board.read()] == [0.9]
