"""`make` itself: which Python it takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parents[2]


def test_a_python_that_is_too_old_is_told_in_a_sentence(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.18\nexit 1\n')
    old.chmod(0o755)
    command = ["make", "sweep", f"PYTHON={old}"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        f"error: antsbees needs Python 3.11 or newer, and {old} is Python 3.8.18; "
        "name another one: make PYTHON=python3.12 sweep\n"
    )
    assert not (tmp_path / ".venv").exists()
