"""Keeps the time while Ray works: no wait of a sweep is without an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

STOPPING_S = 30.0  # for Ray to end its trials and their workers
SILENCE_S = 300.0  # of first tries that run on after the deadline
HEAD_GONE_S = 15.0  # without an answer of the head
ASK_HEAD_EVERY_S = 3.0


class Watched(Protocol):
    """What the watch wants to know of a searcher."""

    ended: str | None
    interrupted: bool
    heard_at_s: float

    @property
    def runs_first_tries(self) -> bool:
        """Whether a first try is in flight, which the deadline does not cut."""

    def is_late(self) -> bool:
        """Tell whether the time is up."""


class Watch:
    """Tells how long it is worth waiting for Ray.

    Args:
        head: Where the head answers, ``host:port``.
        answers: Tells whether something answers there.
    """

    EVERY_S = 0.5

    def __init__(self, searcher: Watched, head: str, answers: Callable[[str], bool]) -> None:
        self._searcher = searcher
        self._head = head
        self._answers = answers
        self._stopping_since_s: float | None = None
        self._asked_at_s = self._answered_at_s = time.time()
        self.ended: str | None = None

    def goes_on(self, now_s: float) -> bool:
        """Tell whether to wait on; if not, ``ended`` says why."""
        self._ask_head(now_s)
        searcher = self._searcher
        if now_s - self._answered_at_s > HEAD_GONE_S:
            self.ended = f"the sweep ended, since the head of Ray at {self._head} is gone"
        elif searcher.ended is not None or searcher.interrupted:
            self._stopping_since_s = self._stopping_since_s or now_s
            if now_s - self._stopping_since_s > STOPPING_S:
                self.ended = "the sweep ended, though Ray did not end its trials in time"
        elif searcher.is_late():
            self._stopping_since_s = self._stopping_since_s or now_s
            quiet_since_s = max(self._stopping_since_s, searcher.heard_at_s)
            if now_s - quiet_since_s > self._patience_s:
                self.ended = "the time is up, though Ray did not end its trials"
        return self.ended is None

    @property
    def _patience_s(self) -> float:
        return SILENCE_S if self._searcher.runs_first_tries else STOPPING_S

    def _ask_head(self, now_s: float) -> None:
        if now_s - self._asked_at_s < ASK_HEAD_EVERY_S:
            return
        self._asked_at_s = now_s
        if self._answers(self._head):
            self._answered_at_s = now_s
