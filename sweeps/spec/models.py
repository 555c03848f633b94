"""The spec of a sweep: the models that say what a user may write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from antsbees.config import Precision, TaskConfig
from antsbees.errors import ConfigError
from antsbees.hyperparameters import HYPERPARAMETERS
from antsbees.networks.catalog import ARCHITECTURES, architecture
from results.schema import TUTORIAL, Objective
from sweeps.spec.entries import (
    FROZEN_STAGES,
    Entry,
    LogUniform,
    Model,
    Uniform,
    faults_of,
    values_of,
)
from sweeps.spec.first import TUTORIAL_FIRST, First, setting_faults
from sweeps.spec.space import BESIDE_THE_SPACE, SCHEDULE, Space, checked_entry, default_entry

NAME_RULE = "letters, digits, '.', '_' and '-', at most 64, not starting with '.' or '-'"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def is_safe_name(name: str) -> bool:
    """Tell whether a name follows ``NAME_RULE``."""
    return _NAME.fullmatch(name) is not None


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


def _named_first(value: Any) -> Any:
    return TUTORIAL_FIRST if value == TUTORIAL else value


class Search(Model):
    """How the space is searched, and for how long."""

    sampler: Sampler = Sampler.TPE
    trials: int = Field(default=32, ge=1, description="Trials in all.")
    minutes: float | None = Field(default=None, gt=0, description="Wall time for new results.")
    first: tuple[Annotated[First, BeforeValidator(_named_first)], ...] = (TUTORIAL_FIRST,)
    early_stopping: Annotated[EarlyStopping, BeforeValidator(_early_stopping)] = Asha()


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


class Finals(Model):
    """The best configurations are trained again on folds of train and val together."""

    count: int = Field(default=16, ge=2, description="Finalists; first tries come along.")
    folds: int = Field(default=5, ge=2, description="Each is held out once in a repeat.")
    repeats: int = Field(default=5, ge=1, description="At most; who is behind stops earlier.")
    share: float = Field(default=0.33, gt=0, le=10, description="Of the search's time, at most.")


def _no_finals(value: Any) -> Any:
    return None if value == "none" else value


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
    epochs: Entry = Field(default=10, description=HYPERPARAMETERS["epochs"].description)
    seed: int = Field(default=0, ge=0, lt=2**31)
    objective: Objective = Objective.VAL_ACCURACY
    precision: Precision = Precision.AUTO
    inference_precision: Precision = Field(
        default=Precision.AUTO, description="Of the frozen part and of evaluation."
    )
    search: Search = Search()
    finals: Annotated[Finals | Literal["none"] | None, BeforeValidator(_no_finals)] = Field(
        default=None, description="How a winner is named; none: by the score of its trial."
    )
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

    @field_validator(*BESIDE_THE_SPACE)
    @classmethod
    def _in_bounds(cls, entry: Any, info: ValidationInfo) -> Any:
        return checked_entry(entry, info)

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
        firsts = self.search.first
        stage_entries = [self.space.frozen_stages, *(f.frozen_stages for f in firsts)]
        for entry in stage_entries:
            if entry is not None:
                for fault in faults_of(FROZEN_STAGES, entry, stages):
                    yield f"frozen_stages of {self.backbone} {fault}"
        yield from self._warmup_faults()
        for number, first in enumerate(firsts, start=1):
            for fault in setting_faults(first, self.space):
                yield f"search.first, number {number}: {fault}"
        if self.search.sampler is Sampler.GRID:
            for place, entry in self._entries():
                if isinstance(entry, Uniform | LogUniform):
                    yield f"{place}: the grid sampler needs choice, int or a fixed value"

    def _warmup_faults(self) -> Iterator[str]:
        """Yield where a warm-up is longer than any trial that may have it."""
        pairs = [(self.space.warmup_epochs, self.max_epochs)]
        pairs += [(f.warmup_epochs, f.epochs or self.max_epochs) for f in self.search.first]
        for warmup, epochs in pairs:
            if warmup is not None and max(values_of(warmup)) > epochs:
                yield f"warmup_epochs must be at most epochs ({epochs})"

    def _entries(self) -> Iterator[tuple[str, Any]]:
        """Yield every entry with its place."""
        for name in BESIDE_THE_SPACE:
            yield name, getattr(self, name)
        for name in type(self.space).model_fields:
            if name != SCHEDULE:
                yield f"space.{name}", getattr(self.space, name)
        for kind, settings in self.space.schedule.items():
            for name, entry in settings.given().items():
                yield f"space.schedule.{kind}.{name}", entry

    def entry(self, name: str) -> Any:
        """Return the entry of a hyperparameter, be it written down or its default.

        Args:
            name: Neither the schedule nor one of its settings, see ``Space.schedule``.
        """
        if name in BESIDE_THE_SPACE:
            return getattr(self, name)
        given = getattr(self.space, name)
        return default_entry(name) if given is None else given

    @property
    def max_epochs(self) -> int:
        """The most epochs that the search proposes; a first try may have asked for more."""
        return int(max(values_of(self.epochs)))

    @property
    def task(self) -> TaskConfig:
        """What all trials share."""
        return TaskConfig(self.backbone, self.weights, self.image_size, self.views, self.seed)
