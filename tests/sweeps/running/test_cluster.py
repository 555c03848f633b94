"""What is known of Ray without waiting for it."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sweeps.errors import UsageError
from sweeps.paths import RunPaths
from sweeps.running import cluster
from sweeps.running.cluster import (
    AliveNodes,
    ClusterLanes,
    answers,
    connected,
    require_usable,
    within,
)
from sweeps.running.driver import run_sweep
from sweeps.running.lanes import LaneKind
from sweeps.spec.models import Lanes
from tests.sweeps.sweep_fakes import DATASET, Notes, make_spec

CPU = LaneKind.CPU
REFUSED = (
    "address ray://head:10001 is for Ray's client, which cannot drive a sweep: start the sweep "
    "on a machine of the cluster, with the address auto or <head>:6379"
)


def test_the_address_of_ray_s_client_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    spec = make_spec(address="ray://head:10001")
    with pytest.raises(UsageError) as caught:
        run_sweep(spec, DATASET, RunPaths(tmp_path / "runs"), Notes())
    assert str(caught.value) == REFUSED
    assert not (tmp_path / "runs").exists()
    with pytest.raises(UsageError), connected("ray://head:10001", tmp_path / "driver.log"):
        pass


def test_so_is_one_that_the_environment_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(UsageError, match="for Ray's client"):
        require_usable("auto")
    require_usable(None)  # starts a Ray of its own


@pytest.mark.parametrize("address", [None, "auto", "10.0.0.1:6379", "local"])
def test_other_addresses_are_not(address: str | None) -> None:
    require_usable(address)


def test_whether_a_head_answers_is_known_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert answers(address)
    began_s = time.monotonic()
    assert not answers(address)
    assert time.monotonic() - began_s < cluster.CONNECT_S + 1


def test_work_that_never_returns_is_not_waited_for() -> None:
    never = threading.Event()
    assert not within(0.05, never.wait)
    never.set()
    assert within(5.0, lambda: None)


class FakeRay:
    """As much of Ray as tells of its nodes."""

    def __init__(self) -> None:
        self.alive, self.num_asked = [True, False], 0
        self.draining: set[str] = set()

    def nodes(self) -> list[dict[str, Any]]:
        self.num_asked += 1
        return [
            {"Alive": alive, "Resources": {"CPU": float(n)}, "NodeID": f"id{n}",
             "NodeManagerHostname": f"host{n}"}
            for n, alive in enumerate(self.alive)
        ]  # fmt: skip


def test_nodes_are_asked_for_every_few_seconds_and_only_those_alive_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake, now_s = FakeRay(), [0.0]
    monkeypatch.setattr(cluster, "ray", fake)
    monkeypatch.setattr(cluster, "draining_nodes", lambda: fake.draining)
    nodes = AliveNodes(every_s=2.0, clock=lambda: now_s[0])
    assert [nodes() for _ in range(3)] == [[{"CPU": 0.0}]] * 3
    fake.alive[1] = True
    now_s[0] = 2.0
    assert nodes() == [{"CPU": 0.0}, {"CPU": 1.0}]
    assert fake.num_asked == 2
    fake.draining = {"id0"}
    assert [node.name for node in nodes.nodes(fresh=True)] == ["host1"]


def test_lanes_are_those_of_each_machine_once_there_are_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeRay()
    fake.alive = [False, True, False]
    monkeypatch.setattr(cluster, "ray", fake)
    monkeypatch.setattr(cluster, "draining_nodes", lambda: fake.draining)
    lanes = ClusterLanes(Lanes(), AliveNodes(), pinned=False)
    assert [(lane.slots, lane.node) for lane in lanes(())] == [(1, None)]
    fake.alive[2] = True
    found = lanes((), fresh=True)
    assert [(lane.slots, lane.place) for lane in found] == [(1, (CPU, "id1")), (2, (CPU, "id2"))]
    assert [lane.place for lane in lanes([(CPU, "id1")])] == [(CPU, "id2")]
    assert lanes([(CPU, None)]) == ()
    fake.alive[1] = False
    assert [lane.place for lane in lanes((), fresh=True)] == [(CPU, "id2")]
