"""Sends what libraries have to say to a file: their loggers, and what C++ writes by itself."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

LOGGERS = ("ray", "optuna", "sweeps", "antsbees")
RAYS_THREADS = "ray_"
_STREAMS = {"stdout": 1, "stderr": 2}


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Keep the terminal to this process's own words, everything else going to a file.

    What is printed through ``sys.stdout`` and ``sys.stderr`` still reaches where it did, but for
    what Ray's threads print; what is written to their descriptors, by C++ or by a process started
    inside, reaches the file.
    """
    with ExitStack() as stack:
        stack.enter_context(_loggers_to(path))
        log = stack.enter_context(path.open("a", encoding="utf-8", buffering=1))
        for name, descriptor in _STREAMS.items():
            stack.enter_context(_stream_to(log, name, descriptor))
        yield


@contextmanager
def _loggers_to(path: Path) -> Iterator[None]:
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for each in loggers:
        each.handlers, each.propagate = [handler], False
    try:
        yield
    finally:
        for each, (handlers, propagate) in zip(loggers, before, strict=True):
            each.handlers, each.propagate = handlers, propagate
        handler.close()


@contextmanager
def _stream_to(log: TextIO, name: str, descriptor: int) -> Iterator[None]:
    """Point a descriptor at the log, and Python's stream of that name at where it was."""
    stream: TextIO = getattr(sys, name)
    stream.flush()
    kept = os.dup(descriptor)
    with open(kept, "w", encoding="utf-8", errors="replace", buffering=1) as mirror:
        shown = stream
        if _writes_to(stream, descriptor):
            mirror.reconfigure(encoding=stream.encoding, errors=stream.errors)
            shown = mirror
        setattr(sys, name, _Split(shown, log))
        os.dup2(log.fileno(), descriptor)
        try:
            yield
        finally:
            stream.flush()
            os.dup2(kept, descriptor)
            setattr(sys, name, stream)


class _Split:
    """A stream that shows what is printed, and logs what is printed by one of Ray's own threads.

    Their names begin alike. They tell of nodes that died, in dozens of lines.
    """

    def __init__(self, shown: TextIO, log: TextIO) -> None:
        self._shown = shown
        self._log = log

    def write(self, text: str) -> int:
        """Write where the calling thread's words belong."""
        of_ray = threading.current_thread().name.startswith(RAYS_THREADS)
        return (self._log if of_ray else self._shown).write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shown, name)


def _writes_to(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (OSError, ValueError):  # a stream in memory
        return False
