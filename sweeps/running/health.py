"""Tells a configuration's failure from a lane's: which lane closes, and when all is over. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sweeps.running.lanes import LaneKind, Place

FEW = 3  # trials in a row that close a lane which has not completed an epoch yet
MANY = 8  # and one which has: there, some configurations may well fail in a row
DIVERGED = "diverged"
NOT_STARTED = "not started"
CONCERN_ALL = frozenset(
    {"DataError", "WeightsError", "CacheError", "FileNotFoundError", "NotADirectoryError",
     "PermissionError", "UnidentifiedImageError"}
)  # fmt: skip
"""Kinds of error that no configuration is to blame for, and no device either."""


CONCERN_NODE = CONCERN_ALL | {"ImagesDifferError", NOT_STARTED}
"""Kinds of error that say something of a whole machine."""


class Consequence(StrEnum):
    """What follows from a failure."""

    CONFIGURATION = "configuration"
    """The configuration failed; the trial ends."""
    SUSPECT = "suspect"
    """It may be the lane's fault: the trial waits for what comes next there."""
    LANE = "lane"
    """The lane is at fault and closes."""
    SWEEP = "sweep"
    """It concerns every trial; the sweep ends."""


@dataclass(frozen=True)
class Failure:
    """A trial that failed.

    Args:
        node: Where; ``None`` when its worker died without a word.
        kind: Of the error, as a row has it.
        epochs: How many were completed there before.
        place: Its lane, of its machine where there are several.
        lost: Its worker or node died.
        proposed_at_s: When it was placed.
    """

    number: int
    lane: LaneKind
    node: str | None
    kind: str
    message: str
    place: Place | None = None
    epochs: int = 0
    lost: bool = False
    proposed_at_s: float = 0.0

    @property
    def is_of_one_machine(self) -> bool:
        """Whether its lane is that of one machine of several."""
        return self.place is not None and self.place[1] is not None

    @property
    def places(self) -> list[Place]:
        """The lanes that are to be closed if it is not the configuration's fault."""
        place = self.place or (self.lane, None)
        if self.is_of_one_machine and self.kind in CONCERN_NODE:
            return [(kind, place[1]) for kind in LaneKind]
        return [place]

    @property
    def cause(self) -> tuple[str, str]:
        """What two failures of one cause share: the kind, and the message but for its values."""
        quoted = re.sub(r"'[^']*'|\"[^\"]*\"", "'...'", self.message.partition("\n")[0])
        return self.kind, re.sub(r"\d+", "0", quoted)


@dataclass
class _Streak:
    """Failures in a row, of one cause, in a lane on a node."""

    cause: tuple[str, str]
    numbers: set[int] = field(default_factory=set)
    last_at_s: float = float("-inf")


class LaneHealth:
    """Counts failures in a row, for each lane and node on its own."""

    def __init__(self) -> None:
        self._worked: set[LaneKind] = set()
        self._streaks: dict[tuple[LaneKind, str | None], _Streak] = {}

    def completed(self, lane: LaneKind, node: str | None) -> None:
        """Take in that an epoch was completed."""
        self._worked.add(lane)
        for key in ((lane, node), (lane, None)):
            self._streaks.pop(key, None)

    def failed(self, failure: Failure, now_s: float) -> Consequence:
        """Judge a failure.

        Trials that were lost together with their node, or in one go, count once: only those
        proposed after the last one that counted do.
        """
        concerns_all = failure.kind in CONCERN_ALL
        if failure.kind == DIVERGED or (failure.epochs and not concerns_all):
            return Consequence.CONFIGURATION
        key = failure.lane, failure.node
        streak = self._streaks.get(key)
        if streak is None or streak.cause != failure.cause:
            streak = self._streaks[key] = _Streak(failure.cause)
        if not failure.lost or failure.proposed_at_s > streak.last_at_s:
            streak.numbers.add(failure.number)
            streak.last_at_s = now_s
        limit = MANY if failure.lane in self._worked and not concerns_all else FEW
        if failure.kind == NOT_STARTED:  # it was waited for long enough
            limit = 1
        if len(streak.numbers) < limit:
            return Consequence.SUSPECT
        others = self._worked - {failure.lane}
        return Consequence.SWEEP if concerns_all and not others else Consequence.LANE


def told(failure: Failure, consequence: Consequence, open_lanes: Mapping[LaneKind, object]) -> str:
    """Say in one sentence why a lane was closed, or the sweep ended."""
    where = f" on {failure.node}" if failure.node else ""
    cause = f"{failure.kind}: {_first_line(failure.message)}"
    if consequence is Consequence.SWEEP:
        return f"the sweep ended, since no trial can be run{where}: {cause}"
    what = f"the {failure.lane} lane was closed"
    if failure.is_of_one_machine:
        what = f"{failure.node} gets no more trials"
        if failure.kind not in CONCERN_NODE:
            what = f"the {failure.lane} lane of {failure.node} was closed"
        where = ""
    told = f"{what}, since {_fault(failure, where, cause)}"
    if open_lanes:
        what = "trials" if failure.kind == NOT_STARTED else "they"
        return f"{told}; {what} go to the {' and '.join(map(str, open_lanes))} lane"
    return f"{told}; no lane is left"


def _fault(failure: Failure, where: str, cause: str) -> str:
    """Say what a lane was closed for: one worker that does not start is waited for long enough."""
    if failure.kind != NOT_STARTED:
        return f"its trials keep failing{where}: {cause}"
    asked = " (can that machine reach this one on every port?)"
    return f"{failure.message}{asked if failure.is_of_one_machine else ''}"


def _first_line(message: str) -> str:
    return message.strip().partition("\n")[0].rstrip(".")
