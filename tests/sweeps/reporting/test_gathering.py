"""What a report says about how to run its sweep again can be run."""

from __future__ import annotations

import pytest

from sweeps.naming import SHIPPED, spec_path
from sweeps.paths import RunPaths
from sweeps.reporting.gathering import reproduction_of, spec_of
from sweeps.spec.reading import parse_spec, read_spec
from tests.sweeps.sweep_fakes import WIDE_SPACE, make_spec


@pytest.mark.parametrize("name", SHIPPED)
def test_the_spec_in_a_report_is_the_sweeps(name: str) -> None:
    spec = read_spec(spec_path(name))
    assert parse_spec(reproduction_of(spec).spec, "report.yaml") == spec


def test_a_spec_of_ones_own_too() -> None:
    spec = make_spec(WIDE_SPACE, search={"early_stopping": "none"}, lanes={"cpu": {"threads": 2}})
    assert parse_spec(reproduction_of(spec).spec, "report.yaml") == spec


@pytest.mark.parametrize("content", ["", "[]", '{"name": 3}', "{"])
def test_a_file_that_describes_no_sweep_is_passed_over(content: str, paths: RunPaths) -> None:
    assert spec_of(paths.spec("test")) is None
    paths.spec("test").write_text(content)
    assert spec_of(paths.spec("test")) is None


@pytest.fixture
def paths(tmp_path_factory: pytest.TempPathFactory) -> RunPaths:
    paths = RunPaths(tmp_path_factory.mktemp("runs"))
    paths.sweep("test").mkdir(parents=True)
    return paths
