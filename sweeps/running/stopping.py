"""What stops trials early: Ray's ASHA, which leaves first tries alone, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler

from results.schema import TrialRecord
from sweeps.running import private
from sweeps.running.workers import MindsTrials
from sweeps.spec.models import Asha, SweepSpec


class WarmFifo(MindsTrials, FIFOScheduler):
    """Stops nothing."""


@dataclass(frozen=True)
class _Remembered:
    """A trial of an earlier start, as far as Ray's ASHA looks at one."""

    trial_id: str


class AshaForSearched(MindsTrials, ASHAScheduler):
    """ASHA for the trials that were searched; the user's first tries run to their end.

    They are what the winner is measured against, and a score of fewer epochs would not be fair.
    They count in the rungs like any other trial. One that is tried again counts once.
    """

    def __init__(self, spec: SweepSpec, stopping: Asha) -> None:
        super().__init__(
            time_attr="epoch",
            metric="score",
            mode=spec.objective.direction[:3],
            max_t=spec.max_epochs,
            grace_period=stopping.grace_epochs,
            reduction_factor=stopping.reduction_factor,
        )
        self._objective = str(spec.objective)
        self._milestones = rungs(spec)
        self._tries: dict[int, str] = {}

    def on_trial_add(self, controller: Any, trial: Any) -> None:
        """Take a trial in, in the place of an earlier try of it, which was given back."""
        super().on_trial_add(controller, trial)
        number = trial.config["number"]
        if (earlier := self._tries.get(number)) is not None:
            private.forget_scores(self, earlier)
        self._tries[number] = trial.trial_id

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Decide as ASHA does, unless the trial is a first try.

        One that goes on after an interruption reports all of its epochs at once: it passed the
        rungs before the last of them already, and counts in each.
        """
        for epoch in result.get("epochs", ())[:-1]:
            if epoch["epoch"] in self._milestones:
                seen = {"epoch": epoch["epoch"], "score": epoch[self._objective]}
                super().on_trial_result(controller, trial, seen)
        decision = super().on_trial_result(controller, trial, result)
        if trial.config["is_first"]:  # which may have asked for more epochs than the search
            return str(TrialScheduler.CONTINUE)
        return str(decision)

    def remember(self, records: Iterable[TrialRecord]) -> None:
        """Fill the rungs with the trials of an earlier start of the sweep.

        One that is taken up again counts when it reports.

        Args:
            records: With their curves.
        """
        for record in records:
            if record.is_open:
                continue
            trial = _Remembered(f"of an earlier start: {record.trial_number}")
            ASHAScheduler.on_trial_add(self, None, trial)
            for epoch in record.curve or ():
                if epoch["epoch"] in self._milestones:
                    seen = {"epoch": epoch["epoch"], "score": epoch[self._objective]}
                    ASHAScheduler.on_trial_result(self, None, trial, seen)
            ASHAScheduler.on_trial_remove(self, None, trial)


def make_scheduler(spec: SweepSpec, known: Iterable[TrialRecord] = ()) -> TrialScheduler:
    """Build what stops trials early, as the spec says.

    Args:
        known: Rows of an earlier start, with their curves.
    """
    stopping = spec.search.early_stopping
    if not isinstance(stopping, Asha) or stopping.grace_epochs >= spec.max_epochs:
        return WarmFifo()
    scheduler = AshaForSearched(spec, stopping)
    scheduler.remember(known)
    return scheduler


def rungs(spec: SweepSpec) -> frozenset[int]:
    """Return the epochs at which the scheduler decides."""
    stopping = spec.search.early_stopping
    found = set()
    if isinstance(stopping, Asha):
        epoch = stopping.grace_epochs
        while epoch < spec.max_epochs:
            found.add(epoch)
            epoch *= stopping.reduction_factor
    return frozenset(found)
