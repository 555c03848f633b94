"""The spec's space as Optuna sees it: distributions, suggestions, first tries, the grid."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from antsbees.config import SETTINGS_OF_KIND, ScheduleKind, TrialConfig
from sweeps.spec.entries import Choice, Int, LogUniform, Uniform, values_of
from sweeps.spec.models import First, Space, SweepSpec

SCHEDULE = "schedule"
GIVEN = "given"
FIRST = "first"


def setting_name(kind: str, setting: str) -> str:
    """Name a schedule's setting in the study, where two kinds may share a setting's name."""
    return f"{kind}.{setting}"


@dataclass(frozen=True)
class Parameters:
    """Every parameter of a space: searched ones have a distribution, fixed ones a value."""

    shared: Mapping[str, BaseDistribution | float]
    kinds: BaseDistribution | str
    settings: Mapping[ScheduleKind, Mapping[str, BaseDistribution | float]]


def parameters(spec: SweepSpec) -> Parameters:
    """Translate the spec's space."""
    stages = spec.task.num_stages
    names = [name for name in Space.model_fields if name != SCHEDULE]
    shared = {name: _parameter(getattr(spec.space, name), stages) for name in names}
    kinds = [str(kind) for kind in spec.space.schedule]
    settings = {
        kind: {name: _parameter(entry, stages) for name, entry in given.given().items()}
        for kind, given in spec.space.schedule.items()
    }
    return Parameters(shared, CategoricalDistribution(kinds) if kinds[1:] else kinds[0], settings)


def _parameter(entry: Any, stages: int) -> BaseDistribution | float:
    values = values_of(entry, stages)
    match entry:
        case Uniform():
            return FloatDistribution(values[0], values[1])
        case LogUniform():
            return FloatDistribution(values[0], values[1], log=True)
        case Int():
            return IntDistribution(int(values[0]), int(values[1]))
        case Choice():
            return CategoricalDistribution(values)
    return values[0]


def suggest(trial: optuna.Trial, spec: SweepSpec) -> TrialConfig:
    """Ask the study for what the space leaves open, and build the configuration.

    What a first try gives and the space cannot express is taken from the trial's attributes, and
    the study is not asked for it.
    """
    space = parameters(spec)
    given: dict[str, Any] = trial.user_attrs.get(GIVEN, {})

    def value(name: str, parameter: BaseDistribution | float | str) -> Any:
        if name in given:
            return given[name]
        if isinstance(parameter, BaseDistribution):
            return _ask(trial, name, parameter)
        return parameter

    values = {name: value(name, parameter) for name, parameter in space.shared.items()}
    kind = ScheduleKind(value(SCHEDULE, space.kinds))
    settings = space.settings.get(kind, {})
    for name in SETTINGS_OF_KIND[kind]:
        values[name] = value(setting_name(kind, name), settings.get(name, 0.0))
    for name in ("batch_size", "frozen_stages", "warmup_epochs", "step_size"):
        if name in values:
            values[name] = int(values[name])
    values["warmup_epochs"] = min(values["warmup_epochs"], spec.epochs)
    return TrialConfig.from_dict(
        values | {SCHEDULE: str(kind), "epochs": spec.epochs, "seed": spec.seed}
    )


def _ask(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    match distribution:
        case FloatDistribution(low=low, high=high, log=log):
            return trial.suggest_float(name, low, high, log=log)
        case IntDistribution(low=low, high=high):
            return trial.suggest_int(name, low, high)
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(name, choices)
    raise TypeError(f"no such distribution in a space: {distribution}")


def divide(
    first: First, space: Parameters, spec: SweepSpec
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split a first try into what the study can be told, and what lies outside of the space."""
    plain = first.model_dump(exclude_none=True, exclude={"name"}, mode="json")
    kind = plain.pop(SCHEDULE, None)
    known: dict[str, BaseDistribution | float | str] = {**space.shared, SCHEDULE: space.kinds}
    wanted = {name: v for name, v in plain.items() if name in space.shared}
    if kind is not None:
        wanted[SCHEDULE] = kind
        settings = space.settings.get(ScheduleKind(kind), {})
        for name in SETTINGS_OF_KIND[ScheduleKind(kind)]:
            known[setting_name(kind, name)] = settings.get(name, 0.0)
            if name in plain:
                wanted[setting_name(kind, name)] = plain[name]
    if wanted.get("frozen_stages") == "all":
        wanted["frozen_stages"] = spec.task.num_stages
    params = {n: v for n, v in wanted.items() if _holds(known[n], v)}
    return params, {n: v for n, v in wanted.items() if n not in params}


def _holds(parameter: BaseDistribution | float | str, value: Any) -> bool:
    if isinstance(parameter, CategoricalDistribution):
        return value in parameter.choices
    if isinstance(parameter, FloatDistribution | IntDistribution):
        return bool(parameter.low <= value <= parameter.high)
    return False


def grid(spec: SweepSpec) -> list[dict[str, Any]]:
    """List every combination of a space without continuous parameters, shuffled by the seed.

    Without a time limit the expensive ones, those with the fewest frozen stages, come first: then
    all workers end at about the same time (longest processing time first, Graham 1969,
    https://doi.org/10.1137/0117039). With one, any part of the list should be a fair sample.
    """
    space = parameters(spec)
    combinations = []
    for kind, settings in space.settings.items():
        named = {setting_name(kind, name): p for name, p in settings.items()}
        axes = {**space.shared, SCHEDULE: space.kinds, **named}
        searched = {
            n: list(_members(p)) for n, p in axes.items() if isinstance(p, BaseDistribution)
        }
        if SCHEDULE in searched:
            searched[SCHEDULE] = [str(kind)]
        for values in itertools.product(*searched.values()):
            combinations.append(dict(zip(searched, values, strict=True)))
    random.Random(spec.seed).shuffle(combinations)
    if spec.search.minutes is None:
        combinations.sort(key=lambda values: values.get("frozen_stages", 0))
    return combinations


def _members(parameter: BaseDistribution) -> Iterator[Any]:
    if isinstance(parameter, CategoricalDistribution):
        yield from parameter.choices
    elif isinstance(parameter, IntDistribution):
        yield from range(parameter.low, parameter.high + 1)
    else:
        raise TypeError(f"a grid cannot be made of {parameter}")
