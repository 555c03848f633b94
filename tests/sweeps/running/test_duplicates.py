"""Near-duplicates are found by the first lane that answers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from antsbees.errors import DataError
from sweeps.running import duplicates, tasks
from sweeps.running.duplicates import NO_SLOT, SILENT, find_duplicates
from sweeps.running.lanes import Lane, Place
from sweeps.running.usable import Usable
from tests.sweeps.fake_cluster import ID1, ID2, ONE, TWO, FakeCluster

GROUPS = [0, 0, 1]


def found(*_: Any) -> list[int]:
    return GROUPS


def not_found(*_: Any) -> list[int]:
    raise DataError("no images")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "SILENCE_S", 0.0)


def find(
    monkeypatch: pytest.MonkeyPatch, ray: FakeCluster, lanes: Collection[Lane] = (ONE, TWO)
) -> tuple[list[int] | None, list[str]]:
    """Find them; return what the user was told as well."""
    ray.put_in(monkeypatch)

    def there(closed: Collection[Place], fresh: bool = False) -> tuple[Lane, ...]:
        return tuple(lane for lane in lanes if lane.place not in closed)

    notes: list[str] = []
    usable = Usable(there, (), notes.append)
    return find_duplicates(usable, "job", notes.append, lambda: False), notes


def test_another_machine_is_asked_where_one_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeCluster({ID2: found})
    assert find(monkeypatch, ray) == (GROUPS, [])
    assert (ray.asked, ray.cancelled) == ([ID1, ID2], [ID1])


def test_one_where_it_does_not_begin_is_not_waited_for_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(duplicates, "SILENCE_S", 1e9)
    monkeypatch.setattr(tasks, "NOT_BEGUN_S", 0.0)
    assert find(monkeypatch, FakeCluster({ID2: found})) == (GROUPS, [])


def test_where_none_answers_the_user_is_told_why_there_are_no_finals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert find(monkeypatch, FakeCluster({})) == (None, [SILENT])
    assert find(monkeypatch, FakeCluster({}), lanes=()) == (None, [NO_SLOT])


def test_a_machine_that_cannot_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    told = find(monkeypatch, FakeCluster({ID1: not_found, ID2: found}))
    assert told == (GROUPS, ["Finals: machine n1 gets no finalists: no images"])
    with pytest.raises(DataError):
        find(monkeypatch, FakeCluster({ID1: not_found}), lanes=[ONE])
