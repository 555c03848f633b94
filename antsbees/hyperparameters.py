"""The table of hyperparameters: the one place that says what each is called and may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from antsbees.errors import ConfigError
from antsbees.networks.catalog import ARCHITECTURES, architecture

Value = float | int | str | bool


class Kind(StrEnum):
    """What the values of a hyperparameter are."""

    NUMBER = "number"
    COUNT = "count"
    CATEGORY = "category"
    NETWORK = "network"
    FLAG = "flag"


class ScheduleKind(StrEnum):
    """How the learning rate changes over a trial."""

    CONSTANT = "constant"
    STEP = "step"
    EXPONENTIAL = "exponential"
    COSINE = "cosine"
    ONE_CYCLE = "one_cycle"


class OptimizerKind(StrEnum):
    """What turns gradients into changes of the weights."""

    SGD = "sgd"
    ADAMW = "adamw"


class BatchNorm(StrEnum):
    """Where BatchNorm of trained stages takes its statistics from: the batch, or pre-training."""

    TRAIN = "train"
    FROZEN = "frozen"


class HeadStart(StrEnum):
    """What the head's first weights are: drawn from the seed, or the probe's."""

    RANDOM = "random"
    PROBE = "probe"


@dataclass(frozen=True)
class Bounds:
    """The ends of an interval, each of them open, closed or absent."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def fault(self, value: float) -> str | None:
        """Say which end a value lies beyond, ``None`` if none."""
        rules = (
            (f"at least {self.at_least}", self.at_least is None or value >= self.at_least),
            (f"above {self.above}", self.above is None or value > self.above),
            (f"at most {self.at_most}", self.at_most is None or value <= self.at_most),
            (f"below {self.below}", self.below is None or value < self.below),
        )
        return next((f"must be {rule}, got {value}" for rule, holds in rules if not holds), None)


@dataclass(frozen=True)
class BelongsTo:
    """The choice that brings a setting with it, and for which of its values it does."""

    choice: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Hyperparameter:
    """What is known of a hyperparameter.

    Args:
        default: The tutorial's value; ``None`` where there is none.
        choices: The values of a category, members of its enumeration; the networks by name.
        belongs_to: The choice it is a setting of; a trial that chose another value has it not.
        unit: Of a number or count; empty where there is none.
    """

    name: str
    kind: Kind
    description: str
    default: Value | None = None
    bounds: Bounds = Bounds()
    choices: tuple[str, ...] = ()
    belongs_to: BelongsTo | None = None
    unit: str = ""

    def fault(self, value: Any) -> str | None:
        """Say which rule a value breaks, ``None`` if none; the name is not part of the sentence."""
        match self.kind:
            case Kind.CATEGORY:
                known = isinstance(value, str) and value in self.choices
                return None if known else f"must be one of {', '.join(self.choices)}, got {value}"
            case Kind.FLAG:
                return None if isinstance(value, bool) else f"must be true or false, got {value}"
            case Kind.NETWORK:
                return _network_fault(value)
        noun = "a number" if self.kind is Kind.NUMBER else "a whole number"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"must be {noun}, got {value!r}"
        if not math.isfinite(value):
            return f"must be a finite number, got {value}"
        if self.kind is Kind.COUNT and value != int(value):
            return f"must be a whole number, got {value}"
        return self.bounds.fault(value)

    def check(self, value: Any) -> Any:
        """Return a value in the hyperparameter's own type.

        Raises:
            ConfigError: The value breaks a rule.
        """
        if (fault := self.fault(value)) is not None:
            raise ConfigError(f"{self.name} {fault}")
        match self.kind:
            case Kind.NUMBER:
                return float(value)
            case Kind.COUNT:
                return int(value)
            case Kind.CATEGORY:
                return next(choice for choice in self.choices if choice == value)
        return value

    def belongs(self, chosen: Mapping[str, Any]) -> bool:
        """Tell whether a trial that chose these values has this hyperparameter."""
        owner = self.belongs_to
        return owner is None or chosen[owner.choice] in owner.values


def _network_fault(value: Any) -> str | None:
    try:
        architecture(str(value))
    except ConfigError as error:
        return f"must name a network of the catalog: {error}"
    return None


def _of_schedule(*kinds: ScheduleKind) -> BelongsTo:
    return BelongsTo("schedule", kinds)


_SGD = BelongsTo("optimizer", (OptimizerKind.SGD,))
_ADAMW = BelongsTo("optimizer", (OptimizerKind.ADAMW,))
_MOST = 1_000_000  # of what is counted; more would not fit into memory or a lifetime

_TABLE = (
    Hyperparameter(
        "backbone",
        Kind.NETWORK,
        "The pre-trained network; `@` and a size in pixels after its name: seen at that size.",
        choices=tuple(ARCHITECTURES),
    ),
    Hyperparameter(
        "lr",
        Kind.NUMBER,
        "The highest learning rate of the head.",
        default=0.001,
        bounds=Bounds(above=0),
    ),
    Hyperparameter(
        "optimizer",
        Kind.CATEGORY,
        "What turns gradients into changes of the weights.",
        default=OptimizerKind.SGD,
        choices=tuple(OptimizerKind),
    ),
    Hyperparameter(
        "momentum",
        Kind.NUMBER,
        "The share of the last step that SGD adds to the next.",
        default=0.9,
        bounds=Bounds(at_least=0, below=1),
        belongs_to=_SGD,
    ),
    Hyperparameter(
        "nesterov",
        Kind.FLAG,
        "Whether SGD looks ahead along its momentum.",
        default=False,
        belongs_to=_SGD,
    ),
    Hyperparameter(
        "beta1",
        Kind.NUMBER,
        "How slowly AdamW's mean of the gradients forgets.",
        default=0.9,
        bounds=Bounds(at_least=0, below=1),
        belongs_to=_ADAMW,
    ),
    Hyperparameter(
        "beta2",
        Kind.NUMBER,
        "How slowly AdamW's mean of the squared gradients forgets.",
        default=0.999,
        bounds=Bounds(at_least=0, below=1),
        belongs_to=_ADAMW,
    ),
    Hyperparameter(
        "weight_decay",
        Kind.NUMBER,
        "How strongly weights are drawn to zero.",
        default=0.0,
        bounds=Bounds(at_least=0),
    ),
    Hyperparameter(
        "stage_lr_decay",
        Kind.NUMBER,
        "The factor by which the learning rate falls from a trained stage to the one below it.",
        default=1.0,
        bounds=Bounds(above=0, at_most=1),
    ),
    Hyperparameter(
        "batch_size",
        Kind.COUNT,
        "Images in a step.",
        default=4,
        bounds=Bounds(at_least=1, at_most=_MOST),
        unit="images",
    ),
    Hyperparameter(
        "label_smoothing",
        Kind.NUMBER,
        "The share of the right answer that is spread over all classes.",
        default=0.0,
        bounds=Bounds(at_least=0, below=1),
    ),
    Hyperparameter(
        "frozen_stages",
        Kind.COUNT,
        "The first stages of the backbone that stay as pre-trained.",
        bounds=Bounds(at_least=0, at_most=_MOST),
        unit="stages",
    ),
    Hyperparameter(
        "batchnorm",
        Kind.CATEGORY,
        "Where BatchNorm of trained stages takes its statistics from: the batch, or pre-training.",
        default=BatchNorm.TRAIN,
        choices=tuple(BatchNorm),
    ),
    Hyperparameter(
        "head_start",
        Kind.CATEGORY,
        "What the head's first weights are: drawn from the seed, or the probe's.",
        default=HeadStart.RANDOM,
        choices=tuple(HeadStart),
    ),
    Hyperparameter(
        "epochs",
        Kind.COUNT,
        "Passes over the training images; the schedule runs over them.",
        default=25,
        bounds=Bounds(at_least=1, at_most=_MOST),
        unit="epochs",
    ),
    Hyperparameter(
        "soup_size",
        Kind.COUNT,
        "Trainings in other orders of the images whose weights are averaged; a head alone has one.",
        default=1,
        bounds=Bounds(at_least=1, at_most=64),
        unit="trainings",
    ),
    Hyperparameter(
        "warmup_epochs",
        Kind.COUNT,
        "Time over which the learning rate rises linearly before the schedule proper begins.",
        default=0,
        bounds=Bounds(at_least=0, at_most=_MOST),
        unit="epochs",
    ),
    Hyperparameter(
        "schedule",
        Kind.CATEGORY,
        "How the learning rate changes over a trial.",
        default=ScheduleKind.STEP,
        choices=tuple(ScheduleKind),
    ),
    Hyperparameter(
        "step_size",
        Kind.COUNT,
        "Time between two drops of the learning rate.",
        bounds=Bounds(at_least=1, at_most=_MOST),
        belongs_to=_of_schedule(ScheduleKind.STEP),
        unit="epochs",
    ),
    Hyperparameter(
        "gamma",
        Kind.NUMBER,
        "The factor of each drop (step), or of each epoch (exponential).",
        bounds=Bounds(above=0, at_most=1),
        belongs_to=_of_schedule(ScheduleKind.STEP, ScheduleKind.EXPONENTIAL),
    ),
    Hyperparameter(
        "final_fraction",
        Kind.NUMBER,
        "What is left of the learning rate at the end.",
        bounds=Bounds(at_least=0, at_most=1),
        belongs_to=_of_schedule(ScheduleKind.COSINE),
    ),
    Hyperparameter(
        "peak",
        Kind.NUMBER,
        "Where in the trial the highest learning rate lies, a fraction.",
        bounds=Bounds(above=0, below=1),
        belongs_to=_of_schedule(ScheduleKind.ONE_CYCLE),
    ),
)

HYPERPARAMETERS: Mapping[str, Hyperparameter] = MappingProxyType({h.name: h for h in _TABLE})
"""By name; a choice stands before the settings it brings with it."""

CHOICES = tuple(dict.fromkeys(h.belongs_to.choice for h in _TABLE if h.belongs_to))
"""The hyperparameters that bring settings with them."""


def settings_of(choice: str, value: str) -> tuple[str, ...]:
    """Name the settings that a value of a choice brings with it, in the table's order."""
    owners = ((h.name, h.belongs_to) for h in HYPERPARAMETERS.values())
    return tuple(
        name for name, of in owners if of is not None and of.choice == choice and value in of.values
    )
