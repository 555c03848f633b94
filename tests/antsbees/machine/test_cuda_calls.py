"""Every call of ``torch.cuda`` that is made, held against torch's source, without a GPU."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import torch
from torch.autograd.profiler_util import FunctionEventAvg

ROOT = Path(__file__).parents[3]
FILES = [
    *sorted((ROOT / "antsbees").rglob("*.py")),
    ROOT / "benchmarks" / "studies" / "gpu.py",
    ROOT / "tests" / "antsbees" / "machine" / "test_gpu.py",
]


def calls() -> list[tuple[str, ast.Call]]:
    """Return what is called of ``torch.cuda``, by its name there."""
    found = []
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                if owner == "torch.cuda":
                    found.append((node.func.attr, node))
    return found


def test_every_call_exists_and_takes_its_arguments() -> None:
    made = calls()
    assert len(made) > 20
    for name, call in made:
        called = getattr(torch.cuda, name)
        if name in ("CUDAGraph", "Stream"):  # classes of C++, without a signature
            continue
        words = {keyword.arg: None for keyword in call.keywords if keyword.arg}
        inspect.signature(called).bind(*call.args, **words)


def test_what_the_study_reads_of_a_profile_is_there() -> None:
    assert "self_device_time_total" in dir(FunctionEventAvg())
