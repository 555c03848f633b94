"""The Optuna study as a Ray searcher: proposes trials and lanes, turns results into rows."""

from __future__ import annotations

import logging
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.trial import TrialState
from ray.tune.search import Searcher

from antsbees import __version__
from antsbees.config import TrialConfig
from antsbees.data.datasets import Dataset
from results.errors import LeaderboardError
from results.ranking import is_better
from results.schema import COLUMNS, Objective, TrialRecord, TrialStatus
from sweeps.running.lanes import Lane, LaneKind, free_lane
from sweeps.running.observer import Observer
from sweeps.search.cost import EPOCH_S
from sweeps.search.space import FIRST, grid, suggest
from sweeps.spec.models import Sampler, SweepSpec

logger = logging.getLogger(__name__)

WORKER_DIED = "worker_died"


@dataclass
class InFlight:
    """A trial that was proposed and has not ended."""

    trial: optuna.Trial
    config: TrialConfig
    lane: Lane
    proposed_at_s: float
    reported: frozenset[int] = frozenset()
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
        study: optuna.Study,
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
        known = study.get_trials(deepcopy=False)
        self._unfinished = deque(t for t in known if t.state is TrialState.RUNNING)
        self._num_proposed = sum(t.state is not TrialState.WAITING for t in known)
        self._num_proposed -= len(self._unfinished)
        self._grid = deque(grid(spec)) if spec.search.sampler is Sampler.GRID else None

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
        lane = free_lane(self._lanes, self._busy)
        if self.is_over() or self._num_proposed >= self._spec.search.trials:
            return Searcher.FINISHED
        if lane is None:
            return None
        trial = self._next_trial()
        if trial is None:
            return Searcher.FINISHED
        config = suggest(trial, self._spec)
        self._num_proposed += 1
        self._busy[lane.kind] += 1
        self._in_flight[trial_id] = InFlight(
            trial, config, lane, self._clock(), self._reported_before(trial)
        )
        self._observer.trial_started(trial.number, config, lane)
        return {
            "trial": config.to_dict(),
            "trial_number": trial.number,
            "device": lane.device,
            "threads": lane.threads,
            "resources": lane.resources,
            "slots": lane.slots,
            "is_first": FIRST in trial.user_attrs,
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
        if flight.curve:
            epoch_s = statistics.fmean(epoch["seconds"] for epoch in flight.curve)
            flight.trial.set_user_attr(EPOCH_S, epoch_s)
        record = self._record(flight)
        try:
            self._publish(record)
        except LeaderboardError as error:  # a full disk; Ray would swallow it
            self.failure = error
            return
        tell(self._study, flight.trial.number, record)
        self._busy[flight.lane.kind] -= 1
        self._observer.trial_finished(record)

    def __getstate__(self) -> dict[str, Any]:
        """Give Ray nothing to keep: the study is the truth about the search."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Save nothing; see ``__getstate__``."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing; see ``__getstate__``."""

    def _next_trial(self) -> optuna.Trial | None:
        if self._unfinished:
            frozen = self._unfinished.popleft()
            return optuna.Trial(self._study, frozen._trial_id)
        if self._grid is not None and not _any_waiting(self._study):
            known = [trial.params for trial in self._study.get_trials(deepcopy=False)]
            while self._grid and self._grid[0] in known:
                self._grid.popleft()
            if not self._grid:
                return None
            self._study.enqueue_trial(self._grid.popleft())
        return self._study.ask()

    def _reported_before(self, trial: optuna.Trial) -> frozenset[int]:
        known = self._study.get_trials(deepcopy=False)[trial.number]
        return frozenset(known.intermediate_values)

    def _absorb(self, flight: InFlight, result: dict[str, Any]) -> None:
        """Take in the epochs of a result that are new."""
        known = len(flight.curve)
        fresh = [epoch for epoch in result.get("epochs") or [] if epoch["epoch"] > known]
        flight.facts.update({k: v for k, v in result.items() if k in _FACTS})
        for epoch in fresh:
            flight.curve.append(epoch)
            if epoch["epoch"] not in flight.reported:  # by an earlier start of this trial
                flight.trial.report(epoch[self._spec.objective], epoch["epoch"])
        if fresh:
            score = fresh[-1][self._spec.objective]
            self._observer.trial_reported(flight.trial.number, len(flight.curve), score)

    def _record(self, flight: InFlight) -> TrialRecord:
        facts = dict(flight.facts)
        started_at_s = facts.pop("started_at_s", flight.proposed_at_s)
        return TrialRecord(
            sweep=self._spec.name,
            trial_number=flight.trial.number,
            status=_status(flight),
            first=flight.trial.user_attrs.get(FIRST),
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
            **_hyperparameters(flight.config),
            **_outcome(flight.curve, self._spec.objective),
            **facts,
        )


_FACTS = {
    "started_at_s", "node", "worker_pid", "peak_memory_bytes", "weights_hash", "library_versions",
    "precision", "inference_precision", "probabilities", "error_kind", "error_message",
}  # fmt: skip


def tell(study: optuna.Study, number: int, record: TrialRecord) -> None:
    """Tell the study how a trial ended, from its row; does nothing if it knows.

    Stopped trials are PRUNED with their last value, so that the sampler knows it for what it is;
    failed ones are FAIL and teach it nothing. Those that are to be taken up again stay as running.
    """
    if record.is_open:
        return
    match record.status:
        case TrialStatus.COMPLETE:
            study.tell(number, record.score, skip_if_finished=True)
        case TrialStatus.STOPPED:
            study.tell(number, state=TrialState.PRUNED, skip_if_finished=True)
        case TrialStatus.FAILED:
            study.tell(number, state=TrialState.FAIL, skip_if_finished=True)


def _status(flight: InFlight) -> TrialStatus:
    if flight.facts.get("error_kind"):
        return TrialStatus.FAILED
    whole = len(flight.curve) == flight.config.epochs
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


def _any_waiting(study: optuna.Study) -> bool:
    return bool(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
