"""Which configurations answer best together: greedy selection with replacement.

Source: Caruana et al. (2004), https://doi.org/10.1145/1015330.1015432.
"""

from __future__ import annotations

import numpy as np

from results.evidence import Evidence, Floats
from results.selection import Select

MOST_MEMBERS = 50


def greedy(most_members: int = MOST_MEMBERS) -> Select:
    """Add the member that lowers the log-loss most, until none does; members may come again.

    Args:
        most_members: Counts a member as often as it was added.

    Raises:
        ValueError: An ensemble of nothing is asked for.
    """
    if most_members < 1:
        raise ValueError(f"an ensemble needs at least 1 member, got {most_members}")

    def select(evidence: Evidence) -> Floats:
        right = np.exp(-evidence.losses)  # (configurations, images): of the right class
        shares = evidence.counts / evidence.counts.sum()
        weights = np.zeros(len(right))
        together, lowest = np.zeros(right.shape[1]), np.inf
        for size in range(1, most_members + 1):
            losses = -np.log((together + right) / size) @ shares
            member = int(np.argmin(losses))
            if losses[member] >= lowest - 1e-12:
                break
            lowest = float(losses[member])
            together = together + right[member]
            weights[member] += 1
        mixed: Floats = weights / weights.sum()
        return mixed

    return select
