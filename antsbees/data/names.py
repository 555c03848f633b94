"""File names as messages show them: on one line, and without what steers a terminal."""

from __future__ import annotations

from pathlib import PurePath


def printable(name: str | PurePath) -> str:
    r"""Return a name with each character that cannot be shown as its escape.

    Line ends, escape sequences, marks that turn the direction of writing, and bytes that are no
    text come out as ``\n``, ``\x1b``, ``\u202e`` and ``\udcff``; all else is as it was.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(name))


def listed(items: list[str], at_most: int = 5) -> str:
    """Join the first items with commas, and count the others."""
    more = f", and {len(items) - at_most} more" if len(items) > at_most else ""
    return ", ".join(items[:at_most]) + more
