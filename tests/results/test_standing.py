"""Ranking in Arrow and ranking of records are the same."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import results.growing
from results.errors import EmptyLeaderboard
from results.leaderboard import Leaderboard
from results.ranking import rank
from results.schema import SCHEMA, TrialRecord, TrialStatus
from results.standing import ranking, read_standing, standing_of
from tests.results.sample_rows import full_row, row

few_numbers = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1e9])  # so that there are ties
few_or_none = st.none() | few_numbers


@st.composite
def rows_to_rank(draw: st.DrawFn) -> list[TrialRecord]:
    objective = draw(st.sampled_from(["val_accuracy", "val_loss"]))
    places = st.tuples(st.sampled_from(["ants", "Bees", "ünï"]), st.integers(0, 30))
    return [
        row(
            number, draw(few_or_none), sweep=sweep, objective=objective,
            val_loss=draw(few_or_none), training_s=draw(few_numbers),
            status=draw(st.sampled_from(TrialStatus)), first=draw(st.sampled_from([None, "x"])),
        )
        for sweep, number in draw(st.lists(places, unique=True, max_size=20))
    ]  # fmt: skip


def table_of(records: list[TrialRecord]) -> pa.Table:
    return pa.Table.from_pylist([asdict(record) for record in records], schema=SCHEMA)


@settings(deadline=None)
@given(rows_to_rank())
def test_a_table_is_ranked_as_its_records_are(records: list[TrialRecord]) -> None:
    assert [records[place] for place in ranking(table_of(records))] == rank(records)


@pytest.mark.parametrize(
    "other", [{"dataset": "cats"}, {"dataset_fingerprint": None}, {"objective": "val_loss"}]
)
def test_a_table_whose_rows_cannot_be_compared_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="of different datasets or objectives cannot be ranked"):
        ranking(table_of([row(0), row(1, **other)]))


@pytest.mark.parametrize("first", [None, "tutorial"])
def test_a_sweep_stands_where_its_records_do(
    tmp_path: Path, first: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results.growing, "SEAL_BYTES", 30_000)  # several files
    board = Leaderboard(tmp_path)
    compared = {"dataset": "photos", "dataset_fingerprint": "abc"}
    board.append(full_row(0, first="tutorial", status=TrialStatus.STOPPED, **compared))
    for number in range(1, 12):
        told = first if number == 5 else None
        board.append(full_row(number, score=1 - abs(number - 7) / 10, first=told, **compared))
    assert len(list(tmp_path.glob("ants/*.parquet"))) > 1
    standing = read_standing(board, "ants")
    assert standing == standing_of(board.read("ants"))
    assert standing.winner.trial_number == 7
    chosen = next(record for record in board.read("ants") if record.trial_number == 9)
    assert read_standing(board, "ants", 9) == standing_of(board.read("ants"), chosen)
    assert (standing.tutorial is None) == (first is None)


def test_a_sweep_without_a_complete_trial_has_no_standing(tmp_path: Path) -> None:
    board = Leaderboard(tmp_path)
    board.append(row(0, status=TrialStatus.STOPPED))
    with pytest.raises(EmptyLeaderboard) as caught:
        read_standing(board, "ants")
    counts = "0 complete, 1 stopped, 0 unfinished, 0 failed"
    assert str(caught.value) == f"no trial is complete yet ({counts}), so there is no best one"


def test_some_trials_are_read_alone(tmp_path: Path) -> None:
    board = Leaderboard(tmp_path)
    for number in range(4):
        board.append(full_row(number))
    found = board.read_trials("ants", [3, 1, 77])
    assert found == [record for record in board.read() if record.trial_number in (1, 3)]
    assert len(found) == 2
