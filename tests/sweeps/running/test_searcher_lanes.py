"""What the searcher does with trials whose lane fails, closes, or is gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState
from ray.tune.search import Searcher

from results.schema import TrialStatus
from sweeps.running.flights import START_S
from sweeps.running.judging import LEFT_ALONE
from sweeps.running.lanes import LaneKind, Node
from sweeps.running.opening import HELD_AGAIN_S, HELD_S, NO_MACHINE_S
from sweeps.running.pace import Pace
from tests.sweeps.search_bench import Bench, equally_fast, finish, opened
from tests.sweeps.sweep_fakes import CPU, GPU, epoch

FINISHED = Searcher.FINISHED
RUNNING, COMPLETE, FAIL = TrialState.RUNNING, TrialState.COMPLETE, TrialState.FAIL


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(opened(tmp_path))


def fail_in_gpu_lane(bench: Bench, times: int) -> None:
    for attempt in range(times):
        assert bench.searcher.suggest(f"gpu {attempt}")["lane"] == "gpu"
        bench.fail(f"gpu {attempt}", "RuntimeError", "no driver")


def test_a_lane_that_keeps_failing_closes_and_its_trials_go_to_the_other(bench: Bench) -> None:
    fail_in_gpu_lane(bench, 3)
    assert bench.rows == []
    (note,) = [taken for taken in bench.notes.taken if taken[0] == "noted"]
    assert note[1] == (
        "the gpu lane was closed, since its trials keep failing on here: RuntimeError: no driver; "
        "they go to the cpu lane"
    )
    proposed = finish(bench)
    assert [p["number"] for p in proposed] == [0, 1, 2, 3, 4]
    assert {p["lane"] for p in proposed} == {"cpu"}
    assert {r.status for r in bench.rows} == {TrialStatus.COMPLETE}
    assert bench.searcher.ended is None


def test_epochs_of_an_earlier_try_do_not_speak_for_the_lane_that_goes_on(tmp_path: Path) -> None:
    pace = equally_fast()
    bench = Bench(opened(tmp_path), pace=pace)
    for name in "abc":
        assert bench.searcher.suggest(name)["lane"] == "gpu"
        bench.searcher.on_trial_result(name, bench.report(epoch(1, 0.9), restored=1))
        failed = {"error_kind": "RuntimeError", "error_message": "no driver"}
        bench.searcher.on_trial_complete(name, bench.report(done=True, restored=1, **failed))
    assert bench.rows == []
    assert bench.searcher.is_closed((LaneKind.GPU, None))
    assert pace.epoch_s(("efficientnet_lite0", 9), GPU) == 2.0
    assert bench.notes.taken[1] == ("reported", 0, 1, 0.9)


def test_a_failure_in_a_lane_that_works_is_the_configuration_s(bench: Bench) -> None:
    fail_in_gpu_lane(bench, 2)
    assert bench.rows == []
    bench.searcher.suggest("a")
    bench.run("a", 0.7, 0.8)
    assert [r.status for r in bench.rows] == [TrialStatus.FAILED] * 2 + [TrialStatus.COMPLETE]
    assert bench.states() == [FAIL, FAIL, COMPLETE]


def test_the_last_trials_of_a_lane_that_never_worked_go_to_the_one_that_does(bench: Bench) -> None:
    """Two failures, then nothing more to propose: too few to close the lane otherwise."""
    for name in "abc":
        bench.searcher.suggest(name)
    bench.fail("a", "RuntimeError", "no driver")
    bench.searcher.suggest("d")  # in the GPU lane
    bench.fail("d", "RuntimeError", "no driver")
    for name in "bc":
        bench.run(name, 0.7, 0.8)
    bench.lanes = (CPU,)
    finish(bench)
    assert sorted(r.trial_number for r in bench.rows) == [0, 1, 2, 3, 4]
    assert {r.status for r in bench.rows} == {TrialStatus.COMPLETE}


def test_when_no_lane_is_left_the_sweep_ends_with_a_sentence(tmp_path: Path) -> None:
    bench = Bench(opened(tmp_path), lanes=(CPU,))
    for attempt in range(3):
        bench.searcher.suggest(str(attempt))
        bench.fail(str(attempt))
    assert bench.searcher.ended == (
        "the cpu lane was closed, since its trials keep failing on here: ValueError: wrong; "
        "no lane is left"
    )
    assert bench.searcher.suggest("x") == FINISHED
    assert bench.rows == []
    assert bench.states() == [RUNNING] * 3  # to be taken up once that is fixed
    assert len(finish(Bench(opened(tmp_path)))) == 5


def test_a_cause_that_concerns_every_trial_ends_the_sweep_after_the_first_few(bench: Bench) -> None:
    for attempt in range(3):
        bench.searcher.suggest(str(attempt))
        bench.fail(str(attempt), "DataError", "no images")
    assert bench.searcher.ended == (
        "the sweep ended, since no trial can be run on here: DataError: no images"
    )
    assert (bench.rows, bench.states()) == ([], [RUNNING] * 3)


def test_the_only_failures_of_a_short_sweep_are_rows(tmp_path: Path) -> None:
    spec = Bench(opened(tmp_path / "any")).spec
    short = spec.model_copy(update={"search": spec.search.model_copy(update={"trials": 2})})
    bench = Bench(opened(tmp_path, short), short, lanes=(CPU,))
    for attempt in range(2):
        bench.searcher.suggest(str(attempt))
        bench.fail(str(attempt))
    assert bench.searcher.suggest("x") == FINISHED
    assert [r.status for r in bench.rows] == [TrialStatus.FAILED] * 2


def test_a_trial_that_waits_for_a_machine_that_is_gone_is_proposed_elsewhere(bench: Bench) -> None:
    assert bench.searcher.suggest("a")["lane"] == "gpu"
    assert not bench.searcher.should_end("a", is_running=False)
    bench.lanes = (CPU,)
    assert not bench.searcher.should_end("a", is_running=True)
    assert bench.searcher.should_end("a", is_running=False)
    bench.searcher.on_trial_complete("a", None)
    again = bench.searcher.suggest("b")
    assert (again["number"], again["lane"]) == (0, "cpu")
    assert bench.rows == []


def test_a_machine_that_joins_gets_trials(bench: Bench) -> None:
    bench.lanes = (CPU,)
    assert [bench.searcher.suggest(name) is None for name in "abc"] == [False, False, True]
    bench.lanes = (GPU, CPU)
    assert bench.searcher.suggest("d")["lane"] == "gpu"


def test_without_any_machine_the_sweep_ends_after_a_while(bench: Bench) -> None:
    bench.searcher.suggest("a")
    bench.lanes = ()
    assert bench.searcher.suggest("b") is None
    bench.now_s += NO_MACHINE_S + 1
    bench.searcher.should_end("a", is_running=True)
    assert bench.searcher.ended == (
        "the sweep ended, since no machine is left that could run a trial"
    )
    assert bench.searcher.suggest("b") == FINISHED


def test_a_machine_that_comes_back_in_time_ends_nothing(bench: Bench) -> None:
    lanes, bench.lanes = bench.lanes, ()
    bench.searcher.suggest("a")
    bench.now_s += NO_MACHINE_S - 1
    bench.lanes = lanes
    assert bench.searcher.suggest("a")["number"] == 0
    bench.lanes = ()
    bench.now_s += 2
    bench.searcher.should_end("a", is_running=True)
    assert bench.searcher.ended is None


def test_a_divergence_keeps_the_epochs_before_it(bench: Bench) -> None:
    bench.searcher.suggest("a")
    record = bench.run("a", 0.7, error_kind="diverged", error_message="nan")
    assert (record.status, record.epochs_run, record.score) == (TrialStatus.FAILED, 1, 0.7)


def test_a_resumed_trial_that_is_stopped_has_the_value_of_its_row(tmp_path: Path) -> None:
    """Its earlier start got further, and higher."""
    first = Bench(opened(tmp_path))
    first.searcher.suggest("a")
    first.searcher.on_trial_result("a", first.report(epoch(1, 0.95), epoch(2, 0.95)))
    second = Bench(opened(tmp_path))
    second.searcher.suggest("b")
    record = second.run("b", 0.7)
    assert (record.status, record.score) == (TrialStatus.STOPPED, 0.7)
    assert second.study._study.trials[0].value == 0.7


def test_a_trial_that_waits_for_room_others_have_goes_to_another_lane(bench: Bench) -> None:
    assert bench.searcher.suggest("a")["lane"] == "gpu"
    assert not bench.searcher.should_end("a", is_running=False, waits_for_room=True)
    bench.now_s += HELD_S
    assert not bench.searcher.should_end("a", is_running=False)  # its worker starts
    assert bench.searcher.should_end("a", is_running=False, waits_for_room=True)
    bench.searcher.on_trial_complete("a", None)
    assert bench.searcher.suggest("b")["lane"] == "cpu"
    (note,) = [taken for taken in bench.notes.taken if taken[0] == "noted"]
    assert note[1] == (
        "other work holds slots of the gpu lane: trials go to the cpu lane meanwhile"
    )
    bench.now_s += HELD_AGAIN_S
    assert bench.searcher.suggest("c")["lane"] == "gpu"


def test_the_only_lane_is_waited_for_but_not_in_silence(tmp_path: Path) -> None:
    bench = Bench(opened(tmp_path), lanes=(CPU,))
    bench.searcher.suggest("a")
    bench.now_s += HELD_S
    assert not bench.searcher.should_end("a", is_running=False, waits_for_room=True)
    assert bench.notes.taken[-1] == (
        "noted", "other work holds slots of the cpu lane: trials wait for them"
    )  # fmt: skip


def test_a_trial_is_lost_by_its_own_fault_thrice_and_by_its_machine_s_more_often(
    tmp_path: Path,
) -> None:
    away = replace(CPU, node=Node("id1", "n1", {}))
    bench = Bench(opened(tmp_path), lanes=(away,))
    for attempt in range(LEFT_ALONE):
        bench.lanes = (away,)
        assert bench.searcher.suggest(str(attempt))["node_id"] == "id1"
        assert bench.rows == []
        bench.lanes = (replace(CPU, node=Node("id2", "n2", {})),)
        bench.searcher.on_trial_complete(str(attempt), None, error=True)
    assert [r.error_kind for r in bench.rows] == ["lost"]


def test_the_last_trial_moves_from_a_slow_slot_to_a_fast_one_that_is_free(tmp_path: Path) -> None:
    pace = Pace()
    pace.learn(LaneKind.GPU, None, ("efficientnet_lite0", 9), 2.0)
    pace.learn(LaneKind.CPU, None, ("efficientnet_lite0", 9), 100.0)
    bench = Bench(opened(tmp_path), lanes=(CPU,), pace=pace)
    assert [bench.searcher.suggest(name)["number"] for name in "ab"] == [0, 1]
    bench.lanes = (GPU, CPU)
    numbers = []
    for name in "cdef":
        if (proposed := bench.searcher.suggest(name)) is not None:
            numbers.append(proposed["number"])
            bench.run(name, 0.5, 0.6)
    assert numbers == [2, 3, 4]
    assert bench.searcher.should_end("a", is_running=True)
    bench.searcher.on_trial_complete("a", bench.report(epoch(1)))
    assert len(bench.rows) == 3  # nothing is kept of its first epoch
    assert (again := bench.searcher.suggest("g"))["number"] == 0
    assert again["lane"] == "gpu"


def test_a_machine_whose_worker_never_starts_gets_no_more_trials(tmp_path: Path) -> None:
    """As where it cannot reach the driver's machine."""
    away = replace(CPU, node=Node("id1", "n1", {}))
    here = replace(CPU, node=Node("id2", "n2", {}))
    bench = Bench(opened(tmp_path), lanes=(away, here))
    assert bench.searcher.suggest("a")["node_id"] == "id1"
    bench.now_s += HELD_S - 1
    assert not bench.searcher.should_end("a", is_running=False, waits_for_room=True)
    bench.now_s += START_S
    assert not bench.searcher.should_end("a", is_running=False)
    assert not bench.searcher.should_end("a", is_running=True)
    bench.now_s += 1
    assert bench.searcher.should_end("a", is_running=False)
    bench.searcher.on_trial_complete("a", None)
    assert bench.notes.taken[-1] == (
        "noted",
        "n1 gets no more trials, since a worker did not start in 180 s (can that machine reach "
        "this one on every port?); trials go to the cpu lane",
    )
    again = bench.searcher.suggest("b")
    assert (again["number"], again["node_id"]) == (0, "id2")


def test_a_machine_that_sleeps_keeps_its_lane(tmp_path: Path) -> None:
    """A laptop that was closed while a worker started: no second of that was waited."""
    bench = Bench(opened(tmp_path), lanes=(CPU,))
    bench.searcher.suggest("a")
    bench.now_s += 3600
    bench.slept_s += 3600
    assert not bench.searcher.should_end("a", is_running=False)
    assert not bench.searcher.should_end("a", is_running=False, waits_for_room=True)
    assert [taken for taken in bench.notes.taken if taken[0] == "noted"] == []
    bench.now_s += START_S + 1
    assert bench.searcher.should_end("a", is_running=False)
    bench.searcher.on_trial_complete("a", None)
    assert bench.searcher.ended == (
        "the cpu lane was closed, since a worker did not start in 180 s; no lane is left"
    )


def test_what_was_closed_is_told(bench: Bench) -> None:
    assert bench.searcher.closed == frozenset()
    fail_in_gpu_lane(bench, 3)
    assert bench.searcher.closed == {GPU.place}
