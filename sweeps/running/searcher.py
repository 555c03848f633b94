"""The study as a Ray searcher: places trials in lanes, and turns what comes of them into rows."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from threading import RLock
from typing import Any

from ray.tune.search import Searcher

from antsbees.data.datasets import Dataset
from results.errors import LeaderboardError
from results.schema import LOST, TrialRecord, TrialStatus
from sweeps.running.flights import LOST_MESSAGE, InFlight
from sweeps.running.health import Consequence, Failure, LaneHealth, told
from sweeps.running.lanes import Lane, LaneKind, free_lane
from sweeps.running.messages import Report
from sweeps.running.observer import Observer
from sweeps.running.probing import Probing
from sweeps.search.study import SearchStudy
from sweeps.spec.models import SweepSpec

logger = logging.getLogger(__name__)

LOSSES = 3  # of one trial, after which it is tried no more
NO_MACHINE_S = 30.0  # without a machine that could run a trial, after which the sweep ends

LanesNow = Callable[[Collection[LaneKind]], tuple[Lane, ...]]
"""Returns the lanes that there is room for just now, given the kinds that were closed."""


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
        deadline_s: By the clock; no trial is proposed after it, and those that run are cut, but
            for first tries, which run to their end.
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
        deadline_s: float | None = None,
        known: Iterable[TrialRecord] = (),
    ) -> None:
        super().__init__(metric="score", mode=spec.objective.direction[:3])
        self._study = study
        self._spec = spec
        self._dataset = dataset
        self._lanes_now = lanes
        self._publish = publish
        self._observer = observer
        self._clock = clock
        self._deadline_s = deadline_s
        self._lock = RLock()
        self._health = LaneHealth()
        self._closed: set[LaneKind] = set()
        self._in_flight: dict[str, InFlight] = {}
        self._held: list[InFlight] = []  # failed, perhaps by their lane's fault
        self._losses: Counter[int] = Counter()
        self._laneless_since_s: float | None = None
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
        return any(f.asked.first is not None and not f.cut for f in flights)

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

    def should_end(self, trial_id: str, is_running: bool) -> bool:
        """Tell whether Ray is to end a trial now, though nothing was heard of it.

        Args:
            is_running: Its worker is at work on it; otherwise it waits for one.
        """
        with self._lock:
            flight = self._in_flight.get(trial_id)
            if flight is None:
                return False
            open_lanes = self._open_lanes()
            if self.ended is not None or self.interrupted:
                flight.cut = True
            elif self.is_late():
                flight.cut = flight.asked.first is None or not is_running
            elif not is_running:
                flight.cut = all(lane.kind != flight.lane.kind for lane in open_lanes)
            return flight.cut

    def close(self) -> None:
        """Give back what is still in flight, whatever became of it; to be called at the end."""
        with self._lock:
            for flight in (*self._in_flight.values(), *self._held):
                flight.cut, flight.error = True, None
                self._settle(flight)
            self._in_flight.clear()
            self._held.clear()

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
        lane = free_lane(lanes, Counter(f.lane.kind for f in self._in_flight.values()))
        if lane is None and self._in_flight:
            return None
        if not self._study.has_more():
            if self._in_flight:  # one of them may have to be tried again
                return None
            if not self._held:
                return Searcher.FINISHED
            self._settle_held()
            return self._suggest(trial_id)
        asked = None if lane is None else self._study.next()
        if lane is None or asked is None:
            return None
        flight = self._in_flight[trial_id] = InFlight(asked, lane, self._clock())
        self._observer.trial_started(asked.number, asked.config, lane)
        return flight.proposal.to_plain()

    def _open_lanes(self) -> tuple[Lane, ...]:
        """Return the lanes there are; end the sweep when there was none for a while."""
        lanes = self._lanes_now(self._closed)
        now_s = self._clock()
        if lanes:
            self._laneless_since_s = None
        elif self._laneless_since_s is None:
            self._laneless_since_s = now_s
        elif now_s - self._laneless_since_s > NO_MACHINE_S and self.ended is None:
            self.ended = "the sweep ended, since no machine is left that could run a trial"
        return lanes

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
        self._health.completed(flight.lane.kind, flight.node)
        self._release(flight.lane.kind)

    def _settle(self, flight: InFlight) -> None:
        """Decide what becomes of a trial that Ray has ended."""
        if flight.error is not None:
            self._judge(flight)
        elif flight.status is TrialStatus.UNFINISHED:
            self._give_back(flight)
        else:
            self._end_trial(flight)

    def _judge(self, flight: InFlight) -> None:
        failure = flight.failure()
        consequence = self._health.failed(failure, self._clock())
        logger.warning("trial %d failed: %s (%s)", flight.number, failure, consequence)
        if consequence in (Consequence.LANE, Consequence.SWEEP):
            self._held.append(flight)
            self._close_lane(failure, consequence)
        elif failure.lost:
            self._losses[flight.number] += 1
            if self._losses[flight.number] < LOSSES:
                self._give_back(flight)
            else:
                self._end_trial(flight)
        elif consequence is Consequence.CONFIGURATION:
            self._end_trial(flight)
        elif flight.lane.kind in self._closed or self.ended is not None:
            self._give_back(flight)
        else:
            self._held.append(flight)

    def _close_lane(self, failure: Failure, consequence: Consequence) -> None:
        """Close the lane of a failure, whose trials go elsewhere, or end the sweep."""
        if failure.lane not in self._closed:
            self._closed.add(failure.lane)
            open_lanes = {lane.kind: lane for lane in self._lanes_now(self._closed)}
            sentence = told(failure, consequence, open_lanes)
            if consequence is Consequence.SWEEP or not open_lanes:
                self.ended = self.ended or sentence
            else:
                self._observer.noted(sentence)
        for held in self._take_held(failure.lane):
            self._give_back(held)

    def _release(self, lane: LaneKind) -> None:
        """End the trials that failed in a lane which works: it was not the lane's fault."""
        for held in self._take_held(lane):
            self._end_trial(held)

    def _settle_held(self) -> None:
        """Send the last trials of a lane that never worked to another one, if there is one."""
        flight = self._held[0]
        lane = flight.lane.kind
        if self._lanes_now({*self._closed, lane}) and not self._health.has_worked(lane):
            self._close_lane(flight.failure(), Consequence.LANE)
        else:
            self._release(lane)

    def _take_held(self, lane: LaneKind) -> list[InFlight]:
        taken = [flight for flight in self._held if flight.lane.kind is lane]
        self._held = [flight for flight in self._held if flight.lane.kind is not lane]
        return taken

    def _end_trial(self, flight: InFlight) -> None:
        record = flight.record(self._spec, self._dataset, self._clock())
        if self._kept(record):
            self._study.tell(record)
            self._observer.trial_finished(record)
            self._probing.hear(record)
        else:
            self._study.give_back(flight.number)

    def _give_back(self, flight: InFlight) -> None:
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

    def _end_unable_to_write(self, error: Exception) -> None:
        logger.error("a row or the study could not be written: %s", error)
        if self.ended is None:
            self.ended = f"{error}; run the same command again once that is fixed"
