"""The console of every command: what it prints is text, never markup and never a command."""

from __future__ import annotations

from typing import IO, Any

from rich.console import Console
from rich.text import Text

from sweeps.views.text import printable_lines


class PlainConsole(Console):
    """A console that reads no markup in strings, and shows what steers a terminal as escapes.

    The name of a file can hold ``[red]`` or an escape sequence; both are printed as they are named.

    Args:
        file: Where to print [default: standard output].
        wide: Cut nothing off where the output is no terminal.
    """

    def __init__(self, file: IO[str] | None = None, wide: bool = False) -> None:
        super().__init__(file=file, markup=False, highlight=False, emoji=False)
        if wide and not self.is_terminal:
            self.width = 200

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a string, made safe."""
        return super().render_str(printable_lines(text), **options)
