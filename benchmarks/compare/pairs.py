"""Runs the two sides of a comparison one after the other, never at once."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.compare.measured import Run
from benchmarks.compare.settings import Settings


def alternate(
    settings: Settings, ours: Callable[[], Run], baseline: Callable[[], Run]
) -> tuple[Run, Run]:
    """Run both, in the order the settings say.

    Returns:
        Ours, then the baseline's, whichever came first.
    """
    if settings.ours_first:
        first = ours()
        return first, baseline()
    second = baseline()
    return ours(), second
