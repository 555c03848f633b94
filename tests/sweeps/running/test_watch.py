"""No wait for Ray is without an end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sweeps.running import watch as watching
from sweeps.running.watch import HEAD_GONE_S, SILENCE_S, STOPPING_S, Watch, attend

HEAD = "10.0.0.1:6379"


@dataclass
class Searching:
    """As much of a searcher as is watched."""

    ended: str | None = None
    interrupted: bool = False
    heard_at_s: float = 0.0
    runs_first_tries: bool = False
    late: bool = False
    closed: bool = False

    def is_late(self) -> bool:
        return self.late

    def interrupt(self) -> None:
        self.interrupted = True

    def close(self) -> None:
        self.closed = True


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def seconds_waited(
    searcher: Searching, answers: Callable[[str], bool] = lambda _: True
) -> tuple[int, str | None]:
    """Look once a second for an hour; return for how long it went on, and why no longer."""
    clock = Clock()
    searcher.heard_at_s = clock.now_s
    watch = Watch(searcher, HEAD, answers, clock)
    for second in range(3600):
        clock.now_s += 1
        if not watch.goes_on():
            return second, watch.ended
    return 3600, watch.ended


def test_a_sweep_within_its_time_is_waited_for() -> None:
    assert seconds_waited(Searching()) == (3600, None)


def test_after_the_deadline_ray_has_a_while_to_end_its_trials() -> None:
    waited, why = seconds_waited(Searching(late=True))
    assert waited == pytest.approx(STOPPING_S, abs=2)
    assert why == "the time is up, though Ray did not end its trials"


def test_first_tries_are_waited_for_longer_but_not_for_ever() -> None:
    waited, _ = seconds_waited(Searching(late=True, runs_first_tries=True))
    assert waited == pytest.approx(SILENCE_S, abs=2)


@pytest.mark.parametrize("searcher", [Searching(interrupted=True), Searching(ended="no lane")])
def test_after_a_signal_or_an_early_end_ray_has_a_while_too(searcher: Searching) -> None:
    waited, why = seconds_waited(searcher)
    assert waited == pytest.approx(STOPPING_S, abs=2)
    assert why == "the sweep ended, though Ray did not end its trials in time"


def test_a_head_that_is_gone_ends_the_sweep() -> None:
    asked: list[str] = []

    def answers(address: str) -> bool:
        asked.append(address)
        return False

    waited, why = seconds_waited(Searching(), answers)
    assert waited == pytest.approx(HEAD_GONE_S, abs=4)
    assert why == f"the sweep ended, since the head of Ray at {HEAD} is gone"
    assert set(asked) == {HEAD}


def test_a_head_that_answers_again_in_time_ends_nothing() -> None:
    turns = iter([False, False, True] * 1000)
    assert seconds_waited(Searching(), lambda _: next(turns)) == (3600, None)


def attended(work: Callable[[], object], searcher: Searching) -> str | None:
    return attend(work, searcher, Watch(searcher, HEAD, lambda _: True))


def test_work_that_ends_is_attended_to_its_end() -> None:
    searcher, done = Searching(), list[int]()
    assert attended(lambda: done.append(1), searcher) is None
    assert (done, searcher.closed) == ([1], True)


def test_work_that_hangs_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "STOPPING_S", 0.2)
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.05)
    searcher, never = Searching(late=True), threading.Event()
    began_s = time.monotonic()
    assert attended(never.wait, searcher) == "the time is up, though Ray did not end its trials"
    assert time.monotonic() - began_s < 5
    assert searcher.closed
    never.set()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_the_search_and_a_second_one_does_not_wait(
    sent: signal.Signals,
) -> None:
    searcher, never = Searching(), threading.Event()

    def signals() -> None:
        for _ in range(2):
            time.sleep(0.2)
            os.kill(os.getpid(), sent)

    threading.Thread(target=signals, daemon=True).start()
    assert attended(never.wait, searcher) is None
    assert searcher.interrupted
    assert searcher.closed
    never.set()


def test_what_ray_raises_is_one_sentence() -> None:
    def fails() -> None:
        raise RuntimeError("Traceback:\n  File ...\nValueError: out of order")

    told = attended(fails, Searching())
    assert told == "the sweep ended, since Ray failed: ValueError: out of order"


def test_why_the_search_ended_comes_first() -> None:
    def fails() -> None:
        raise RuntimeError("consequence")

    assert attended(fails, Searching(ended="the cause")) == "the cause"
