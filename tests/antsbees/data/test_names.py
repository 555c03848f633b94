"""A file name in a message can do nothing to a terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from antsbees.data.names import listed, printable
from tests.antsbees.data.image_sets import refusal, write_set


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain it's Ämeise 蜂 [red]%d.jpg", "plain it's Ämeise 蜂 [red]%d.jpg"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc", r"a\nb\tc"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        (os.fsdecode(b"\xff.png"), r"\udcff.png"),
    ],
)
def test_what_steers_a_terminal_is_shown_as_its_escape(name: str, shown: str) -> None:
    assert printable(name) == shown
    printable(name).encode()


def test_a_list_is_cut_and_its_rest_counted() -> None:
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(list("abcde"), 2) == "a, b, and 3 more"


def test_an_escape_sequence_in_the_name_of_a_broken_image_is_not_in_the_message(
    tmp_path: Path,
) -> None:
    root = write_set(tmp_path / "set\x1b[1m")
    (root / "train" / "ants" / "\x1b[31m.png").write_bytes(b"broken")
    assert "\x1b" not in refusal(root)
    assert r"train/ants/\x1b[31m.png cannot be decoded" in refusal(root)
