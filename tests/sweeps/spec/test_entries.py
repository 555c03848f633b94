"""What the ways to write a hyperparameter promise."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from antsbees.config import SETTINGS_OF_KIND
from sweeps.spec.entries import BOUNDS, WAYS, Choice, Entry, Int, LogUniform, Uniform, faults_of
from sweeps.spec.entries import values_of as values
from sweeps.spec.models import Space

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
    ],
)
def test_an_entry_is_read_in_the_way_it_is_written(
    written: Any, kind: type, expected: list[float]
) -> None:
    entry = parse(written)
    assert isinstance(entry, kind)
    assert values(entry, all_stages=9) == expected


def test_there_are_four_ways_to_search() -> None:
    assert WAYS == ("uniform", "log_uniform", "int", "choice")


@pytest.mark.parametrize(
    "wrong", [True, None, "some", "0.1", [1, 2], {}, {"uniform": [0, 1], "int": [0, 1]}, {"a": 1}]
)
def test_what_is_no_entry_is_told_the_ways_there_are(wrong: Any) -> None:
    with pytest.raises(ValidationError, match=r"a number is needed, or one of \{uniform: \[low"):
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


def test_every_hyperparameter_has_bounds() -> None:
    settings = {name for names in SETTINGS_OF_KIND.values() for name in names}
    shared = set(Space.model_fields) - {"schedule"}
    assert set(BOUNDS) == shared | settings
    assert len(BOUNDS) == 11


@pytest.mark.parametrize("name", BOUNDS)
def test_values_within_the_bounds_are_right_and_beyond_them_wrong(name: str) -> None:
    bounds = BOUNDS[name]
    step = 1 if bounds.whole else 1e-3
    for right in (bounds.low, bounds.high):
        assert faults(name, right) == []
        assert faults(name, {"choice": [right]}) == []
    for wrong in (bounds.low - step, bounds.high + step):
        (fault,) = faults(name, wrong)
        assert fault == f"must be between {bounds.low:g} and {bounds.high:g}, got {wrong:g}"


def test_each_value_out_of_bounds_is_told() -> None:
    assert len(faults("momentum", {"choice": [-1, 0.5, 1, 2]})) == 3


@pytest.mark.parametrize("name", [name for name, bounds in BOUNDS.items() if bounds.whole])
def test_whole_numbers_take_no_fractions(name: str) -> None:
    assert faults(name, 2.5) == ["must be a whole number, got 2.5"]
    assert faults(name, {"choice": [2, 2.5]}) == ["must be a whole number, got 2.5"]
    for way in ("uniform", "log_uniform"):
        told = faults(name, {way: [1, 4]})
        assert told == ["only whole numbers are possible; use int or choice"]


@pytest.mark.parametrize("name", [name for name in BOUNDS if name != "frozen_stages"])
@pytest.mark.parametrize("entry", ["all", {"int": [0, "all"]}, {"choice": [1, "all"]}])
def test_all_is_for_frozen_stages_only(name: str, entry: Any) -> None:
    assert faults(name, entry) == ["'all' has a meaning for frozen_stages only"]
    assert faults("frozen_stages", entry) == []


def test_frozen_stages_end_with_the_stages_of_the_backbone() -> None:
    assert faults("frozen_stages", {"int": [0, 9]}, all_stages=9) == []
    assert faults("frozen_stages", 10, all_stages=9) == ["must be between 0 and 9, got 10"]


def test_a_range_of_whole_numbers_is_in_order() -> None:
    told = ["the low end must not be above the high end, got ['all', 2]"]
    assert faults("frozen_stages", {"int": ["all", 2]}, all_stages=9) == told
