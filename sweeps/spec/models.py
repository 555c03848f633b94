"""The spec of a sweep: the models that say what a user may write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from antsbees.config import Precision, TaskConfig
from antsbees.errors import ConfigError
from antsbees.hyperparameters import HYPERPARAMETERS
from antsbees.networks.catalog import architecture
from results.schema import Objective
from sweeps.spec.entries import (
    FROZEN_STAGES,
    Entry,
    LogUniform,
    Model,
    Uniform,
    depths,
    faults_of,
    values_of,
)
from sweeps.spec.first import (
    NAMED,
    PORTFOLIO_FIRST,
    PROBE_FIRST,
    TUTORIAL_FIRST,
    First,
    portfolio,
    setting_faults,
)
from sweeps.spec.json_schema import entry_schema
from sweeps.spec.space import BESIDE_THE_SPACE, SCHEDULE, Space, checked_entry, default_entry

NAME_RULE = "letters, digits, '.', '_' and '-', at most 64, starting with a letter or digit"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


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
    return NAMED[value] if isinstance(value, str) and value in NAMED else value


class Search(Model):
    """How the space is searched, and for how long."""

    sampler: Sampler = Field(default=Sampler.TPE, description="Optuna's, by its name there.")
    trials: int = Field(default=32, ge=1, description="Trials in all.")
    minutes: float | None = Field(default=None, gt=0, description="Wall time for new results.")
    first: tuple[Annotated[First, BeforeValidator(_named_first)], ...] = Field(
        default=(TUTORIAL_FIRST,), description="What is tried before the search begins."
    )
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

    count: int = Field(default=16, ge=2, description="Those there is time for; rivals always.")
    folds: int = Field(default=5, ge=2, description="Each is held out once in a repeat.")
    repeats: int = Field(default=5, ge=1, description="At most; who is behind stops earlier.")
    share: float = Field(default=0.33, gt=0, le=10, description="Of the search's time, at most.")


def _no_finals(value: Any) -> Any:
    return None if value == "none" else value


_NO_PATHS = ("auto", "synthetic", "default", "none")


def _require_known(backbone: Any) -> None:
    """Raise ``ValueError`` where no backbone has that name."""
    try:
        architecture(str(backbone))
    except ConfigError as error:
        raise ValueError(str(error)) from error


def _promise(backbone: str) -> tuple[float, int]:
    """Return by what to sort backbones that no image was seen through yet."""
    entry = architecture(backbone)
    return entry.accuracy, entry.image_size


class SweepSpec(Model):
    """A sweep as its user describes it."""

    name: str = Field(description=f"Of the sweep: {NAME_RULE}.")
    data: str = Field(default="auto", description="A folder, a zip, synthetic, or auto.")
    backbone: Annotated[Entry, WithJsonSchema(entry_schema(HYPERPARAMETERS["backbone"]))] = Field(
        default="efficientnet_lite0", description=HYPERPARAMETERS["backbone"].description
    )
    weights: str = Field(default="default", description="default, none, or a file.")
    image_size: int | None = Field(
        default=None, ge=32, le=1024, description="Left out: the backbone's own."
    )
    views: int = Field(default=3, ge=1, description="Augmented versions of each image.")
    epochs: Annotated[Entry, WithJsonSchema(entry_schema(HYPERPARAMETERS["epochs"]))] = Field(
        default=10, description=HYPERPARAMETERS["epochs"].description
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of heads, orders, views and search.")
    objective: Objective = Field(
        default=Objective.VAL_ACCURACY, description="What is optimised: val_accuracy or val_loss."
    )
    precision: Precision = Field(
        default=Precision.AUTO, description="Of training: fp32, bf16, or auto, the faster one."
    )
    inference_precision: Precision = Field(
        default=Precision.AUTO, description="Of the frozen part and of evaluation."
    )
    fast_layers: bool = Field(
        default=True, description="Our own layers, faster on a CPU; false: those of torch."
    )
    search: Search = Search()
    finals: Annotated[Finals | Literal["none"] | None, BeforeValidator(_no_finals)] = Field(
        default=None, description="How a winner is named; none: by the score of its trial."
    )
    lanes: Lanes = Lanes()
    cache: Cache = Cache()
    space: Space = Space()
    travel_gb: float = Field(
        default=2, ge=0, description="Images up to this size travel to machines without them."
    )
    address: str | None = Field(default=None, description="A running Ray cluster, e.g. auto.")

    @field_validator("name")
    @classmethod
    def _safe_file_name(cls, name: str) -> str:
        if not is_safe_name(name):
            raise ValueError(f"{name!r} is no safe file name; use {NAME_RULE}")
        return name

    @field_validator("data", "weights")
    @classmethod
    def _absolute(cls, source: str) -> str:
        """Make a path absolute: workers have working directories of their own."""
        return source if source in _NO_PATHS else str(Path(source).expanduser().absolute())

    @field_validator(*BESIDE_THE_SPACE)
    @classmethod
    def _in_bounds(cls, entry: Any, info: ValidationInfo) -> Any:
        if info.field_name == "backbone":
            for name in values_of(entry):
                _require_known(name)
        return checked_entry(entry, info)

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        faults = list(self._misfits())
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _misfits(self) -> Iterator[str]:
        yield from self._frozen_stages_faults()
        yield from self._warmup_faults()
        networks = [architecture(name) for name in self.backbones]
        if self.image_size is not None and any(each.name != each.network for each in networks):
            yield "image_size and a size after a backbone's name cannot both be given"
        are_several = len({each.network for each in networks}) > 1
        if are_several and self.weights not in ("default", "none"):
            yield f"the file {self.weights} cannot hold the weights of several backbones"
        for number, first in enumerate(self.search.first, start=1):
            if first.backbone not in (None, *self.backbones):
                yield f"search.first, number {number}: {first.backbone} is not in this sweep"
            if first != NAMED.get(first.name or "", first):
                yield (
                    f"search.first, number {number}: the name {first.name} stands for a ready-made "
                    "try; give another name to one of your own"
                )
            for fault in setting_faults(first, self.space):
                yield f"search.first, number {number}: {fault}"
        if self.search.sampler is Sampler.GRID:
            for place, entry in self._entries():
                if isinstance(entry, Uniform | LogUniform):
                    yield f"{place}: the grid sampler needs choice, int or a fixed value"

    def _frozen_stages_faults(self) -> Iterator[str]:
        """Yield where more stages are frozen than a backbone has."""
        pairs = [(self.space.frozen_stages, name) for name in self.backbones]
        pairs += [(f.frozen_stages, f.backbone or self.backbones[0]) for f in self.search.first]
        for entry, name in pairs:
            if entry is not None:
                for fault in faults_of(FROZEN_STAGES, entry, architecture(name).num_stages):
                    yield f"frozen_stages of {name} {fault}"

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
    def backbones(self) -> tuple[str, ...]:
        """The backbones to choose from, the one of the tutorial's configuration first."""
        return tuple(values_of(self.backbone))

    @property
    def firsts(self) -> tuple[First, ...]:
        """The first tries, each of those that are named as what it stands for here."""
        return tuple(first for given in self.search.first for first in self._meant(given))

    def _meant(self, first: First) -> Iterator[First]:
        """Yield the probe on each backbone, the tutorial's on the first, a portfolio of depths.

        The most promising backbone is probed first: what the search goes on with is known early.
        """
        if first == PORTFOLIO_FIRST:
            cheapest = min(self.backbones, key=lambda name: architecture(name).giga_macs)
            small = cheapest if len(self.backbones) > 1 else None
            yield from portfolio(depths(self.entry(FROZEN_STAGES), self.task.num_stages), small)
        elif len(self.backbones) > 1 and first in (PROBE_FIRST, TUTORIAL_FIRST):
            promising = sorted(self.backbones, key=_promise, reverse=True)
            for backbone in promising if first == PROBE_FIRST else self.backbones[:1]:
                yield first.model_copy(update={"backbone": backbone})
        else:
            yield first

    def task_of(self, backbone: str) -> TaskConfig:
        """Return what all trials on a backbone share."""
        size = cast(int, self.image_size)  # None: the backbone's own
        return TaskConfig(backbone, self.weights, size, self.views, self.seed)

    @property
    def task(self) -> TaskConfig:
        """What all trials share, where there is one backbone; else those on the first."""
        return self.task_of(self.backbones[0])
