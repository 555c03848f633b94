"""How long a sweep will take, and where its trials will run: played through beforehand. Pure."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from antsbees.networks.catalog import architecture
from sweeps.running.lanes import Lane, LaneKind
from sweeps.running.pace import Pace, Work
from sweeps.running.placing import Busy, Left, Placing
from sweeps.spec.entries import FROZEN_STAGES, Int, resolved, values_of
from sweeps.spec.models import Asha, SweepSpec


@dataclass(frozen=True)
class Forecast:
    """What a sweep is expected to come to.

    Args:
        seconds: Until the last trial ends, or the time is up.
        trials: That end by then, by kind of lane.
        is_cut: The time is up before all trials have ended.
    """

    seconds: float
    trials: Mapping[LaneKind, int]
    is_cut: bool


def forecast(
    pace: Pace, lanes: Sequence[Lane], works: Sequence[Work], limit_s: float | None = None
) -> Forecast:
    """Play a sweep through: trials end when the pace says they do."""
    played = _Played(Placing(pace), lanes, list(reversed(works)), limit_s)
    return played.run()


@dataclass
class _Played:
    placing: Placing
    lanes: Sequence[Lane]
    coming: list[Work]
    limit_s: float | None
    waiting: list[Work] = field(default_factory=list)
    busy: list[Busy] = field(default_factory=list)

    def run(self) -> Forecast:
        done: Counter[LaneKind] = Counter()
        ends: list[tuple[float, int, Busy]] = []
        now_s = 0.0
        while True:
            for each in self._begin(now_s):
                heapq.heappush(ends, (each.ends_s, id(each), each))
            if not ends:
                return Forecast(now_s, done, is_cut=False)
            at_s, _, ended = heapq.heappop(ends)
            if self.limit_s is not None and at_s > self.limit_s:
                return Forecast(self.limit_s, done, is_cut=True)
            now_s = at_s
            done[ended.lane.kind] += 1
            self.busy.remove(ended)

    def _begin(self, now_s: float) -> list[Busy]:
        begun: list[Busy] = []
        slots = sum(lane.slots for lane in self.lanes)
        while len(self.busy) < slots:
            left = Left(len(self.coming), self.limit_s)
            chosen = self.placing.choose(self.lanes, self.busy, self.waiting, left, now_s)
            if chosen is not None:
                work = self.waiting.pop(chosen[0])
                takes_s = self.placing.pace.seconds(work, chosen[1])
                begun.append(Busy(work, chosen[1], now_s + takes_s))
                self.busy.append(begun[-1])
            elif self.coming and len(self.waiting) < self.placing.window(self.lanes):
                self.waiting.append(self.coming.pop())
                self.placing.drew(self.waiting[-1])
            else:
                break
        return begun


def likely_works(spec: SweepSpec, count: int) -> list[Work]:
    """Return trials like those that a search would propose: first tries, then any in the space."""
    rng = random.Random(spec.seed)
    works = []
    for first in spec.firsts:
        backbone = first.backbone or spec.backbones[0]
        stages = _stages(spec, backbone, rng, first.frozen_stages)
        length, size = first.epochs or spec.max_epochs, first.soup_size or 1
        works.append(Work(backbone, stages, length, True, size))
    epochs = [int(value) for value in values_of(spec.epochs)]
    entry = spec.entry("soup_size")
    ends = [int(value) for value in values_of(entry)]
    sizes = range(min(ends), max(ends) + 1) if isinstance(entry, Int) else ends
    while len(works) < count:
        backbone = rng.choice(spec.backbones)
        stages = _stages(spec, backbone, rng)
        length = rng.randint(min(epochs), max(epochs))
        works.append(Work(backbone, stages, length, soup_size=rng.choice(sizes)))
    return works[:count]


def _stages(spec: SweepSpec, backbone: str, rng: random.Random, given: object = None) -> int:
    """Return how many stages a trial freezes: what was given, or any number in the space."""
    entry = spec.entry(FROZEN_STAGES) if given is None else given
    possible = [int(k) for k in resolved(entry, architecture(backbone).num_stages)]
    return rng.randint(min(possible), max(possible))


def share_of(spec: SweepSpec) -> float:
    """Return the share of its epochs that early stopping is expected to leave a trial."""
    stopping = spec.search.early_stopping
    if not isinstance(stopping, Asha):
        return 1.0
    epochs = [int(value) for value in values_of(spec.epochs)]
    each = [_expected(n, stopping) / n for n in range(min(epochs), max(epochs) + 1)]
    return sum(each) / len(each)


def _expected(epochs: int, stopping: Asha) -> float:
    reached, share = min(stopping.grace_epochs, epochs), 1.0
    expected = float(reached)
    while reached < epochs:
        share /= stopping.reduction_factor
        further = min(reached * stopping.reduction_factor, epochs)
        expected += share * (further - reached)
        reached = further
    return expected
