"""Text from outside, such as the name of a file, made safe for a terminal."""

from __future__ import annotations

import unicodedata

UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: object) -> str:
    """Return a text with all that steers a terminal, or cannot be written, as its escape.

    Control characters, among them the one that begins an escape sequence, marks that turn the
    direction of writing, and the halves of a character that stand for undecodable bytes.
    """
    return "".join(
        repr(character)[1:-1] if unicodedata.category(character) in UNPRINTABLE else character
        for character in str(text)
    )


def printable_lines(text: object) -> str:
    """Return ``printable`` of a text whose line ends are meant."""
    return "\n".join(map(printable, str(text).split("\n")))
