"""The file a study is kept in: survives any end of its process, and costs little to write."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

# Optuna's JournalOperation, which it does not export
_CREATE_STUDY, _CREATE_TRIAL, _SET_TRIAL_STATE = 0, 4, 6
KEPT_THROUGH_POWER_CUTS = frozenset({_CREATE_STUDY, _CREATE_TRIAL, _SET_TRIAL_STATE})


class KernelLock(JournalFileOpenLock):
    """A lock on the journal that the kernel releases when its process ends, however it ends.

    Optuna's own locks are files that a killed process leaves behind.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o644)

    def acquire(self) -> bool:
        """Wait for the lock."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        """Give the lock back."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)


class Journal(JournalFileBackend):
    """Optuna's journal file, flushed to the disk when a trial begins or ends.

    In between, what is written is the kernel's to keep: a killed process loses nothing, and a power
    cut only the parameters and epochs of trials that would begin again anyway. Optuna flushes after
    every parameter and epoch, sixteen times a trial.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_of_journal = KernelLock(path)
        _drop_torn_line(path)
        super().__init__(str(path), self._lock_of_journal)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append operations, one JSON object a line: all of them, or on an error nothing.

        Raises:
            OSError: The disk is full, or the file cannot be written to.
        """
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        durable = any(log["op_code"] in KEPT_THROUGH_POWER_CUTS for log in logs)
        self._lock_of_journal.acquire()
        try:
            _append(self._path, lines, durable)
        finally:
            self._lock_of_journal.release()


def _append(path: Path, content: bytes, durable: bool) -> None:
    """Append to a file; leave it as it was where that fails, or the next line would be glued on."""
    with open(path, "ab", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            while content:
                content = content[file.write(content) :]
            if durable:
                os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise


def _drop_torn_line(journal: Path) -> None:
    """Cut off a last line that a killed process did not finish writing."""
    if not journal.exists():
        return
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with journal.open("r+b") as file:
            file.truncate(whole)
