"""What the finals table promises."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from results.errors import LeaderboardError
from results.finals import COLUMNS, Finals, FoldRecord, out_of_fold


def fold(trial: int = 0, repeat: int = 0, number: int = 0, **changes: Any) -> FoldRecord:
    """One of two folds of four images: the even ones, or the odd ones."""
    right = 0.5 + 0.125 * (trial + repeat)
    values: dict[str, Any] = {
        "sweep": "ants", "trial_number": trial, "repeat": repeat, "fold": number, "num_folds": 2,
        "score": 0.9, "accuracy": 0.9, "loss": 0.25, "seconds": 1.5, "images": [number, number + 2],
        "labels": [number, number], "probabilities": [[right, 1 - right], [0.25, 0.75]],
    }  # fmt: skip
    return FoldRecord(**values | changes)


@pytest.fixture
def finals(tmp_path: Path) -> Finals:
    return Finals(tmp_path / "finals")


def test_rows_are_read_back_in_the_order_of_trials_repeats_and_folds(finals: Finals) -> None:
    given = [fold(t, r, f) for t in (3, 1) for r in (1, 0) for f in (1, 0)]
    finals.append(given[:1])
    finals.append(given[1:])
    key = ("trial_number", "repeat", "fold")
    assert finals.read("ants") == sorted(given, key=lambda r: [getattr(r, name) for name in key])
    assert finals.sweeps() == ["ants"]


def test_a_fold_that_was_trained_again_is_there_once(finals: Finals) -> None:
    for loss in (0.5, 0.125):
        finals.append([fold(0, 0, 1, loss=loss)])
        finals.append([fold(0, 0, 0)])
    assert [record.loss for record in finals.read("ants")] == [0.25, 0.125]


def test_other_tools_read_the_finals_table(finals: Finals) -> None:
    for number in range(2):
        finals.append([fold(number=number)])
    by_pandas = pd.read_parquet(finals.folder)
    assert by_pandas.sweep.tolist() == ["ants"] * 2
    query = "SELECT fold, len(probabilities) FROM read_parquet(?) ORDER BY fold"
    found = duckdb.execute(query, [f"{finals.folder}/*/*.parquet"]).fetchall()
    assert found == [(0, 2), (1, 2)]


def test_one_that_diverged_is_remembered_beside_the_folds(finals: Finals) -> None:
    finals.append([fold(0)])
    finals.append_failure("ants", 1, 0, 2, "the loss is no longer finite")
    finals.append_failure("ants", 2, 1, 5, "the loss is no longer finite")
    assert finals.read("ants") == [fold(0)]
    assert finals.failures("ants", num_folds=2) == {(1, 0)}
    assert finals.failures("ants", num_folds=5) == {(2, 1)}


def test_one_that_diverged_in_a_later_repeat_is_not_among_those_that_may_win(
    finals: Finals,
) -> None:
    """Of two divisions, as after a change of the spec, only the one it diverged in counts."""
    of_three = [fold(1, number=number, num_folds=3) for number in range(3)]
    finals.append([fold(0), fold(1), *of_three[2:]])
    finals.append_failure("ants", 1, 1, 2, "the loss is no longer finite")
    assert finals.read("ants") == [fold(0), fold(1), of_three[2]]
    assert finals.read_undiverged("ants") == [fold(0), of_three[2]]


def test_rows_of_the_version_before_have_no_times_and_new_ones_come_beside_them(
    finals: Finals,
) -> None:
    path = finals.append([fold(0)])
    since = ["started_at", "lane", "node", "worker_pid", "error"]
    pq.write_table(pq.ParquetFile(path).read().drop_columns(since), path)
    new = fold(
        1, started_at=datetime(2025, 3, 1, tzinfo=UTC), lane="cpu", node="here", worker_pid=7
    )
    assert finals.read("ants") == [fold(0)]
    Finals(finals.folder).append([new])
    assert finals.read("ants") == [fold(0), new]
    assert finals.failures("ants", 2) == set()


def test_without_finals_that_is_told(finals: Finals) -> None:
    with pytest.raises(LeaderboardError) as caught:
        finals.read("ants")
    assert str(caught.value) == f"there is no finals table in {finals.folder}; run a sweep first"


def test_every_column_is_described() -> None:
    assert len(COLUMNS) == 18
    assert all(known.description.endswith(".") for known in COLUMNS.values())


def test_folds_are_put_together_as_the_mean_of_repeats() -> None:
    records = [
        fold(trial, repeat, number) for trial in (0, 2) for repeat in (0, 1) for number in (0, 1)
    ]
    known = out_of_fold(records)
    assert known.trial_numbers == (0, 2)
    assert known.labels.tolist() == [0, 1, 0, 1]
    assert known.probabilities.shape == (2, 4, 2)
    assert known.probabilities[0, 0].tolist() == [0.5625, 0.4375]
    assert known.probabilities[1, 1].tolist() == [0.8125, 0.1875]
    assert np.allclose(known.probabilities[:, 2:], [0.25, 0.75])


def test_a_finalist_that_was_given_up_has_no_answer_for_every_image() -> None:
    known = out_of_fold([fold(0, 0, 0), fold(0, 0, 1), fold(1, 0, 0)])
    assert known.trial_numbers == (0,)


def test_folds_that_disagree_on_a_label_are_refused() -> None:
    with pytest.raises(ValueError, match="fold 0 of repeat 1 has other labels"):
        out_of_fold([fold(), fold(repeat=1, labels=[1, 1])])
    with pytest.raises(ValueError, match="there are no folds to put together"):
        out_of_fold([])
