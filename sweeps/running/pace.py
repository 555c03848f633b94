"""How long a trial takes in a lane: learned from epochs, guessed from the network before. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, median

from antsbees.config import num_trainings
from antsbees.data.datasets import Dataset
from antsbees.networks.catalog import architecture
from results.schema import TrialRecord, TrialStatus
from sweeps.running.lanes import ENTRIES, Lane, LaneKind
from sweeps.spec.models import SweepSpec

CORE_S = 0.04  # of an image in an epoch of efficientnet_lite0, nothing frozen, on one CPU core
GUESSED_SPEED: Mapping[LaneKind, float] = {entry.kind: entry.speed for entry in ENTRIES}
"""How much faster than a CPU core a worker of a lane is taken to be before it was measured."""
HEAD_SHARE = 0.001  # of the cost of the whole network, which a head alone has
PAUSE_S = 30.0  # between two trials of a worker, after which the sweep was not running
REMEMBERED = 9  # epochs, of which the median is taken
FRESH = 0.1  # weight of the newest value in a mean that follows changes

Cell = tuple[str, int]
"""Backbone and frozen stages: what decides how long an epoch takes, beside the lane."""


@dataclass(frozen=True)
class Work:
    """What is known of a trial's length before it runs.

    Args:
        runs_to_its_end: Early stopping leaves it alone: it is a first try, or a turn of finals.
        soup_size: Each of its epochs is so many, of as many trainings.
    """

    backbone: str
    frozen_stages: int
    epochs: int
    runs_to_its_end: bool = False
    soup_size: int = 1

    @property
    def cell(self) -> Cell:
        """What decides how long one of its epochs takes."""
        return self.backbone, self.frozen_stages

    @property
    def num_trainings(self) -> int:
        """How many trainings it is of."""
        return num_trainings(self.soup_size, self.frozen_stages, self.backbone)


class _Mean:
    """A mean in which the newest values keep a share, so that it follows changes."""

    def __init__(self) -> None:
        self.value = 0.0
        self.count = 0

    def take(self, value: float) -> None:
        self.count += 1
        self.value += (value - self.value) * max(1 / self.count, FRESH)


class _Recent:
    """The median of the last values, which the first, cold epochs of a worker do not move."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=REMEMBERED)
        self.value = 0.0

    def take(self, value: float) -> None:
        self._values.append(value)
        self.value = median(self._values)


class Pace:
    """Seconds of an epoch by backbone, frozen stages, lane and machine.

    What was measured is taken as it is; another number of frozen stages, or another machine, by
    its neighbours; a kind of lane that was never measured by a guess.

    Args:
        num_images: To learn from, in an epoch.
    """

    def __init__(self, num_images: int = 1) -> None:
        self._num_images = num_images
        self._measured: dict[LaneKind, dict[Cell, dict[str | None, _Recent]]] = {}
        self._beside: dict[LaneKind, _Mean] = {}
        self._share = _Mean()
        self._of_cells: dict[tuple[LaneKind, str | None, Cell], float] = {}
        self._of_kinds: dict[LaneKind, dict[Cell, float]] = {}
        self._of_nodes: dict[tuple[LaneKind, str], float] = {}

    def learn(self, lane: LaneKind, node: str | None, cell: Cell, seconds: float) -> None:
        """Take in an epoch of one training.

        Args:
            node: Host name of the machine it ran on, where machines are told apart.
        """
        by_node = self._measured.setdefault(lane, {}).setdefault(cell, {})
        by_node.setdefault(node, _Recent()).take(max(seconds, 1e-6))
        for known in (self._of_cells, self._of_kinds, self._of_nodes):
            known.clear()

    def learn_ended(
        self, lane: LaneKind, work: Work, epochs_run: int, beside_s: float | None = None
    ) -> None:
        """Take in how much of a trial was run, and the seconds it took beside its epochs."""
        self._share.take(epochs_run / work.epochs)
        if beside_s is not None:
            self._beside.setdefault(lane, _Mean()).take(max(0.0, beside_s))

    def learn_rows(self, rows: Iterable[TrialRecord], with_activations: bool = False) -> None:
        """Take in rows of an earlier start, or of another sweep on the same images.

        Some epochs of a resumed trial may have run elsewhere: it teaches nothing.

        Args:
            with_activations: Count what activations took, which each machine computes once.
        """
        kinds = {str(kind): kind for kind in LaneKind}
        before: dict[tuple[str | None, int | None], TrialRecord] = {}
        for row in sorted(rows, key=_ended_s):
            if row.lane in kinds and row.epochs_run and row.backbone and row.epochs:
                worker = row.node, row.worker_pid
                beside_s = _beside_s(row, before.get(worker))
                before[worker] = row
                if row.is_resumed:
                    continue
                kind, cell = kinds[row.lane], (row.backbone, row.frozen_stages or 0)
                work = Work(*cell, row.epochs, soup_size=row.soup_size or 1)
                seconds = row.training_s if with_activations else row.trained_part_s
                self.learn(kind, row.node, cell, seconds / row.epochs_run / work.num_trainings)
                if row.first is None and row.status is not TrialStatus.UNFINISHED:
                    self.learn_ended(kind, work, row.epochs_run, beside_s)

    def is_measured(self, lane: LaneKind) -> bool:
        """Tell whether an epoch was completed in a lane of that kind."""
        return lane in self._measured

    def seconds(self, work: Work, lane: Lane) -> float:
        """Return how long a trial is expected to take."""
        share = 1.0 if work.runs_to_its_end or not self._share.count else self._share.value
        beside = self._beside.get(lane.kind)
        epochs = max(1.0, share * work.epochs) * work.num_trainings
        return epochs * self.epoch_s(work.cell, lane) + (beside.value if beside else 0.0)

    def epoch_s(self, cell: Cell, lane: Lane) -> float:
        """Return how long an epoch of one training is expected to take."""
        node = lane.node.name if lane.node else None
        key = (lane.kind, node, cell)
        if key not in self._of_cells:
            exact = self._measured.get(lane.kind, {}).get(cell, {}).get(node)
            self._of_cells[key] = (
                self._of_kind(lane, cell) * self.slowness(lane) if exact is None else exact.value
            )
        return self._of_cells[key]

    def slowness(self, lane: Lane) -> float:
        """Return how much longer its machine takes than others with lanes of that kind."""
        if lane.node is None:
            return 1.0
        key = lane.kind, lane.node.name
        if key not in self._of_nodes:
            cells, usual = self._measured.get(lane.kind, {}), self._usual(lane.kind)
            here = [
                math.log(by_node[lane.node.name].value / usual[cell])
                for cell, by_node in cells.items()
                if lane.node.name in by_node
            ]
            self._of_nodes[key] = math.exp(fmean(here)) if here else 1.0
        return self._of_nodes[key]

    def _usual(self, kind: LaneKind) -> dict[Cell, float]:
        """Return seconds of an epoch by cell, in the middle between machines."""
        if kind not in self._of_kinds:
            self._of_kinds[kind] = {
                cell: median(recent.value for recent in by_node.values())
                for cell, by_node in self._measured.get(kind, {}).items()
            }
        return self._of_kinds[kind]

    def _of_kind(self, lane: Lane, cell: Cell) -> float:
        usual = self._usual(lane.kind)
        if cell in usual:
            return usual[cell]
        if usual:
            return self._guess(cell) * _factor(cell, usual, self._guess)
        speed = GUESSED_SPEED[lane.kind] * (lane.threads if lane.kind is LaneKind.CPU else 1)
        others = [
            math.log(GUESSED_SPEED[kind] * _factor(cell, self._usual(kind), self._guess))
            for kind in self._measured
        ]
        return self._guess(cell) * (math.exp(fmean(others)) if others else 1.0) / speed

    def _guess(self, cell: Cell) -> float:
        return self._num_images * CORE_S * relative_cost(*cell)


def _ended_s(row: TrialRecord) -> float:
    return 0.0 if row.finished_at is None else row.finished_at.timestamp()


def _beside_s(row: TrialRecord, before: TrialRecord | None) -> float | None:
    """Return the seconds a trial took its worker beside its epochs, from the end of the one before.

    The first trial of a worker took its start as well, and the first after a pause the pause.
    """
    if before is None or _ended_s(row) - _ended_s(before) > row.training_s + PAUSE_S:
        return None
    return _ended_s(row) - _ended_s(before) - row.training_s


def alike(rows: Iterable[TrialRecord], spec: SweepSpec, dataset: Dataset) -> list[TrialRecord]:
    """Return the rows whose epochs took as long as those of a sweep's trials would."""
    sizes = {spec.task_of(backbone).image_size for backbone in spec.backbones}
    return [
        row
        for row in rows
        if row.dataset_fingerprint == dataset.fingerprint
        and row.image_size in sizes
        and row.epochs_run
    ]


def relative_cost(backbone: str, frozen_stages: int) -> float:
    """Guess what an epoch costs, efficientnet_lite0 with nothing frozen being 1.

    Early stages cost more than late ones, and what is frozen is computed once.
    """
    network = architecture(backbone)
    whole = network.giga_macs / architecture("efficientnet_lite0").giga_macs
    trained = 1 - min(frozen_stages, network.num_stages) / network.num_stages
    return float(whole * max(HEAD_SHARE, trained**1.2))


def _factor(cell: Cell, measured: Mapping[Cell, float], guess: Callable[[Cell], float]) -> float:
    """Return by how much the guess is to be multiplied: as for the nearest cells measured."""
    logs = weights = 0.0
    for (backbone, k), seconds in measured.items():
        weight = 1 / (1 + abs(k - cell[1])) ** 3 * (1.0 if backbone == cell[0] else 0.05)
        logs += weight * math.log(seconds / guess((backbone, k)))
        weights += weight
    return math.exp(logs / weights)
