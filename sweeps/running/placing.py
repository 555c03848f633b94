"""Chooses where the next trial runs: the lane in which it is expected to end first. Pure.

After "Performance-Effective and Low-Complexity Task Scheduling for Heterogeneous Computing"
(Topcuoglu et al. 2002, https://doi.org/10.1109/71.993206), for trials that become known one by one.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from sweeps.running.lanes import Lane, LaneKind, Place
from sweeps.running.pace import Pace, Work

WINDOW = 8  # trials that may wait for a faster lane while later ones run elsewhere
ALIKE = 0.05  # logarithm of a difference in speed between lanes that does not matter
CLEARLY = 0.5  # logarithm of how much faster another lane must be to be better for a trial
REMEMBERED = 64  # trials whose mean length stands for those to come
WORTH_MOVING = 1.25  # how much sooner a trial that began again elsewhere must end


@dataclass(frozen=True)
class Busy:
    """A slot at work.

    Args:
        ends_s: When its trial is expected to end.
        has_moved: The trial was at work elsewhere before, and goes nowhere else.
    """

    work: Work
    lane: Lane
    ends_s: float
    has_moved: bool = False


@dataclass(frozen=True)
class Left:
    """What is left of a sweep.

    Args:
        more: Trials to be proposed, beside those that wait.
        until_s: When the time is up.
    """

    more: int
    until_s: float | None = None


class Placing:
    """Chooses, of the trials that wait, the next one and its lane.

    A lane takes the trial it is best at beside the others. A slow lane begins a trial only if the
    faster ones could not do all that is left by the time it would end, and if that is before the
    time is up. A kind of lane that was never measured gets one trial to be measured by.

    Args:
        pace: How long trials take.
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._drawn: deque[Work] = deque(maxlen=REMEMBERED)

    def drew(self, work: Work) -> None:
        """Take in a trial that was proposed, or waits; those to come are taken to be alike."""
        self._drawn.append(work)

    def window(self, lanes: Sequence[Lane]) -> int:
        """Return how many trials may wait: one where there is no choice between lanes."""
        return 1 if len(lanes) < 2 else min(WINDOW, sum(lane.slots for lane in lanes))

    def choose(
        self,
        lanes: Sequence[Lane],
        busy: Sequence[Busy],
        waiting: Sequence[Work],
        left: Left,
        now_s: float,
    ) -> tuple[int, Lane] | None:
        """Return which of the waiting trials begins now, and where; ``None`` for none of them.

        Args:
            lanes: Open ones, the faster kind first.
            waiting: In the order in which they were proposed.
        """
        used = Counter(each.lane.place for each in busy)
        free = [lane for lane in lanes if used[lane.place] < lane.slots]
        if not free or not waiting:
            return None
        if len(lanes) == 1:
            return 0, free[0]
        slots = _Slots.now(self, lanes, busy, used, left, now_s)
        best_s = [slots.soonest_s(work) for work in waiting]
        trials_left = left.more + sum(best_s) / slots.fastest_s
        for group in slots.free():
            takes = [self.pace.seconds(work, group.lane) for work in waiting]
            if left.more and slots.is_to_be_explored(group.lane.kind):
                return takes.index(min(takes)), group.lane
            for place in _in_turn(takes, best_s, is_last=not left.more):
                is_best = takes[place] <= best_s[place]
                if is_best or slots.is_worth_it(group, takes[place], trials_left):
                    return place, group.lane
        return None

    def typical_s(self, lane: Lane) -> float:
        """Return how long the trials to come are expected to take in a kind of lane."""
        anywhere = replace(lane, node=None)
        drawn = Counter(self._drawn)
        total = sum(self.pace.seconds(work, anywhere) * count for work, count in drawn.items())
        return max(total / max(1, len(self._drawn)), 1e-6)

    def to_move(self, lanes: Sequence[Lane], busy: Sequence[Busy], now_s: float) -> int | None:
        """Return which slot at work is to give its trial back, for that ends sooner elsewhere.

        To be asked when no trial is left to begin: what one slow slot still works on, a fast one
        that has nothing to do may do from the start in clearly less time.
        """
        used = Counter(each.lane.place for each in busy)
        free = [lane for lane in lanes if used[lane.place] < lane.slots]
        if not free or len(lanes) == 1:
            return None
        numbers = (number for number, each in enumerate(busy) if not each.has_moved)
        latest = max(numbers, key=lambda number: busy[number].ends_s, default=None)
        if latest is None:
            return None
        soonest_s = min(self.pace.seconds(busy[latest].work, lane) for lane in free)
        return latest if soonest_s * WORTH_MOVING < busy[latest].ends_s - now_s else None


def _in_turn(takes: Sequence[float], best_s: Sequence[float], is_last: bool) -> list[int]:
    """Return the waiting trials in the order in which a lane would take them.

    First those that no other lane is clearly better at; of these the one that waits longest, or,
    where these are the last, the longest one.
    """
    handicap = [round(math.log(t / best) / CLEARLY) for t, best in zip(takes, best_s, strict=True)]
    return sorted(range(len(takes)), key=lambda i: (handicap[i], -takes[i] if is_last else i))


@dataclass
class _Group:
    """Slots that are about equally fast.

    Args:
        lane: One of theirs, with a free slot if there is one.
        typical_s: How long the trials to come are expected to take there.
        free: How many have nothing to do.
        ends: In how many seconds the others will have nothing to do.
    """

    lane: Lane
    typical_s: float
    free: int = 0
    ends: list[float] = field(default_factory=list)

    def done_within(self, seconds: float) -> int:
        """Return how many typical trials they complete within some seconds."""
        typical_s = self.typical_s
        later = sum(int((seconds - end) / typical_s) for end in self.ends if end < seconds)
        return self.free * int(seconds / typical_s) + later


class _Slots:
    """The slots of all lanes at one moment, those that are about equally fast together."""

    def __init__(self, pace: Pace, groups: Sequence[_Group], left: Left, now_s: float) -> None:
        self._pace = pace
        self._groups = groups
        self._left_s = None if left.until_s is None else left.until_s - now_s
        self._at_work = {group.lane.kind for group in groups if group.ends}
        self.fastest_s = min(group.typical_s for group in groups)

    @classmethod
    def now(
        cls,
        placing: Placing,
        lanes: Sequence[Lane],
        busy: Sequence[Busy],
        used: Counter[Place],
        left: Left,
        now_s: float,
    ) -> Self:
        """Look at all lanes, and sort them into groups."""
        groups: dict[tuple[LaneKind, int], _Group] = {}
        of_place: dict[Place, _Group] = {}
        of_kind: dict[LaneKind, float] = {}
        for lane in lanes:
            if lane.kind not in of_kind:
                of_kind[lane.kind] = placing.typical_s(lane)
            typical_s = of_kind[lane.kind] * placing.pace.slowness(lane)
            key = lane.kind, round(math.log(typical_s) / ALIKE)
            group = of_place[lane.place] = groups.setdefault(key, _Group(lane, typical_s))
            free = max(0, lane.slots - used[lane.place])
            if free and not group.free:
                group.lane = lane
            group.free += free
        for each in busy:
            if (found := of_place.get(each.lane.place)) is not None:
                found.ends.append(max(0.0, each.ends_s - now_s))
        return cls(placing.pace, list(groups.values()), left, now_s)

    def free(self) -> list[_Group]:
        """Return those with a free slot, the fastest first."""
        return sorted((g for g in self._groups if g.free), key=lambda group: group.typical_s)

    def soonest_s(self, work: Work) -> float:
        """Return how long a trial takes where it is done fastest."""
        return min(self._pace.seconds(work, group.lane) for group in self._groups)

    def is_worth_it(self, group: _Group, takes_s: float, trials_left: float) -> bool:
        """Tell whether a trial is to begin in a slot that is not the fastest one for it."""
        if self._left_s is not None and takes_s > self._left_s:
            return False
        faster = (other for other in self._groups if other.typical_s < group.typical_s)
        return sum(other.done_within(takes_s) for other in faster) < trials_left

    def is_to_be_explored(self, kind: LaneKind) -> bool:
        """Tell whether a kind of lane was never measured, and no trial is about to."""
        return not (self._pace.is_measured(kind) or kind in self._at_work)
