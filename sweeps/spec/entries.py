"""The ways to write down a hyperparameter: fixed, or searched in one of four ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from antsbees.hyperparameters import HYPERPARAMETERS, Hyperparameter, Kind

ALL = "all"
FROZEN_STAGES = "frozen_stages"


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


def _scalar(value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"a number, a word, true or false is needed, got {value!r}")
    return value


_SCALAR = {"type": ["number", "string", "boolean"]}
Scalar = Annotated[Any, PlainValidator(_scalar), WithJsonSchema(_SCALAR)]
"""A value as it is written; what it may be is its hyperparameter's business."""


class Choice(Model):
    """One of a list of values."""

    choice: tuple[Scalar, ...] = Field(min_length=1)

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
    if isinstance(value, bool | int | float | str):
        return _FIXED
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in WAYS:
        return f"<{next(iter(value))}>"
    return None


Entry = Annotated[
    Annotated[Uniform, Tag("<uniform>")]
    | Annotated[LogUniform, Tag("<log_uniform>")]
    | Annotated[Int, Tag("<int>")]
    | Annotated[Choice, Tag("<choice>")]
    | Annotated[Scalar, Tag(_FIXED)],
    Discriminator(
        _tag,
        custom_error_type="entry",
        custom_error_message="a value is needed, or one of {uniform: [low, high]}, "
        "{log_uniform: [low, high]}, {int: [low, high]}, {choice: [value, ...]}",
    ),
]
"""A hyperparameter: a fixed value, or how to choose it."""


def values_of(entry: Any) -> list[Any]:
    """Return the ends, the choices or the fixed value of an entry, as they are written."""
    match entry:
        case Uniform(uniform=ends) | LogUniform(log_uniform=ends):
            return [ends.low, ends.high]
        case Int(int=values) | Choice(choice=values):
            return list(values)
    return [entry]


def resolved(entry: Any, stages: int) -> list[Any]:
    """Return what ``values_of`` does, with the number of all stages for ``all``."""
    return [stages if value == ALL else value for value in values_of(entry)]


def depths(entry: Any, stages: int) -> list[int]:
    """Return numbers of frozen stages that stand for an entry: the ends, the middle, near the top.

    The last stages differ most in what they cost and bring, so that the one below the top is there.
    """
    values = sorted(set(resolved(entry, stages)))
    if isinstance(entry, Int):
        low, high = values[0], values[-1]
        values = sorted({low, (low + high) // 2, max(low, high - 1), high})
    return values


def faults_of(name: str, entry: Any, stages: int | None = None) -> Iterator[str]:
    """Yield what is wrong with an entry as values of the hyperparameter ``name``.

    Args:
        stages: How many stages the backbone has; ``None`` while it is not known.
    """
    hyperparameter = HYPERPARAMETERS[name]
    numeric = hyperparameter.kind in (Kind.NUMBER, Kind.COUNT)
    if name != FROZEN_STAGES and numeric and ALL in values_of(entry):
        yield "'all' has a meaning for frozen_stages only"
        return
    if (fault := _way_fault(hyperparameter, entry)) is not None:
        yield fault
        return
    if isinstance(entry, Int) and (stages is not None or ALL not in entry.int):
        low, high = resolved(entry, stages or 0)
        if low > high:
            yield f"the low end must not be above the high end, got {list(entry.int)}"
    for value in values_of(entry):
        if name == FROZEN_STAGES and value == ALL:
            continue
        if (fault := hyperparameter.fault(value)) is not None:
            yield fault
        elif name == FROZEN_STAGES and stages is not None and value > stages:
            yield f"must be at most {stages}, got {value}"


def _way_fault(hyperparameter: Hyperparameter, entry: Any) -> str | None:
    """Say why the way an entry is written does not suit the hyperparameter."""
    if not isinstance(entry, Uniform | LogUniform | Int):
        return None
    if hyperparameter.kind in (Kind.CATEGORY, Kind.FLAG, Kind.NETWORK):
        return "there is nothing between its values; use choice"
    if hyperparameter.kind is Kind.COUNT and not isinstance(entry, Int):
        return "only whole numbers are possible; use int or choice"
    return None
