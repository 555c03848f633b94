"""What the ways to write a hyperparameter promise."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from antsbees.hyperparameters import HYPERPARAMETERS, Kind
from sweeps.spec.entries import (
    WAYS,
    Choice,
    Entry,
    Int,
    LogUniform,
    Uniform,
    faults_of,
    resolved,
)

parse = TypeAdapter(Entry).validate_python


def faults(name: str, entry: Any, all_stages: int | None = None) -> list[str]:
    return list(faults_of(name, parse(entry), all_stages))


@pytest.mark.parametrize(
    ("written", "kind", "expected"),
    [
        (0.5, float, [0.5]),
        (3, int, [3]),
        ("all", str, [9]),
        ({"uniform": [0.1, 0.9]}, Uniform, [0.1, 0.9]),
        ({"log_uniform": [1e-4, 1]}, LogUniform, [1e-4, 1]),
        ({"int": [2, "all"]}, Int, [2, 9]),
        ({"choice": [0, 4, "all"]}, Choice, [0, 4, 9]),
        ("sgd", str, ["sgd"]),
        (True, bool, [True]),
        ({"choice": ["sgd", "adamw"]}, Choice, ["sgd", "adamw"]),
        ({"choice": [True, False]}, Choice, [True, False]),
    ],
)
def test_an_entry_is_read_in_the_way_it_is_written(
    written: Any, kind: type, expected: list[Any]
) -> None:
    entry = parse(written)
    assert isinstance(entry, kind)
    assert resolved(entry, stages=9) == expected


def test_there_are_four_ways_to_search() -> None:
    assert WAYS == ("uniform", "log_uniform", "int", "choice")


@pytest.mark.parametrize("wrong", [None, [1, 2], {}, {"uniform": [0, 1], "int": [0, 1]}, {"a": 1}])
def test_what_is_no_entry_is_told_the_ways_there_are(wrong: Any) -> None:
    with pytest.raises(ValidationError, match=r"a value is needed, or one of \{uniform: \[low"):
        parse(wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"uniform": [1, 0.5]}, "the low end must not be above the high end, got [1, 0.5]"),
        ({"uniform": [1]}, "two numbers [low, high] are needed, got [1]"),
        ({"uniform": [1, 2, 3]}, "two numbers [low, high] are needed, got [1, 2, 3]"),
        ({"log_uniform": [0, 1]}, "log_uniform needs ends above 0, got [0, 1]"),
        ({"log_uniform": [-1, 1]}, "log_uniform needs ends above 0, got [-1, 1]"),
        ({"choice": [16, 16]}, "the choices must differ from each other, got [16, 16]"),
        ({"choice": [1, 1.0]}, "the choices must differ from each other, got [1, 1.0]"),
        ({"choice": []}, "at least 1 item"),
        ({"int": [1, 2, 3]}, "at most 2 items"),
        ({"int": [0.5, 2]}, "valid integer"),
        ({"uniform": [0, float("inf")]}, "finite number"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_told_the_rule(wrong: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(wrong)
    assert message in str(caught.value)


NUMBERS = [n for n, h in HYPERPARAMETERS.items() if h.kind in (Kind.NUMBER, Kind.COUNT)]
COUNTS = [name for name in NUMBERS if HYPERPARAMETERS[name].kind is Kind.COUNT]
WORDS = [name for name in HYPERPARAMETERS if name not in NUMBERS]


@pytest.mark.parametrize("name", NUMBERS)
def test_the_bounds_are_those_of_the_table(name: str) -> None:
    """Closed ends are right, open ones and what lies beyond is wrong."""
    bounds = HYPERPARAMETERS[name].bounds
    for rule, end in vars(bounds).items():
        if end is not None:
            beyond = end - 1 if rule in ("at_least", "above") else end + 1
            told = f"must be {rule.replace('_', ' ')} {end}, got"
            closed = rule.startswith("at_")
            assert faults(name, end) == ([] if closed else [f"{told} {end}"])
            assert faults(name, {"choice": [beyond]}) == [f"{told} {beyond}"]
    assert any(end is not None for end in vars(bounds).values())


def test_an_open_end_is_no_end_of_a_range() -> None:
    assert faults("momentum", {"uniform": [0, 0.9999999]}) == []
    assert faults("momentum", {"uniform": [0, 1]}) == ["must be below 1, got 1.0"]


@pytest.mark.parametrize("name", WORDS)
def test_categories_and_flags_take_their_values_only(name: str) -> None:
    hyperparameter = HYPERPARAMETERS[name]
    values: list[Any] = list(hyperparameter.choices) or [True, False]
    assert faults(name, values[0]) == faults(name, {"choice": values}) == []
    rule = f"one of {', '.join(values)}" if hyperparameter.choices else "true or false"
    for wrong in ("some", 1, "all"):
        (told,) = faults(name, wrong)
        is_network = name == "backbone"
        network_rule = f"must name a network of the catalog: unknown backbone '{wrong}'"
        assert told.startswith(network_rule if is_network else f"must be {rule}, got {wrong}")
    assert faults(name, {"uniform": [0, 1]}) == ["there is nothing between its values; use choice"]


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_not_words(name: str) -> None:
    for wrong in ("some", True):
        (fault,) = faults(name, wrong)
        assert fault.endswith(f"number, got {wrong!r}")


def test_each_value_out_of_bounds_is_told() -> None:
    assert len(faults("momentum", {"choice": [-1, 0.5, 1, 2]})) == 3


@pytest.mark.parametrize("name", COUNTS)
def test_whole_numbers_take_no_fractions(name: str) -> None:
    assert faults(name, 2.5) == ["must be a whole number, got 2.5"]
    assert faults(name, {"choice": [2, 2.5]}) == ["must be a whole number, got 2.5"]
    for way in ("uniform", "log_uniform"):
        told = faults(name, {way: [1, 4]})
        assert told == ["only whole numbers are possible; use int or choice"]


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "frozen_stages"])
@pytest.mark.parametrize("entry", ["all", {"int": [0, "all"]}, {"choice": [1, "all"]}])
def test_all_is_for_frozen_stages_only(name: str, entry: Any) -> None:
    assert faults(name, entry) == ["'all' has a meaning for frozen_stages only"]
    assert faults("frozen_stages", entry) == []


def test_frozen_stages_end_with_the_stages_of_the_backbone() -> None:
    assert faults("frozen_stages", {"int": [0, 9]}, all_stages=9) == []
    assert faults("frozen_stages", 10, all_stages=9) == ["must be at most 9, got 10"]


def test_a_range_of_whole_numbers_is_in_order() -> None:
    told = ["the low end must not be above the high end, got ['all', 2]"]
    assert faults("frozen_stages", {"int": ["all", 2]}, all_stages=9) == told
