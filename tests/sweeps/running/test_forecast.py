"""What is said of a sweep before it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeps.running.forecast import forecast, likely_works, share_of
from sweeps.running.lanes import LaneKind
from sweeps.running.pace import Pace, Work
from sweeps.running.planning import plan
from sweeps.views.plan import plan_lines
from tests.sweeps.sweep_fakes import CPU, DATASET, GPU, make_spec, row

HEAD = Work("efficientnet_lite0", 9, 10)


def a_pace(**seconds: float) -> Pace:
    pace = Pace()
    for kind, epoch_s in seconds.items():
        pace.learn(LaneKind(kind), None, HEAD.cell, epoch_s)
    return pace


def test_a_sweep_takes_as_long_as_its_trials_on_its_slots() -> None:
    found = forecast(a_pace(cpu=1.0), [CPU], [HEAD] * 10)
    assert (found.seconds, found.trials, found.is_cut) == (50.0, {LaneKind.CPU: 10}, False)
    both = forecast(a_pace(cpu=1.0, gpu=0.1), [GPU, CPU], [HEAD] * 100)
    assert both.seconds == pytest.approx(100 / 1.2, rel=0.1)
    assert both.trials[LaneKind.GPU] == pytest.approx(83, abs=5)


def test_the_time_limit_cuts_it() -> None:
    found = forecast(a_pace(cpu=1.0), [CPU], [HEAD] * 10, limit_s=25.0)
    assert (found.seconds, sum(found.trials.values()), found.is_cut) == (25.0, 4, True)


def test_early_stopping_leaves_a_share_of_the_epochs() -> None:
    asha = {"kind": "asha", "grace_epochs": 1, "reduction_factor": 3}
    assert share_of(make_spec(epochs=9, search={"early_stopping": asha})) == pytest.approx(
        (1 + 2 / 3 + 6 / 9) / 9
    )
    assert share_of(make_spec(epochs=9, search={"early_stopping": "none"})) == 1.0


def test_likely_trials_are_first_tries_and_then_any_in_the_space() -> None:
    spec = make_spec(
        {"frozen_stages": {"int": [7, "all"]}}, epochs={"int": [2, 4]},
        search={"first": ["tutorial"]},
    )  # fmt: skip
    works = likely_works(spec, 50)
    assert len(works) == 50
    assert works[0].frozen_stages == 9
    assert {work.frozen_stages for work in works} == {7, 8, 9}
    assert {work.epochs for work in works[1:]} == {2, 3, 4}


def test_a_plan_says_lanes_time_and_what_it_was_told_by() -> None:
    spec = make_spec(epochs=10, search={"trials": 12, "first": ["tutorial"]})
    guessed = list(plan_lines(plan(spec, DATASET, [{"CPU": 2.0}], [])))
    assert guessed[:3] == [
        "Sweep test: 12 trials, on efficientnet_lite0",
        "  cpu lane: 2 workers with 1 core each, about 12 trials",
        "  first: tutorial; then the sampler tpe chooses",
    ]
    assert guessed[-1].startswith("Guessed from the size of the network")
    known = replace(
        row(0), backbone="efficientnet_lite0", image_size=224, training_s=100.0, epochs=10,
        dataset_fingerprint=DATASET.fingerprint, frozen_stages=9, first="tutorial",
    )  # fmt: skip
    told = list(plan_lines(plan(spec, DATASET, [{"CPU": 2.0}], [known])))
    assert told[0] == "Sweep test: 12 trials, 1 of them done, on efficientnet_lite0"
    assert told[-1] == "Told by 1 trials on these images, in the leaderboard."
    assert any("search: about" in line for line in told)
