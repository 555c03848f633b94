"""First tries: configurations a user wants tried before the search begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field, ValidationInfo, create_model, field_validator

from antsbees.config import Schedule, TrialConfig
from antsbees.hyperparameters import (
    CHOICES,
    HYPERPARAMETERS,
    BatchNorm,
    HeadStart,
    OptimizerKind,
    ScheduleKind,
    settings_of,
)
from results.schema import PROBE, TUTORIAL
from sweeps.spec.entries import ALL, FROZEN_STAGES, Model, Scalar
from sweeps.spec.json_schema import value_schema
from sweeps.spec.space import Space, checked_entry, of_table

_First: Any = create_model(
    "_First", __base__=Model, **of_table(lambda _: True, lambda _: None, Scalar, value_schema)
)


class First(_First):  # type: ignore[misc] # made from the table
    """A configuration that is tried before the search begins; what it leaves out is searched.

    ``tutorial`` stands for the one of PyTorch's transfer-learning tutorial; ``probe`` for the best
    linear head on what the whole pre-trained network puts out, on every backbone of the spec;
    ``portfolio`` for careful configurations at each of a few depths, so that no depth is judged by
    a bad draw.
    """

    name: str | None = Field(default=None, max_length=64)

    @field_validator(*HYPERPARAMETERS, mode="after")
    @classmethod
    def _in_bounds(cls, value: Any, info: ValidationInfo) -> Any:
        if checked_entry(value, info) is None or value == ALL:
            return value
        return HYPERPARAMETERS[str(info.field_name)].check(value)

    def given(self) -> dict[str, Any]:
        """Return the hyperparameters that were written down, as plain values."""
        plain: dict[str, Any] = self.model_dump(exclude_none=True, exclude={"name"}, mode="json")
        return plain


def _tutorial() -> First:
    """Return the defaults of ``TrialConfig``, which are the tutorial's, all stages frozen."""
    plain = TrialConfig(frozen_stages=0).to_dict() | {FROZEN_STAGES: ALL}
    return First(name=TUTORIAL, **{k: v for k, v in plain.items() if k in HYPERPARAMETERS})


def _probe() -> First:
    """Return a head that starts as the probe, and an epoch too timid to change it."""
    timid = TrialConfig(
        frozen_stages=0,
        head_start=HeadStart.PROBE,
        lr=TIMID_LR,
        momentum=0.0,
        batch_size=32,
        epochs=1,
        schedule=Schedule(ScheduleKind.CONSTANT),
    )
    plain = timid.to_dict() | {FROZEN_STAGES: ALL}
    return First(name=PROBE, **{k: v for k, v in plain.items() if k in HYPERPARAMETERS})


def _from_the_probe(batchnorm: BatchNorm, **settings: Any) -> First:
    """Return what is tried at a depth: a few epochs from the probe, with a falling rate."""
    plain = TrialConfig(
        frozen_stages=0,
        head_start=HeadStart.PROBE,
        batchnorm=batchnorm,
        batch_size=32,
        weight_decay=SLIGHT_DECAY,
        schedule=Schedule(ScheduleKind.COSINE, final_fraction=0.0),
        **settings,
    ).to_dict()
    del plain[FROZEN_STAGES]
    return First(name=PORTFOLIO, **{k: v for k, v in plain.items() if k in HYPERPARAMETERS})


def portfolio(depths: Sequence[int], small: str | None = None) -> Iterator[First]:
    """Yield a careful configuration for each depth, those that cost little first.

    Where the time is short, most of them have ended before it is up. Most move little from what is
    good already. Below the last stages AdamW is tried too, which learns more in as few epochs, and
    a soup of it, for of few images every single training is a gamble. The deepest is bold, with
    statistics of its own images: it is there for images which are unlike those of the pre-training.

    Args:
        small: The backbone for the tries below the last stages: whether depth pays is told as well
            by a small network as by a large one, in a fraction of the time. ``None``: any.
    """
    for place in reversed(range(len(depths))):
        is_deepest = place == 0 and len(depths) > 1
        is_deep = is_deepest or place < len(depths) - NEAR_THE_TOP
        chosen = [BOLD] if is_deepest else [PORTFOLIO_FIRST]
        if is_deep and not is_deepest:
            chosen += [ADAPTIVE, SOUP]
        backbone = small if is_deep else None
        for first in chosen:
            yield first.model_copy(update={FROZEN_STAGES: depths[place], "backbone": backbone})


PORTFOLIO = "portfolio"
NEAR_THE_TOP = 2  # depths of a portfolio: the head alone, and the last stage with it
SLIGHT_DECAY = 1e-4  # which lies in a space over its logarithm, as none would not
TIMID_LR = 1e-9  # a step changes the head by less than the last digits of its outputs
TUTORIAL_FIRST = _tutorial()
PROBE_FIRST = _probe()
PORTFOLIO_FIRST = _from_the_probe(BatchNorm.FROZEN, lr=1e-3, momentum=0.9, epochs=3)
ADAPTIVE = _from_the_probe(BatchNorm.FROZEN, optimizer=OptimizerKind.ADAMW, lr=5e-4, epochs=4)
SOUP = _from_the_probe(
    BatchNorm.FROZEN, optimizer=OptimizerKind.ADAMW, lr=3e-4, epochs=4, soup_size=3
)
BOLD = _from_the_probe(BatchNorm.TRAIN, lr=1e-2, momentum=0.9, epochs=3)
NAMED = {TUTORIAL: TUTORIAL_FIRST, PROBE: PROBE_FIRST, PORTFOLIO: PORTFOLIO_FIRST}
"""The first tries that a spec can name instead of writing them down."""


def setting_faults(first: First, space: Space) -> Iterator[str]:
    """Yield what a first try says too much or too little of the settings of its choices."""
    written = first.given()
    for choice in CHOICES:
        chosen = written.get(choice) or space.only(choice)
        values = HYPERPARAMETERS[choice].choices
        settings = {name for value in values for name in settings_of(choice, value)}
        given = settings & set(written)
        if chosen is None:
            if given:
                yield f"{', '.join(sorted(given))} needs {_a(choice)} beside it"
            continue
        wanted = set(settings_of(choice, chosen))
        for name in sorted(given - wanted):
            yield f"{chosen} takes no {name}"
        for name in sorted(wanted - given):
            if space.setting(choice, chosen, name) is None:
                yield f"{chosen} needs {name}, which the space does not have"


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
