"""Where the next trial runs: lanes, their slots, and the choice between them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sweeps.errors import UsageError
from sweeps.spec.models import Lanes


class LaneKind(StrEnum):
    """The kinds of worker slot."""

    CPU = "cpu"
    GPU = "gpu"


Place = tuple[LaneKind, str | None]
"""A lane's kind, and Ray's name of its machine where there are several."""


@dataclass(frozen=True)
class Node:
    """A machine of the cluster.

    Args:
        id: Ray's name of it.
        name: Its host name.
        resources: What Ray says it has: ``{"CPU": 8, "GPU": 1, ...}``.
    """

    id: str
    name: str
    resources: Mapping[str, float]


@dataclass(frozen=True)
class Lane:
    """A kind of worker slot, or those of it that one machine of several has.

    Args:
        device: What torch computes on in it.
        slots: How many trials run in it at once.
        threads: CPU cores each of them has.
        gpu: Share of a GPU each of them asks Ray for.
        node: The machine, where there are several; ``None`` leaves it to Ray.
    """

    kind: LaneKind
    device: str
    slots: int
    threads: int
    gpu: float = 0.0
    node: Node | None = None

    @property
    def place(self) -> Place:
        """What tells it from the other lanes of a cluster."""
        return self.kind, self.node.id if self.node else None

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
    slots = _room(spec, nodes)
    for kind, asked in ((LaneKind.GPU, spec.gpu.slots), (LaneKind.CPU, spec.cpu.slots)):
        if asked != "auto" and asked > slots[kind]:
            raise UsageError(
                f"lanes.{kind}.slots asks for {asked} workers, but there is room for {slots[kind]}"
                f"; the machines have {_told(nodes)}"
            )
    planned = lanes_there(spec, nodes)
    if not planned:
        raise UsageError(
            f"no lane has a slot: a CPU worker asks for {spec.cpu.threads} cores "
            f"(lanes.cpu.threads), which no machine has; the machines have {_told(nodes)}"
        )
    return planned


def unused(spec: Lanes, nodes: Sequence[Mapping[str, float]]) -> str | None:
    """Say that there are GPUs which no worker gets, though they were not declined."""
    num_gpus = sum(int(node.get("GPU", 0)) for node in nodes)
    if not num_gpus or spec.gpu.slots == 0 or _room(spec, nodes)[LaneKind.GPU]:
        return None
    return (
        f"no GPU is used: a GPU worker asks for {spec.gpu.threads} cores (lanes.gpu.threads), "
        f"which no machine with a GPU has; the machines have {_told(nodes)}"
    )


def _told(nodes: Sequence[Mapping[str, float]]) -> str:
    """Say what machines have, alike ones together."""
    each = Counter(
        " and ".join(f"{node[name]:g} {name}" for name in ("CPU", "GPU") if node.get(name))
        or "nothing"
        for node in nodes
    )
    told = (f"{count} times {what}" if count > 1 else what for what, count in each.items())
    return ", ".join(told) or "nothing: there is none"


def lanes_there(
    spec: Lanes,
    nodes: Sequence[Mapping[str, float]],
    closed: Collection[LaneKind] = (),
) -> tuple[Lane, ...]:
    """Return the lanes that the nodes have room for just now, without those that were closed.

    What a closed GPU lane does not use of a node's cores, the CPU lane does.
    """
    if LaneKind.GPU in closed:
        spec = spec.model_copy(update={"gpu": spec.gpu.model_copy(update={"slots": 0})})
    slots = _room(spec, nodes)
    if spec.cpu.slots != "auto":
        slots[LaneKind.CPU] = min(slots[LaneKind.CPU], spec.cpu.slots)
    gpu_share = 1 / spec.gpu.per_gpu
    lanes = (
        Lane(LaneKind.GPU, spec.gpu.device, slots[LaneKind.GPU], spec.gpu.threads, gpu_share),
        Lane(LaneKind.CPU, "cpu", slots[LaneKind.CPU], spec.cpu.threads),
    )
    return tuple(lane for lane in lanes if lane.slots > 0 and lane.kind not in closed)


def lanes_of_nodes(
    spec: Lanes, nodes: Sequence[Node], closed: Collection[Place] = ()
) -> tuple[Lane, ...]:
    """Return the lanes of each machine, the faster kind first.

    Args:
        closed: Lanes not to use.
    """
    kinds = {kind for kind, node in closed if node is None}
    found: list[Lane] = []
    for node in nodes:
        here = {kind for kind, where in closed if where == node.id}
        left = _less(spec, found)
        lanes = lanes_there(left, [node.resources], kinds | here)
        found += [replace(lane, node=node) for lane in lanes]
    order = list(LaneKind)[::-1]
    return tuple(sorted(found, key=lambda lane: order.index(lane.kind)))


def _less(spec: Lanes, taken: Sequence[Lane]) -> Lanes:
    """Return what may still be asked for where the spec limits the slots of a kind."""
    changed = {}
    for kind in LaneKind:
        asked = getattr(spec, kind)
        if asked.slots != "auto":
            used = sum(lane.slots for lane in taken if lane.kind is kind)
            changed[str(kind)] = asked.model_copy(update={"slots": max(0, asked.slots - used)})
    return spec.model_copy(update=changed)


def _room(spec: Lanes, nodes: Sequence[Mapping[str, float]]) -> dict[LaneKind, int]:
    gpu_slots = cpu_slots = 0
    for node in nodes:
        cores = int(node.get("CPU", 0))
        here = min(int(node.get("GPU", 0)) * spec.gpu.per_gpu, cores // spec.gpu.threads)
        if spec.gpu.slots != "auto":
            here = min(here, spec.gpu.slots - gpu_slots)
        gpu_slots += here
        cpu_slots += (cores - here * spec.gpu.threads) // spec.cpu.threads
    return {LaneKind.GPU: gpu_slots, LaneKind.CPU: cpu_slots}


def free_lane(lanes: Sequence[Lane], busy: Mapping[LaneKind, int]) -> Lane | None:
    """Choose the lane of the next trial: the first, fastest, with a free slot."""
    return next((lane for lane in lanes if busy.get(lane.kind, 0) < lane.slots), None)
