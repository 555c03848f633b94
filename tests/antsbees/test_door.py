"""``import antsbees`` is a door: a few names, looked up when they are asked for."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import antsbees

NAMES = [
    "Bench", "Schedule", "TaskConfig", "TrialConfig", "load_model", "open_dataset", "predict",
]  # fmt: skip


def test_the_door_shows_these_names_and_no_others() -> None:
    assert antsbees.__all__ == NAMES
    assert set(NAMES) <= set(dir(antsbees))


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_the_one_of_its_home(name: str) -> None:
    found = getattr(antsbees, name)
    assert found is getattr(importlib.import_module(found.__module__), name)
    assert found.__module__.startswith("antsbees.")


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'antsbees' has no attribute 'Ray'$"):
        antsbees.Ray  # noqa: B018 # it is the look-up that is tested


def test_opening_the_door_loads_nothing() -> None:
    code = "import sys; before = set(sys.modules); import antsbees; print(*set(sys.modules)-before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "numpy", "PIL", "antsbees.bench"}
    assert "antsbees" in done.stdout.split()
