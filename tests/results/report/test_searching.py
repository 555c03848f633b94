"""How the search went, as points and curves."""

from __future__ import annotations

from results.report.searching import curves, points, shown_trials
from results.schema import Objective, TrialStatus
from tests.results.report.sweeps_made_up import trial


def test_the_best_so_far_is_that_of_complete_trials() -> None:
    trials = [
        trial(0, 0.8),
        trial(1, 0.99, status=TrialStatus.STOPPED),
        trial(2, None, status=TrialStatus.FAILED),
        trial(3, 0.9),
        trial(4, 0.7),
    ]
    found = points(trials, Objective.VAL_ACCURACY, front=[3])
    assert [point.best_so_far for point in found] == [0.8, 0.8, 0.8, 0.9, 0.9]
    assert [point.trial_number for point in found if point.is_on_front] == [3]


def test_curves_say_which_trials_were_given_up() -> None:
    trials = [trial(0, 0.8), trial(1, 0.7, status=TrialStatus.STOPPED)]
    found = curves(trials, Objective.VAL_LOSS)
    assert [(c.trial_number, c.epoch, c.is_stopped) for c in found] == [
        (n, epoch, n == 1) for n in (0, 1) for epoch in (1, 2, 3)
    ]
    assert found[0].score == 1 - (0.8 - 0.1)


def test_of_very_many_trials_the_best_the_firsts_and_a_sample_are_shown() -> None:
    trials = [trial(n, n / 1000, first="tutorial" if n == 1 else None) for n in range(100)]
    shown = [t.trial_number for t in shown_trials(trials, most=20)]
    assert shown[-10:] == list(range(90, 100))
    assert 1 in shown
    assert 20 <= len(shown) <= 21
    assert shown_trials(trials, most=100) == trials
