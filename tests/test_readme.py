"""What the README shows can be typed."""

from __future__ import annotations

import re
from pathlib import Path

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
