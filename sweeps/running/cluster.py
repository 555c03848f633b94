"""Ray's start, its environment, and what can be known of it without waiting for it."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

import antsbees
import results
import sweeps
from antsbees.machine.allocator import ALLOCATOR_ENV
from sweeps.errors import RunError, UsageError
from sweeps.running.guard import guarded
from sweeps.running.lanes import Lane, Node, Place, lanes_of_nodes, lanes_there
from sweeps.running.log import logged
from sweeps.running.private import draining_nodes
from sweeps.spec.models import Lanes

OBJECT_STORE_BYTES = 200 * 1024**2  # results are small; images and activations do not go through it
SHUTDOWN_S = 20.0  # a cluster whose head is gone never answers a good-bye
CONNECT_S = 3.0
_LAST_SENTENCE = (
    "the sweep's process was killed, or ended by Ray (see {log}); what it has is in the "
    "leaderboard: run the same command again to go on"
)
_TUNE_ENV = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a failed trial has no score
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # the study and the leaderboard hold the state
    "TUNE_WARN_THRESHOLD_S": "10",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def connected(address: str | None, log: Path) -> Iterator[None]:
    """Connect to Ray for the time of a sweep, its words going to a log file.

    Uses the Ray this process is connected to, if there is one; else starts or joins one, and leaves
    it at the end.

    Raises:
        UsageError: The address is one of Ray's client, through which no sweep can be driven.
        RunError: Ray could not be started.
    """
    require_usable(address)
    os.environ.update(_TUNE_ENV)
    if ray.is_initialized():
        with logged(log):
            yield
        return
    with guarded(_LAST_SENTENCE.format(log=log)), logged(log):
        try:
            ray.init(
                log_to_driver=False,
                logging_level=logging.ERROR,
                **(_joined(address) if address else _started()),
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise RunError(f"Ray could not be started: {error}") from error
        try:
            yield
        finally:
            within(SHUTDOWN_S, ray.shutdown)


def require_usable(address: str | None) -> None:
    """Refuse an address that would connect, and then not work.

    Raises:
        UsageError: It is one of Ray's client.
    """
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", address)  # as Ray reads it
    if address is not None and address.startswith("ray://"):
        raise UsageError(
            f"address {address} is for Ray's client, which cannot drive a sweep: start the sweep "
            "on a machine of the cluster, with the address auto or <head>:6379"
        )


def within(seconds: float, work: Callable[[], object]) -> bool:
    """Do some work that may never return; tell whether it did in time."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def head_address() -> str:
    """Return where the head of the connected cluster answers, as ``host:port``."""
    return str(ray.get_runtime_context().gcs_address)


def answers(address: str) -> bool:
    """Tell whether something answers at ``host:port``."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_S).close()
    except OSError:
        return False
    return True


class AliveNodes:
    """What the nodes of the cluster have that are alive, asked for at most every second.

    One that is being drained, as before a spot machine is taken away, gets no more work.
    """

    def __init__(self, every_s: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._asked_at_s = float("-inf")
        self._nodes: tuple[Node, ...] = ()

    def __call__(self) -> list[Mapping[str, float]]:
        """Return the resources of every node, such as ``{"CPU": 8, "GPU": 1}``."""
        return [node.resources for node in self.nodes()]

    def nodes(self, fresh: bool = False) -> tuple[Node, ...]:
        """Return every node.

        Args:
            fresh: Ask now.
        """
        if fresh or self._clock() - self._asked_at_s >= self._every_s:
            draining = draining_nodes()
            self._nodes = tuple(
                Node(node["NodeID"], node["NodeManagerHostname"], node["Resources"])
                for node in ray.nodes()
                if node["Alive"] and node["NodeID"] not in draining
            )
            self._asked_at_s = self._clock()
        return self._nodes


def nodes_at(address: str) -> list[Mapping[str, float]]:
    """Return what the nodes of a running cluster have.

    Raises:
        UsageError: The address is one of Ray's client.
        RunError: There is no cluster at the address.
    """
    require_usable(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise RunError(f"there is no Ray to be joined at {address}: {error}") from error
    try:
        return AliveNodes()()
    finally:
        within(SHUTDOWN_S, ray.shutdown)


class ClusterLanes:
    """The lanes of the cluster just now: machine by machine, where there are several or may be.

    Args:
        pinned: Tell machines apart from the start; otherwise once there are several.
    """

    def __init__(self, spec: Lanes, nodes: AliveNodes, pinned: bool) -> None:
        self._spec = spec
        self._nodes = nodes
        self._pinned = pinned
        self._answered: tuple[Any, tuple[Lane, ...]] = (None, ())

    def __call__(self, closed: Collection[Place], fresh: bool = False) -> tuple[Lane, ...]:
        """Return the lanes there is room for.

        Args:
            closed: Lanes not to use.
            fresh: Ask Ray now.
        """
        asked = self._nodes.nodes(fresh), frozenset(closed)
        if asked != self._answered[0]:
            self._answered = asked, self._plan(*asked)
        return self._answered[1]

    def _plan(self, nodes: tuple[Node, ...], closed: frozenset[Place]) -> tuple[Lane, ...]:
        self._pinned = self._pinned or len(nodes) > 1
        if self._pinned:
            return lanes_of_nodes(self._spec, nodes, closed)
        kinds = [kind for kind, _ in closed]
        return lanes_there(self._spec, [node.resources for node in nodes], kinds)


def _joined(address: str) -> dict[str, Any]:
    """Return how to join a running cluster; its workers get their environment from Ray.

    This code travels with it, so that machines need only what it depends on.
    """
    code = [str(Path(package.__path__[0]).absolute()) for package in (antsbees, results, sweeps)]
    return {"address": address, "runtime_env": {"env_vars": ALLOCATOR_ENV, "py_modules": code}}


def _started() -> dict[str, Any]:
    """Return how to start a Ray on this machine; its workers inherit this process's environment.

    Ray brings a jemalloc for its own processes along, which its workers then use as well.
    """
    os.environ.update(ALLOCATOR_ENV)
    os.environ["RAY_LD_PRELOAD_ON_WORKERS"] = "1"
    return {
        "address": "local",
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE_BYTES,
    }
