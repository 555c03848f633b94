"""Ends what a driver leaves behind, however the driver ends: kill -9 leaves agents of Ray's alive.

Run as a program, it waits until its standard input closes, which the kernel does for a dead driver,
and then kills every process that carries the driver's mark in its environment. When the driver did
not say that it was done, the guard says a last sentence in its place: Ray's C++ ends a process
without one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = "ANTSBEES_DRIVER_MARK"
GRACE_S = 3.0  # for processes that end by themselves
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


def marked(mark: str) -> list[int]:
    """List the processes that carry a mark in the environment they were started with."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile, or another user's
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def _wait_and_kill(mark: str, last_sentence: str) -> None:
    if sys.stdin.buffer.read() != _DONE:
        with contextlib.suppress(OSError):  # nobody reads it any more
            os.write(sys.stderr.fileno(), f"error: {last_sentence}\n".encode())
    deadline = time.monotonic() + GRACE_S
    while marked(mark):
        if time.monotonic() > deadline:
            for process in marked(mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


if __name__ == "__main__":
    _wait_and_kill(*sys.argv[1:])
