"""What one trial trains: its hyperparameters, and what all trials of its sweep share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from antsbees.errors import ConfigError
from antsbees.hyperparameters import (
    HYPERPARAMETERS,
    BatchNorm,
    Bounds,
    HeadStart,
    Hyperparameter,
    Kind,
    OptimizerKind,
    ScheduleKind,
    settings_of,
)
from antsbees.networks.catalog import architecture


class Precision(StrEnum):
    """The floating-point format of the arithmetic; ``AUTO`` is whichever measures fastest."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


SETTINGS_OF_KIND: Mapping[ScheduleKind, tuple[str, ...]] = {
    kind: settings_of("schedule", kind) for kind in ScheduleKind
}
"""The settings each kind of schedule brings with it; it takes exactly these."""

MOST_IMAGES_FUSED = 5000  # fused heads keep the inner products of all images

_NOT_SEARCHED = {
    entry.name: entry
    for entry in (
        Hyperparameter("seed", Kind.COUNT, "Seeds a trial.", bounds=Bounds(at_least=0)),
        Hyperparameter("data_seed", Kind.COUNT, "Seeds the views.", bounds=Bounds(at_least=0)),
        Hyperparameter("views", Kind.COUNT, "Versions of an image.", bounds=Bounds(at_least=1)),
        Hyperparameter("image_size", Kind.COUNT, "Edge in pixels.", bounds=Bounds(at_least=32)),
    )
}


def _default(name: str) -> Any:
    return HYPERPARAMETERS[name].default


def _check_fields(config: Any, chosen: Mapping[str, str]) -> None:
    """Check the fields of a frozen dataclass, each by its row of the table, and cast them.

    Args:
        chosen: What was chosen of the choices that settings among the fields belong to.

    Raises:
        ConfigError: A value is missing, does not belong to what was chosen, or is out of range.
    """
    for name in (f.name for f in fields(config)):
        entry = HYPERPARAMETERS.get(name) or _NOT_SEARCHED.get(name)
        value = getattr(config, name)
        if entry is None or isinstance(value, Schedule):  # which was checked at its own birth
            continue
        if name == "backbone" and value is None:
            continue
        if (owner := entry.belongs_to) is not None:
            place = f"the {chosen[owner.choice]} {owner.choice}"
            if not entry.belongs(chosen):
                if value is not None:
                    raise ConfigError(f"{place} takes no {name}")
                continue
            value = entry.default if value is None else value
            if value is None:
                raise ConfigError(f"{place} needs {name}")
        object.__setattr__(config, name, entry.check(value))


def check_frozen_stages(frozen_stages: int, backbone: str) -> None:
    """Check that a backbone has as many stages.

    Raises:
        ConfigError: It has fewer, or is unknown.
    """
    stages = architecture(backbone).num_stages
    if frozen_stages > stages:
        raise ConfigError(
            f"frozen_stages must be at most {stages}, the number of stages of {backbone}, "
            f"got {frozen_stages}"
        )


def num_trainings(soup_size: int, frozen_stages: int, backbone: str) -> int:
    """Return how many trainings a soup is of: one of a head alone, for all come to the same."""
    return 1 if frozen_stages >= architecture(backbone).num_stages else soup_size


@dataclass(frozen=True)
class Schedule:
    """A learning-rate schedule; times are in epochs, rates are fractions of ``lr``.

    Args:
        kind: The shape of the curve.
        step_size: Epochs between two drops (``step``).
        gamma: Factor of each drop (``step``), or of each epoch (``exponential``).
        final_fraction: What is left of the rate at the end (``cosine``).
        peak: Where in the trial the highest rate lies, a fraction (``one_cycle``).
        warmup_epochs: Epochs over which the rate rises linearly before the schedule proper begins.

    Raises:
        ConfigError: A setting is missing, does not belong to the kind, or is out of range.
    """

    kind: ScheduleKind = ScheduleKind.CONSTANT
    step_size: int | None = None
    gamma: float | None = None
    final_fraction: float | None = None
    peak: float | None = None
    warmup_epochs: int = _default("warmup_epochs")

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", HYPERPARAMETERS["schedule"].check(self.kind))
        _check_fields(self, {"schedule": self.kind})

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

    ``antsbees.hyperparameters`` describes each. A setting of an optimizer that is left out takes
    its default where the optimizer has it, and stays ``None`` where not.

    Args:
        seed: Seeds the head's first weights and the order of the images.
        backbone: ``None`` for the one of the task that the trial is run in.

    Raises:
        ConfigError: A value is missing, does not belong to the optimizer, or is out of range.
    """

    frozen_stages: int
    lr: float = _default("lr")
    optimizer: OptimizerKind = _default("optimizer")
    momentum: float | None = None
    nesterov: bool | None = None
    beta1: float | None = None
    beta2: float | None = None
    weight_decay: float = _default("weight_decay")
    stage_lr_decay: float = _default("stage_lr_decay")
    batch_size: int = _default("batch_size")
    label_smoothing: float = _default("label_smoothing")
    batchnorm: BatchNorm = _default("batchnorm")
    head_start: HeadStart = _default("head_start")
    schedule: Schedule = field(default=TUTORIAL_SCHEDULE)
    epochs: int = _default("epochs")
    soup_size: int = _default("soup_size")
    seed: int = 0
    backbone: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.schedule, Schedule):
            raise ConfigError(f"schedule must be a Schedule, got {self.schedule!r}")
        _check_fields(self, {"optimizer": str(self.optimizer)})
        if self.schedule.warmup_epochs > self.epochs:
            raise ConfigError(
                f"warmup_epochs must be at most epochs ({self.epochs}), "
                f"got {self.schedule.warmup_epochs}"
            )
        if self.backbone is not None:
            check_frozen_stages(self.frozen_stages, self.backbone)

    def with_seed(self, seed: int) -> TrialConfig:
        """Return the same configuration under another seed."""
        return replace(self, seed=seed)

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values, the schedule's beside the others."""
        plain: dict[str, Any] = asdict(self)
        settings: dict[str, Any] = plain.pop("schedule")
        kind = settings.pop("kind")
        plain = {**plain, "schedule": kind, **settings}
        return {n: str(v) if isinstance(v, StrEnum) else v for n, v in plain.items()}

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
        image_size: Edge of the square the network sees, in pixels; ``None`` for the network's own,
            which it is at once replaced by.
        views: How many augmented versions of every training image there are.
        data_seed: Seeds the views.

    Raises:
        ConfigError: The backbone is unknown, or a value is out of range.
    """

    backbone: str = "efficientnet_lite0"
    weights: str = "default"
    image_size: int = None  # type: ignore[assignment] # a number once it is born
    views: int = 3
    data_seed: int = 0

    def __post_init__(self) -> None:
        entry = architecture(self.backbone)
        if self.image_size is None:
            object.__setattr__(self, "image_size", entry.image_size)
        if entry.name != entry.network and self.image_size != entry.image_size:
            raise ConfigError(
                f"image_size is {self.image_size}, but {self.backbone} names another size"
            )
        _check_fields(self, {})

    @property
    def num_stages(self) -> int:
        """How many stages the backbone has; ``frozen_stages`` of all."""
        return architecture(self.backbone).num_stages
