"""Who is told how a sweep goes."""

from __future__ import annotations

from typing import Protocol

from antsbees.config import TrialConfig
from results.schema import TrialRecord
from sweeps.finals.standing import FinalsStanding
from sweeps.running.lanes import Lane


class Observer(Protocol):
    """Something that shows, or counts, or keeps what happens in a sweep; called by the driver."""

    def sweep_started(self, lanes: tuple[Lane, ...], known: list[TrialRecord]) -> None:
        """Ray is up; ``known`` are the rows of an earlier start."""

    def trial_started(self, number: int, config: TrialConfig, lane: Lane) -> None:
        """A trial was placed in a lane; anew, when it could not be judged before."""

    def trial_reported(self, number: int, epoch: int, score: float) -> None:
        """A trial completed an epoch."""

    def trial_finished(self, record: TrialRecord) -> None:
        """A trial's row is on disk."""

    def finals_went_on(self, standing: FinalsStanding) -> None:
        """Finalists have answered for every image."""

    def noted(self, sentence: str) -> None:
        """Something happened to the sweep that its user must know."""
