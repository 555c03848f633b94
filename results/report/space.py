"""The space that was searched: which hyperparameters varied, and where each trial lay."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from results.schema import HYPERPARAMETERS, PROBE, TrialRecord


@dataclass(frozen=True)
class Dimension:
    """A hyperparameter that took several values.

    Args:
        is_number: Whether its values have a scale; else ``choices`` lists them.
        is_whole: Whether they are whole numbers.
        is_log: Whether the scale is logarithmic; then zeros lie at its lower end.
    """

    name: str
    is_number: bool
    is_whole: bool
    is_log: bool
    low: float | None
    high: float | None
    choices: tuple[str, ...]

    def position(self, value: Any) -> float:
        """Return where a value lies between the dimension's ends, from 0 to 1."""
        if not self.is_number:
            last = max(len(self.choices) - 1, 1)
            return self.choices.index(_choice(value)) / last
        low, high = self._scaled(self.low or 0.0), self._scaled(self.high or 0.0)
        return max(0.0, (self._scaled(value) - low) / (high - low))

    def _scaled(self, value: float) -> float:
        if not self.is_log:
            return float(value)
        return math.log(value) if value > 0 else -math.inf


@dataclass(frozen=True)
class Position:
    """Where a trial lies in one dimension, from 0 to 1."""

    trial_number: int
    dimension: str
    position: float
    value: str


def searched(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the trials that lie in the space: all but the probe, which trains nothing."""
    return [trial for trial in trials if trial.first != PROBE]


def dimensions(
    trials: Sequence[TrialRecord], order: Sequence[str] = (), on_log: Container[str] = ()
) -> tuple[Dimension, ...]:
    """Return the hyperparameters that vary over trials.

    Args:
        order: Names that come first.
        on_log: Names of those that were searched on a logarithmic scale.
    """
    names = sorted(
        ("backbone", *HYPERPARAMETERS),
        key=lambda name: order.index(name) if name in order else len(order),
    )
    found = (_dimension(name, [getattr(t, name) for t in trials], name in on_log) for name in names)
    return tuple(dimension for dimension in found if dimension is not None)


def _dimension(name: str, given: Sequence[Any], on_log: bool) -> Dimension | None:
    values = [value for value in given if value is not None]
    if len(set(values)) < 2:
        return None
    if any(isinstance(value, bool | str) for value in values):
        choices = tuple(sorted({_choice(value) for value in values}))
        return Dimension(name, False, False, False, None, None, choices)
    is_whole = all(isinstance(value, int) for value in values)
    above = [value for value in values if value > 0]
    is_log = on_log and len(set(above)) > 1
    low, high = min(above if is_log else values), max(values)
    return Dimension(name, True, is_whole, is_log, low, high, ())


def _choice(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def positions(trials: Sequence[TrialRecord], known: Sequence[Dimension]) -> tuple[Position, ...]:
    """Return where trials lie; a trial has no place in what does not apply to it."""
    return tuple(
        Position(
            trial.trial_number,
            dimension.name,
            round(dimension.position(value), 4),
            f"{value:.4g}" if isinstance(value, float) else _choice(value),
        )
        for trial in trials
        for dimension in known
        if (value := getattr(trial, dimension.name)) is not None
    )
