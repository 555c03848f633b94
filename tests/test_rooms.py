"""The table of rooms, held over the syntax trees of all modules."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("antsbees", "results", "sweeps")
AT_LEAST = {"antsbees": 30, "results": 5, "sweeps": 34}  # modules there are
MAY_PRINT = {"sweeps.cli"}

# What the modules of a folder may import beside the standard library and each other: packages, and
# folders of ours. Ray only in `sweeps.running`, Optuna only in `sweeps.search`.
ALLOWED: dict[str, set[str]] = {
    "antsbees": {
        "antsbees.data", "antsbees.frozen", "antsbees.machine", "antsbees.networks",
        "numpy", "platformdirs", "safetensors", "torch",
    },
    "antsbees.data": {"antsbees", "antsbees.data.synthetic", "PIL", "filelock", "numpy"},
    "antsbees.data.synthetic": {"PIL", "numpy"},
    "antsbees.frozen": {
        "antsbees", "antsbees.data", "antsbees.layers", "antsbees.machine", "antsbees.networks",
        "filelock", "torch",
    },
    "antsbees.layers": {"torch"},
    "antsbees.machine": {"antsbees", "antsbees.layers", "antsbees.networks", "filelock", "torch"},
    "antsbees.networks": {
        "antsbees", "antsbees.layers", "antsbees.networks.families", "safetensors", "torch",
    },
    "antsbees.networks.families": {"antsbees", "timm", "torch", "torchvision"},
    "results": {"_typeshed", "filelock", "numpy", "pandas", "pyarrow"},
    "results.report": {"numpy", "results"},
    "results.report.drawing": {"altair", "jinja2", "results", "results.report", "vl_convert"},
    "sweeps": {
        "antsbees", "antsbees.data", "antsbees.machine", "antsbees.networks", "filelock", "numpy",
        "results", "rich", "sweeps.spec", "sweeps.views", "torch",
    },
    "sweeps.cli": {
        "antsbees", "antsbees.frozen", "results", "results.report", "rich",
        "sweeps",
        "sweeps.reporting", "sweeps.running", "sweeps.spec", "sweeps.views", "typer", "yaml",
    },
    "sweeps.finals": {"antsbees.networks", "results"},
    "sweeps.reporting": {
        "antsbees", "antsbees.data", "numpy", "results", "results.report",
        "results.report.drawing", "sweeps", "sweeps.search", "sweeps.spec", "yaml",
    },
    "sweeps.running": {
        "antsbees", "antsbees.data", "antsbees.frozen", "antsbees.machine", "antsbees.networks",
        "filelock", "ray", "results", "sweeps", "sweeps.finals", "sweeps.search", "sweeps.spec",
    },
    "sweeps.search": {"antsbees", "optuna", "results", "results.report", "sweeps.spec"},
    "sweeps.spec": {
        "antsbees", "antsbees.networks", "pydantic", "pydantic_core", "results", "sweeps", "yaml",
    },
    "sweeps.views": {
        "antsbees", "results", "results.report", "rich", "sweeps", "sweeps.finals",
        "sweeps.running", "sweeps.spec",
    },
}  # fmt: skip


@cache
def trees(room: str) -> dict[str, ast.Module]:
    """Every module of a room by its path from the root."""
    files = sorted((ROOT / room).rglob("*.py"))
    return {str(f.relative_to(ROOT)): ast.parse(f.read_text()) for f in files}


def folder_of(name: str) -> str:
    """Return the folder of ours that a dotted name lies in, or the package it is of."""
    parts = name.split(".")
    if parts[0] not in ROOMS:
        return parts[0]
    folders = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next(folder for folder in folders if (ROOT / folder.replace(".", "/")).is_dir())


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the folders and packages that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (folder_of(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (folder_of(f"{node.module}.{alias.name}") for alias in node.names)


@cache
def imports_by_folder() -> dict[str, set[str]]:
    """Return what the modules of each folder import, but the standard library and each other."""
    found: dict[str, set[str]] = {}
    for room in ROOMS:
        modules = trees(room)
        assert len(modules) >= AT_LEAST[room]
        for name, tree in modules.items():
            folder = ".".join(Path(name).parent.parts)
            names = set(imported(tree)) - sys.stdlib_module_names - {folder}
            found[folder] = found.get(folder, set()) | names
    return {folder: names for folder, names in found.items() if names}


def test_a_folder_imports_only_what_is_its_business() -> None:
    found = imports_by_folder()
    assert {f: found[f] - ALLOWED.get(f, set()) for f in found} == {f: set() for f in found}


def test_every_permission_is_used() -> None:
    """Guards the test above: a walk that saw no import would find nothing wrong either."""
    found = imports_by_folder()
    assert {f: ALLOWED[f] - found.get(f, set()) for f in ALLOWED} == {f: set() for f in ALLOWED}


@pytest.mark.parametrize("room", ROOMS)
def test_every_import_between_rooms_is_absolute(room: str) -> None:
    modules = trees(room)
    relative = [
        name
        for name, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert len(modules) >= AT_LEAST[room]
    assert relative == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_opens_with_a_sentence(room: str) -> None:
    modules = trees(room)
    opening = {
        name: (ast.get_docstring(tree) or "-").splitlines()[0]
        for name, tree in modules.items()
        if tree.body  # a package of data files has an empty one
    }
    assert len(opening) >= AT_LEAST[room] - 1
    assert {n: line for n, line in opening.items() if not line.endswith((".", ".)"))} == {}


def test_only_the_command_line_prints() -> None:
    modules = {name: tree for room in ROOMS for name, tree in trees(room).items()}
    printing = {
        ".".join(Path(name).parent.parts)
        for name, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    }
    assert len(modules) >= sum(AT_LEAST.values())
    assert printing == MAY_PRINT


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import results.leaderboard, results.ranking", {"torch", "ray", "optuna", "pandas"}),
        ("import sweeps.cli", {"torch", "ray", "optuna", "pandas", "altair", "vl_convert"}),
        ("import sweeps.running.driver", {"torch", "timm", "torchvision"}),
    ],
)
def test_looking_at_results_loads_nothing_heavy(statement: str, heavy: set[str]) -> None:
    code = f"{statement}; import sys; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert len(loaded) > 50
    assert loaded & heavy == set()
