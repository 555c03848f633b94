"""Where the next trial runs: lanes, their slots, and the choice between them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sweeps.errors import UsageError
from sweeps.spec.models import Lanes


class LaneKind(StrEnum):
    """The kinds of worker slot."""

    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class Lane:
    """A kind of worker slot.

    Args:
        device: What torch computes on in it.
        slots: How many trials run in it at once.
        threads: CPU cores each of them has.
        gpu: Share of a GPU each of them asks Ray for.
    """

    kind: LaneKind
    device: str
    slots: int
    threads: int
    gpu: float = 0.0

    @property
    def resources(self) -> dict[str, float]:
        """What a worker of this lane asks Ray for."""
        asked: dict[str, float] = {"CPU": self.threads}
        return asked | {"GPU": self.gpu} if self.gpu else asked


def plan_lanes(spec: Lanes, nodes: Sequence[Mapping[str, float]]) -> tuple[Lane, ...]:
    """Turn the resources of a cluster's nodes into lanes, the faster one first.

    GPU workers take their cores first; CPU workers get what is left of each node.

    Args:
        nodes: For every node, what Ray says it has: ``{"CPU": 8, "GPU": 1, ...}``.

    Raises:
        UsageError: The lanes asked for do not fit the machines, or there is none at all.
    """
    gpu_slots = cpu_slots = 0
    for node in nodes:
        cores = int(node.get("CPU", 0))
        here = min(int(node.get("GPU", 0)) * spec.gpu.per_gpu, cores // spec.gpu.threads)
        if spec.gpu.slots != "auto":
            here = min(here, spec.gpu.slots - gpu_slots)
        gpu_slots += here
        cpu_slots += (cores - here * spec.gpu.threads) // spec.cpu.threads
    for kind, asked, there in (
        ("gpu", spec.gpu.slots, gpu_slots),
        ("cpu", spec.cpu.slots, cpu_slots),
    ):
        if asked != "auto" and asked > there:
            raise UsageError(
                f"lanes.{kind}.slots asks for {asked} workers, but there is room for {there}"
            )
    if spec.cpu.slots != "auto":
        cpu_slots = spec.cpu.slots
    lanes = (
        Lane(LaneKind.GPU, spec.gpu.device, gpu_slots, spec.gpu.threads, 1 / spec.gpu.per_gpu),
        Lane(LaneKind.CPU, "cpu", cpu_slots, spec.cpu.threads),
    )
    planned = tuple(lane for lane in lanes if lane.slots > 0)
    if not planned:
        raise UsageError(
            f"no lane has a slot: a CPU worker asks for {spec.cpu.threads} cores "
            "(lanes.cpu.threads), which no machine has free"
        )
    return planned


def free_lane(lanes: Sequence[Lane], busy: Mapping[LaneKind, int]) -> Lane | None:
    """Choose the lane of the next trial: the first, fastest, with a free slot."""
    return next((lane for lane in lanes if busy.get(lane.kind, 0) < lane.slots), None)
