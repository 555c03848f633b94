"""A trial on its way: what its worker reported so far, and the row it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from antsbees import __version__
from antsbees.data.datasets import Dataset
from results.ranking import is_better
from results.schema import COLUMNS, LOST, Objective, TrialRecord, TrialStatus
from sweeps.running.health import Failure
from sweeps.running.lanes import Lane
from sweeps.running.messages import Epoch, Facts, Proposal, Report
from sweeps.search.study import Asked
from sweeps.spec.models import SweepSpec

LOST_MESSAGE = "its worker process or node died, see driver.log"


@dataclass
class InFlight:
    """A trial that was proposed and has not ended.

    Args:
        cut: It is being ended by the time limit or a signal, or its lane is gone.
        error: Kind and message, once it failed.
    """

    asked: Asked
    lane: Lane
    proposed_at_s: float
    cut: bool = False
    curve: list[Epoch] = field(default_factory=list)
    facts: Facts | None = None
    probabilities: list[list[float]] | None = None
    error: tuple[str, str] | None = None

    @property
    def number(self) -> int:
        """Its order in the study."""
        return self.asked.number

    @property
    def node(self) -> str | None:
        """The machine it runs on, once it has reported."""
        return self.facts.node if self.facts else None

    @property
    def proposal(self) -> Proposal:
        """What its worker is told."""
        lane, asked = self.lane, self.asked
        return Proposal(
            number=asked.number,
            trial=asked.config,
            is_first=asked.first is not None,
            lane=str(lane.kind),
            device=lane.device,
            threads=lane.threads,
            resources=lane.resources,
            slots=lane.slots,
        )

    def absorb(self, report: Report) -> tuple[Epoch, ...]:
        """Take a report in; return the epochs in it that are new."""
        fresh = tuple(e for e in report.epochs if e.epoch > len(self.curve))
        self.curve.extend(fresh)
        self.facts = report.facts
        if fresh:
            self.probabilities = report.probabilities
        if report.error_kind is not None:
            self.error = report.error_kind, report.error_message or ""
        return fresh

    def failure(self) -> Failure:
        """Describe how it failed."""
        kind, message = self.error or (LOST, LOST_MESSAGE)
        return Failure(
            number=self.number,
            lane=self.lane.kind,
            node=self.node,
            kind=kind,
            message=message,
            epochs=len(self.curve),
            lost=kind == LOST,
            proposed_at_s=self.proposed_at_s,
        )

    @property
    def status(self) -> TrialStatus:
        """How it ended, if it has."""
        if self.error is not None:
            return TrialStatus.FAILED
        if len(self.curve) == self.asked.config.epochs:
            return TrialStatus.COMPLETE
        return TrialStatus.UNFINISHED if self.cut else TrialStatus.STOPPED

    def record(self, spec: SweepSpec, dataset: Dataset, now_s: float) -> TrialRecord:
        """Return its row."""
        facts = asdict(self.facts) if self.facts else {}
        started_at_s = facts.pop("started_at_s", self.proposed_at_s)
        kind, message = self.error or (None, None)
        backbone = self.asked.config.backbone or spec.task.backbone
        return TrialRecord(
            sweep=spec.name,
            trial_number=self.number,
            status=self.status,
            first=self.asked.first,
            waiting_s=max(0.0, started_at_s - self.proposed_at_s),
            started_at=datetime.fromtimestamp(started_at_s, UTC),
            finished_at=datetime.fromtimestamp(now_s, UTC),
            lane=str(self.lane.kind),
            device=self.lane.device,
            threads=self.lane.threads,
            dataset=dataset.name,
            dataset_fingerprint=dataset.fingerprint,
            num_val_images=len(dataset.val),
            weights=spec.weights,
            image_size=spec.task_of(backbone).image_size,
            views=spec.views,
            data_seed=spec.seed,
            code_version=__version__,
            objective=str(spec.objective),
            probabilities=self.probabilities,
            error_kind=kind,
            error_message=message,
            **_hyperparameters(self.asked.config.to_dict() | {"backbone": backbone}),
            **_outcome([asdict(epoch) for epoch in self.curve], spec.objective),
            **facts,
        )


def _hyperparameters(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name in COLUMNS}


def _outcome(curve: list[dict[str, Any]], objective: Objective) -> dict[str, Any]:
    """Sum a learning curve up; the numbers of a row are those of its last epoch."""
    if not curve:
        return {}
    last, best = curve[-1], curve[0]
    for epoch in curve[1:]:
        if is_better(epoch[objective], best[objective], objective):
            best = epoch
    return {
        "score": last[objective],
        "val_accuracy": last["val_accuracy"],
        "val_loss": last["val_loss"],
        "train_loss": last["train_loss"],
        "best_epoch": best["epoch"],
        "epochs_run": len(curve),
        "curve": curve,
        "training_s": sum(epoch["seconds"] for epoch in curve),
        "trained_part_s": sum(epoch["train_s"] for epoch in curve),
    }
