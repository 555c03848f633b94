"""The Optuna study as a Ray searcher: proposes trials and lanes, turns results into rows."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ray.tune.search import Searcher

from antsbees import __version__
from antsbees.config import TrialConfig
from antsbees.data.datasets import Dataset
from results.errors import LeaderboardError
from results.ranking import is_better
from results.schema import COLUMNS, Objective, TrialRecord, TrialStatus
from sweeps.running.lanes import Lane, LaneKind, free_lane
from sweeps.running.observer import Observer
from sweeps.search.study import Asked, SearchStudy
from sweeps.spec.models import SweepSpec

logger = logging.getLogger(__name__)

WORKER_DIED = "worker_died"


@dataclass
class InFlight:
    """A trial that was proposed and has not ended."""

    asked: Asked
    lane: Lane
    proposed_at_s: float
    curve: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


class StudySearcher(Searcher):
    """Asks the study for trials as slots become free, and tells it how they ended.

    Trials the study has as running, because their driver ended before they did, come first, under
    their own numbers. A row is handed on, and on disk, before the study hears that its trial ended.

    When a row cannot be put on disk, ``failure`` says why, nothing more is proposed, and the trial
    stays as running in the study, to be taken up again.

    Args:
        publish: Puts a row on disk.
        clock: Seconds since the epoch.
        deadline_s: By the clock; no trial is proposed after it.
    """

    def __init__(
        self,
        study: SearchStudy,
        spec: SweepSpec,
        dataset: Dataset,
        lanes: Sequence[Lane],
        publish: Callable[[TrialRecord], object],
        observer: Observer,
        clock: Callable[[], float] = time.time,
        deadline_s: float | None = None,
    ) -> None:
        super().__init__(metric="score", mode=spec.objective.direction[:3])
        self._study = study
        self._spec = spec
        self._dataset = dataset
        self._lanes = lanes
        self._publish = publish
        self._observer = observer
        self._clock = clock
        self._deadline_s = deadline_s
        self.failure: LeaderboardError | None = None
        self._busy: Counter[LaneKind] = Counter()
        self._in_flight: dict[str, InFlight] = {}

    @property
    def num_unfinished(self) -> int:
        """How many trials were proposed and have not ended."""
        return len(self._in_flight)

    def is_over(self) -> bool:
        """Tell whether what runs should end: there is no more time, or rows cannot be kept."""
        late = self._deadline_s is not None and self._clock() >= self._deadline_s
        return late or self.failure is not None

    def suggest(self, trial_id: str) -> Any:
        """Propose the next trial and its lane, ``None`` when no slot is free."""
        if self.is_over() or not self._study.has_more():
            return Searcher.FINISHED
        lane = free_lane(self._lanes, self._busy)
        if lane is None:
            return None
        asked = self._study.next()
        if asked is None:
            return Searcher.FINISHED
        self._busy[lane.kind] += 1
        self._in_flight[trial_id] = InFlight(asked, lane, self._clock())
        self._observer.trial_started(asked.number, asked.config, lane)
        return {
            "trial": asked.config.to_dict(),
            "trial_number": asked.number,
            "device": lane.device,
            "threads": lane.threads,
            "resources": lane.resources,
            "slots": lane.slots,
            "is_first": asked.first is not None,
        }

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Report the epochs of a trial that goes on."""
        self._absorb(self._in_flight[trial_id], result)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Put the row of a trial that ended on disk, then tell the study."""
        flight = self._in_flight.pop(trial_id, None)
        if flight is None:
            return
        self._absorb(flight, result or {})
        if error or result is None:
            flight.facts.setdefault("error_kind", WORKER_DIED)
            message = "the worker process ended unexpectedly, see driver.log"
            flight.facts.setdefault("error_message", message)
        record = self._record(flight)
        try:
            self._publish(record)
        except LeaderboardError as error:  # a full disk; Ray would swallow it
            self.failure = error
            return
        self._study.tell(record)
        self._busy[flight.lane.kind] -= 1
        self._observer.trial_finished(record)

    def __getstate__(self) -> dict[str, Any]:
        """Give Ray nothing to keep: the study is the truth about the search."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Save nothing; see ``__getstate__``."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing; see ``__getstate__``."""

    def _absorb(self, flight: InFlight, result: dict[str, Any]) -> None:
        """Take in the epochs of a result that are new."""
        known = len(flight.curve)
        fresh = [epoch for epoch in result.get("epochs") or [] if epoch["epoch"] > known]
        flight.facts.update({k: v for k, v in result.items() if k in _FACTS})
        for epoch in fresh:
            flight.curve.append(epoch)
            self._study.report(flight.asked.number, epoch["epoch"], epoch[self._spec.objective])
        if fresh:
            score = fresh[-1][self._spec.objective]
            self._observer.trial_reported(flight.asked.number, len(flight.curve), score)

    def _record(self, flight: InFlight) -> TrialRecord:
        facts = dict(flight.facts)
        started_at_s = facts.pop("started_at_s", flight.proposed_at_s)
        return TrialRecord(
            sweep=self._spec.name,
            trial_number=flight.asked.number,
            status=_status(flight),
            first=flight.asked.first,
            waiting_s=max(0.0, started_at_s - flight.proposed_at_s),
            started_at=datetime.fromtimestamp(started_at_s, UTC),
            finished_at=datetime.fromtimestamp(self._clock(), UTC),
            lane=str(flight.lane.kind),
            device=flight.lane.device,
            threads=flight.lane.threads,
            dataset=self._dataset.name,
            dataset_fingerprint=self._dataset.fingerprint,
            num_val_images=len(self._dataset.val),
            backbone=self._spec.backbone,
            weights=self._spec.weights,
            image_size=self._spec.image_size,
            views=self._spec.views,
            data_seed=self._spec.seed,
            code_version=__version__,
            objective=str(self._spec.objective),
            **_hyperparameters(flight.asked.config),
            **_outcome(flight.curve, self._spec.objective),
            **facts,
        )


_FACTS = {
    "started_at_s", "node", "worker_pid", "peak_memory_bytes", "weights_hash", "library_versions",
    "precision", "inference_precision", "probabilities", "error_kind", "error_message",
}  # fmt: skip


def _status(flight: InFlight) -> TrialStatus:
    if flight.facts.get("error_kind"):
        return TrialStatus.FAILED
    whole = len(flight.curve) == flight.asked.config.epochs
    return TrialStatus.COMPLETE if whole else TrialStatus.STOPPED


def _hyperparameters(config: TrialConfig) -> dict[str, Any]:
    return {name: v for name, v in config.to_dict().items() if name in COLUMNS}


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
