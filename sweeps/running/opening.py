"""Which lanes are open: there, not closed for their failures, not held by other jobs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from sweeps.running.lanes import Lane, Place

NO_MACHINE_S = 30.0  # without a machine that could run a trial, after which the sweep ends
HELD_S = 20.0  # that a trial waits for room, after which it goes elsewhere
HELD_AGAIN_S = 60.0  # after which a lane that was held is tried again


class LanesNow(Protocol):
    """Tells of the lanes that there is room for just now."""

    def __call__(self, closed: Collection[Place], fresh: bool = False) -> tuple[Lane, ...]:
        """Return them.

        Args:
            closed: Lanes not to use.
            fresh: What was known a second ago will not do.
        """


class OpenLanes:
    """The lanes that trials may be placed in."""

    def __init__(self, lanes_now: LanesNow) -> None:
        self._lanes_now = lanes_now
        self._closed: set[Place] = set()
        self._held: dict[Place, float] = {}
        self._laneless_since_s: float | None = None

    def there(self, fresh: bool = False) -> tuple[Lane, ...]:
        """Return those that are there and not closed."""
        return self._lanes_now(self._closed, fresh)

    def besides(self, *places: Place) -> tuple[Lane, ...]:
        """Return those that there would be if more were closed."""
        return self._lanes_now({*self._closed, *places})

    def now(self, now_s: float) -> tuple[Lane, ...]:
        """Return those to place trials in; held ones only where there is nothing else."""
        lanes = self.there()
        if lanes:
            self._laneless_since_s = None
        elif self._laneless_since_s is None:
            self._laneless_since_s = now_s
        self._held = {place: until_s for place, until_s in self._held.items() if until_s > now_s}
        return tuple(lane for lane in lanes if lane.place not in self._held) or lanes

    def why_ended(self, now_s: float) -> str | None:
        """Return why the sweep ends, if there was no lane for a while."""
        since_s = self._laneless_since_s
        if since_s is None or now_s - since_s <= NO_MACHINE_S:
            return None
        return "the sweep ended, since no machine is left that could run a trial"

    def close(self, place: Place) -> None:
        """Place no more trials in a lane."""
        self._closed.add(place)

    @property
    def closed(self) -> frozenset[Place]:
        """Those that get no more trials."""
        return frozenset(self._closed)

    def is_closed(self, place: Place) -> bool:
        """Tell whether a lane, or its kind everywhere, was closed."""
        return place in self._closed or (place[0], None) in self._closed

    def hold(self, lane: Lane, now_s: float) -> str | None:
        """Take in that others have the room of a lane; return what is to be said of it, once."""
        is_new = lane.place not in self._held
        self._held[lane.place] = now_s + HELD_AGAIN_S
        if not is_new:
            return None
        where = f" on {lane.node.name}" if lane.node else ""
        others = {each.kind for each in self.now(now_s) if each.place not in self._held}
        what = f"other work holds slots of the {lane.kind} lane{where}"
        if others:
            return f"{what}: trials go to the {' and '.join(sorted(others))} lane meanwhile"
        return f"{what}: trials wait for them"

    def is_held(self, place: Place) -> bool:
        """Tell whether others have the room of a lane."""
        return place in self._held
