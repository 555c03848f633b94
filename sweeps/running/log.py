"""Sends what libraries have to say to a file: their loggers, and what C++ writes by itself."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

LOGGERS = ("ray", "optuna", "sweeps", "antsbees")
_STREAMS = {"stdout": 1, "stderr": 2}


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Keep the terminal to this process's own words, everything else going to a file.

    What is printed through ``sys.stdout`` and ``sys.stderr`` still reaches where it did; what is
    written to their descriptors, by C++ or by a process started inside, reaches the file.
    """
    with ExitStack() as stack:
        stack.enter_context(_loggers_to(path))
        file = stack.enter_context(path.open("ab", buffering=0))
        for name, descriptor in _STREAMS.items():
            stack.enter_context(_descriptor_to(file.fileno(), name, descriptor))
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
def _descriptor_to(file: int, name: str, descriptor: int) -> Iterator[None]:
    """Point a descriptor at a file, and Python's stream of that name at where it was."""
    stream: TextIO = getattr(sys, name)
    stream.flush()
    kept = os.dup(descriptor)
    with open(kept, "w", encoding="utf-8", errors="replace", buffering=1) as mirror:
        own = _writes_to(stream, descriptor)
        if own:
            mirror.reconfigure(encoding=stream.encoding, errors=stream.errors)
            setattr(sys, name, mirror)
        os.dup2(file, descriptor)
        try:
            yield
        finally:
            stream.flush()
            os.dup2(kept, descriptor)
            if own:
                setattr(sys, name, stream)


def _writes_to(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (OSError, ValueError):  # a stream in memory
        return False
