"""Keeps the time while Ray works: no wait of a sweep is without an end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

STOPPING_S = 30.0  # for Ray to end its trials and their workers
SILENCE_S = 300.0  # of first tries that run on after the deadline
HEAD_GONE_S = 15.0  # without an answer of the head
ASK_HEAD_EVERY_S = 3.0
LOOK_EVERY_S = 0.5


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

    def interrupt(self) -> None:
        """Cut every trial, and propose no more."""

    def close(self) -> None:
        """Give back what is still in flight."""


class Watch:
    """Tells how long it is worth waiting for Ray.

    Args:
        head: Where the head answers, ``host:port``.
        answers: Tells whether something answers there.
    """

    def __init__(
        self,
        searcher: Watched,
        head: str,
        answers: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._searcher = searcher
        self._head = head
        self._answers = answers
        self._clock = clock
        self._stopping_since_s: float | None = None
        self._asked_at_s = self._answered_at_s = clock()
        self.ended: str | None = None

    def goes_on(self) -> bool:
        """Tell whether to wait on; if not, ``ended`` says why."""
        now_s = self._clock()
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


def attend(work: Callable[[], object], searcher: Watched, watch: Watch) -> str | None:
    """Let Ray work in a thread of its own, and wait for it no longer than it is worth.

    A signal cuts the trials; a second one does not wait for Ray to end them.

    Returns:
        Why the sweep ended early, if it did.
    """
    raised: list[Exception] = []

    def kept() -> None:
        try:
            work()
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=kept, name="ray-tune", daemon=True)
    thread.start()
    with signals() as received:
        while thread.is_alive() and len(received) < 2:
            thread.join(LOOK_EVERY_S)
            if received:
                searcher.interrupt()
            if thread.is_alive() and not watch.goes_on():
                break
    searcher.close()
    if searcher.ended is not None or watch.ended is not None:
        return searcher.ended or watch.ended
    if raised and not searcher.interrupted:
        lines = str(raised[0]).strip().splitlines() or [repr(raised[0])]
        return f"the sweep ended, since Ray failed: {lines[-1]}"
    return None


@contextmanager
def signals() -> Iterator[list[int]]:
    """Collect the signals that ask this process to end, instead of ending it."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(each, lambda number, _: received.append(number)) for each in wanted]
    try:
        yield received
    finally:
        for each, handler in zip(wanted, before, strict=True):
            signal.signal(each, handler)
