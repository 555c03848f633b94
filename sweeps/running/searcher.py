"""The study as a Ray searcher: places trials in lanes, and turns what comes of them into rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from threading import RLock
from typing import Any

from ray.tune.search import Searcher

from antsbees.data.datasets import Dataset
from results.errors import LeaderboardError
from results.schema import LOST, TrialRecord, TrialStatus
from sweeps.running.comparing import Versions
from sweeps.running.flights import LOST_MESSAGE, NOT_STARTED_MESSAGE, InFlight
from sweeps.running.health import NOT_STARTED
from sweeps.running.judging import Judging
from sweeps.running.lanes import Lane, Place
from sweeps.running.messages import Report
from sweeps.running.observer import Observer
from sweeps.running.opening import HELD_S, LanesNow, OpenLanes
from sweeps.running.pace import Pace
from sweeps.running.probing import Probing
from sweeps.running.turns import Turns
from sweeps.search.study import Asked, SearchStudy
from sweeps.spec.first import PORTFOLIO
from sweeps.spec.models import SweepSpec

logger = logging.getLogger(__name__)

OVERTIME = 1 / 6
"""Of the search's time: what the portfolio's tries have after it, to end what they have begun."""


class StudySearcher(Searcher):
    """Asks the study for trials as slots become free, and tells it how they ended.

    A row is handed on, and on disk, before the study hears that its trial ended. Where a trial
    could not be judged, it goes back to the study, and is proposed again: it was cut by the time
    limit or a signal, its worker died, or its lane is gone or at fault. ``ended`` says why the
    sweep came to an early end, if it did.

    Ray calls from its thread, and the driver from another: every public method takes the lock.

    Args:
        publish: Puts a row on disk.
        clock: Seconds since the epoch.
        awake: Seconds of a clock that stands still while the machine sleeps.
        deadline_s: By the clock; no trial is proposed after it, and those that run are cut, but
            for first tries, which run to their end; those of the portfolio have ``OVERTIME``.
        pace: What is known of how long trials take.
        known: Rows of an earlier start, with what they answered.
    """

    def __init__(
        self,
        study: SearchStudy,
        spec: SweepSpec,
        dataset: Dataset,
        lanes: LanesNow,
        publish: Callable[[TrialRecord], object],
        observer: Observer,
        clock: Callable[[], float] = time.time,
        awake: Callable[[], float] = time.monotonic,
        deadline_s: float | None = None,
        pace: Pace | None = None,
        known: Iterable[TrialRecord] = (),
    ) -> None:
        super().__init__(metric="score", mode=spec.objective.direction[:3])
        self._study = study
        self._spec = spec
        self._dataset = dataset
        self._lanes = OpenLanes(lanes)
        self._publish = publish
        self._observer = observer
        self._clock = clock
        self._awake = awake
        self._deadline_s = deadline_s
        self._lock = RLock()
        self._turns = Turns(study, spec, pace or Pace(len(dataset.train)), deadline_s)
        self._judging = Judging(self._lanes, self)
        self._versions = Versions()
        self._in_flight: dict[str, InFlight] = {}
        self.ended: str | None = None
        self.interrupted = False
        self.heard_at_s = clock()
        self._probing = Probing(study, dataset.val.labels, spec.backbones, observer.noted)
        for record in known:
            self._probing.hear(record)

    @property
    def num_in_flight(self) -> int:
        """How many trials were proposed and have not ended."""
        return len(self._in_flight)

    @property
    def runs_first_tries(self) -> bool:
        """Whether a first try is in flight, which the deadline does not cut."""
        flights = list(self._in_flight.values())
        return any(self._has_time(f) and not f.cut for f in flights)

    def is_late(self) -> bool:
        """Tell whether the time is up."""
        return self._deadline_s is not None and self._clock() >= self._deadline_s

    def interrupt(self) -> None:
        """Cut every trial, and propose no more."""
        self.interrupted = True

    def suggest(self, trial_id: str) -> Any:
        """Propose the next trial and its lane, ``None`` when there is none for the moment."""
        with self._lock:
            try:
                return self._suggest(trial_id)
            except (LeaderboardError, OSError) as error:
                self._end_unable_to_write(error)
                return Searcher.FINISHED

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Take in the epochs of a trial that goes on."""
        with self._lock:
            flight = self._in_flight.get(trial_id)
            if flight is not None:
                self._absorb(flight, result)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Put the row of a trial that ended on disk and tell the study, or give the trial back."""
        with self._lock:
            flight = self._in_flight.pop(trial_id, None)
            if flight is None:
                return
            self._absorb(flight, result or {})
            if error and not flight.cut and flight.error is None:
                flight.error = (LOST, LOST_MESSAGE)
            self._settle(flight)

    def should_end(self, trial_id: str, is_running: bool, waits_for_room: bool = False) -> bool:
        """Tell whether Ray is to end a trial now, though nothing was heard of it.

        Args:
            is_running: Its worker is at work on it; otherwise it waits for one.
            waits_for_room: There is no worker, since its resources are not free.
        """
        with self._lock:
            flight = self._in_flight.get(trial_id)
            if flight is None:
                return False
            lanes = self._open_lanes()
            if self.ended is not None or self.interrupted:
                flight.cut = True
            elif self.is_late():
                flight.cut = not (is_running and self._has_time(flight))
            elif not is_running:
                is_gone = all(lane.place != flight.lane.place for lane in self._lanes.there())
                is_held = waits_for_room and self._is_held(flight, lanes)
                flight.cut = is_gone or is_held
                if waits_for_room:
                    flight.had_no_room_at_s = self._awake()
                elif not is_gone and flight.is_stuck(self._awake()):
                    flight.error = (NOT_STARTED, NOT_STARTED_MESSAGE)
                    return True
            return flight.cut or flight.moves

    @property
    def closed(self) -> frozenset[Place]:
        """The lanes that get no more trials."""
        return self._lanes.closed

    def is_closed(self, place: Place) -> bool:
        """Tell whether a lane gets no more trials."""
        return self._lanes.is_closed(place)

    def num_slots(self) -> int:
        """Return how many trials there is room for."""
        with self._lock:
            return sum(lane.slots for lane in self._lanes.there())

    def close(self) -> None:
        """Give back what is still in flight, whatever became of it; to be called at the end."""
        with self._lock:
            for flight in (*self._in_flight.values(), *self._judging.take_all()):
                flight.cut, flight.error = True, None
                self._settle(flight)
            self._in_flight.clear()
            self._turns.give_back()

    def __getstate__(self) -> dict[str, Any]:
        """Give Ray nothing to keep: the study is the truth about the search."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Save nothing; see ``__getstate__``."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing; see ``__getstate__``."""

    def _suggest(self, trial_id: str) -> Any:
        lanes = self._open_lanes()
        if self.ended is not None or self.interrupted or self.is_late():
            return Searcher.FINISHED
        flights, now_s = list(self._in_flight.values()), self._clock()
        if self._turns.has_more():
            if not lanes or (turn := self._turns.next(lanes, flights, now_s)) is None:
                return None
            return self._begin(trial_id, *turn)
        if flights:  # one of them may have to be tried again
            if (slow := self._turns.to_move(lanes, flights, now_s)) is not None:
                slow.moves = True
            return None
        if not self._judging.held:
            return Searcher.FINISHED
        if not lanes:
            return None
        self._judging.settle_last()
        return self._suggest(trial_id)

    def _begin(self, trial_id: str, asked: Asked, lane: Lane) -> dict[str, Any]:
        flight = InFlight(asked, lane, self._clock(), self._awake())
        self._in_flight[trial_id] = flight
        self._observer.trial_started(asked.number, asked.config, lane)
        return flight.proposal.to_plain()

    def _open_lanes(self) -> tuple[Lane, ...]:
        """Return the lanes there are; end the sweep when there was none for a while."""
        now_s = self._clock()
        lanes = self._lanes.now(now_s)
        self.ended = self.ended or self._lanes.why_ended(now_s)
        return lanes

    def _has_time(self, flight: InFlight) -> bool:
        """Tell whether a trial is a first try that may run on after the deadline."""
        first, minutes = flight.asked.first, self._spec.search.minutes
        if first != PORTFOLIO or self._deadline_s is None or minutes is None:
            return first is not None
        return self._clock() < self._deadline_s + OVERTIME * 60 * minutes

    def _is_held(self, flight: InFlight, lanes: tuple[Lane, ...]) -> bool:
        """Tell whether a trial has waited for room long enough to go to another lane."""
        if self._awake() - flight.waits_since_s < HELD_S:
            return False
        if (sentence := self._lanes.hold(flight.lane, self._clock())) is not None:
            self._observer.noted(sentence)
        return any(not self._lanes.is_held(lane.place) for lane in lanes)

    def _absorb(self, flight: InFlight, result: dict[str, Any]) -> None:
        if "facts" not in result:  # nothing was reported yet
            return
        self.heard_at_s = self._clock()
        fresh = flight.absorb(Report.from_plain(result))
        if not fresh:
            return
        objective = str(self._spec.objective)
        try:
            for epoch in fresh:
                self._study.report(flight.number, epoch.epoch, getattr(epoch, objective))
        except OSError as error:
            self._end_unable_to_write(error)
        self._observer.trial_reported(
            flight.number, len(flight.curve), getattr(fresh[-1], objective)
        )
        if here := [epoch for epoch in fresh if epoch.epoch > flight.restored]:
            self._turns.learn(flight, here)
            self._judging.completed(flight)
        if flight.facts and (sentence := self._versions.differ(flight.facts)) is not None:
            self.note(sentence)

    def _settle(self, flight: InFlight) -> None:
        """Decide what becomes of a trial that Ray has ended."""
        if flight.error is not None:
            self._judging.failed(flight, self._clock())
        elif flight.moves and flight.status is TrialStatus.UNFINISHED:
            self._study.give_back(flight.number)
        elif flight.status is TrialStatus.UNFINISHED:
            self.give_back(flight)
        else:
            self._turns.learn_ended(flight, self._clock())
            self.end_trial(flight)

    def end_trial(self, flight: InFlight) -> None:
        """Put a trial's row on disk, and tell the study."""
        record = flight.record(self._spec, self._dataset, self._clock())
        if self._kept(record):
            self._study.tell(record)
            self._observer.trial_finished(record)
            self._probing.hear(record)
        else:
            self._study.give_back(flight.number)

    def give_back(self, flight: InFlight) -> None:
        """Let a trial be proposed again; what it had learned when it was cut is kept as a row."""
        if flight.cut and flight.curve and flight.error is None:
            record = flight.record(self._spec, self._dataset, self._clock())
            if self._kept(record):
                self._observer.trial_finished(record)
        self._study.give_back(flight.number)

    def _kept(self, record: TrialRecord) -> bool:
        try:
            self._publish(record)
        except LeaderboardError as error:  # a full disk; Ray would swallow it
            self._end_unable_to_write(error)
            return False
        return True

    def end_sweep(self, sentence: str) -> None:
        """End the sweep; the first reason counts."""
        self.ended = self.ended or sentence

    def has_ended(self) -> bool:
        """Tell whether the sweep was ended early."""
        return self.ended is not None

    def note(self, sentence: str) -> None:
        """Tell the user."""
        self._observer.noted(sentence)

    def _end_unable_to_write(self, error: Exception) -> None:
        logger.error("a row or the study could not be written: %s", error)
        self.end_sweep(f"{error}; run the same command again once that is fixed")
