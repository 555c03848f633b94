"""How long sweeps take by how trials are placed in lanes: simulated, on the code that places them.

``python -m benchmarks.studies.lanes [--trials 200,1000,10000] [--seeds 3,3,1]`` prints the table;
``--plot lanes.svg`` draws it too. Events are simulated, not trials: no Ray, no training.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.studies.lane_bounds import all_known_s, listed_s
from benchmarks.studies.lane_clusters import Scenario, scenarios, seconds_of, works
from benchmarks.studies.lane_plot import Point, svg
from sweeps.running.lanes import Lane, LaneKind, Place
from sweeps.running.pace import Pace, Work
from sweeps.running.placing import Busy, Left, Placing

NOISE = 0.1  # of a trial's seconds, relative


class Policy:
    """Places trials: the best free lane of some kinds, whatever it costs."""

    def __init__(self, *kinds: LaneKind) -> None:
        self._kinds = kinds

    def choose(
        self, lanes: list[Lane], busy: list[Busy], waiting: list[Work], left: Left, now_s: float
    ) -> tuple[int, Lane] | None:
        """Return which of the waiting trials begins now, and where."""
        used = Counter(each.lane.place for each in busy)
        for lane in lanes:
            if lane.kind in self._kinds and used[lane.place] < lane.slots:
                return (0, lane) if waiting else None
        return None


@dataclass
class Flight:
    """A simulated trial at work."""

    work: Work
    lane: Lane
    began_s: float
    ends_s: float

    @property
    def epoch_s(self) -> float:
        return (self.ends_s - self.began_s) / self.work.epochs


@dataclass
class Outcome:
    """What a simulated sweep came to."""

    makespan_s: float
    worked_s: float
    lost: int


@dataclass
class Simulation:
    """One sweep, event by event."""

    scenario: Scenario
    works: Sequence[Work]
    policy: Policy | Placing
    seed: int = 0
    flights: dict[int, Flight] = field(default_factory=dict)
    waiting: list[Work] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)

    def run(self) -> Outcome:
        """Run all trials; return when the last one ended."""
        rng = random.Random(self.seed)
        coming = list(reversed(self.works))
        machines = self.scenario.machines
        times = {m.joins_s for m in machines} | {m.leaves_s for m in machines}
        events = [(time_s, -1, 0) for time_s in times if time_s < math.inf]
        heapq.heapify(events)
        numbers = itertools.count()
        worked_s = now_s = 0.0
        lost = 0
        left = len(self.works)
        lanes: list[Lane] = []
        while left:
            if not events:
                raise RuntimeError("nothing happens any more, though trials are left")
            now_s, number, epoch = heapq.heappop(events)
            if number >= 0:
                if (flight := self.flights.get(number)) is None:
                    continue
                self._learn(flight, epoch)
                if epoch == flight.work.epochs:
                    left -= 1
                    worked_s += flight.ends_s - flight.began_s
                    del self.flights[number]
            else:
                lanes = self.scenario.lanes(now_s)
                lost += self._lose({lane.place for lane in lanes})
            for flight in self._start(lanes, coming, now_s, rng):
                number = next(numbers)
                self.flights[number] = flight
                heapq.heappush(events, (flight.began_s + flight.epoch_s, number, 1))
                heapq.heappush(events, (flight.ends_s, number, flight.work.epochs))
        return Outcome(now_s, worked_s, lost)

    def _learn(self, flight: Flight, epoch: int) -> None:
        if isinstance(self.policy, Placing):
            pace, lane = self.policy.pace, flight.lane
            name = lane.node.name if lane.node else None
            pace.learn(lane.kind, name, flight.work.cell, flight.epoch_s)
            if epoch == flight.work.epochs:
                pace.learn_ended(lane.kind, flight.work, epoch)

    def _lose(self, there: set[Place]) -> int:
        gone = [n for n, flight in self.flights.items() if flight.lane.place not in there]
        self.waiting[:0] = [self.flights.pop(n).work for n in gone]
        return len(gone)

    def _busy(self, now_s: float) -> list[Busy]:
        return [
            Busy(f.work, f.lane, self._expected_s(f, now_s), id(f.work) in self.moved)
            for f in self.flights.values()
        ]

    def _expected_s(self, flight: Flight, now_s: float) -> float:
        """Return when a trial is expected to end, by the epochs it has completed, as ``Turns``."""
        if not isinstance(self.policy, Placing):
            return flight.ends_s
        pace, work = self.policy.pace, flight.work
        done = int((now_s - flight.began_s) / flight.epoch_s + 1e-9)
        if not done:
            return max(now_s, flight.began_s + pace.seconds(work, flight.lane))
        return now_s + (work.epochs - done) * pace.epoch_s(work.cell, flight.lane)

    def _move(self, lanes: list[Lane], now_s: float) -> bool:
        """Give a trial back that would end sooner elsewhere."""
        if not isinstance(self.policy, Placing):
            return False
        number = self.policy.to_move(lanes, self._busy(now_s), now_s)
        if number is None:
            return False
        work = self.flights.pop(list(self.flights)[number]).work
        self.moved.add(id(work))
        self.waiting.append(work)
        return True

    def _start(
        self, lanes: list[Lane], coming: list[Work], now_s: float, rng: random.Random
    ) -> Iterator[Flight]:
        slots = sum(lane.slots for lane in lanes)
        if len(self.flights) >= slots:
            return
        placing = self.policy if isinstance(self.policy, Placing) else None
        window = placing.window(lanes) if placing else 1
        busy = self._busy(now_s)
        while slots > len(busy):
            chosen = self.policy.choose(lanes, busy, self.waiting, Left(len(coming)), now_s)
            if chosen is None:
                if coming and len(self.waiting) < window:
                    self.waiting.append(coming.pop())
                    if placing:
                        placing.drew(self.waiting[-1])
                    continue
                if self.waiting or coming or not self._move(lanes, now_s):
                    return
                busy = self._busy(now_s)
                continue
            place, lane = chosen
            work = self.waiting.pop(place)
            noise = math.exp(rng.gauss(0, NOISE))
            takes_s = seconds_of(work, self.scenario.speed(lane) / noise)
            flight = Flight(work, lane, now_s, now_s + takes_s)
            expected_s = now_s + placing.pace.seconds(work, lane) if placing else flight.ends_s
            busy.append(Busy(work, lane, expected_s))
            yield flight


POLICIES: dict[str, Callable[[], Policy | Placing]] = {
    "ours": lambda: Placing(Pace(250)),
    "first free": lambda: Policy(LaneKind.GPU, LaneKind.CPU),
    "GPUs only": lambda: Policy(LaneKind.GPU),
    "CPUs only": lambda: Policy(LaneKind.CPU),
}


@dataclass(frozen=True)
class Row:
    """A row of the table: makespans in units of the bound, medians over seeds.

    Args:
        by_policy: Of simulated sweeps.
        in_turn: Of list scheduling, with lengths known when a trial's turn comes.
        all_known: Of list scheduling, with all trials known at the start.
        idle: Share of the slots' time, ours.
    """

    by_policy: dict[str, float]
    in_turn: float
    all_known: float
    idle: float


def measure(scenario: Scenario, trials: int, seeds: int) -> Row:
    """Simulate a row of the table."""
    slots = scenario.slots()
    drawn = [works(trials, seed) for seed in range(seeds)]
    bounds = [scenario.bound_s(each) for each in drawn]
    seconds = [[seconds_of(work) for work in reversed(each)] for each in drawn]  # as they come
    by_policy = {}
    idle = []
    for name, policy in POLICIES.items():
        over = []
        for seed, (each, bound_s) in enumerate(zip(drawn, bounds, strict=True)):
            outcome = Simulation(replace(scenario), each, policy(), seed).run()
            over.append(outcome.makespan_s / bound_s)
            if name == "ours":
                idle.append(1 - outcome.worked_s / scenario.slot_seconds(outcome.makespan_s))
        by_policy[name] = statistics.median(over)
    known = list(zip(seconds, bounds, strict=True))
    return Row(
        by_policy,
        in_turn=statistics.median(listed_s(slots, each) / bound_s for each, bound_s in known),
        all_known=statistics.median(all_known_s(slots, each) / bound_s for each, bound_s in known),
        idle=statistics.median(idle),
    )


def main() -> None:
    """Simulate, print the table, and draw it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", default="200,1000,10000")
    parser.add_argument("--seeds", default="3,3,1", help="How many, for each number of trials")
    parser.add_argument("--plot", type=Path, help="An SVG file to write")
    options = parser.parse_args()
    names = " | ".join(POLICIES)
    print(f"| cluster | GPU / CPU | trials | {names} | in turn | all known | idle, ours |")
    print("|---" * (len(POLICIES) + 6) + "|")
    points: list[Point] = []
    sizes, counts = (map(int, given.split(",")) for given in (options.trials, options.seeds))
    for trials, seeds in zip(sizes, counts, strict=True):
        for scenario in scenarios(trials):
            row = measure(scenario, trials, seeds)
            cells = " | ".join(f"{over:.2f}" for over in row.by_policy.values())
            print(
                f"| {scenario.name} | {scenario.ratio:g} x | {trials} | {cells} | "
                f"{row.in_turn:.2f} | {row.all_known:.2f} | {row.idle:.0%} |",
                flush=True,
            )
            drawn = row.by_policy | {"all known": row.all_known}
            where = scenario.name, f"GPU {scenario.ratio:g} x as fast"
            points += [Point(*where, trials, name, over) for name, over in drawn.items()]
    if options.plot:
        options.plot.write_text(svg(points))


if __name__ == "__main__":
    main()
