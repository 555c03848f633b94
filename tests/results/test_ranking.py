"""What the ranking promises."""

from __future__ import annotations

import random
from typing import Any

import pytest
from scipy.stats import binomtest

from results.errors import EmptyLeaderboard
from results.ranking import (
    Comparable,
    comparable_groups,
    is_better,
    rank,
    wilson_interval,
    winner,
)
from results.schema import LOST, Objective, TrialRecord, TrialStatus
from tests.results.sample_rows import row

STOPPED, UNFINISHED, FAILED = TrialStatus.STOPPED, TrialStatus.UNFINISHED, TrialStatus.FAILED


def order(records: list[TrialRecord]) -> list[int]:
    """Rank shuffled rows; return their numbers, best first."""
    random.Random(1).shuffle(records)
    return [record.trial_number for record in rank(records)]


def test_the_highest_accuracy_comes_first() -> None:
    assert order([row(0, 0.5), row(1, 0.9), row(2, 0.7)]) == [1, 2, 0]


def test_the_lowest_loss_comes_first() -> None:
    rows = [row(n, score, objective="val_loss") for n, score in enumerate((0.5, 0.9, 0.2))]
    assert order(rows) == [2, 0, 1]


def test_ties_go_by_validation_loss_then_cost_then_number() -> None:
    rows = [
        row(0, val_loss=0.4),
        row(1, val_loss=0.2, training_s=9.0),
        row(2, val_loss=0.2, training_s=3.0),
        row(3, val_loss=0.2, training_s=9.0),
        row(4, val_loss=None),
    ]
    assert order(rows) == [2, 1, 3, 0, 4]


def test_stopped_trials_come_below_complete_ones_and_failed_ones_last() -> None:
    rows = [
        row(0, 0.99, status=FAILED),
        row(1, 0.98, status=STOPPED),
        row(2, 0.5),
        row(3, None, status=FAILED),
        row(4, 0.97, status=STOPPED),
        row(5, 0.6),
    ]
    assert order(rows) == [5, 2, 1, 4, 0, 3]


def test_unfinished_trials_come_between_the_stopped_and_the_failed() -> None:
    rows = [
        row(0, 0.9, status=FAILED),
        row(1, 0.99, status=UNFINISHED),
        row(2, 0.4, status=STOPPED),
    ]
    assert order(rows) == [2, 1, 0]


@pytest.mark.parametrize(
    "earlier", [{"status": UNFINISHED}, {"status": FAILED, "error_kind": LOST}]
)
def test_a_later_row_of_a_trial_replaces_one_that_was_open(earlier: dict[str, Any]) -> None:
    opened, other, sequel = row(0, 0.99, **earlier), row(1, 0.8), row(0, 0.7)
    assert opened.is_open
    assert not sequel.is_open
    assert rank([opened, other, sequel]) == [other, sequel]
    assert winner([row(0, 0.99), row(1, 0.8), row(0, 0.7)]).score == 0.8


def test_trials_of_two_sweeps_with_one_number_are_two() -> None:
    rows = [row(0, 0.5, sweep="ants"), row(0, 0.9, sweep="bees")]
    assert [record.sweep for record in rank(rows)] == ["bees", "ants"]


def test_nothing_has_an_empty_ranking() -> None:
    assert rank([]) == []


@pytest.mark.parametrize(
    "other",
    [{"dataset": "cats"}, {"dataset_fingerprint": "xyz"}, {"objective": "val_loss"}],
)
@pytest.mark.parametrize("call", [rank, winner])
def test_rows_that_cannot_be_compared_are_refused(call: Any, other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="of different datasets or objectives cannot be ranked"):
        call([row(0), row(1, **other)])


def test_rows_are_split_into_groups_that_can_be_compared() -> None:
    rows = [
        row(0),
        row(1, dataset="cats"),
        row(2, sweep="another"),
        row(3, objective="val_loss"),
        row(4, dataset_fingerprint="xyz"),
        row(5, dataset="cats"),
    ]
    groups = comparable_groups(rows)
    assert {key: [r.trial_number for r in rows] for key, rows in groups.items()} == {
        Comparable("hymenoptera", "abc", "val_accuracy"): [0, 2],
        Comparable("cats", "abc", "val_accuracy"): [1, 5],
        Comparable("hymenoptera", "abc", "val_loss"): [3],
        Comparable("hymenoptera", "xyz", "val_accuracy"): [4],
    }


def test_the_winner_is_the_best_complete_trial() -> None:
    rows = [row(0, 0.99, status=STOPPED), row(1, 0.8), row(2, 0.7)]
    assert winner(rows).trial_number == 1


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([], "0 complete, 0 stopped, 0 unfinished, 0 failed"),
        ([row(0, 0.9, status=STOPPED), row(1, status=FAILED), row(2, status=FAILED)],
         "0 complete, 1 stopped, 0 unfinished, 2 failed"),
    ],
)  # fmt: skip
def test_without_a_complete_trial_there_is_no_winner(rows: list[TrialRecord], counts: str) -> None:
    with pytest.raises(EmptyLeaderboard) as caught:
        winner(rows)
    assert str(caught.value) == f"no trial is complete yet ({counts}), so there is no best one"


def test_better_means_higher_accuracy_or_lower_loss() -> None:
    assert is_better(0.9, 0.8, Objective.VAL_ACCURACY)
    assert is_better(0.1, 0.2, Objective.VAL_LOSS)
    assert not is_better(0.8, 0.8, Objective.VAL_ACCURACY)
    assert not is_better(0.2, 0.2, Objective.VAL_LOSS)


@pytest.mark.parametrize(
    ("correct", "images"), [(146, 153), (0, 153), (153, 153), (0, 1), (1, 1), (1, 2), (77, 153)]
)
def test_the_interval_is_scipys_wilson_interval(correct: int, images: int) -> None:
    known = binomtest(correct, images).proportion_ci(0.95, method="wilson")
    interval = wilson_interval(correct / images, images)
    assert interval.low == pytest.approx(known.low, abs=1e-12)
    assert interval.high == pytest.approx(known.high, abs=1e-12)
    assert 0 <= interval.low < interval.high <= 1


def test_an_interval_of_no_images_is_refused() -> None:
    with pytest.raises(ValueError, match="num_images must be at least 1, got 0"):
        wilson_interval(0.5, 0)
