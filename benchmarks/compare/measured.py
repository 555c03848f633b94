"""What one run of one system came to, in the same terms for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Epoch:
    """One epoch of one trial.

    Args:
        seconds: With its evaluation.
        train_s: Of passes and updates alone: ours, of the unfrozen stages and the head; the
            baseline's, of the whole network, image loading left out.
    """

    val_accuracy: float
    seconds: float
    train_s: float
    finished_at_s: float


@dataclass(frozen=True)
class Trial:
    """One trial; ``diverged`` ones have no epochs after the loss was lost."""

    frozen_stages: int
    epochs: tuple[Epoch, ...]
    finished_at_s: float
    peak_memory_bytes: int
    diverged: bool = False


@dataclass(frozen=True)
class Run:
    """One fresh process that ran a list of trials or a search, imports and all.

    Args:
        seconds: Wall time from the process's start to its end.
        cache_bytes: What it left in its cache, if it has one.
        driver_rss_bytes: Trials finished -> resident memory of the driver at that moment.
        was_cut: A time limit ended it, so that epochs begun were lost.
    """

    started_at_s: float
    seconds: float
    slots: int
    trials: tuple[Trial, ...]
    driver_peak_bytes: int
    cache_bytes: int | None = None
    driver_rss_bytes: Mapping[int, int] = field(default_factory=dict)
    was_cut: bool = False

    @property
    def num_epochs(self) -> int:
        """Epochs of all trials."""
        return sum(len(trial.epochs) for trial in self.trials)

    @property
    def training_s(self) -> float:
        """Seconds of all epochs of all trials, evaluation included."""
        return sum(epoch.seconds for trial in self.trials for epoch in trial.epochs)

    @property
    def trained_part_s(self) -> float:
        """Seconds of all epochs' passes and updates."""
        return sum(epoch.train_s for trial in self.trials for epoch in trial.epochs)

    @property
    def worker_s(self) -> float:
        """Seconds the slots were there for: wall time of each, start and end included."""
        return self.seconds * self.slots

    @property
    def trials_a_minute(self) -> float:
        """Trials over wall time."""
        return 60 * len(self.trials) / self.seconds

    @property
    def overhead_s(self) -> float | None:
        """Seconds of a slot, for each trial, that were no training; unknown for a cut run."""
        if self.was_cut or not self.trials:
            return None
        return (self.worker_s - self.training_s) / len(self.trials)

    @property
    def worker_peak_bytes(self) -> int:
        """Peak memory of the worst worker, mapped files included."""
        return max((trial.peak_memory_bytes for trial in self.trials), default=0)

    def reached_s(self, accuracy: float) -> float | None:
        """Return when a trial first had this validation accuracy, in seconds from the start."""
        times = [
            epoch.finished_at_s
            for trial in self.trials
            for epoch in trial.epochs
            if epoch.val_accuracy >= accuracy
        ]
        return min(times) - self.started_at_s if times else None


@dataclass(frozen=True)
class Baseline:
    """A Ray Tune script's side of a comparison.

    Args:
        run: What really ran.
        seconds: For the same work as ours.
        extrapolated_from: How ``seconds`` follows from ``run``; ``None`` when it was measured.
        system: What the table calls it.
    """

    run: Run
    seconds: float
    extrapolated_from: str | None = None
    system: str = "plain Ray Tune"


@dataclass(frozen=True)
class Row:
    """One line of the outcome, with what else is worth saying."""

    name: str
    ours: Run
    baseline: Baseline | None = None
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        """How many times longer the baseline takes."""
        return None if self.baseline is None else self.baseline.seconds / self.ours.seconds
