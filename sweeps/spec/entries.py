"""The ways to write down a hyperparameter: fixed, or searched in one of four ways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

ALL = "all"


class Model(BaseModel):
    """A part of the spec: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(Model):
    """The ends of an interval, both included."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"the low end must not be above the high end, got {self}")
        return self

    def __str__(self) -> str:
        return f"[{self.low:g}, {self.high:g}]"


def _range(value: Any) -> Any:
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise ValueError(f"two numbers [low, high] are needed, got {list(value)}")
        return {"low": value[0], "high": value[1]}
    return value


_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
Ends = Annotated[Range, BeforeValidator(_range), Field(json_schema_extra=_PAIR)]


class Uniform(Model):
    """Any number between two ends."""

    uniform: Ends


class LogUniform(Model):
    """Any number between two positive ends, evenly over its logarithm."""

    log_uniform: Ends

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if self.log_uniform.low <= 0:
            raise ValueError(f"log_uniform needs ends above 0, got {self.log_uniform}")
        return self


Count = int | Literal["all"]


class Int(Model):
    """Any whole number between two ends; ``all`` stands for all stages in ``frozen_stages``."""

    int: tuple[Count, Count]


class Choice(Model):
    """One of a list of values."""

    choice: tuple[int | float | Literal["all"], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.choice)) < len(self.choice):
            raise ValueError(f"the choices must differ from each other, got {list(self.choice)}")
        return self


WAYS = ("uniform", "log_uniform", "int", "choice")
_FIXED = "<fixed>"


def _tag(value: Any) -> str | None:
    """Tell which way an entry is written; the angle brackets mark what is no part of a place."""
    if isinstance(value, Uniform | LogUniform | Int | Choice):
        value = value.model_dump()
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) or value == ALL:
        return _FIXED
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in WAYS:
        return f"<{next(iter(value))}>"
    return None


Entry = Annotated[
    Annotated[Uniform, Tag("<uniform>")]
    | Annotated[LogUniform, Tag("<log_uniform>")]
    | Annotated[Int, Tag("<int>")]
    | Annotated[Choice, Tag("<choice>")]
    | Annotated[int | float | Literal["all"], Tag(_FIXED)],
    Discriminator(
        _tag,
        custom_error_type="entry",
        custom_error_message="a number is needed, or one of {uniform: [low, high]}, "
        "{log_uniform: [low, high]}, {int: [low, high]}, {choice: [value, ...]}",
    ),
]
"""A hyperparameter: a fixed value, or how to choose it."""


@dataclass(frozen=True)
class Bounds:
    """What values a hyperparameter may have."""

    low: float
    high: float
    whole: bool = False


BOUNDS = MappingProxyType(
    {
        "lr": Bounds(1e-12, 1e6),
        "momentum": Bounds(0, 0.999999),
        "weight_decay": Bounds(0, 1e6),
        "batch_size": Bounds(1, 1e6, whole=True),
        "label_smoothing": Bounds(0, 0.999999),
        "frozen_stages": Bounds(0, 1e6, whole=True),
        "warmup_epochs": Bounds(0, 1e6, whole=True),
        "step_size": Bounds(1, 1e6, whole=True),
        "gamma": Bounds(1e-12, 1),
        "final_fraction": Bounds(0, 1),
        "peak": Bounds(1e-6, 0.999999),
    }
)


def values_of(entry: Any, all_stages: int | None) -> list[float]:
    """Return the ends, the choices or the fixed value of an entry, ``all`` as a number.

    Raises:
        ValueError: The entry says ``all``, and ``all_stages`` is ``None``.
    """
    match entry:
        case Uniform(uniform=ends) | LogUniform(log_uniform=ends):
            found: list[Any] = [ends.low, ends.high]
        case Int(int=values) | Choice(choice=values):
            found = list(values)
        case _:
            found = [entry]
    if ALL not in found:
        return found
    if all_stages is None:
        raise ValueError("'all' has a meaning for frozen_stages only")
    return [all_stages if value == ALL else value for value in found]


def faults_of(name: str, entry: Any, all_stages: int | None = None) -> Iterator[str]:
    """Yield what is wrong with an entry as values of the hyperparameter ``name``."""
    bounds = BOUNDS[name]
    high = bounds.high if all_stages is None else all_stages
    stages = high if name == "frozen_stages" else None
    try:
        values = values_of(entry, None if stages is None else int(stages))
    except ValueError as error:
        yield str(error)
        return
    if isinstance(entry, Int) and values[0] > values[1]:
        yield f"the low end must not be above the high end, got {list(entry.int)}"
    if bounds.whole and isinstance(entry, Uniform | LogUniform):
        yield "only whole numbers are possible; use int or choice"
    for value in values:
        if not bounds.low <= value <= high:
            yield f"must be between {bounds.low:g} and {high:g}, got {value:g}"
        elif bounds.whole and value != int(value):
            yield f"must be a whole number, got {value:g}"
