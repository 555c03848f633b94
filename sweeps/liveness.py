"""Tells from outside whether a sweep runs, without touching its lock, and lets a driver say so."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from antsbees.storage import publish_file
from sweeps.paths import RunPaths

BEAT_S = 10.0
QUIET_S = 60.0
"""A sweep of another machine, whose locks cannot be seen, is over when it said nothing so long."""
_LOCKS = Path("/proc/locks")


@contextmanager
def beating(paths: RunPaths, sweep: str) -> Iterator[None]:
    """Say, to those who share only a drive with this machine, that a sweep runs here.

    A drive that takes no more files is no reason not to run.
    """
    file, over = paths.heartbeat(sweep), threading.Event()
    with suppress(OSError), publish_file(file) as fresh:
        fresh.write_text(socket.gethostname())
    thread = threading.Thread(target=_beat, args=(file, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with suppress(OSError):
            file.unlink(missing_ok=True)


def is_running(paths: RunPaths, sweep: str, now_s: float | None = None) -> bool:
    """Tell whether a sweep runs, here or on another machine; see ``running_on``."""
    return running_on(paths, sweep, now_s) is not None


def running_on(paths: RunPaths, sweep: str, now_s: float | None = None) -> str | None:
    """Return the name of the machine whose driver runs a sweep, ``None`` if none does.

    A driver of this machine holds the sweep's lock; one of another has spoken a moment ago.

    Args:
        now_s: The time [default: the clock's].
    """
    here = socket.gethostname()
    if _is_held(paths.lock(sweep)):
        return here
    try:
        file = paths.heartbeat(sweep)
        name, beat_s = file.read_text(), file.stat().st_mtime
    except OSError:
        return None
    is_known_here = name == here and _LOCKS.exists()
    now_s = time.time() if now_s is None else now_s
    return None if is_known_here or now_s - beat_s >= QUIET_S else name


def written_at_s(paths: RunPaths, sweep: str) -> float:
    """Return when the newest of a sweep's rows was written, 0 if there are none."""
    folders = (paths.leaderboard / sweep, paths.finals / sweep)
    files = [file for folder in folders for file in folder.glob("*.parquet")]
    return max((_written_at_s(file) for file in files), default=0.0)


def _written_at_s(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:  # it was sealed, and has another name since
        return 0.0


def _beat(file: Path, over: threading.Event) -> None:
    while not over.wait(BEAT_S):
        with suppress(OSError):
            os.utime(file)


def _is_held(lock: Path) -> bool:
    """Look for a lock in the kernel's list: ``1: FLOCK ADVISORY WRITE <pid> <device>:<inode> ...``.

    Trying to take it would make a driver that starts just then believe that another one runs.
    """
    try:
        inode, locks = str(lock.stat().st_ino), _LOCKS.read_text()
    except OSError:
        return False
    fields = (line.split() for line in locks.splitlines())
    return any(f[1] == "FLOCK" and f[5].rpartition(":")[2] == inode for f in fields if len(f) > 5)
