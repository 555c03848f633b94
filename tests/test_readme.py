"""What the README shows can be typed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from antsbees.data.synthetic import drawing as synthetic
from sweeps.spec.reading import parse_spec

README = Path(__file__).parents[1] / "README.md"
MAKEFILE = README.with_name("Makefile")


def test_the_specs_shown_can_be_read() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(shown) == 2
    for text in shown:
        named = text if "name:" in text else f"name: part\n{text}"
        assert parse_spec(named, "README.md").name in ("flowers", "part")


def test_the_targets_shown_are_there() -> None:
    shown = set(re.findall(r"\bmake ([a-z-]+)", README.read_text()))
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE.read_text(), re.MULTILINE))
    assert shown - {"alone"} <= targets
    assert len(shown) >= 8


@pytest.mark.whole  # another process
def test_the_configuration_shown_is_trained_without_ray(tmp_path: Path) -> None:
    """On a few drawn images, which lie where `auto` looks first."""
    synthetic.write(tmp_path / "few", size=48, counts={"train": 4, "val": 2})
    programs = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (program,) = [text for text in programs if "from antsbees import" in text]
    assert len([line for line in program.splitlines() if line]) == 9
    asked = "print(type(network).__name__, {'ray', 'optuna', 'pandas'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\n{asked}"],
        env=os.environ
        | {"ANTSBEES_DATA": str(tmp_path / "few"), "ANTSBEES_CACHE": str(tmp_path / "cache")},
        cwd=README.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    *epochs, last = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in epochs] == ["epoch 1", "epoch 2", "epoch 3"]
    assert all(re.fullmatch(r"epoch \d: [0-9.]+% of 4 right", line) for line in epochs)
    assert last == "Sequential set()"
