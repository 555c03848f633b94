"""A report as numbers."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from results.report.report import Report, make_report
from tests.results.report.sweeps_made_up import gathered, trial


def test_every_number_can_be_had_as_json() -> None:
    diverged = trial(30, 0.5, val_loss=float("nan"), training_s=float("inf"))
    known = gathered()
    made = make_report(gathered(trials=[*known.trials, diverged]))
    plain = json.loads(json.dumps(made.to_plain(), allow_nan=False))
    assert list(plain) == [f.name for f in fields(Report)]
    assert plain["trials"][-1]["loss"] is None
    assert plain["verdict"]["trial_number"] == 2
    assert plain["timeline"]["lanes"][0]["lane"] == "cpu"


@pytest.mark.parametrize("count", [1, 2])
def test_a_sweep_that_has_just_begun_has_a_report(count: int) -> None:
    trials = [trial(0, 0.8, first="tutorial"), trial(1, 0.85, first="probe")]
    made = make_report(
        gathered(trials=trials[:count], folds=(), winner=None, images=None, importance=())
    )
    assert len(made.trials) == count
    assert made.disagreements == ()
