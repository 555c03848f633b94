"""A row of numbers as a line of blocks, one character each."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """Draw numbers from the least to the greatest; of more than ``width``, every so many-th.

    The last one is always drawn. Numbers that are all alike lie at the bottom.
    """
    if len(values) > width:
        last = len(values) - 1
        values = [values[round(place * last / (width - 1))] for place in range(width)]
    low, high = min(values, default=0.0), max(values, default=0.0)
    steps = len(BLOCKS) - 1
    reach = high - low
    return "".join(BLOCKS[round(steps * (v - low) / reach) if reach else 0] for v in values)
