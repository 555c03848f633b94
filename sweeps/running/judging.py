"""Decides what becomes of trials that failed: a row, another try, or another lane."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Protocol

from sweeps.running.flights import InFlight
from sweeps.running.health import Consequence, Failure, LaneHealth, told
from sweeps.running.lanes import Place
from sweeps.running.opening import OpenLanes

logger = logging.getLogger(__name__)

LOSSES = 3  # of one trial, after which it is tried no more
LEFT_ALONE = 10  # losses of one trial with its machine, after which it is tried no more


class Court(Protocol):
    """What carries a judgement out."""

    def end_trial(self, flight: InFlight) -> None:
        """Put a trial's row on disk, and tell the study."""

    def give_back(self, flight: InFlight) -> None:
        """Let a trial be proposed again."""

    def end_sweep(self, sentence: str) -> None:
        """End the sweep, for a reason."""

    def note(self, sentence: str) -> None:
        """Tell the user."""

    def has_ended(self) -> bool:
        """Tell whether the sweep was ended."""


class Judging:
    """Judges trials that failed; those that may have failed by their lane's fault are held back.

    Args:
        lanes: Those that trials may be placed in, some of which are closed here.
    """

    def __init__(self, lanes: OpenLanes, court: Court) -> None:
        self._lanes = lanes
        self._court = court
        self._health = LaneHealth()
        self._worked: set[Place] = set()
        self._losses: Counter[int] = Counter()
        self._held: list[InFlight] = []

    @property
    def held(self) -> list[InFlight]:
        """Trials that failed, perhaps by their lane's fault."""
        return list(self._held)

    def completed(self, flight: InFlight) -> None:
        """Take in that a trial completed an epoch: what failed there was not the lane's fault."""
        self._worked.add(flight.lane.place)
        self._health.completed(flight.lane.kind, flight.node)
        self._release(flight.lane.place)

    def failed(self, flight: InFlight, now_s: float) -> None:
        """Judge a trial that failed."""
        failure = flight.failure()
        consequence = self._health.failed(failure, now_s)
        logger.warning("trial %d failed: %s (%s)", flight.number, failure, consequence)
        if consequence in (Consequence.LANE, Consequence.SWEEP):
            self._held.append(flight)
            self._close_lane(failure, consequence)
        elif failure.lost:
            self._give_back_lost(flight)
        elif consequence is Consequence.CONFIGURATION:
            self._court.end_trial(flight)
        elif self._lanes.is_closed(flight.lane.place) or self._court.has_ended():
            self._court.give_back(flight)
        else:
            self._held.append(flight)

    def settle_last(self) -> None:
        """Send the last trials of a lane that never worked to another one, if there is one."""
        flight = self._held[0]
        place = flight.lane.place
        if self._lanes.besides(place) and place not in self._worked:
            self._close_lane(flight.failure(), Consequence.LANE)
        else:
            self._release(place)

    def take_all(self) -> list[InFlight]:
        """Return the trials that are held back, and hold them no longer."""
        taken, self._held = self._held, []
        return taken

    def _give_back_lost(self, flight: InFlight) -> None:
        """Give a trial back whose worker died, but for the last time.

        That its machine left, announced or not, tells less of it than that its worker died alone.
        """
        there = {lane.place for lane in self._lanes.there(fresh=True)}
        allowed = LOSSES if flight.lane.place in there else LEFT_ALONE
        self._losses[flight.number] += 1
        if self._losses[flight.number] < allowed:
            self._court.give_back(flight)
        else:
            self._court.end_trial(flight)

    def _close_lane(self, failure: Failure, consequence: Consequence) -> None:
        """Close the lanes that a failure tells of, whose trials go elsewhere, or end the sweep."""
        is_known = all(self._lanes.is_closed(place) for place in failure.places)
        for place in failure.places:
            self._lanes.close(place)
        if not is_known:
            open_lanes = {lane.kind: lane for lane in self._lanes.there()}
            if open_lanes and failure.is_of_one_machine:
                consequence = Consequence.LANE  # others may well be able to
            sentence = told(failure, consequence, open_lanes)
            if consequence is Consequence.SWEEP or not open_lanes:
                self._court.end_sweep(sentence)
            else:
                self._court.note(sentence)
        for place in failure.places:
            for held in self._take(place):
                self._court.give_back(held)

    def _release(self, place: Place) -> None:
        for held in self._take(place):
            self._court.end_trial(held)

    def _take(self, place: Place) -> list[InFlight]:
        taken = [flight for flight in self._held if flight.lane.place == place]
        self._held = [flight for flight in self._held if flight.lane.place != place]
        return taken
