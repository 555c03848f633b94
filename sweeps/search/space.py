"""The spec's space as Optuna sees it: distributions, suggestions, first tries, the grid."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from antsbees.config import TrialConfig
from antsbees.hyperparameters import HYPERPARAMETERS, Hyperparameter, Value, settings_of
from sweeps.spec.entries import (
    ALL,
    FROZEN_STAGES,
    Choice,
    Int,
    LogUniform,
    Uniform,
    depths,
    resolved,
)
from sweeps.spec.first import PORTFOLIO, First
from sweeps.spec.models import SweepSpec
from sweeps.spec.space import SCHEDULE

BACKBONE = "backbone"
GIVEN = "given"
FIRST = "first"


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter as the study knows it.

    Args:
        name: In the study. A schedule's setting is named after its kind too, ``step.gamma``, since
            two kinds may share a setting and not its values; no ``/``, at which Ray would nest it.
        domain: A distribution where it is searched, else its value.
        choice: What it depends on, empty for nothing.
        values: The values of the choice with which a trial has it.
    """

    name: str
    hyperparameter: str
    domain: BaseDistribution | Value
    choice: str = ""
    values: tuple[str, ...] = ()

    def applies(self, chosen: Mapping[str, Any]) -> bool:
        """Tell whether a trial that chose these values has it."""
        return not self.choice or chosen[self.choice] in self.values

    def holds(self, value: Any) -> bool:
        """Tell whether the study could come to a value."""
        match self.domain:
            case CategoricalDistribution(choices=choices):
                return value in choices
            case FloatDistribution(low=low, high=high) | IntDistribution(low=low, high=high):
                return bool(low <= value <= high)
        return False


@dataclass(frozen=True)
class SearchSpace:
    """Every parameter of a spec, in the order of the table of hyperparameters.

    A choice comes before what depends on it, so that one pass makes a configuration.
    """

    parameters: tuple[Parameter, ...]
    seed: int
    stages: Mapping[str, int]  # by backbone
    depths: Mapping[str, list[int]]  # those that stand for all of its depths, by backbone
    expensive_first: bool

    @classmethod
    def of(cls, spec: SweepSpec) -> Self:
        """Translate the spec's space."""
        found = (p for h in HYPERPARAMETERS.values() for p in _parameters(h, spec))
        stages, entry = _stages(spec), spec.entry(FROZEN_STAGES)
        deep = {backbone: depths(entry, number) for backbone, number in stages.items()}
        return cls(tuple(found), spec.seed, stages, deep, spec.search.minutes is None)

    def searched(self) -> dict[str, BaseDistribution]:
        """Return all that the study can be asked for, whatever a trial chooses."""
        domains = {parameter.name: parameter.domain for parameter in self.parameters}
        return {name: d for name, d in domains.items() if isinstance(d, BaseDistribution)}

    def suggest(self, trial: optuna.Trial) -> TrialConfig:
        """Ask the study for what the space leaves open, and build the configuration.

        What a first try gives and the space cannot express is taken from the trial's attributes,
        and the study is not asked for it.
        """
        given: dict[str, Any] = trial.user_attrs.get(GIVEN, {})
        values = {name.rpartition(".")[2]: value for name, value in given.items()}
        for parameter in self.parameters:
            if parameter.hyperparameter not in values and parameter.applies(values):
                values[parameter.hyperparameter] = _value(trial, parameter)
        values["warmup_epochs"] = min(values["warmup_epochs"], values["epochs"])
        return TrialConfig.from_dict(values | {"seed": self.seed})

    def divide(self, first: First) -> tuple[dict[str, Any], dict[str, Any]]:
        """Split a first try into what the study can be told, and what lies outside of the space."""
        written, deep = first.given(), {}
        backbone = written.get(BACKBONE) or next(iter(self.stages))
        if FROZEN_STAGES in written and len(set(self.stages.values())) > 1:
            if first.name == PORTFOLIO:  # as deep on whatever backbone it is tried
                deep = self._as_deep(written.pop(FROZEN_STAGES))
            else:
                written[BACKBONE] = backbone  # elsewhere the number would mean another depth
        if written.get(FROZEN_STAGES) == ALL:
            written[FROZEN_STAGES] = self.stages[backbone]
        fixed = {p.name: p.domain for p in self.parameters if not _is_searched(p.domain)}
        named = {self._name(name, fixed | written): value for name, value in written.items()}
        held = {p.name for p in self.parameters if p.name in named and p.holds(named[p.name])}
        return (
            deep | {name: value for name, value in named.items() if name in held},
            {name: value for name, value in named.items() if name not in held},
        )

    def _as_deep(self, frozen_stages: int) -> dict[str, int]:
        """Return the depth on each backbone that is like one of the portfolio's on the first."""
        first, *_ = self.depths.values()
        share = first.index(frozen_stages) / max(len(first) - 1, 1)
        return {
            parameter.name: found[round(share * (len(found) - 1))]
            for backbone, found in self.depths.items()
            for parameter in self.parameters
            if parameter.name == _below(backbone, FROZEN_STAGES) and _is_searched(parameter.domain)
        }

    def grid(self) -> list[dict[str, Any]]:
        """List every combination of a space without continuous parameters, shuffled by the seed.

        Without a time limit the expensive ones, those with the fewest frozen stages, come first:
        then all workers end at about the same time (longest processing time first, Graham 1969,
        https://doi.org/10.1137/0117039). With one, any part of the list should be a fair sample.
        """
        depended_on = {p.choice for p in self.parameters}
        choices = [p for p in self.parameters if p.name in depended_on]
        combinations = []
        for chosen in itertools.product(*(_members(p.domain) for p in choices)):
            values = {p.name: (value,) for p, value in zip(choices, chosen, strict=True)}
            plain = {name: value for name, (value,) in values.items()}
            axes = {
                p.name: values.get(p.name) or tuple(_members(p.domain))
                for p in self.parameters
                if p.applies(plain) and _is_searched(p.domain)
            }
            for combination in itertools.product(*axes.values()):
                combinations.append(dict(zip(axes, combination, strict=True)))
        random.Random(self.seed).shuffle(combinations)
        if self.expensive_first:
            combinations.sort(key=_frozen_stages)
        return combinations

    def _name(self, name: str, chosen: Mapping[str, Any]) -> str:
        """Name in the study what a first try with these choices gives."""
        same = (p for p in self.parameters if p.hyperparameter == name and p.applies(chosen))
        if (parameter := next(same, None)) is not None:
            return parameter.name
        of_schedule = _is_of_schedule(HYPERPARAMETERS[name])  # of a kind the space does not have
        return _below(chosen[SCHEDULE], name) if of_schedule else name


def _below(value: Any, name: str) -> str:
    """Name a hyperparameter whose entry is another one for each value of a choice."""
    return f"{value}.{name}"


def _is_searched(domain: BaseDistribution | Value) -> bool:
    return isinstance(domain, BaseDistribution)


def _stages(spec: SweepSpec) -> dict[str, int]:
    return {backbone: spec.task_of(backbone).num_stages for backbone in spec.backbones}


def _frozen_stages(combination: Mapping[str, Any]) -> int:
    named = (v for name, v in combination.items() if name.rpartition(".")[2] == FROZEN_STAGES)
    return next(named, 0)


def _is_of_schedule(hyperparameter: Hyperparameter) -> bool:
    owner = hyperparameter.belongs_to
    return owner is not None and owner.choice == SCHEDULE


def _parameters(hyperparameter: Hyperparameter, spec: SweepSpec) -> Iterator[Parameter]:
    """Yield what a hyperparameter is in the study: one parameter, or one for each of some values.

    Frozen stages are one parameter where all backbones have as many stages, so that what is learnt
    of depth on one helps on the others. Else a number means another depth on each, and each has a
    parameter of its own, so that unlike things are not compared.
    """
    name, owner = hyperparameter.name, hyperparameter.belongs_to
    stages_of = _stages(spec)
    if name == SCHEDULE:
        kinds = [str(kind) for kind in spec.space.schedule]
        yield Parameter(name, name, CategoricalDistribution(kinds) if kinds[1:] else kinds[0])
    elif _is_of_schedule(hyperparameter):
        for kind, settings in spec.space.schedule.items():
            if name in settings_of(SCHEDULE, kind):
                domain = _domain(getattr(settings, name))
                yield Parameter(_below(kind, name), name, domain, SCHEDULE, (kind,))
    elif name == FROZEN_STAGES and len(set(stages_of.values())) > 1:
        for backbone, stages in stages_of.items():
            domain = _domain(spec.entry(name), stages)
            yield Parameter(_below(backbone, name), name, domain, BACKBONE, (backbone,))
    else:
        choice, values = (owner.choice, owner.values) if owner else ("", ())
        stages = next(iter(stages_of.values()))
        yield Parameter(name, name, _domain(spec.entry(name), stages), choice, values)


def _domain(entry: Any, stages: int = 0) -> BaseDistribution | Value:
    values = resolved(entry, stages)
    match entry:
        case Uniform():
            return FloatDistribution(values[0], values[1])
        case LogUniform():
            return FloatDistribution(values[0], values[1], log=True)
        case Int():
            return IntDistribution(int(values[0]), int(values[1]))
        case Choice():
            return CategoricalDistribution(values)
    fixed: Value = values[0]
    return fixed


def _value(trial: optuna.Trial, parameter: Parameter) -> Any:
    match parameter.domain:
        case FloatDistribution(low=low, high=high, log=log):
            return trial.suggest_float(parameter.name, low, high, log=log)
        case IntDistribution(low=low, high=high):
            return trial.suggest_int(parameter.name, low, high)
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(parameter.name, choices)
    return parameter.domain


def _members(domain: BaseDistribution | Value) -> Iterator[Any]:
    match domain:
        case CategoricalDistribution(choices=choices):
            yield from choices
        case IntDistribution(low=low, high=high):
            yield from range(low, high + 1)
        case FloatDistribution():
            raise TypeError(f"a grid cannot be made of {domain}")
        case _:
            yield domain
