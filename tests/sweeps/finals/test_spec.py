"""Finals in a spec: on in what is shipped, off by one word."""

from __future__ import annotations

import pytest

from sweeps.errors import SpecError
from sweeps.naming import spec_path
from sweeps.spec.models import Finals
from sweeps.spec.reading import parse_spec, read_spec


def test_shipped_specs_have_finals_and_the_tutorials_single_trial_has_none() -> None:
    assert read_spec(spec_path("default")).finals == Finals()
    assert read_spec(spec_path("quick")).finals == Finals(count=4, repeats=1)
    assert read_spec(spec_path("tutorial")).finals is None


def test_finals_are_off_by_one_word() -> None:
    assert parse_spec("{name: a, finals: none}", "a.yaml").finals is None
    assert parse_spec("{name: a, finals: {count: 4}}", "a.yaml").finals == Finals(count=4)


def test_what_finals_cannot_be_is_told_with_its_place() -> None:
    with pytest.raises(SpecError, match=r"finals\S*count \(line 1\).* got 1"):
        parse_spec("{name: a, finals: {count: 1}}", "a.yaml")
