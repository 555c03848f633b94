"""Which machines finals use, and where what does not begin goes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from antsbees.errors import DataError
from sweeps.running import private
from sweeps.running.lanes import Lane, LaneKind, Node, Place
from sweeps.running.opening import HELD_AGAIN_S
from sweeps.running.placing import Busy
from sweeps.running.tasks import NOT_BEGUN_S, InFlight, Task
from sweeps.running.usable import Usable
from tests.sweeps.sweep_fakes import CPU

ONE, TWO, THREE = (replace(CPU, node=Node(f"id{n}", f"n{n}", {})) for n in (1, 2, 3))
WAITS = "Finals: nothing began on machine n1 in 60 s; what waits there "


class Machines:
    """Lanes that are there, and what the user was told."""

    def __init__(self, *lanes: Lane, closed: Collection[Place] = ()) -> None:
        self.notes: list[str] = []
        self._lanes = lanes
        self.usable = Usable(self, closed, self.notes.append)

    def __call__(self, closed: Collection[Place], fresh: bool = False) -> tuple[Lane, ...]:
        return tuple(lane for lane in self._lanes if lane.place not in closed)


def test_what_the_search_closed_is_not_used() -> None:
    usable = Machines(ONE, TWO, closed=[ONE.place]).usable
    assert usable.lanes(0.0) == (TWO,)
    assert not usable.leaves_out(TWO, DataError("no images"))  # it is the only one


def test_what_does_not_begin_goes_elsewhere_and_the_machine_gets_nothing_for_a_while() -> None:
    machines = Machines(ONE, TWO)
    assert machines.usable.goes_elsewhere(ONE, 100.0)
    assert machines.usable.goes_elsewhere(ONE, 100.0)
    assert machines.notes == [WAITS + "goes elsewhere"]
    assert machines.usable.lanes(100.0) == (TWO,)
    assert machines.usable.lanes(101.0 + HELD_AGAIN_S) == (ONE, TWO)


def test_where_there_is_no_other_machine_it_waits_on() -> None:
    machines = Machines(ONE)
    assert not machines.usable.goes_elsewhere(ONE, 100.0)
    assert machines.notes == [WAITS + "waits on"]
    assert machines.usable.lanes(100.0) == (ONE,)


def test_a_machine_that_cannot_train_gets_no_finalists_and_that_is_told_once() -> None:
    machines = Machines(ONE, TWO, THREE)
    for _ in range(2):
        assert machines.usable.leaves_out(ONE, DataError("no images"))
    assert not machines.usable.leaves_out(TWO, ValueError("wrong"))
    assert machines.notes == ["Finals: machine n1 gets no finalists: no images"]
    assert machines.usable.lanes(0.0) == (TWO, THREE)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The keys of tasks that have begun."""
    keys: set[str] = set()
    monkeypatch.setattr(private, "has_begun", keys.__contains__)
    return keys


def test_a_task_is_left_waiting_that_has_not_begun_on_its_machine(begun: set[str]) -> None:
    flying = InFlight()
    for key, lane in (("waits", ONE), ("runs", ONE), ("anywhere", CPU)):
        flying.add(Task(key, key, lane, 100.0), (), Busy(None, lane, 0.0))  # type: ignore[arg-type]
    begun.add("runs")
    assert flying.left_waiting(100.0 + NOT_BEGUN_S) == []
    (task,) = flying.left_waiting(101.0 + NOT_BEGUN_S)
    assert task.key == "waits"
    assert task.lane.kind is LaneKind.CPU
