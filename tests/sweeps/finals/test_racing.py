"""Who takes part in a repeat, and who goes on after it."""

from __future__ import annotations

from results.finals import FoldRecord
from sweeps.finals.racing import Race, Turn

FOLDS = 5


def folds_of(number: int, losses: list[float], repeat: int = 0) -> list[FoldRecord]:
    return [
        FoldRecord(
            sweep="s", trial_number=number, repeat=repeat, fold=fold, num_folds=FOLDS, score=0.9,
            accuracy=0.9, loss=loss, seconds=1.0, images=[fold], labels=[0],
            probabilities=[[0.5, 0.5]],
        )
        for fold, loss in enumerate(losses)
    ]  # fmt: skip


STEADY = [0.1, 0.12, 0.11, 0.1, 0.13]
WORSE = [0.5, 0.53, 0.52, 0.49, 0.52]
NEAR = [0.13, 0.11, 0.12, 0.09, 0.14]


def test_a_turn_that_was_had_in_whole_is_not_had_again() -> None:
    folds = [*folds_of(1, STEADY), *folds_of(2, STEADY[:3])]
    assert Race(folds).missing([1, 2, 3], 0) == [Turn(2, 0), Turn(3, 0)]
    assert Race(folds).missing([1, 2], 1) == [Turn(1, 1), Turn(2, 1)]


def test_of_a_turn_that_was_had_in_part_the_other_folds_are_to_be_had() -> None:
    """Workers come to an end in any order, and a sweep may be killed between two of them."""
    first, _, third, *_ = folds_of(2, STEADY)
    race = Race([*folds_of(1, STEADY), third, *folds_of(2, STEADY, repeat=1), first])
    assert race.one_by_one(Turn(2, 0), FOLDS) == [Turn(2, 0, 1), Turn(2, 0, 3), Turn(2, 0, 4)]
    last = folds_of(3, STEADY)[-1:]
    assert Race(last).missing([3], 0) == [Turn(3, 0)]  # though it is the last of its repeat
    assert Race(folds_of(3, STEADY)[::-1]).missing([3], 0) == []


def test_one_that_is_behind_by_more_than_chance_stops() -> None:
    folds = [*folds_of(1, STEADY), *folds_of(2, WORSE), *folds_of(3, NEAR)]
    assert Race(folds).going_on([1, 2, 3], 0) == [1, 3]


def test_one_that_did_not_answer_everywhere_stops() -> None:
    folds = [*folds_of(1, STEADY), *folds_of(2, NEAR), *folds_of(3, STEADY[:2])]
    assert Race(folds).going_on([1, 2, 3, 4], 0) == [1, 2]


def test_what_comes_later_does_not_count_and_the_last_one_goes_on() -> None:
    folds = [*folds_of(1, STEADY), *folds_of(2, NEAR), *folds_of(2, WORSE, repeat=1)]
    assert Race(folds).going_on([1, 2], 0) == [1, 2]
    assert Race(folds).going_on([1], 0) == [1]
    assert Race().going_on([1, 2], 0) == []


def test_a_turn_that_failed_is_not_had_again() -> None:
    race = Race(folds_of(1, STEADY), {Turn(2, 0)})
    assert race.missing([1, 2, 3], 0) == [Turn(3, 0)]
    assert race.going_on([1, 2], 0) == [1]


def test_the_last_one_goes_on_only_where_that_is_cheap() -> None:
    folds = [*folds_of(1, STEADY), *folds_of(2, WORSE), *folds_of(3, NEAR)]
    race = Race(folds, is_cheap=lambda number: number == 3)
    assert race.going_on([1, 2], 0) == []
    assert race.going_on([2, 3], 0) == [3]
    assert race.going_on([1, 2, 3], 0) == [1, 3]


def test_one_that_diverged_in_a_later_repeat_is_out() -> None:
    """Also where nobody answered in that repeat, and it led the one before."""
    folds = [*folds_of(1, STEADY), *folds_of(2, NEAR), *folds_of(3, NEAR)]
    race = Race(folds, {Turn(1, 1)})
    assert race.still_in([1, 2, 3]) == [2, 3]
    assert race.going_on([1, 2, 3], 1) == [2, 3]
