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


@dataclass(frozen=True)
class Entry:
    """What is to be known of a kind of lane; its slots and threads are the spec's.

    Args:
        resource: Ray's name of what a worker of it shares with others; ``None``: cores only.
        speed: How much faster than a CPU core it is taken to be before it was measured.
    """

    kind: LaneKind
    resource: str | None
    speed: float


ENTRIES = (Entry(LaneKind.GPU, "GPU", 20.0), Entry(LaneKind.CPU, None, 1.0))
"""The kinds, the faster one first: it takes its cores first."""

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
        shared = next(entry.resource for entry in ENTRIES if entry.kind is self.kind)
        return {"CPU": self.threads} | ({shared: self.gpu} if shared else {})


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
    for kind in closed:
        if kind is not LaneKind.CPU:
            section = getattr(spec, kind).model_copy(update={"slots": 0})
            spec = spec.model_copy(update={str(kind): section})
    slots = _room(spec, nodes)
    found = []
    for entry in ENTRIES:
        kind, section = entry.kind, getattr(spec, entry.kind)
        room = slots[kind] if section.slots == "auto" else min(slots[kind], section.slots)
        if room > 0 and kind not in closed:
            device = section.device if entry.resource else "cpu"
            share = 1 / section.per_gpu if entry.resource else 0.0
            found.append(Lane(kind, device, room, section.threads, share))
    return tuple(found)


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
    order = [entry.kind for entry in ENTRIES]
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
    """Return how many slots of each kind there is room for; cores alone are not limited by a spec.

    Each kind takes its cores of a node before the next.
    """
    slots = dict.fromkeys((entry.kind for entry in ENTRIES), 0)
    for node in nodes:
        cores = int(node.get("CPU", 0))
        for entry in ENTRIES:
            section = getattr(spec, entry.kind)
            here = cores // section.threads
            if entry.resource is not None:
                here = min(here, int(node.get(entry.resource, 0)) * section.per_gpu)
                if section.slots != "auto":
                    here = min(here, section.slots - slots[entry.kind])
            slots[entry.kind] += here
            cores -= here * section.threads
    return slots
