"""The page that describes every key of a spec, made from the models and the hyperparameters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from antsbees.hyperparameters import CHOICES, HYPERPARAMETERS, Bounds, Hyperparameter, Kind
from sweeps.spec.models import Asha, Cache, Lanes, Search, SweepSpec
from sweeps.spec.space import BESIDE_THE_SPACE, default_entry

_HEAD = """# The spec

Made by `make docs` from the models in `sweeps/spec/` and the table in
`antsbees/hyperparameters.py`. A spec is a YAML file; every key may be left out. Editors complete it
with `sweeps/configs/spec.schema.json`.
"""
_SECTIONS: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("The sweep", SweepSpec, ""),
    ("search", Search, "search."),
    ("search.early_stopping", Asha, "search.early_stopping."),
    *((f"lanes.{kind}", type(lane), f"lanes.{kind}.") for kind, lane in Lanes()),
    ("cache", Cache, "cache."),
)
_OF_THEIR_OWN = {"search", "lanes", "cache", "space"}
_SPACE = """
## space

An entry for each hyperparameter: a fixed value, or one of

| entry | what is tried |
|---|---|
| `{uniform: [low, high]}` | numbers, each as likely as another |
| `{log_uniform: [low, high]}` | numbers, each order of magnitude as likely as another |
| `{int: [low, high]}` | whole numbers, both ends included |
| `{choice: [a, b, ...]}` | one of these |

`backbone` and `epochs` are written beside the space. The settings of a schedule are written below
its name, `schedule: {step: {step_size: 7, gamma: 0.1}}`; those of an optimizer beside it. A first
try (`search.first`) takes values of the same names, and a `name`; `tutorial`, `probe` and
`portfolio` stand for ready-made ones, and are no names for others.

| hyperparameter | what | values | left out |
|---|---|---|---|
"""


def page() -> str:
    """Write the page in Markdown."""
    return _HEAD + "".join(map(_section, _SECTIONS)) + _SPACE + "".join(_hyperparameters())


def _section(section: tuple[str, type[BaseModel], str]) -> str:
    title, model, prefix = section
    about = (model.__doc__ or "").strip().partition("\n\n")[0]
    rows = "".join(
        f"| `{prefix}{name}` | {_cell(field.description or '')} | {_left_out(field)} |\n"
        for name, field in model.model_fields.items()
        if not (model is SweepSpec and name in _OF_THEIR_OWN) and name != "kind"
    )
    return f"\n## {title}\n\n{about}\n\n| key | what | left out |\n|---|---|---|\n{rows}"


def _left_out(field: FieldInfo) -> str:
    return "must be given" if field.is_required() else _value(field.get_default())


def _hyperparameters() -> Iterator[str]:
    for h in HYPERPARAMETERS.values():
        what = h.description
        if h.belongs_to is not None:
            what += f" Only of {h.belongs_to.choice}: {', '.join(h.belongs_to.values)}."
        yield f"| `{h.name}` | {_cell(what)} | {_values(h)} | {_default(h)} |\n"


def _values(h: Hyperparameter) -> str:
    if h.choices:
        return ", ".join(f"`{choice}`" for choice in h.choices)
    if h.kind is Kind.FLAG:
        return "`true`, `false`"
    noun = "number" if h.kind is Kind.NUMBER else "whole number"
    unit = f" of {h.unit}" if h.unit else ""
    return f"{noun}{unit}{_ends(h.bounds)}"


def _ends(bounds: Bounds) -> str:
    words = {"at_least": "at least", "above": "above", "at_most": "at most", "below": "below"}
    ends = [f"{words[rule]} {end:g}" for rule, end in vars(bounds).items() if end is not None]
    return f", {' and '.join(ends)}" if ends else ""


def _default(h: Hyperparameter) -> str:
    if h.name in BESIDE_THE_SPACE:
        return "see the sweep"
    in_a_choice = h.belongs_to is not None and h.belongs_to.choice in CHOICES
    default = default_entry(h.name)
    return "" if default is None and in_a_choice else _value(default)


def _value(value: Any) -> str:
    if isinstance(value, tuple) and all(getattr(v, "name", None) for v in value):
        value = [first.name for first in value]
    plain = to_jsonable_python(value, exclude_none=True)
    return "" if plain is None else f"`{_yaml(plain)}`"


def _yaml(plain: Any) -> str:
    if isinstance(plain, dict):
        if plain.keys() == {"low", "high"}:
            return _yaml([plain["low"], plain["high"]])
        return "{" + ", ".join(f"{key}: {_yaml(value)}" for key, value in plain.items()) + "}"
    if isinstance(plain, list):
        return "[" + ", ".join(map(_yaml, plain)) + "]"
    return plain if isinstance(plain, str) else json.dumps(plain)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
