"""Finals take a share of what the search took, and never nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from results.schema import TrialRecord
from sweeps.finals.timing import LEAST_S, budget_s, repeat_s, searched_s, worker_seconds
from tests.sweeps.sweep_fakes import row

START = datetime(2026, 1, 1, tzinfo=UTC)


def spanning(start_s: float, end_s: float) -> TrialRecord:
    started, finished = (START + timedelta(seconds=s) for s in (start_s, end_s))
    return replace(row(0, 0.5), started_at=started, finished_at=finished)


def test_trials_side_by_side_count_once_and_a_pause_not_at_all() -> None:
    trials = [spanning(0, 100), spanning(50, 150), spanning(60, 70), spanning(1000, 1100)]
    assert searched_s(trials) == pytest.approx(250)
    assert searched_s([]) == 0


def test_finals_have_their_share_less_what_they_took() -> None:
    assert budget_s([spanning(0, 300)], 0.5, spent_s=20) == pytest.approx(130)


def test_finals_of_a_short_search_have_a_little_time() -> None:
    assert budget_s([spanning(0, 1)], 0.33) == LEAST_S


def test_workers_that_trained_side_by_side_have_that_time_each() -> None:
    assert worker_seconds([spanning(0, 300), spanning(0, 300)], 0.5) == pytest.approx(300)
    assert worker_seconds([], 0.5) == LEAST_S


def test_a_repeat_costs_what_the_row_says_for_the_images_of_its_folds() -> None:
    trial = row(0, 0.9, epochs=6, epochs_run=3, trained_part_s=9.0, num_val_images=100)
    assert repeat_s(trial, num_images=400, num_folds=5) == pytest.approx(3 * 6 * 4 * 400 / 300)
    assert repeat_s(row(0, 0.9, epochs_run=0), 400, 5) == 0
