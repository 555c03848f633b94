"""Every hyperparameter of the table is known to the spec, the space, first tries and the card."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from antsbees.hyperparameters import HYPERPARAMETERS
from results.schema import COLUMNS
from sweeps.errors import SpecError
from sweeps.search.space import SearchSpace
from sweeps.spec.first import First
from sweeps.spec.reading import parse_spec
from sweeps.spec.space import BESIDE_THE_SPACE, ScheduleSettings, Space
from tests.sweeps.sweep_fakes import WIDE_SPACE, make_spec


def test_each_hyperparameter_has_one_place_in_a_spec() -> None:
    places = [*BESIDE_THE_SPACE, *Space.model_fields, *ScheduleSettings.model_fields]
    assert sorted(places) == sorted(HYPERPARAMETERS)
    assert set(First.model_fields) == set(HYPERPARAMETERS) | {"name"}
    assert len(places) >= 21


def test_each_hyperparameter_is_a_parameter_of_the_space_and_a_column_of_the_row() -> None:
    space = SearchSpace.of(make_spec(WIDE_SPACE))
    assert {parameter.hyperparameter for parameter in space.parameters} == set(HYPERPARAMETERS)
    assert set(HYPERPARAMETERS) <= set(COLUMNS)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(
    ["uniform", "log_uniform", "int", "choice", "step", "cosine", "name", *HYPERPARAMETERS]
)
ANYTHING = st.recursive(
    SCALARS | st.sampled_from(["all", "tutorial", "sgd"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*Space.model_fields, "lrr"]), ANYTHING, max_size=4),
    st.lists(ANYTHING, max_size=2),
    st.dictionaries(st.sampled_from(["backbone", "epochs", "weights", "data"]), ANYTHING),
)
def test_whatever_is_written_is_a_spec_or_a_sentence(
    space: Any, first: list[Any], top: dict[str, Any]
) -> None:
    plain = {"name": "a", "space": space, "search": {"first": first}, **top}
    try:
        spec = parse_spec(yaml.safe_dump(plain), "my.yaml")
    except SpecError:  # and nothing else
        return
    compiled = SearchSpace.of(spec)
    for one in spec.search.first:
        params, outside = compiled.divide(one)
        assert not set(params) & set(outside)
        values = {name.rpartition(".")[2] for name in {**params, **outside}}
        assert set(one.given()) <= values
