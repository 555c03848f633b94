"""What readers see of a leaderboard while others write it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pytest

from results.leaderboard import Leaderboard
from tests.results.sample_rows import append_rows, die_before_publishing, full_row

Rows = set[tuple[str, int, float]]
Reader = Callable[[Path], Rows]
WANTED = ["sweep", "trial_number", "score"]
NUM_ROWS = 40

spawn = multiprocessing.get_context("spawn")


def _set(found: Iterable[Any]) -> Rows:
    """Take rows as a set; none may be there twice."""
    listed = [tuple(row) for row in found]
    assert len(set(listed)) == len(listed), "a row was read twice"
    return set(listed)


def _read_by_leaderboard(folder: Path) -> Rows:
    return _set((r.sweep, r.trial_number, r.score) for r in Leaderboard(folder).read())


def _read_by_pandas(folder: Path) -> Rows:
    frame = pd.read_parquet(folder)[WANTED]
    return _set(frame.itertuples(index=False, name=None))


def _read_by_pyarrow(folder: Path) -> Rows:
    table = ds.dataset(folder).to_table(columns=WANTED)
    return _set(zip(*table.to_pydict().values(), strict=True))


def _read_by_duckdb(folder: Path) -> Rows:
    query = f"SELECT {', '.join(WANTED)} FROM read_parquet(?)"
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        return _set(connection.execute(query, [f"{folder}/*/*.parquet"]).fetchall())


READERS: dict[str, Reader] = {
    "leaderboard": _read_by_leaderboard,
    "pandas": _read_by_pandas,
    "pyarrow": _read_by_pyarrow,
    "duckdb": _read_by_duckdb,
}

every_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)


def rows(*numbers: int, sweep: str = "ants") -> Rows:
    return {(sweep, number, full_row(number).score or 0.0) for number in numbers}


def run_and_wait(target: Callable[..., None], *args: Any) -> int | None:
    process = spawn.Process(target=target, args=args)
    process.start()
    process.join()
    return process.exitcode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "leaderboard"


@every_reader
def test_a_reader_gets_the_rows_of_every_sweep(read: Reader, folder: Path) -> None:
    for sweep in ("ants", "bees"):
        for number in range(3):
            Leaderboard(folder).append(full_row(number, sweep))
    assert read(folder) == rows(0, 1, 2) | rows(0, 1, 2, sweep="bees")


@pytest.mark.whole  # several processes
def test_every_reader_sees_rows_come_and_never_go_or_break(folder: Path) -> None:
    Leaderboard(folder).append(full_row(0))
    seen = {name: [read(folder)] for name, read in READERS.items()}
    writer = spawn.Process(target=append_rows, args=(folder, 1, NUM_ROWS))
    writer.start()
    going_on = True
    while going_on:
        going_on = writer.is_alive()  # so that the last round follows the last row
        for name, read in READERS.items():
            seen[name].append(read(folder))
    assert writer.exitcode == 0
    assert len(seen) == 4
    for name, rounds in seen.items():
        assert all(before <= after for before, after in pairwise(rounds)), name
        assert rounds[-1] == rows(*range(NUM_ROWS)), name
        assert len({len(found) for found in rounds}) >= 3, f"{name} did not read in between"


@pytest.fixture(scope="module")
def leftovers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A leaderboard with one row, and what a writer that was killed at its work left behind."""
    folder = tmp_path_factory.mktemp("leftovers") / "leaderboard"
    Leaderboard(folder).append(full_row(0))
    assert run_and_wait(die_before_publishing, folder, 1) == -signal.SIGKILL
    return folder


@every_reader
def test_a_reader_does_not_see_what_a_killed_writer_left(read: Reader, leftovers: Path) -> None:
    (left,) = (leftovers / "ants").glob(".*.tmp")
    assert left.stat().st_size > 0
    assert read(leftovers) == rows(0)


@every_reader
def test_the_row_of_a_killed_writer_can_be_appended_again(read: Reader, folder: Path) -> None:
    sweep_folder = folder / "ants"
    sweep_folder.mkdir(parents=True)
    (sweep_folder / ".left.tmp").write_bytes(b"PAR1 half a row")
    for number in range(2):
        Leaderboard(folder).append(full_row(number))
    assert read(folder) == rows(0, 1)


@pytest.mark.parametrize("name", ["with space", "it's", 'say "so"', "ünï-çødé ☃", "100%20"])
@every_reader
def test_a_reader_finds_a_folder_of_any_name(read: Reader, tmp_path: Path, name: str) -> None:
    Leaderboard(tmp_path / name).append(full_row(0))
    assert read(tmp_path / name) == rows(0)


@pytest.mark.parametrize("sweep", ["007", "1.5", "1e5", "2024-01-01", "true", "null"])
@every_reader
def test_a_name_that_looks_like_a_value_stays_a_name(
    read: Reader, folder: Path, sweep: str
) -> None:
    for name in (sweep, "ants"):
        Leaderboard(folder).append(full_row(0, name))
    assert read(folder) == rows(0, sweep=sweep) | rows(0)
