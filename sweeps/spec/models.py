"""The spec of a sweep: the models that say what a user may write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from antsbees.config import SETTINGS_OF_KIND, Precision, TaskConfig, TrialConfig
from antsbees.errors import ConfigError
from antsbees.hyperparameters import ScheduleKind
from antsbees.networks.catalog import ARCHITECTURES, architecture
from results.schema import Objective
from sweeps.spec.entries import ALL, Entry, LogUniform, Model, Range, Uniform, faults_of, values_of

TUTORIAL = "tutorial"
NAME_RULE = "letters, digits, '.', '_' and '-', at most 64, not starting with '.' or '-'"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def is_safe_name(name: str) -> bool:
    """Tell whether a name follows ``NAME_RULE``."""
    return _NAME.fullmatch(name) is not None


class ScheduleSettings(Model):
    """What a kind of schedule brings with it; only its own settings may be given."""

    step_size: Entry | None = None
    gamma: Entry | None = None
    final_fraction: Entry | None = None
    peak: Entry | None = None

    @field_validator("*", mode="after")
    @classmethod
    def _in_bounds(cls, entry: Any, info: ValidationInfo) -> Any:
        return _checked(entry, info)

    def given(self) -> dict[str, Any]:
        """Return the settings that were written down."""
        return {
            name: v for name in type(self).model_fields if (v := getattr(self, name)) is not None
        }


def _checked(entry: Any, info: ValidationInfo) -> Any:
    faults = list(faults_of(str(info.field_name), entry)) if entry is not None else []
    if faults:
        raise ValueError("; ".join(faults))
    return entry


def _schedules(value: Any) -> Any:
    """Read a bare name or a list of names as kinds without settings."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        return {kind: {} for kind in value}
    if isinstance(value, dict):
        return {kind: {} if settings is None else settings for kind, settings in value.items()}
    return value


Schedules = Annotated[dict[ScheduleKind, ScheduleSettings], BeforeValidator(_schedules)]


class Space(Model):
    """What is searched: for every hyperparameter a fixed value or the values to choose from."""

    lr: Entry = LogUniform(log_uniform=Range(low=1e-3, high=0.3))
    momentum: Entry = 0.9
    weight_decay: Entry = 0.0
    batch_size: Entry = 32
    label_smoothing: Entry = 0.0
    frozen_stages: Entry = "all"
    schedule: Schedules = Field(
        default={ScheduleKind.COSINE: ScheduleSettings(final_fraction=0.0)},
        min_length=1,
        description="Kinds of schedule to choose from, each with its own settings.",
    )
    warmup_epochs: Entry = 0

    @field_validator("*", mode="after")
    @classmethod
    def _in_bounds(cls, entry: Any, info: ValidationInfo) -> Any:
        return entry if info.field_name == "schedule" else _checked(entry, info)

    @field_validator("schedule")
    @classmethod
    def _settings_belong_to_their_kind(cls, schedules: Any) -> Any:
        faults = []
        for kind, settings in schedules.items():
            wanted, given = set(SETTINGS_OF_KIND[kind]), set(settings.given())
            faults += [f"{kind} needs {name}" for name in sorted(wanted - given)]
            faults += [f"{kind} takes no {name}" for name in sorted(given - wanted)]
        if faults:
            raise ValueError("; ".join(faults))
        return schedules


class Sampler(StrEnum):
    """The samplers of Optuna that can be named."""

    TPE = "tpe"
    GP = "gp"
    CMAES = "cmaes"
    QMC = "qmc"
    RANDOM = "random"
    GRID = "grid"


class Asha(Model):
    """Asynchronous successive halving (https://arxiv.org/abs/1810.05934), by Ray.

    A trial that reaches a rung goes on only if it is in the best ``1 / reduction_factor`` there.
    """

    kind: Literal["asha"] = "asha"
    grace_epochs: int = Field(default=1, ge=1, description="Epochs every trial gets.")
    reduction_factor: int = Field(default=3, ge=2)


def _early_stopping(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


class NoEarlyStopping(Model):
    """Every trial runs all its epochs."""

    kind: Literal["none"] = "none"


EarlyStopping = Annotated[Asha | NoEarlyStopping, Field(discriminator="kind")]


class First(Model):
    """A configuration that is tried before the search begins; what it leaves out is searched.

    ``tutorial`` stands for the one of PyTorch's transfer-learning tutorial.
    """

    name: str | None = Field(default=None, max_length=64)
    lr: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    batch_size: int | None = None
    label_smoothing: float | None = None
    frozen_stages: int | Literal["all"] | None = None
    schedule: ScheduleKind | None = None
    step_size: int | None = None
    gamma: float | None = None
    final_fraction: float | None = None
    peak: float | None = None
    warmup_epochs: int | None = None

    @field_validator("*", mode="after")
    @classmethod
    def _in_bounds(cls, value: Any, info: ValidationInfo) -> Any:
        return value if info.field_name in ("name", "schedule") else _checked(value, info)


def _tutorial() -> First:
    """Return the defaults of ``TrialConfig``, which are the tutorial's, all stages frozen."""
    plain = TrialConfig(frozen_stages=0).to_dict() | {"frozen_stages": ALL}
    return First(name=TUTORIAL, **{k: v for k, v in plain.items() if k in First.model_fields})


TUTORIAL_FIRST = _tutorial()


def _named_first(value: Any) -> Any:
    return TUTORIAL_FIRST if value == TUTORIAL else value


class Search(Model):
    """How the space is searched, and for how long."""

    sampler: Sampler = Sampler.TPE
    trials: int = Field(default=32, ge=1, description="Trials in all.")
    minutes: float | None = Field(default=None, gt=0, description="Wall time for new results.")
    first: tuple[Annotated[First, BeforeValidator(_named_first)], ...] = (TUTORIAL_FIRST,)
    early_stopping: Annotated[EarlyStopping, BeforeValidator(_early_stopping)] = Asha()
    cost_aware: bool = Field(
        default=False, description="Among about equally promising configurations, the cheaper."
    )


def _slots(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not whole and value != "auto":
        raise ValueError(f"must be a whole number, at least 0, or auto, got {value!r}")
    return value


Slots = Annotated[int | Literal["auto"], BeforeValidator(_slots)]


class CpuLane(Model):
    """Workers without a GPU."""

    threads: int = Field(default=1, ge=1, description="CPU cores of a worker.")
    slots: Slots = Field(default="auto", description="Workers; auto: all cores.")


class GpuLane(Model):
    """Workers with a GPU, or a part of one."""

    per_gpu: int = Field(default=1, ge=1, description="Workers that share a GPU.")
    slots: Slots = Field(default="auto", description="Workers; auto: all GPUs.")
    threads: int = Field(default=1, ge=1, description="CPU cores of a worker.")
    device: str = Field(default="cuda", description="What torch calls the device.")


class Lanes(Model):
    """The kinds of worker slot."""

    cpu: CpuLane = CpuLane()
    gpu: GpuLane = GpuLane()


class Cache(Model):
    """The cache of what frozen stages put out."""

    max_gb: float = Field(default=8, ge=0, description="Cap on its size; 0 switches it off.")


def _schedule_faults(first: First, space: Space) -> Iterator[str]:
    """Yield what a first try says too much or too little of its schedule."""
    settings = set().union(*SETTINGS_OF_KIND.values())
    given = {name for name in settings if getattr(first, name) is not None}
    if first.schedule is None:
        if given:
            yield f"{', '.join(sorted(given))} needs a schedule beside it"
        return
    wanted = set(SETTINGS_OF_KIND[first.schedule])
    in_space = (
        set(space.schedule[first.schedule].given()) if first.schedule in space.schedule else set()
    )
    for name in sorted(given - wanted):
        yield f"{first.schedule} takes no {name}"
    for name in sorted(wanted - given - in_space):
        yield f"{first.schedule} needs {name}, which the space does not have"


class SweepSpec(Model):
    """A sweep as its user describes it."""

    name: str = Field(description=f"Of the sweep: {NAME_RULE}.")
    data: str = Field(default="auto", description="A folder, a zip, synthetic, or auto.")
    backbone: str = Field(
        default="efficientnet_lite0", json_schema_extra={"enum": list(ARCHITECTURES)}
    )
    weights: str = Field(default="default", description="default, none, or a file.")
    image_size: int = Field(default=224, ge=32, le=1024)
    views: int = Field(default=3, ge=1, description="Augmented versions of each image.")
    epochs: int = Field(default=10, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**31)
    objective: Objective = Objective.VAL_ACCURACY
    precision: Precision = Precision.AUTO
    inference_precision: Precision = Field(
        default=Precision.AUTO, description="Of the frozen part and of evaluation."
    )
    search: Search = Search()
    lanes: Lanes = Lanes()
    cache: Cache = Cache()
    space: Space = Space()
    address: str | None = Field(default=None, description="A running Ray cluster, e.g. auto.")

    @field_validator("name")
    @classmethod
    def _safe_file_name(cls, name: str) -> str:
        if not is_safe_name(name):
            raise ValueError(f"{name!r} is no safe file name; use {NAME_RULE}")
        return name

    @field_validator("backbone")
    @classmethod
    def _known_backbone(cls, name: str) -> str:
        try:
            return architecture(name).name
        except ConfigError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        faults = list(self._misfits())
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _misfits(self) -> Iterator[str]:
        stages = architecture(self.backbone).num_stages
        firsts = [first for first in self.search.first if isinstance(first, First)]
        stage_entries = [self.space.frozen_stages, *(f.frozen_stages for f in firsts)]
        for entry in stage_entries:
            if entry is not None:
                for fault in faults_of("frozen_stages", entry, stages):
                    yield f"frozen_stages of {self.backbone} {fault}"
        for entry in [self.space.warmup_epochs, *(f.warmup_epochs for f in firsts)]:
            if entry is not None and max(values_of(entry, None)) > self.epochs:
                yield f"warmup_epochs must be at most epochs ({self.epochs})"
        for number, first in enumerate(firsts, start=1):
            for fault in _schedule_faults(first, self.space):
                yield f"search.first, number {number}: {fault}"
        if self.search.cost_aware and self.search.sampler is not Sampler.TPE:
            yield f"search.cost_aware needs the sampler tpe, got {self.search.sampler}"
        if self.search.sampler is Sampler.GRID:
            entries = {name: getattr(self.space, name) for name in Space.model_fields}
            entries |= {
                f"schedule.{kind}.{name}": entry
                for kind, settings in self.space.schedule.items()
                for name, entry in settings.given().items()
            }
            for name, entry in entries.items():
                if isinstance(entry, Uniform | LogUniform):
                    yield f"space.{name}: the grid sampler needs choice, int or a fixed value"

    @property
    def task(self) -> TaskConfig:
        """What all trials share."""
        return TaskConfig(self.backbone, self.weights, self.image_size, self.views, self.seed)
