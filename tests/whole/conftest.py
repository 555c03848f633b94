"""Marks the tests of the whole path, and gives each a folder for its runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.paths import RunPaths


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below this folder as a test of the whole path."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.whole)


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    return RunPaths(tmp_path / "runs")
