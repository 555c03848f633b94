"""Learning rates are listed without training, and the lists looked at."""

from __future__ import annotations

from typing import Any

import pytest

from antsbees.config import SETTINGS_OF_KIND, TUTORIAL_SCHEDULE, Schedule
from antsbees.hyperparameters import ScheduleKind
from antsbees.schedules import ONE_CYCLE_END, ONE_CYCLE_START, WARMUP_START, lr_fraction

SETTINGS: dict[str, Any] = {"step_size": 2, "gamma": 0.5, "final_fraction": 0.0, "peak": 0.25}


def schedule_of(kind: ScheduleKind, warmup_epochs: int = 0) -> Schedule:
    settings = {name: SETTINGS[name] for name in SETTINGS_OF_KIND[kind]}
    return Schedule(kind, warmup_epochs=warmup_epochs, **settings)


def rates(schedule: Schedule, epochs: int, steps: int = 1) -> list[float]:
    return [lr_fraction(schedule, n / steps, epochs) for n in range(epochs * steps)]


def test_constant_stays() -> None:
    assert rates(Schedule(), 5) == [1.0] * 5


def test_the_tutorials_rate_drops_tenfold_every_seven_epochs() -> None:
    expected = [1.0] * 7 + [0.1] * 7 + [0.01] * 7 + [0.001] * 4
    assert rates(TUTORIAL_SCHEDULE, 25) == pytest.approx(expected)


def test_a_step_falls_between_epochs_and_not_within() -> None:
    assert rates(schedule_of(ScheduleKind.STEP), 4, steps=2) == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]


def test_exponential_falls_every_epoch() -> None:
    assert rates(schedule_of(ScheduleKind.EXPONENTIAL), 4) == [1, 0.5, 0.25, 0.125]


def test_cosine_falls_smoothly_to_its_final_fraction() -> None:
    schedule = Schedule(ScheduleKind.COSINE, final_fraction=0.2)
    listed = rates(schedule, 10, steps=10)
    assert listed[0] == 1
    assert listed == sorted(listed, reverse=True)
    assert lr_fraction(schedule, 5, 10) == pytest.approx(0.6)
    assert lr_fraction(schedule, 10, 10) == pytest.approx(0.2)


@pytest.mark.parametrize("peak", [0.1, 0.25, 0.9])
def test_one_cycle_is_highest_at_its_peak(peak: float) -> None:
    schedule = Schedule(ScheduleKind.ONE_CYCLE, peak=peak)
    listed = rates(schedule, 10, steps=20)
    top = round(peak * 200)
    assert listed.index(max(listed)) == top
    assert listed[top] == pytest.approx(1.0)
    assert listed[:top] == sorted(listed[:top])
    assert listed[top:] == sorted(listed[top:], reverse=True)
    assert listed[0] == pytest.approx(ONE_CYCLE_START)
    assert lr_fraction(schedule, 10, 10) == pytest.approx(ONE_CYCLE_END)


def test_one_cycle_is_torchs() -> None:
    """At every batch, of torch's own scheduler with its defaults."""
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=41, pct_start=10.99 / 41, cycle_momentum=False
    )
    seen = []
    for _ in range(40):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    schedule = Schedule(ScheduleKind.ONE_CYCLE, peak=9.99 / 40)
    assert rates(schedule, 10, steps=4) == pytest.approx(seen, abs=1e-6)


@pytest.mark.parametrize("kind", ScheduleKind)
def test_the_warm_up_rises_linearly_to_where_the_schedule_begins(kind: ScheduleKind) -> None:
    schedule, plain = schedule_of(kind, warmup_epochs=4), schedule_of(kind)
    start = lr_fraction(plain, 0, 6)
    listed = rates(schedule, 10)
    rise = [WARMUP_START + (1 - WARMUP_START) * n / 4 for n in range(4)]
    assert listed[:4] == pytest.approx([start * share for share in rise])
    assert listed[4:] == pytest.approx(rates(plain, 6))


@pytest.mark.parametrize("kind", ScheduleKind)
@pytest.mark.parametrize("epochs", [1, 2, 7, 40])
def test_every_rate_of_a_run_lies_above_zero_and_at_most_at_one(
    kind: ScheduleKind, epochs: int
) -> None:
    seen = 0
    for warmup in {0, 1, epochs // 2, epochs}:
        listed = rates(schedule_of(kind, warmup), epochs, steps=9)
        assert all(0 < rate <= 1 for rate in listed)
        seen += len(listed)
    assert seen >= 2 * epochs * 9
