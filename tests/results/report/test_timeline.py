"""Who did what when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from results.report.timeline import timeline
from tests.results.report.sweeps_made_up import START, folds, trial


def test_idle_time_is_what_no_trial_filled() -> None:
    found = timeline([trial(number) for number in range(4)])  # 3 of 4 seconds, twice, 2 workers
    assert {s.worker for s in found.stretches} == {"cpu 1", "cpu 2"}
    assert [(s.start_s, s.end_s) for s in found.stretches] == [(0, 3), (0, 3), (4, 7), (4, 7)]
    (cpu,) = found.lanes
    assert (cpu.num_workers, cpu.num_trials, cpu.busy_s) == (2, 4, 12)
    assert cpu.idle == pytest.approx(1 - 12 / 14)
    assert cpu.images_per_second == 102.0


def test_a_pause_of_the_sweep_is_left_out() -> None:
    later = START + timedelta(days=2)
    again = replace(trial(1), started_at=later, finished_at=later + timedelta(seconds=5))
    found = timeline([trial(0), again])
    assert [(s.start_s, s.end_s) for s in found.stretches] == [(0, 3), (3, 8)]
    assert found.pauses_s == 2 * 86400 - 3


def test_workers_of_several_nodes_carry_their_names() -> None:
    found = timeline([trial(0), trial(1, node="there", lane="gpu")])
    assert {s.worker for s in found.stretches} == {"here cpu 1", "there gpu 1"}
    assert [use.lane for use in found.lanes] == ["cpu", "gpu"]
    assert timeline([]).lanes == ()


def test_finals_are_stretches_of_workers_of_their_own_and_no_work_of_the_search() -> None:
    late = [*folds(1), *folds(0)]
    found = timeline([trial(0), trial(1)], late)
    assert found.lanes == timeline([trial(0), trial(1)]).lanes
    drawn = [(s.trial_number, s.worker, s.end_s - s.start_s) for s in found.stretches[2:]]
    assert drawn == [(0, "finals, cpu 1", 2), (1, "finals, cpu 1", 2)]
    assert {s.status for s in found.stretches} == {"complete", "finals"}
    apart = [replace(fold, worker_pid=fold.fold) for fold in folds(0)]
    shared = [s for s in timeline([trial(0)], apart).stretches if s.status == "finals"]
    assert [s.end_s - s.start_s for s in shared] == [fold.seconds for fold in apart]
    assert len({s.worker for s in shared}) == len(apart)
    without = [replace(fold, started_at=None) for fold in late]  # of an older version
    assert timeline([trial(0), trial(1)], without) == timeline([trial(0), trial(1)])
