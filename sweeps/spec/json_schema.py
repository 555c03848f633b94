"""What editors are told of a hyperparameter: the JSON schema of its values and of its entry."""

from __future__ import annotations

from typing import Any

from antsbees.hyperparameters import Bounds, Hyperparameter, Kind
from antsbees.networks.catalog import AT
from sweeps.spec.entries import ALL, FROZEN_STAGES

_KEYWORDS = {
    "at_least": "minimum",
    "above": "exclusiveMinimum",
    "at_most": "maximum",
    "below": "exclusiveMaximum",
}


def value_schema(hyperparameter: Hyperparameter) -> dict[str, Any]:
    """Return the JSON schema of a value."""
    match hyperparameter.kind:
        case Kind.CATEGORY:
            return {"enum": [str(choice) for choice in hyperparameter.choices]}
        case Kind.FLAG:
            return {"type": "boolean"}
        case Kind.NETWORK:
            at_a_size = {"pattern": f"^({'|'.join(hyperparameter.choices)}){AT}[1-9][0-9]*$"}
            known = {"enum": list(hyperparameter.choices)}
            return {"anyOf": [known, {"type": "string", **at_a_size}]}
    kind = "number" if hyperparameter.kind is Kind.NUMBER else "integer"
    number = {"type": kind, **_ends(hyperparameter.bounds)}
    return {"anyOf": [number, {"const": ALL}]} if hyperparameter.name == FROZEN_STAGES else number


def entry_schema(hyperparameter: Hyperparameter) -> dict[str, Any]:
    """Return the JSON schema of an entry: a value, or one of the ways to search."""
    value = value_schema(hyperparameter)
    pair = {"type": "array", "items": value, "minItems": 2, "maxItems": 2}
    ways: dict[str, Any] = {"choice": {"type": "array", "items": value, "minItems": 1}}
    if hyperparameter.kind is Kind.NUMBER:
        ways = {"uniform": pair, "log_uniform": pair} | ways
    elif hyperparameter.kind is Kind.COUNT:
        ways = {"int": pair} | ways
    return {"anyOf": [value, *(_object(way, schema) for way, schema in ways.items())]}


def _object(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    only = {"type": "object", "required": [key], "additionalProperties": False}
    return only | {"properties": {key: schema}}


def _ends(bounds: Bounds) -> dict[str, float]:
    ends = ((_KEYWORDS[rule], end) for rule, end in vars(bounds).items())
    return {keyword: end for keyword, end in ends if end is not None}
