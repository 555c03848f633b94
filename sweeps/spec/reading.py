"""Reads a spec from YAML, and tells all its faults at once, each with its place."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from antsbees.hyperparameters import ScheduleKind
from sweeps.errors import SpecError, UsageError
from sweeps.spec.entries import WAYS
from sweeps.spec.models import SweepSpec
from sweeps.spec.space import ScheduleSettings

_ROUNDS = 3


class _Loader(yaml.SafeLoader):
    """YAML as people write it: ``1e-3`` is a number, which YAML 1.1 takes for text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def read_spec(path: Path, **overrides: Any) -> SweepSpec:
    """Read a spec from a YAML file, some of its values overridden.

    Args:
        overrides: Top-level keys, and ``trials``; ``None`` leaves the file's value.

    Raises:
        UsageError: There is no such file.
        SpecError: The file is no YAML, or breaks rules; all faults are told, with their places.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"cannot read the spec {path}: {reason}") from error
    return parse_spec(text, str(path), **overrides)


def parse_spec(text: str, source: str, **overrides: Any) -> SweepSpec:
    """Read a spec from YAML text; see ``read_spec``.

    Args:
        source: What the text is called in messages.

    Raises:
        SpecError: As ``read_spec``.
    """
    try:
        node = yaml.compose(text)
        plain = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise SpecError(f"{source} is no valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(plain, dict):
        raise SpecError(f"{source} must be a mapping of settings, such as 'name: ants'")
    given = {name: value for name, value in overrides.items() if value is not None}
    if "trials" in given:
        search = plain.get("search") or {}
        trials = given.pop("trials")
        plain["search"] = search | {"trials": trials} if isinstance(search, dict) else search
    try:
        return SweepSpec.model_validate(plain | given)
    except ValidationError as error:
        faults = list(dict.fromkeys(_faults(plain | given, node, error)))
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise SpecError(f"{source} cannot be used:\n{lines}") from error


def _faults(plain: Any, node: yaml.Node | None, error: ValidationError) -> Iterator[str]:
    """Describe every fault; those that only show once others are fixed are looked for too."""
    pruned = copy.deepcopy(plain)
    told: list[list[str]] = []
    for _ in range(_ROUNDS):
        places = [list(_place(fault["loc"])) for fault in error.errors(include_url=False)]
        for place, fault in zip(places, error.errors(include_url=False), strict=True):
            if not any(place and earlier[: len(place)] == place for earlier in told):
                yield _told(fault, node)
            _prune(pruned, place)
        told += places
        try:
            SweepSpec.model_validate({"name": "sweep"} | pruned)
        except ValidationError as further:
            error = further
        else:
            return


def _prune(plain: Any, place: list[str]) -> None:
    """Delete what lies at a place, or the nearest thing around it that is there."""
    *around, last = place or [""]
    for depth, part in enumerate(around):
        inner = plain.get(part) if isinstance(plain, dict) else None
        if not isinstance(inner, dict):
            around, last = around[:depth], part
            break
        plain = inner
    if isinstance(plain, dict):
        plain.pop(last, None)


def _place(loc: tuple[int | str, ...]) -> Iterator[str]:
    """Drop from a place what pydantic adds for members of unions and ends of ranges."""
    added = {
        "asha",
        "none",
        "[key]",
        "low",
        "high",
        "int",
        "float",
        "literal['all']",
        "literal['auto']",
    }
    for number, part in enumerate(loc):
        before = str(loc[number - 1]) if number else ""
        is_way = part == "int" and before == "<int>"
        if is_way or not (str(part) in added or str(part).startswith("<")):
            yield str(part)


def _told(fault: Any, node: yaml.Node | None) -> str:
    place = list(_place(fault["loc"]))
    line = _line(node, place)
    where = ".".join(place) + (f" (line {line})" if line else "")
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        known = _known_names(place[:-1])
        close = difflib.get_close_matches(place[-1], known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
        message = f"unknown key; {hint}"
    elif fault["type"] == "missing":
        message = "is missing"
    elif fault["type"] == "entry":
        message += _nearest_way(fault["input"])
    elif "input" in fault and not isinstance(fault["input"], dict | BaseModel | list):
        message += "" if fault["type"] == "value_error" else f", got {fault['input']!r}"
    return f"{where}: {message}" if where else message


def _nearest_way(entry: Any) -> str:
    keys = [str(key) for key in entry] if isinstance(entry, dict) else []
    close = [m for key in keys for m in difflib.get_close_matches(key, WAYS, n=1)]
    if keys and close:
        return f"; got {', '.join(keys)}, did you mean {close[0]}?"
    return f"; got {entry!r}"


def _known_names(place: list[str]) -> list[str]:
    model: type[BaseModel] = SweepSpec
    for part in place:
        if part in set(ScheduleKind):
            model = ScheduleSettings
        elif part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the first model class an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for arg in get_args(annotation) if (m := _model_in(arg)) is not None), None)


def _line(node: yaml.Node | None, place: list[str]) -> int | None:
    """Return the line, from 1, of the deepest part of a place that is in the YAML."""
    line = None
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == part), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
    return line
