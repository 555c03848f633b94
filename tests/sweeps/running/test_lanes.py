"""What the plan of the lanes promises."""

from __future__ import annotations

from typing import Any

import pytest

from sweeps.errors import UsageError
from sweeps.running.lanes import (
    Lane,
    LaneKind,
    Node,
    Place,
    lanes_of_nodes,
    lanes_there,
    plan_lanes,
    unused,
)
from sweeps.spec.models import Lanes

LAPTOP = {"CPU": 4.0, "memory": 8e9}
SERVER = {"CPU": 8.0, "GPU": 2.0}


def slots(nodes: list[dict[str, float]], **lanes: Any) -> dict[str, int]:
    planned = plan_lanes(Lanes.model_validate(lanes), nodes)
    return {str(lane.kind): lane.slots for lane in planned}


@pytest.mark.parametrize(
    ("nodes", "lanes", "expected"),
    [
        ([LAPTOP], {}, {"cpu": 4}),
        ([LAPTOP], {"cpu": {"threads": 2}}, {"cpu": 2}),
        ([LAPTOP], {"cpu": {"threads": 3}}, {"cpu": 1}),
        ([LAPTOP], {"cpu": {"slots": 1}}, {"cpu": 1}),
        ([SERVER], {}, {"gpu": 2, "cpu": 6}),
        ([SERVER], {"gpu": {"threads": 3}}, {"gpu": 2, "cpu": 2}),
        ([SERVER], {"gpu": {"per_gpu": 3}}, {"gpu": 6, "cpu": 2}),
        ([SERVER], {"gpu": {"per_gpu": 4, "threads": 2}}, {"gpu": 4}),
        ([SERVER], {"gpu": {"slots": 1}}, {"gpu": 1, "cpu": 7}),
        ([SERVER], {"gpu": {"slots": 0}}, {"cpu": 8}),
        ([SERVER], {"cpu": {"slots": 0}}, {"gpu": 2}),
        ([SERVER, LAPTOP, SERVER], {}, {"gpu": 4, "cpu": 16}),
        ([SERVER, LAPTOP, SERVER], {"gpu": {"slots": 3}}, {"gpu": 3, "cpu": 17}),
        ([LAPTOP, LAPTOP], {"cpu": {"threads": 3}}, {"cpu": 2}),
        ([{"CPU": 1.0, "GPU": 1.0}], {}, {"gpu": 1}),
        ([{"GPU": 1.0}, LAPTOP], {}, {"cpu": 4}),
    ],
)
def test_slots_are_what_the_machines_have_room_for(
    nodes: list[dict[str, float]], lanes: dict[str, Any], expected: dict[str, int]
) -> None:
    assert slots(nodes, **lanes) == expected


@pytest.mark.parametrize(
    ("nodes", "lanes", "told"),
    [
        ([LAPTOP], {"cpu": {"slots": 5}},
         "lanes.cpu.slots asks for 5 workers, but there is room for 4; the machines have 4 CPU"),
        ([LAPTOP, LAPTOP], {"gpu": {"slots": 1}},
         "lanes.gpu.slots asks for 1 workers, but there is room for 0; the machines have 2 times "
         "4 CPU"),
        ([SERVER], {"gpu": {"slots": 3}},
         "lanes.gpu.slots asks for 3 workers, but there is room for 2; the machines have 8 CPU and "
         "2 GPU"),
        ([LAPTOP], {"cpu": {"threads": 5}},
         "no lane has a slot: a CPU worker asks for 5 cores (lanes.cpu.threads), which no machine "
         "has; the machines have 4 CPU"),
        ([], {}, "no lane has a slot: a CPU worker asks for 1 cores (lanes.cpu.threads), which no "
                 "machine has; the machines have nothing: there is none"),
    ],
)  # fmt: skip
def test_lanes_that_do_not_fit_are_told(
    nodes: list[dict[str, float]], lanes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError) as caught:
        slots(nodes, **lanes)
    assert str(caught.value) == told


def test_a_lane_asks_ray_for_its_cores_and_its_share_of_a_gpu() -> None:
    lanes = {"gpu": {"per_gpu": 4, "threads": 2, "device": "cuda:1"}, "cpu": {"threads": 3}}
    gpu, cpu = plan_lanes(Lanes.model_validate(lanes), [{"CPU": 16.0, "GPU": 1.0}])
    assert gpu == Lane(LaneKind.GPU, "cuda:1", slots=4, threads=2, gpu=0.25)
    assert gpu.resources == {"CPU": 2, "GPU": 0.25}
    assert cpu == Lane(LaneKind.CPU, "cpu", slots=2, threads=3)
    assert cpu.resources == {"CPU": 3}


def there(nodes: list[dict[str, float]], *closed: LaneKind, **lanes: Any) -> dict[str, int]:
    found = lanes_there(Lanes.model_validate(lanes), nodes, closed)
    return {str(lane.kind): lane.slots for lane in found}


def test_a_closed_gpu_lane_leaves_its_cores_to_the_cpu_lane() -> None:
    assert there([SERVER]) == {"gpu": 2, "cpu": 6}
    assert there([SERVER], LaneKind.GPU) == {"cpu": 8}
    assert there([SERVER], LaneKind.CPU) == {"gpu": 2}
    assert there([SERVER], LaneKind.CPU, LaneKind.GPU) == {}


def test_lanes_follow_the_nodes_that_are_there() -> None:
    assert there([SERVER, LAPTOP]) == {"gpu": 2, "cpu": 10}
    assert there([LAPTOP]) == {"cpu": 4}
    assert there([]) == {}
    assert there([LAPTOP], cpu={"slots": 6}) == {"cpu": 4}  # two are gone with their node
    assert there([LAPTOP, LAPTOP], cpu={"slots": 6}) == {"cpu": 6}


def test_gpus_that_no_worker_gets_are_told() -> None:
    threads = Lanes.model_validate({"gpu": {"threads": 16}})
    assert unused(threads, [SERVER, LAPTOP]) == (
        "no GPU is used: a GPU worker asks for 16 cores (lanes.gpu.threads), which no machine with "
        "a GPU has; the machines have 8 CPU and 2 GPU, 4 CPU"
    )
    assert unused(Lanes(), [SERVER]) is None
    assert unused(threads, [LAPTOP]) is None
    assert unused(Lanes.model_validate({"gpu": {"slots": 0}}), [SERVER]) is None


def test_each_machine_has_lanes_of_its_own_up_to_what_the_spec_allows() -> None:
    nodes = [Node("a", "n1", SERVER), Node("b", "n2", LAPTOP), Node("c", "n3", SERVER)]

    def found(closed: list[Place], **lanes: Any) -> list[tuple[str, str, int]]:
        there = lanes_of_nodes(Lanes.model_validate(lanes), nodes, closed)
        return [(str(lane.kind), lane.node.id, lane.slots) for lane in there if lane.node]

    assert found([]) == [
        ("gpu", "a", 2), ("gpu", "c", 2), ("cpu", "a", 6), ("cpu", "b", 4), ("cpu", "c", 6)
    ]  # fmt: skip
    assert found([], gpu={"slots": 3}, cpu={"slots": 8}) == [
        ("gpu", "a", 2), ("gpu", "c", 1), ("cpu", "a", 6), ("cpu", "b", 2)
    ]  # fmt: skip
    assert found([(LaneKind.GPU, "a"), (LaneKind.CPU, "c")]) == [
        ("gpu", "c", 2), ("cpu", "a", 8), ("cpu", "b", 4)
    ]  # fmt: skip
    assert found([(LaneKind.CPU, None)]) == [("gpu", "a", 2), ("gpu", "c", 2)]
