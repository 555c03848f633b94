"""Simulated clusters, and the trials that they are given."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.studies.lane_bounds import Slot
from sweeps.running.lanes import Lane, LaneKind, Node
from sweeps.running.pace import Work, relative_cost

BACKBONE = "efficientnet_lite0"


@dataclass(frozen=True)
class Machine:
    """A simulated node.

    Args:
        gpus: Workers with one.
        cpus: Workers without.
        speed: Of all of them, relative to other machines of the kind.
        joins_s: When it is there.
        leaves_s: When it is gone, with what it had not completed.
    """

    gpus: int
    cpus: int
    speed: float = 1.0
    joins_s: float = 0.0
    leaves_s: float = math.inf


@dataclass(frozen=True)
class Scenario:
    """Machines, and how much faster a GPU worker is than one without."""

    name: str
    machines: tuple[Machine, ...]
    ratio: float

    def lanes(self, now_s: float) -> list[Lane]:
        """Return the lanes there are at a time, the faster kind first."""
        there = [
            (number, machine)
            for number, machine in enumerate(self.machines)
            if machine.joins_s <= now_s < machine.leaves_s
        ]
        found = []
        for kind in (LaneKind.GPU, LaneKind.CPU):
            for number, machine in there:
                slots = machine.gpus if kind is LaneKind.GPU else machine.cpus
                if slots:
                    node = Node(str(number), f"node{number}", {})
                    found.append(Lane(kind, "", slots, 1, node=node))
        return found

    def speed(self, lane: Lane) -> float:
        """Return how fast a slot is, one CPU worker being 1."""
        machine = self.machines[int(lane.node.id)] if lane.node else Machine(0, 0)
        return machine.speed * (self.ratio if lane.kind is LaneKind.GPU else 1.0)

    def bound_s(self, works: Sequence[Work]) -> float:
        """Return when all could be done at best: no slot ever idle, the longest on the fastest."""
        seconds = [seconds_of(work) for work in works]
        fastest = max(self.speed(lane) for m in self.machines for lane in self.lanes(m.joins_s))
        longest_s = max(seconds_of(work, fastest) for work in works)
        return max(self._fluid_s(sum(seconds)), longest_s)

    def _fluid_s(self, work_s: float) -> float:
        changes = sorted({0.0, *(m.joins_s for m in self.machines), *self._leaving()})
        for start_s, end_s in itertools.pairwise([*changes, math.inf]):
            speed = sum(self.speed(lane) * lane.slots for lane in self.lanes(start_s))
            if speed and work_s <= speed * (end_s - start_s):
                return start_s + work_s / speed
            if speed:
                work_s -= speed * (end_s - start_s)
        return math.inf

    def slots(self) -> list[Slot]:
        """Return every slot that is there at some time."""
        return [
            Slot(machine.speed * ratio, machine.joins_s, machine.leaves_s)
            for machine in self.machines
            for count, ratio in ((machine.gpus, self.ratio), (machine.cpus, 1.0))
            for _ in range(count)
        ]

    def slot_seconds(self, until_s: float) -> float:
        """Return how many seconds of slots there were."""
        return sum(
            (machine.gpus + machine.cpus)
            * max(0.0, min(machine.leaves_s, until_s) - machine.joins_s)
            for machine in self.machines
        )

    def _leaving(self) -> Iterator[float]:
        yield from (m.leaves_s for m in self.machines if m.leaves_s < math.inf)


def scenarios(trials: int) -> list[Scenario]:
    """Return the clusters that are compared; machines come and go as long as the trials last."""
    workstation = (Machine(1, 14),)
    server = (Machine(8, 64),)
    rng = random.Random(0)
    hundred = tuple(
        Machine(4 if n < 20 else 0, 4, speed=rng.choice([0.5, 1.0, 1.5])) for n in range(100)
    )
    found = [Scenario("1 GPU + 14 CPUs", workstation, r) for r in (2, 10, 50)]
    found += [Scenario("8 GPUs + 64 CPUs", server, r) for r in (2, 10, 50)]
    found += [Scenario("100 nodes", hundred, r) for r in (2, 10, 50)]
    coming = tuple(
        Machine(n % 3 == 0, 8, joins_s=60.0 * n, leaves_s=60.0 * n + 400)
        for n in range(20 + trials // 20)
    )
    stays = Machine(1, 8)
    found += [Scenario("nodes join and leave", (stays, *coming), r) for r in (2, 10, 50)]
    return found


def works(trials: int, seed: int) -> list[Work]:
    """Draw trials as the default sweep has them: any depth, one to twelve epochs."""
    rng = random.Random(seed)
    return [Work(BACKBONE, rng.randint(0, 9), rng.randint(1, 12)) for _ in range(trials)]


def seconds_of(work: Work, speed: float = 1.0) -> float:
    """Return how long a trial takes a slot, a CPU worker's speed being 1."""
    return 10.0 * relative_cost(*work.cell) * work.epochs / speed
