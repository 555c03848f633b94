"""Ends what a driver leaves behind, however the driver ends: kill -9 leaves agents of Ray's alive.

Run as a program, it waits until its standard input closes, which the kernel does for a dead driver,
and then kills every process that carries the driver's mark in its environment. When the driver did
not say that it was done, the guard says a last sentence in its place: Ray's C++ ends a process
without one.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MARK = "ANTSBEES_DRIVER_MARK"
GRACE_S = 3.0  # for processes that end by themselves
LOOK_EVERY_S = 5.0  # at what was started, while its parents live
_DONE = b"done"


@contextmanager
def guarded(last_sentence: str) -> Iterator[None]:
    """See to it that no process started inside outlives this one, where there is a ``/proc``.

    Args:
        last_sentence: Printed as an error should this process end inside, without a chance to.
    """
    if not Path("/proc/self/environ").exists():
        yield
        return
    mark = uuid.uuid4().hex
    unmarked = {name: value for name, value in os.environ.items() if name != MARK}
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, mark, last_sentence],
        stdin=subprocess.PIPE,
        env=unmarked,
        start_new_session=True,
    )
    os.environ[MARK] = mark
    try:
        yield
    finally:
        os.environ.pop(MARK, None)
        if guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # the guard was killed
                guard.stdin.write(_DONE)
                guard.stdin.close()
        guard.wait()


@dataclass(frozen=True)
class Process:
    """A process that is told from a later one of the same number."""

    number: int
    started: str


def family(mark: str) -> set[Process]:
    """Find the processes that carry a mark in the environment they were started with.

    A process that renames itself overwrites its environment, as Ray's agents do; so those that were
    started by one with the mark belong to it too.
    """
    found: dict[int, Process] = {}
    parents: dict[int, int] = {}
    others: dict[int, Process] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile, or another user's
            # The name, in brackets, may hold anything; the fields after it are proc_pid_stat(5)'s.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            number = int(folder.name)
            process, parents[number] = Process(number, fields[19]), int(fields[1])
            has_mark = f"{MARK}={mark}".encode() in (folder / "environ").read_bytes()
            (found if has_mark else others)[number] = process
    while adopted := [number for number in others if parents[number] in found]:
        found |= {number: others.pop(number) for number in adopted}
    return set(found.values())


def _wait_and_kill(mark: str, last_sentence: str) -> None:
    seen: set[Process] = set()
    while not select.select([sys.stdin], [], [], LOOK_EVERY_S)[0]:
        seen = family(mark)
    if sys.stdin.buffer.read() != _DONE:
        with contextlib.suppress(OSError):  # nobody reads it any more
            os.write(sys.stderr.fileno(), f"error: {last_sentence}\n".encode())
    deadline = time.monotonic() + GRACE_S
    while left := family(mark) | {process for process in seen if _is_alive(process)}:
        if time.monotonic() > deadline:
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.number, signal.SIGKILL)
        time.sleep(0.05)


def _is_alive(process: Process) -> bool:
    try:
        stat = Path(f"/proc/{process.number}/stat").read_text()
    except OSError:
        return False
    fields = stat.rpartition(")")[2].split()
    return fields[0] != "Z" and fields[19] == process.started


if __name__ == "__main__":
    _wait_and_kill(*sys.argv[1:])
