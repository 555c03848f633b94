"""Finalists are the best distinct configurations, and what they are held against."""

from __future__ import annotations

from results.schema import TrialStatus
from sweeps.finals.finalists import finalists
from tests.sweeps.sweep_fakes import row

TUTORIAL = row(0, 0.5, first="tutorial", lr=0.001)
PROBE = row(1, 0.7, first="probe", lr=0.002)
GOOD = [row(number, 0.9 + number / 1000, lr=0.01 * number) for number in range(2, 9)]


def numbers(count: int, *records: object) -> list[int]:
    return [r.trial_number for r in finalists(records, count)]  # type: ignore[arg-type]


def test_the_best_come_after_those_they_are_held_against() -> None:
    assert numbers(4, TUTORIAL, *GOOD, PROBE) == [1, 0, 8, 7]


def test_the_best_and_what_it_is_held_against_are_there_however_few_are_asked_for() -> None:
    """Three networks have three probes, which leave no other of four places."""
    more = [row(n, 0.6, first="probe", lr=0.002, backbone=f"net{n}") for n in (30, 31)]
    assert numbers(4, TUTORIAL, *GOOD, PROBE, *more) == [1, 30, 31, 0, 8]


def test_what_there_is_no_time_for_is_passed_over() -> None:
    """But never what the winner is held against, nor the best of the others."""
    rows = [TUTORIAL, *GOOD, PROBE]
    cost = {0: 100.0, 1: 100.0, 8: 100.0, 7: 5.0, 6: 6.0, 5: 4.0, 4: 1.0}
    found = finalists(rows, 5, lambda trial: cost.get(trial.trial_number, 9.0), time_s=309.0)
    assert [trial.trial_number for trial in found] == [1, 0, 8, 7, 5]


def test_of_those_that_are_better_than_the_rivals_one_that_there_is_time_for_is_needed() -> None:
    rows = [TUTORIAL, *GOOD, PROBE]
    cost = {8: 100.0, 7: 30.0, 6: 19.0}

    def needed(time_s: float) -> int:
        found = finalists(rows, 3, lambda trial: cost.get(trial.trial_number, 0.0), time_s)
        return found[-1].trial_number

    assert [needed(time_s) for time_s in (60.0, 20.0, 7.0)] == [8, 7, 6]
    cheap = finalists([TUTORIAL, *GOOD, row(1, 0.99, first="probe")], 3, lambda t: 1.0, 0.0)
    assert cheap[-1].trial_number == 8  # none is better: the best


def test_a_configuration_is_a_finalist_once_whatever_its_seed() -> None:
    same = [row(number, 0.9, lr=0.05, seed=number) for number in (20, 21)]
    assert numbers(3, *same, *GOOD[:1]) == [2, 20]


def test_a_stopped_trial_can_be_a_finalist_and_a_failed_one_not() -> None:
    stopped = row(30, 0.99, lr=0.3, status=TrialStatus.STOPPED)
    failed = row(31, None, lr=0.4, status=TrialStatus.FAILED)
    cut = row(32, 0.999, lr=0.5, status=TrialStatus.UNFINISHED)
    assert numbers(2, *GOOD, stopped, failed, cut) == [30, 8]


def test_the_loss_is_minimised_where_it_is_the_objective() -> None:
    rows = [row(n, 0.1 * n, lr=0.01 * n, objective="val_loss") for n in (3, 1, 2)]
    assert numbers(2, *rows) == [1, 2]
