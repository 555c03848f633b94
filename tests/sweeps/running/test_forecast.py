"""What is said of a sweep before it runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from results.schema import TrialRecord
from sweeps.finals.timing import LEAST_S
from sweeps.running.forecast import forecast, likely_works, share_of
from sweeps.running.lanes import LaneKind
from sweeps.running.pace import Pace, Work
from sweeps.running.planning import plan
from sweeps.running.starts import Start, start_of
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


def test_a_first_try_that_leaves_frozen_stages_out_may_freeze_any_number_in_the_space() -> None:
    spec = make_spec({"frozen_stages": {"int": [7, "all"]}}, search={"first": [{"lr": 0.01}] * 20})
    assert {work.frozen_stages for work in likely_works(spec, 20)} == {7, 8, 9}


def ran(number: int, pid: int, begins_s: float, ends_s: float, **changed: Any) -> TrialRecord:
    """The row of a trial of one epoch of half a second, on a worker, at some seconds of a sweep."""
    begun = datetime(2025, 3, 1, tzinfo=UTC)
    known = row(
        number, backbone="efficientnet_lite0", image_size=224, epochs=1, epochs_run=1,
        dataset_fingerprint=DATASET.fingerprint, training_s=0.5, trained_part_s=0.5,
        sweep="earlier", node="here", worker_pid=pid, waiting_s=0.0,
    )  # fmt: skip
    begins, ends = (begun + timedelta(seconds=at_s) for at_s in (begins_s, ends_s))
    return replace(known, started_at=begins, finished_at=ends, **changed)


EARLIER = [
    ran(0, pid=1, begins_s=2.0, ends_s=10.5, waiting_s=2.0),  # 8 s for what the cache has now
    ran(1, pid=2, begins_s=4.0, ends_s=7.5, waiting_s=4.0),
    ran(2, pid=2, begins_s=7.6, ends_s=8.1),
    ran(3, pid=2, begins_s=8.2, ends_s=8.7),
]


def test_the_start_is_told_by_the_first_trials_of_earlier_workers() -> None:
    assert start_of([]) == Start()
    start = start_of(EARLIER)
    assert (start.before_s, start.worker_s) == pytest.approx((6.0, 3.0 + 3.0))
    others = [replace(EARLIER[1], sweep=f"later {n}", waiting_s=3.0) for n in range(2)]
    slow = [replace(EARLIER[0], sweep="cold")]
    assert start_of([*EARLIER, *others, *slow]).worker_s == pytest.approx(3.0 + 3.0)


def test_a_resumed_trial_tells_nothing_of_the_start() -> None:
    """Nor is the next one of its worker, which was warm, taken for the first."""
    resumed = ran(0, pid=3, begins_s=9.0, ends_s=9.4, waiting_s=90.0)
    warm = ran(1, pid=3, begins_s=9.5, ends_s=10.0)
    assert start_of([*EARLIER, resumed, warm]) == start_of(EARLIER)


@pytest.mark.parametrize(("minutes", "seconds"), [(None, 12 + 30.0), (0.2, 6 + 12.0)])
def test_a_plan_counts_the_start_and_the_time_limit_from_the_first_proposal(
    minutes: float | None, seconds: float
) -> None:
    """100 trials of 0.5 s and 0.1 s between them, on two workers."""
    spec = make_spec(epochs=1, search={"trials": 100, "minutes": minutes, "first": []})
    found = plan(spec, DATASET, [{"CPU": 2.0}], EARLIER)
    assert found.forecast.seconds == pytest.approx(seconds, rel=0.02)
    assert found.forecast.is_cut == (minutes is not None)


def test_finals_of_a_short_search_may_take_as_long_as_a_backbone_takes_to_load() -> None:
    spec = make_spec(epochs=1, search={"trials": 2}, finals={"share": 0.5})
    assert plan(spec, DATASET, [{"CPU": 2.0}], EARLIER).finals_s == LEAST_S
    long = spec.model_copy(update={"search": spec.search.model_copy(update={"trials": 1000})})
    assert plan(long, DATASET, [{"CPU": 2.0}], EARLIER).finals_s == pytest.approx(156, rel=0.02)


def test_first_tries_are_not_stopped_early() -> None:
    pace = a_pace(cpu=1.0)
    pace.learn_ended(LaneKind.CPU, HEAD, 2)
    first = replace(HEAD, runs_to_its_end=True)
    assert forecast(pace, [CPU], [first, HEAD, HEAD]).seconds == 10.0
    assert forecast(pace, [CPU], [HEAD, HEAD]).seconds == 2.0


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
