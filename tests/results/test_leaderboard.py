"""What the leaderboard promises to those who write it and those who read it."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results.errors import LeaderboardError
from results.leaderboard import FILE_SCHEMA, Leaderboard
from results.schema import COLUMNS, HEAVY_COLUMNS, TrialRecord, TrialStatus
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
    return sorted(os.listdir(board.folder / f"sweep={sweep}"))


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


def test_a_row_is_a_file_named_after_its_number(board: Leaderboard) -> None:
    path = board.append(row(12))
    assert path == board.folder / "sweep=ants" / "trial-000012.parquet"
    assert files(board) == ["trial-000012.parquet"]
    assert path.stat().st_mode & 0o777 == 0o644
    assert pq.read_schema(path).equals(FILE_SCHEMA)


def test_rows_come_in_the_order_of_their_trials(board: Leaderboard) -> None:
    for number in (11, 2, 1_000_003, 0):
        board.append(row(number))
    assert numbers(board) == [0, 2, 11, 1_000_003]


def test_a_row_appended_again_under_its_number_replaces_it(board: Leaderboard) -> None:
    for score in (0.1, 0.8):
        board.append(row(0, score))
    assert [record.score for record in board.read()] == [0.8]


def test_sweeps_are_listed_with_the_newest_last(board: Leaderboard) -> None:
    for age_s, name in ((10, "old"), (0, "new"), (5, "middle")):
        path = board.append(row(sweep=name))
        os.utime(path, (1e9 - age_s, 1e9 - age_s))
    (board.folder / "sweep=empty").mkdir()
    assert board.sweeps() == ["old", "middle", "new"]


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
    board.compact("ants")
    assert board.read("ants", heavy=True) == [first, second]


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
    board.compact("ants")
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


@pytest.mark.parametrize(
    "damage",
    [
        "cut off",
        "empty",
        "no Parquet",
        pytest.param(
            "other bytes inside",
        ),
    ],
)
def test_a_damaged_file_is_named(board: Leaderboard, damage: str) -> None:
    board.append(full_row(0))
    path = board.append(full_row(1))
    whole = path.read_bytes()
    path.write_bytes(
        {
            "cut off": whole[: len(whole) // 2],
            "empty": b"",
            "no Parquet": b"trial,score\n1,0.9\n",
            "other bytes inside": whole[:4] + b"\xff" * 400 + whole[404:],
        }[damage]
    )
    with pytest.raises(LeaderboardError) as caught:
        board.read(heavy=True)
    assert str(caught.value).startswith(f"{path} is no readable Parquet file (")
    assert str(caught.value).endswith("); delete it to go on without it")
    path.unlink()
    assert numbers(board) == [0]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LeaderboardError) as caught:
        Leaderboard(tmp_path / "file").append(row())
    told = f"cannot write the leaderboard in {tmp_path / 'file' / 'sweep=ants'}: "
    assert str(caught.value).startswith(told)
    assert "Not a directory" in str(caught.value)


def test_a_row_that_could_not_be_published_leaves_nothing(board: Leaderboard) -> None:
    (board.folder / "sweep=ants" / "trial-000000.parquet" / "in the way").mkdir(parents=True)
    with pytest.raises(LeaderboardError, match="cannot write the leaderboard in"):
        board.append(row(0))
    assert files(board) == ["trial-000000.parquet"]
