"""The table of rooms, held over the syntax trees of all modules."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AT_LEAST = {"antsbees": 19, "results": 5, "sweeps": 19}  # modules there are
FORBIDDEN = {
    "antsbees": {"ray", "optuna", "pyarrow", "pandas", "sweeps", "results"},
    "results": {"torch", "torchvision", "timm", "ray", "optuna", "antsbees", "sweeps"},
    "sweeps": set[str](),
}
MAY_PRINT = {"sweeps/cli.py"}


def trees(room: str) -> dict[str, ast.Module]:
    """Every module of a room by its path from the root."""
    files = sorted((ROOT / room).rglob("*.py"))
    return {str(f.relative_to(ROOT)): ast.parse(f.read_text()) for f in files}


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level packages a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_nothing_that_is_not_its_business(room: str) -> None:
    modules = trees(room)
    assert len(modules) >= AT_LEAST[room]
    wrong = {name: set(imported(tree)) & FORBIDDEN[room] for name, tree in modules.items()}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize("room", FORBIDDEN)
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


def test_the_rooms_do_import_what_they_are_there_for() -> None:
    """Guards the tests above: a walk that saw no import would find nothing forbidden either."""
    seen = {room: {i for tree in trees(room).values() for i in imported(tree)} for room in AT_LEAST}
    assert {"torch", "timm", "torchvision"} <= seen["antsbees"]
    assert {"pyarrow", "pandas"} <= seen["results"]
    assert {"ray", "optuna", "antsbees", "results"} <= seen["sweeps"]


@pytest.mark.parametrize("room", FORBIDDEN)
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
    modules = {name: tree for room in AT_LEAST for name, tree in trees(room).items()}
    printing = {
        name
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
        ("import sweeps.cli", {"torch", "ray", "optuna", "pandas"}),
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
