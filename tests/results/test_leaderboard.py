"""What the leaderboard promises to those who write it and those who read it."""

from __future__ import annotations

import os
import resource
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results.errors import LeaderboardError
from results.leaderboard import Leaderboard
from results.schema import COLUMNS, HEAVY_COLUMNS, SCHEMA, TrialRecord, TrialStatus
from tests.results.sample_rows import full_row, row

WEIRD_NAMES = [
    "with space", "it's", 'say "so"', "ünï-çødé ☃", "new\nline", "100%20", "a[0]*?", "sweep=x",
]  # fmt: skip
NAMES_LIKE_VALUES = ["007", "1.5", "1e5", "2024-01-01", "NaN", "None", "null", "true"]


@pytest.fixture
def board(tmp_path: Path) -> Leaderboard:
    return Leaderboard(tmp_path / "leaderboard")


def files(board: Leaderboard, sweep: str = "ants") -> list[str]:
    """The names of everything in a sweep's folder, hidden or not."""
    return sorted(os.listdir(board.folder / sweep))


def numbers(board: Leaderboard, sweep: str | None = None) -> list[int]:
    return [record.trial_number for record in board.read(sweep)]


def test_a_row_is_read_back_as_it_was_appended(board: Leaderboard) -> None:
    record = full_row(3)
    board.append(record)
    (found,) = board.read("ants", heavy=True)
    filled = [f.name for f in fields(TrialRecord) if getattr(found, f.name) is not None]
    assert len(filled) == len(COLUMNS)
    assert found == record
    assert type(found.status) is TrialStatus


def test_a_row_with_nothing_in_it_is_read_back_too(board: Leaderboard) -> None:
    bare = TrialRecord(
        sweep="ants", trial_number=0, status=TrialStatus.FAILED, objective="val_loss", seed=0
    )
    board.append(bare)
    assert board.read(heavy=True) == [bare]


def test_records_come_without_the_heavy_columns_unless_asked_for(board: Leaderboard) -> None:
    board.append(full_row())
    (light,) = board.read()
    assert [name for name in COLUMNS if getattr(light, name) is None] == list(HEAVY_COLUMNS)


def test_only_the_columns_asked_for_are_read(board: Leaderboard) -> None:
    board.append(full_row())
    assert board.read_table(columns=["score", "sweep"]).column_names == ["score", "sweep"]


def test_rows_are_in_a_file_below_a_folder_with_the_name_of_the_sweep(board: Leaderboard) -> None:
    for number in (12, 3):
        path = board.append(row(number))
        assert path == board.folder / "ants" / "rows-000000.parquet"
    assert [name for name in files(board) if not name.startswith(".")] == ["rows-000000.parquet"]
    assert path.stat().st_mode & 0o777 == 0o644
    assert pq.read_schema(path).equals(SCHEMA)
    assert pq.read_table(path).column("sweep").to_pylist() == ["ants"] * 2


def test_rows_come_in_the_order_of_their_trials(board: Leaderboard) -> None:
    for number in (11, 2, 1_000_003, 0):
        board.append(row(number))
    assert numbers(board) == [0, 2, 11, 1_000_003]


def test_a_row_appended_again_under_its_number_replaces_it(board: Leaderboard) -> None:
    for score in (0.1, 0.8):
        board.append(row(0, score))
    assert [record.score for record in board.read()] == [0.8]


def test_sweeps_with_rows_are_listed(board: Leaderboard) -> None:
    for name in ("b", "a"):
        board.append(row(sweep=name))
    (board.folder / "empty").mkdir()
    (board.folder / "a file").write_text("of the user")
    assert board.sweeps() == ["a", "b"]


def test_the_newest_sweep_is_the_one_whose_last_trial_ended_last(board: Leaderboard) -> None:
    for day, name in ((1, "old"), (9, "new"), (5, "middle"), (3, "new")):
        board.append(row(day, sweep=name, finished_at=datetime(2025, 3, day, tzinfo=UTC)))
    board.append(row(sweep="without a time"))
    (old,) = board.read("old")
    board.append(replace(old, test_looks=1))  # its file is the newest now
    assert board.newest() == "new"
    assert [r.sweep for r in board.read()] == ["without a time", "old", "middle", "new", "new"]


def test_all_sweeps_are_read_together_or_one_alone(board: Leaderboard) -> None:
    for name, count in (("ants", 2), ("bees", 3)):
        for number in range(count):
            board.append(row(number, sweep=name))
    assert {(r.sweep, r.trial_number) for r in board.read()} == {
        ("ants", 0), ("ants", 1), ("bees", 0), ("bees", 1), ("bees", 2),
    }  # fmt: skip
    assert [r.sweep for r in board.read("bees")] == ["bees"] * 3


def test_a_file_of_an_older_version_lacks_a_column_and_is_read_with_nulls(
    board: Leaderboard,
) -> None:
    path = board.append(full_row(0))
    old = pq.ParquetFile(path).read().drop_columns(["label_smoothing", "views", "curve"])
    pq.write_table(old, path)
    board.append(full_row(1))
    first, second = board.read("ants", heavy=True)
    assert (first.label_smoothing, first.views, first.curve) == (None, None, None)
    assert first.momentum == full_row(0).momentum
    assert second == full_row(1)


def test_a_column_that_has_another_name_since_is_read_from_files_of_before(
    board: Leaderboard,
) -> None:
    path = board.append(full_row(0))
    names = {"epochs": "epochs_asked"}
    table = pq.ParquetFile(path).read()
    pq.write_table(table.rename_columns([names.get(n, n) for n in table.column_names]), path)
    assert board.read("ants", heavy=True) == [full_row(0)]
    assert board.read_table("ants", ["epochs"]).to_pydict() == {"epochs": [full_row(0).epochs]}


def test_a_file_of_a_newer_version_has_a_column_more_and_is_read_without(
    board: Leaderboard,
) -> None:
    path = board.append(full_row())
    new = pq.ParquetFile(path).read().append_column("mood", pa.array(["good"]))
    pq.write_table(new, path)
    assert board.read("ants", heavy=True) == [full_row()]


@pytest.mark.parametrize("sweep", NAMES_LIKE_VALUES)
def test_names_that_look_like_values_stay_names(board: Leaderboard, sweep: str) -> None:
    board.append(row(sweep=sweep))
    assert board.sweeps() == [sweep]
    assert [record.sweep for record in board.read(sweep)] == [sweep]
    assert board.to_pandas(sweep)["sweep"].tolist() == [sweep]


@pytest.mark.parametrize("name", WEIRD_NAMES)
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    board = Leaderboard(tmp_path / name)
    for number in range(2):
        board.append(full_row(number))
    assert board.sweeps() == ["ants"]
    assert board.read("ants", heavy=True) == [full_row(0), full_row(1)]
    assert board.to_pandas()["trial_number"].tolist() == [0, 1]


def test_a_missing_leaderboard_is_told(board: Leaderboard) -> None:
    with pytest.raises(LeaderboardError) as caught:
        board.read()
    message = f"there is no leaderboard in {board.folder}; run a sweep first"
    assert str(caught.value) == message
    assert board.sweeps() == []


def test_an_unknown_sweep_is_told_with_those_there_are(board: Leaderboard) -> None:
    board.append(row(sweep="ants"))
    with pytest.raises(LeaderboardError) as caught:
        board.read("wasps")
    assert str(caught.value) == f"there is no sweep 'wasps' in {board.folder}; there is: ants"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LeaderboardError) as caught:
        Leaderboard(tmp_path / "file").append(row())
    told = f"cannot write the leaderboard in {tmp_path / 'file' / 'ants'}: "
    assert str(caught.value).startswith(told)
    assert "Not a directory" in str(caught.value)


def test_a_row_that_could_not_be_published_leaves_nothing(board: Leaderboard) -> None:
    board.append(row(0))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # a disk that is full
    try:
        with pytest.raises(LeaderboardError, match=r"cannot write the leaderboard in .*too large"):
            board.append(row(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(board) == [".lock", "rows-000000.parquet"]
    board.append(row(2))
    assert numbers(board) == [0, 2]
