"""Which hyperparameters varied, and where trials lie."""

from __future__ import annotations

from results.report.space import dimensions, positions, searched
from tests.results.report.sweeps_made_up import trial

TRIALS = [
    trial(0, frozen_stages=7, lr=0.001, nesterov=True, gamma=None),
    trial(1, frozen_stages=7, lr=0.01, nesterov=False, gamma=0.5),
    trial(2, frozen_stages=9, lr=0.1, nesterov=False, gamma=0.7, weight_decay=0.0),
    trial(3, frozen_stages=8, lr=0.0, nesterov=False, gamma=0.9, weight_decay=0.01),
]


def test_what_never_varied_is_no_dimension() -> None:
    found = dimensions(TRIALS, order=["gamma"], on_log={"lr"})
    names = [dimension.name for dimension in found]
    assert names[0] == "gamma"
    assert set(names) == {"gamma", "lr", "frozen_stages", "nesterov", "weight_decay", "batchnorm"}


def test_positions_follow_the_scale_that_was_searched_on() -> None:
    known = {d.name: d for d in dimensions(TRIALS, on_log={"lr"})}
    assert [round(known["lr"].position(v), 9) for v in (0.0, 0.001, 0.01, 0.1)] == [0, 0, 0.5, 1]
    assert known["frozen_stages"].position(8) == 0.5
    assert known["frozen_stages"].is_whole
    assert known["nesterov"].choices == ("false", "true")
    assert known["nesterov"].position(True) == 1


def test_a_trial_has_no_place_in_what_does_not_apply_to_it() -> None:
    found = positions(TRIALS, dimensions(TRIALS))
    assert [p.trial_number for p in found if p.dimension == "gamma"] == [1, 2, 3]


def test_the_probe_says_nothing_of_the_space() -> None:
    assert [t.trial_number for t in searched([trial(0, first="probe"), trial(1)])] == [1]
