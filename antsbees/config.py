"""What one trial trains: its hyperparameters, and what all trials of its sweep share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from antsbees.errors import ConfigError
from antsbees.networks.catalog import architecture


def _check(
    name: str,
    value: float | None,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> None:
    """Raise ``ConfigError`` with the rule and the value when a value breaks its rule."""
    if value is None:
        return
    rules = [
        (f"at least {at_least}", at_least is None or value >= at_least),
        (f"above {above}", above is None or value > above),
        (f"at most {at_most}", at_most is None or value <= at_most),
        (f"below {below}", below is None or value < below),
    ]
    if not math.isfinite(value):
        raise ConfigError(f"{name} must be a finite number, got {value}")
    for rule, holds in rules:
        if not holds:
            raise ConfigError(f"{name} must be {rule}, got {value}")


class ScheduleKind(StrEnum):
    """How the learning rate changes over a trial."""

    CONSTANT = "constant"
    STEP = "step"
    EXPONENTIAL = "exponential"
    COSINE = "cosine"
    ONE_CYCLE = "one_cycle"


class Precision(StrEnum):
    """The floating-point format of the arithmetic; ``AUTO`` is whichever measures fastest."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


SETTINGS_OF_KIND: Mapping[ScheduleKind, tuple[str, ...]] = {
    ScheduleKind.CONSTANT: (),
    ScheduleKind.STEP: ("step_size", "gamma"),
    ScheduleKind.EXPONENTIAL: ("gamma",),
    ScheduleKind.COSINE: ("final_fraction",),
    ScheduleKind.ONE_CYCLE: ("peak",),
}
"""The settings each kind of schedule brings with it; it takes exactly these."""


@dataclass(frozen=True)
class Schedule:
    """A learning-rate schedule; times are in epochs, rates are fractions of ``lr``.

    Args:
        kind: The shape of the curve.
        step_size: Epochs between two drops (``step``).
        gamma: Factor of each drop (``step``), or of each epoch (``exponential``).
        final_fraction: What is left of the rate at the end (``cosine``).
        peak: Where in the run the highest rate lies, a fraction (``one_cycle``).
        warmup_epochs: Epochs over which the rate rises linearly before the schedule proper begins.

    Raises:
        ConfigError: A setting is missing, does not belong to the kind, or is out of range.
    """

    kind: ScheduleKind = ScheduleKind.CONSTANT
    step_size: int | None = None
    gamma: float | None = None
    final_fraction: float | None = None
    peak: float | None = None
    warmup_epochs: int = 0

    def __post_init__(self) -> None:
        if self.kind not in set(ScheduleKind):
            raise ConfigError(f"schedule must be one of {', '.join(ScheduleKind)}, got {self.kind}")
        object.__setattr__(self, "kind", ScheduleKind(self.kind))
        wanted = SETTINGS_OF_KIND[self.kind]
        for name in ("step_size", "gamma", "final_fraction", "peak"):
            given = getattr(self, name) is not None
            if given and name not in wanted:
                raise ConfigError(f"the {self.kind} schedule takes no {name}")
            if not given and name in wanted:
                raise ConfigError(f"the {self.kind} schedule needs {name}")
        _check("step_size", self.step_size, at_least=1)
        _check("gamma", self.gamma, above=0, at_most=1)
        _check("final_fraction", self.final_fraction, at_least=0, at_most=1)
        _check("peak", self.peak, above=0, below=1)
        _check("warmup_epochs", self.warmup_epochs, at_least=0)

    def __getitem__(self, setting: str) -> float:
        """Return a setting the kind is known to have.

        Raises:
            KeyError: The kind has no such setting.
        """
        if setting not in SETTINGS_OF_KIND[self.kind]:
            raise KeyError(setting)
        return float(getattr(self, setting))


TUTORIAL_SCHEDULE = Schedule(ScheduleKind.STEP, step_size=7, gamma=0.1)


@dataclass(frozen=True)
class TrialConfig:
    """The configuration of one trial; the defaults are those of PyTorch's tutorial.

    Args:
        frozen_stages: The first stages of the backbone that stay as pre-trained.
        epochs: Passes over the training images that were asked for.
        seed: Seeds the head's first weights and the order of the images.

    Raises:
        ConfigError: A value is out of range.
    """

    frozen_stages: int
    lr: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 0.0
    batch_size: int = 4
    label_smoothing: float = 0.0
    schedule: Schedule = field(default=TUTORIAL_SCHEDULE)
    epochs: int = 25
    seed: int = 0

    def __post_init__(self) -> None:
        _check("frozen_stages", self.frozen_stages, at_least=0)
        _check("lr", self.lr, above=0)
        _check("momentum", self.momentum, at_least=0, below=1)
        _check("weight_decay", self.weight_decay, at_least=0)
        _check("batch_size", self.batch_size, at_least=1)
        _check("label_smoothing", self.label_smoothing, at_least=0, below=1)
        _check("epochs", self.epochs, at_least=1)
        _check("seed", self.seed, at_least=0)
        if self.schedule.warmup_epochs > self.epochs:
            raise ConfigError(
                f"warmup_epochs must be at most epochs ({self.epochs}), "
                f"got {self.schedule.warmup_epochs}"
            )

    def with_seed(self, seed: int) -> TrialConfig:
        """Return the same configuration under another seed."""
        return replace(self, seed=seed)

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values, the schedule's beside the others."""
        plain: dict[str, Any] = asdict(self)
        settings: dict[str, Any] = plain.pop("schedule")
        kind = str(settings.pop("kind"))
        return {**plain, "schedule": kind, **settings}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TrialConfig:
        """Build a configuration from what ``to_dict`` returns; keys it does not know are an error.

        Raises:
            ConfigError: A key is unknown, or a value is out of range.
        """
        values = dict(plain)
        in_schedule = {f.name for f in fields(Schedule)} - {"kind"}
        settings = {name: values.pop(name) for name in in_schedule & set(values)}
        if "schedule" in values:
            values["schedule"] = Schedule(values["schedule"], **settings)
        elif settings:
            raise ConfigError(f"{', '.join(sorted(settings))} needs a schedule beside it")
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ConfigError(f"unknown hyperparameters: {', '.join(sorted(unknown))}")
        return cls(**values)


@dataclass(frozen=True)
class TaskConfig:
    """What every trial of a sweep shares: the network it starts from and how it sees the images.

    Args:
        backbone: A name from ``antsbees.networks.catalog``.
        weights: ``default`` (the published ones), ``none``, or the path of a file.
        image_size: Edge of the square the network sees, in pixels.
        views: How many augmented versions of every training image there are.
        data_seed: Seeds the views.

    Raises:
        ConfigError: The backbone is unknown, or a value is out of range.
    """

    backbone: str = "efficientnet_lite0"
    weights: str = "default"
    image_size: int = 224
    views: int = 3
    data_seed: int = 0

    def __post_init__(self) -> None:
        architecture(self.backbone)
        _check("image_size", self.image_size, at_least=32)
        _check("views", self.views, at_least=1)
        _check("data_seed", self.data_seed, at_least=0)

    @property
    def num_stages(self) -> int:
        """How many stages the backbone has; ``frozen_stages`` of all."""
        return architecture(self.backbone).num_stages
