"""Tells from outside whether a sweep runs, without touching its lock."""

from __future__ import annotations

import time
from pathlib import Path

from sweeps.paths import RunPaths

QUIET_S = 60.0
"""A sweep of another machine, whose locks cannot be seen, is over when it wrote nothing so long."""
_LOCKS = Path("/proc/locks")


def is_running(paths: RunPaths, sweep: str, now_s: float | None = None) -> bool:
    """Tell whether a driver holds the sweep's lock, or has written something a moment ago.

    Args:
        now_s: The time [default: the clock's].
    """
    if _is_held(paths.lock(sweep)):
        return True
    now_s = time.time() if now_s is None else now_s
    is_local = _LOCKS.exists()
    return not is_local and now_s - written_at_s(paths, sweep) < QUIET_S


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
