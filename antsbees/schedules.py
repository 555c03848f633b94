"""The learning rate as a pure function of how far a trial has come."""

from __future__ import annotations

import math

from antsbees.config import Schedule
from antsbees.hyperparameters import ScheduleKind

WARMUP_START = 0.01
ONE_CYCLE_START = 1 / 25
ONE_CYCLE_END = 1 / 250_000


def lr_fraction(schedule: Schedule, epoch: float, epochs: int) -> float:
    """Return the fraction of the configured learning rate in force at a point of the trial.

    The warm-up rises linearly from ``WARMUP_START``; the schedule proper runs over the epochs that
    are left after it.

    Args:
        epoch: Epochs completed so far, with the part of the current one: 2.5 is half-way through
            the third.
        epochs: Length of the trial.

    Returns:
        A number in (0, 1].
    """
    warmup = schedule.warmup_epochs
    if epoch < warmup:
        rise = WARMUP_START + (1 - WARMUP_START) * epoch / warmup
        return rise * _shape(schedule, 0.0, epochs - warmup)
    return _shape(schedule, epoch - warmup, epochs - warmup)


def _shape(schedule: Schedule, epoch: float, epochs: int) -> float:
    progress = min(epoch / epochs, 1.0) if epochs else 0.0
    match schedule.kind:
        case ScheduleKind.STEP:
            return float(schedule["gamma"] ** math.floor(epoch / schedule["step_size"]))
        case ScheduleKind.EXPONENTIAL:
            return float(schedule["gamma"] ** math.floor(epoch))
        case ScheduleKind.COSINE:
            final = schedule["final_fraction"]
            return final + (1 - final) * _cosine(progress)
        case ScheduleKind.ONE_CYCLE:
            return _one_cycle(progress, schedule["peak"])
    return 1.0


def _one_cycle(progress: float, peak: float) -> float:
    """Rise to the full rate at ``peak``, then fall to almost nothing.

    Source: Smith and Topin, https://arxiv.org/abs/1708.07120, annealed with cosines as in
    ``torch.optim.lr_scheduler.OneCycleLR``.
    """
    if progress < peak:
        return 1 - (1 - ONE_CYCLE_START) * _cosine(progress / peak)
    return ONE_CYCLE_END + (1 - ONE_CYCLE_END) * _cosine((progress - peak) / (1 - peak))


def _cosine(progress: float) -> float:
    """Fall from 1 to 0 along half a cosine (https://arxiv.org/abs/1608.03983)."""
    return (1 + math.cos(math.pi * progress)) / 2
