"""How fast trials could be done by one who knows each of their lengths beforehand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np


class Slot(NamedTuple):
    """A worker slot.

    Args:
        speed: One CPU worker's being 1.
        joins_s: When it is there.
        leaves_s: When it is gone: what it begins must have ended by then.
    """

    speed: float
    joins_s: float = 0.0
    leaves_s: float = math.inf


def listed_s(slots: Sequence[Slot], seconds: Iterable[float]) -> float:
    """Return when all trials are done if each goes, in turn, to the slot in which it ends first.

    List scheduling: a trial of known length waits for nobody but those before it.

    Args:
        seconds: How long each trial takes a slot of speed 1.
    """
    speeds, joins, leaves = (np.array(values) for values in zip(*slots, strict=True))
    free = joins.astype(float)
    for each in seconds:
        ends = free + each / speeds
        ends[ends > leaves] = math.inf
        first = int(ends.argmin())
        free[first] = ends[first]
    return float(free[free > joins].max())


def all_known_s(slots: Sequence[Slot], seconds: Sequence[float]) -> float:
    """Return the same if all trials are known at the start, and the longest ones go first.

    LPT: Graham 1969, https://doi.org/10.1137/0117039.
    """
    return listed_s(slots, sorted(seconds, reverse=True))
