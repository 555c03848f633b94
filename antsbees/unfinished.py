"""Keeps the state of a long training in a file, from which it goes on after an interruption."""

from __future__ import annotations

import logging
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from antsbees import __version__
from antsbees.machine.versions import library_versions
from antsbees.storage import publish_file, report_unusable
from antsbees.training import Training

logger = logging.getLogger(__name__)

UNUSABLE = (
    OSError, RuntimeError, EOFError, pickle.UnpicklingError, LookupError, TypeError, ValueError,
)  # fmt: skip
"""What reading a file raises, and what ``Training.restore`` does, if it holds no such state."""


class Unfinished:
    """The file in which a training is kept, now and then, until it has ended.

    Whoever knows that it has ended deletes the file.

    Args:
        every_s: From the start, and between two times of writing; a shorter training is not kept.
    """

    def __init__(
        self, path: Path, every_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._every_s = every_s
        self._clock = clock
        self._kept_at_s = clock()

    def go_on(self, training: Training) -> bool:
        """Bring a fresh training to where the file has it; tell whether there was such a file.

        One that is damaged, or of a training with other numbers, is passed over.
        """
        if not os.path.isfile(self._path):  # which may be where this user may not look
            return False
        try:
            kept = torch.load(self._path, map_location="cpu", weights_only=True)
            if kept["of"] != _told(training):
                return False
            training.restore(kept["state"])
        except UNUSABLE as error:
            logger.warning("%s is damaged, the trial begins again: %r", self._path, error)
            return False
        return True

    def completed(self, training: Training) -> None:
        """Take in that an epoch was completed, and keep the training if it is time to."""
        if self._clock() - self._kept_at_s < self._every_s:
            return
        try:
            with publish_file(self._path) as partial:
                _save({"of": _told(training), "state": training.state()}, partial)
        except OSError as error:
            report_unusable(self._path.parent, error)
        self._kept_at_s = self._clock()


def _told(training: Training) -> str:
    return f"antsbees {__version__} {training.identity} {library_versions()}"


def _save(kept: dict[str, Any], path: Path) -> None:
    try:
        torch.save(kept, path)
    except RuntimeError as error:  # which is what torch makes of a full disk
        first_line = str(error).partition("\n")[0]
        raise OSError(f"the file could not be written to its end ({first_line})") from error
