"""A Ray of two machines, as far as finals know it: tasks end at once, or never."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.running import cluster, duplicates, finals, private, tasks
from sweeps.running.lanes import Node
from tests.sweeps.sweep_fakes import CPU

ID1, ID2 = (f"{n:056x}" for n in (1, 2))  # as Ray checks them
ONE, TWO = (
    replace(CPU, slots=1, node=Node(i, n, {"CPU": 1.0})) for i, n in ((ID1, "n1"), (ID2, "n2"))
)


@dataclass
class FakeCluster:
    """A Ray whose machines answer, or begin nothing.

    Args:
        answers: What a task comes to that is given these arguments; by Ray's name of its machine.
            On others no task begins.
        last_first: Of tasks that have ended, the one that was sent last is told of first.
    """

    answers: dict[str, Callable[..., Any]]
    last_first: bool = False
    asked: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    sent: dict[int, tuple[str, tuple[Any, ...]]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def put_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let finals have this Ray."""
        for module in (finals, tasks, duplicates):
            monkeypatch.setattr(module, "ray", self)
        nodes = tuple(lane.node for lane in (ONE, TWO))
        monkeypatch.setattr(cluster.AliveNodes, "nodes", lambda _, fresh=False: nodes)
        monkeypatch.setattr(cluster, "head_address", lambda: "head:6379")
        monkeypatch.setattr(cluster, "answers", lambda _: True)
        monkeypatch.setattr(private, "has_begun", lambda _: False)

    def put(self, value: Any) -> Any:
        return value

    def remote(self, _: Any) -> Any:
        return SimpleNamespace(options=self._options)

    def _options(self, **options: Any) -> Any:
        node_id = options["scheduling_strategy"].node_id

        def send(key: str, work: Any, *arguments: Any) -> int:
            self.asked.append(node_id)
            number = next(self._numbers)
            self.sent[number] = node_id, arguments
            return number

        return SimpleNamespace(remote=send)

    def wait(self, refs: list[int], timeout: float) -> tuple[list[int], list[int]]:
        ended = [ref for ref in refs if self.sent[ref][0] in self.answers]
        if self.last_first:
            ended.reverse()
        return ended, [ref for ref in refs if ref not in ended]

    def get(self, ref: int) -> Any:
        node_id, arguments = self.sent[ref]
        return self.answers[node_id](*arguments)

    def cancel(self, ref: int, force: bool) -> None:
        self.cancelled.append(self.sent[ref][0])
