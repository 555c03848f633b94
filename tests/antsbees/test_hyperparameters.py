"""What the table of hyperparameters promises, and that configurations are made of it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from antsbees.config import Schedule, TrialConfig
from antsbees.errors import ConfigError
from antsbees.hyperparameters import (
    HYPERPARAMETERS,
    Bounds,
    Hyperparameter,
    Kind,
    OptimizerKind,
    settings_of,
)

OPTIMIZERS = ", ".join(OptimizerKind)


def test_a_configuration_has_every_hyperparameter_and_nothing_else_but_its_seed() -> None:
    plain = TrialConfig(frozen_stages=0).to_dict()
    assert set(plain) == set(HYPERPARAMETERS) | {"seed"}
    assert len(HYPERPARAMETERS) >= 21


def test_a_configuration_has_the_tables_defaults() -> None:
    config = TrialConfig(frozen_stages=0).to_dict()
    seen = 0
    for name, entry in HYPERPARAMETERS.items():
        if entry.default is not None:
            expected = entry.default if entry.belongs(config) else None
            assert config[name] == expected, name
            seen += 1
    assert seen >= 15


def test_every_entry_is_well_formed() -> None:
    for name, entry in HYPERPARAMETERS.items():
        assert entry.name == name
        assert entry.description.endswith(".")
        assert bool(entry.choices) == (entry.kind in (Kind.CATEGORY, Kind.NETWORK))
        assert entry.default is None or entry.fault(entry.default) is None
        if entry.belongs_to is not None:
            owner = HYPERPARAMETERS[entry.belongs_to.choice]
            assert set(entry.belongs_to.values) <= set(owner.choices)


@pytest.mark.parametrize(
    ("bounds", "right", "wrong"),
    [
        (Bounds(at_least=0), [0, 1e9], {-1: "must be at least 0, got -1"}),
        (Bounds(above=0), [1e-300], {0: "must be above 0, got 0"}),
        (Bounds(at_most=1), [1, -5], {1.5: "must be at most 1, got 1.5"}),
        (Bounds(below=1), [0.9999999], {1: "must be below 1, got 1"}),
        (Bounds(above=0, at_most=1), [1], {0: "must be above 0, got 0"}),
    ],
)  # fmt: skip
def test_ends_are_open_or_closed(
    bounds: Bounds, right: list[float], wrong: dict[float, str]
) -> None:
    entry = Hyperparameter("x", Kind.NUMBER, "A number.", bounds=bounds)
    assert [entry.check(value) for value in right] == right
    assert {value: entry.fault(value) for value in wrong} == wrong


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("lr", float("nan"), "lr must be a finite number, got nan"),
        ("epochs", 1.5, "epochs must be a whole number, got 1.5"),
        ("optimizer", 3, f"optimizer must be one of {OPTIMIZERS}, got 3"),
        ("nesterov", "yes", "nesterov must be true or false, got yes"),
    ],
)  # fmt: skip
def test_a_value_is_checked_by_its_kind(name: str, value: Any, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        HYPERPARAMETERS[name].check(value)
    assert str(refused.value) == told


def test_a_choice_knows_its_settings() -> None:
    assert settings_of("schedule", "step") == ("step_size", "gamma")
    assert settings_of("optimizer", "adamw") == ("beta1", "beta2")
    in_schedule = {f.name for f in fields(Schedule)} - {"kind", "warmup_epochs"}
    owned = {n for n, h in HYPERPARAMETERS.items() if h.belongs_to}
    of_optimizers = {n for kind in OptimizerKind for n in settings_of("optimizer", kind)}
    assert {"momentum", "nesterov", "beta1", "beta2"} <= of_optimizers
    assert owned == in_schedule | of_optimizers
