"""What steers a terminal is shown as its escape; what is to be read stays."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.table import Table

from sweeps.views.console import PlainConsole
from sweeps.views.text import printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bee.jpg", "bee.jpg"),
        ("fourmi é 蟻 🐜.jpg", "fourmi é 蟻 🐜.jpg"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\u202egpj.bee", r"\u202egpj.bee"),
        ("\udcff.jpg", r"\udcff.jpg"),
        ("\x9b1m", r"\x9b1m"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_only_what_steers_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert shown.encode().decode() == shown


def test_lines_of_a_message_stay_lines() -> None:
    assert printable_lines("one\n\x07two") == "one\n\\x07two"


def test_a_console_prints_strings_safely_wherever_they_stand() -> None:
    out = StringIO()
    console = PlainConsole(file=out, wide=True)
    table = Table(title="[b]title\x1b]0;t\x07")
    table.add_column("[i]head")
    table.add_row("[red]cell\x1b[1m :bee:")
    console.print("[bold]line\x1b[2J", table)
    told = out.getvalue()
    for expected in (
        r"[bold]line\x1b[2J",
        r"[b]title\x1b]0;t\x07",
        "[i]head",
        r"[red]cell\x1b[1m :bee:",
    ):
        assert expected in told
    assert "\x1b" not in told
