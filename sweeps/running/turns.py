"""The trials that wait for their turn: what the study proposed, until a lane takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from sweeps.running.flights import InFlight
from sweeps.running.lanes import Lane
from sweeps.running.messages import Epoch
from sweeps.running.pace import Pace, Work
from sweeps.running.placing import Busy, Left, Placing
from sweeps.search.study import Asked, SearchStudy
from sweeps.spec.models import SweepSpec

LONGEST = 1 / 6
"""Of the search's time: what a trial that the search proposed may be expected to take."""
MOST_PASSED_OVER = 10


class Turns:
    """Takes trials from the study, as many as a choice between lanes needs, and gives them lanes.

    Where there is one lane, none ever waits: a trial is taken from the study when a slot is free.

    Args:
        pace: What is known of how long trials take.
        deadline_s: When the time is up.
    """

    def __init__(
        self, study: SearchStudy, spec: SweepSpec, pace: Pace, deadline_s: float | None = None
    ) -> None:
        self._study = study
        self._spec = spec
        self._placing = Placing(pace)
        self._deadline_s = deadline_s
        self._waiting: list[Asked] = []
        self._moved: set[int] = set()
        self._workers: set[tuple[str, int]] = set()

    def has_more(self) -> bool:
        """Tell whether there are trials to begin."""
        return bool(self._waiting) or self._study.has_more()

    def next(
        self, lanes: Sequence[Lane], flights: Collection[InFlight], now_s: float
    ) -> tuple[Asked, Lane] | None:
        """Return the trial that begins now, and its lane; ``None`` if none does."""
        used = Counter(flight.lane.place for flight in flights)
        if all(used[lane.place] >= lane.slots for lane in lanes):
            return None
        busy = self._busy(flights, now_s)
        while True:
            more = max(0, self._spec.search.trials - self._study.num_proposed)
            left = Left(more, self._deadline_s)
            works = [self._work(asked) for asked in self._waiting]
            chosen = self._placing.choose(lanes, busy, works, left, now_s)
            if chosen is not None:
                return self._waiting.pop(chosen[0]), chosen[1]
            if len(self._waiting) >= self._placing.window(lanes):
                return None
            if (asked := self._draw(lanes, now_s)) is None:
                return None
            self._waiting.append(asked)
            self._placing.drew(self._work(asked))

    def _draw(self, lanes: Sequence[Lane], now_s: float) -> Asked | None:
        """Take a trial from the study; one that takes too long gives way to another, a few times.

        A sampler does not know what a trial costs: of a network at a depth that takes minutes, a
        short search would see two trials and no more.
        """
        for _ in range(MOST_PASSED_OVER):
            asked = self._study.next()
            if asked is None or not self._takes_too_long(asked, lanes, now_s):
                return asked
            if not self._study.pass_over(asked.number):
                return asked
        return self._study.next()

    def _takes_too_long(self, asked: Asked, lanes: Sequence[Lane], now_s: float) -> bool:
        minutes = self._spec.search.minutes
        if asked.first is not None or asked.again or self._deadline_s is None or minutes is None:
            return False
        work, pace = self._work(asked), self._placing.pace
        took_s = min((pace.seconds(work, lane) for lane in lanes), default=0.0)
        return took_s > min(LONGEST * 60 * minutes, self._deadline_s - now_s)

    def to_move(
        self, lanes: Sequence[Lane], flights: Sequence[InFlight], now_s: float
    ) -> InFlight | None:
        """Return the trial that would end sooner if it began again in a free lane, if any."""
        place = self._placing.to_move(lanes, self._busy(flights, now_s), now_s)
        if place is None:
            return None
        self._moved.add(flights[place].number)
        return flights[place]

    def learn(self, flight: InFlight, epochs: Collection[Epoch]) -> None:
        """Take in how long epochs took.

        Activations are computed once by each machine: by what that took, a lane would be thought
        slow that is not, and get no trial again to show it. Without a cache they are part of it.
        """
        is_kept = self._spec.cache.max_gb > 0
        node = flight.lane.node.name if flight.lane.node else None
        for epoch in epochs:
            work = self._work(flight.asked)
            seconds = (epoch.train_s if is_kept else epoch.seconds) / work.num_trainings
            self._placing.pace.learn(flight.lane.kind, node, work.cell, seconds)

    def learn_ended(self, flight: InFlight, now_s: float) -> None:
        """Take in how much of a trial was run, and what it took beside its epochs.

        The first trial of a worker took its start as well, which those after it do not.
        """
        facts = flight.facts
        if flight.error is not None or facts is None or not flight.curve:
            return
        worker = facts.node, facts.worker_pid
        beside_s = None
        if worker in self._workers:
            trained_s = sum(e.seconds for e in flight.curve[flight.restored :])
            beside_s = now_s - flight.proposed_at_s - trained_s
        self._workers.add(worker)
        if flight.asked.first is None:
            work = self._work(flight.asked)
            self._placing.pace.learn_ended(flight.lane.kind, work, len(flight.curve), beside_s)

    def give_back(self) -> None:
        """Give the study back what waits."""
        for asked in self._waiting:
            self._study.give_back(asked.number)
        self._waiting.clear()

    def _work(self, asked: Asked) -> Work:
        config = asked.config
        backbone = config.backbone or self._spec.backbones[0]
        is_first = asked.first is not None
        return Work(backbone, config.frozen_stages, config.epochs, is_first, config.soup_size)

    def _busy(self, flights: Collection[InFlight], now_s: float) -> list[Busy]:
        pace = self._placing.pace
        found = []
        for flight in flights:
            work, lane = self._work(flight.asked), flight.lane
            if flight.curve:
                left = max(0, work.epochs - len(flight.curve))
                ends_s = now_s + left * work.num_trainings * pace.epoch_s(work.cell, lane)
            else:
                ends_s = max(now_s, flight.proposed_at_s + pace.seconds(work, lane))
            found.append(Busy(work, lane, ends_s, flight.number in self._moved))
        return found
