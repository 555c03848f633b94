"""A searcher on a bench: driven by hand, without Ray."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from ray.tune.search import Searcher

from results.schema import TrialRecord
from sweeps.running.lanes import Lane, LaneKind, Place
from sweeps.running.messages import Epoch, Facts, Report
from sweeps.running.pace import Pace
from sweeps.running.searcher import StudySearcher
from sweeps.search.study import Asked, SearchStudy
from sweeps.spec.models import SweepSpec
from tests.sweeps.sweep_fakes import (
    CPU,
    DATASET,
    GPU,
    Notes,
    epoch,
    make_spec,
)

FINISHED = Searcher.FINISHED
SPEC = make_spec(epochs=2, search={"trials": 5, "sampler": "random", "first": []})


@dataclass
class Bench:
    """A searcher, what it published, and what the study knew at that time."""

    study: SearchStudy
    spec: SweepSpec = SPEC
    deadline_s: float | None = None
    now_s: float = 1000.0
    slept_s: float = 0.0
    lanes: tuple[Lane, ...] = (GPU, CPU)
    rows: list[TrialRecord] = field(default_factory=list)
    states_when_published: list[TrialState] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    pace: Pace | None = None
    known: list[TrialRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.searcher = StudySearcher(
            self.study, self.spec, DATASET, self._lanes, self._publish, self.notes,
            clock=lambda: self.now_s, awake=lambda: self.now_s - self.slept_s,
            deadline_s=self.deadline_s, pace=self.pace or equally_fast(), known=self.known,
        )  # fmt: skip

    def _lanes(self, closed: Collection[Place], fresh: bool = False) -> tuple[Lane, ...]:
        return tuple(lane for lane in self.lanes if lane.place not in closed)

    def _publish(self, record: TrialRecord) -> None:
        self.rows.append(record)
        self.states_when_published.append(trials_of(self.study)[record.trial_number].state)

    def report(self, *epochs: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """What Ray hands on of a worker's report."""
        facts = Facts(started_at_s=self.now_s + 3, node="here", worker_pid=1, weights_hash="abc")
        reached = tuple(Epoch(**e) for e in epochs)
        given: dict[str, Any] = {
            "done": False,
            "epoch": len(epochs),
            "score": 0.5,
            "epochs": reached,
        }
        return Report(**given | {"facts": facts} | changes).to_plain()

    def run(self, trial_id: str, *scores: float, **changes: Any) -> TrialRecord:
        """Report epochs one by one, the last as the trial's end; return its row."""
        self.end(trial_id, *scores, **changes)
        return self.rows[-1]

    def end(self, trial_id: str, *scores: float, **changes: Any) -> None:
        """Report epochs one by one, the last as the trial's end, which may leave no row."""
        epochs = [epoch(number, score) for number, score in enumerate(scores, start=1)]
        for e in epochs[:-1]:
            self.searcher.on_trial_result(trial_id, self.report(e))
        last = self.report(*epochs[-1:], done=True, **changes)
        self.searcher.on_trial_complete(trial_id, last)

    def fail(self, trial_id: str, kind: str = "ValueError", message: str = "wrong") -> None:
        """Report a failure before the first epoch was completed."""
        self.end(trial_id, error_kind=kind, error_message=message)

    def states(self) -> list[TrialState]:
        return [trial.state for trial in trials_of(self.study)]


def equally_fast() -> Pace:
    """A pace with which every slot is worth its while."""
    pace = Pace()
    for kind in LaneKind:
        pace.learn(kind, None, ("efficientnet_lite0", 9), 2.0)
    return pace


def opened(folder: Path, spec: SweepSpec = SPEC) -> SearchStudy:
    return SearchStudy.open(spec, folder / "study.journal")


def trials_of(study: SearchStudy) -> list[FrozenTrial]:
    """Look into a study, past its facade."""
    return study._study.trials


def finish(bench: Bench) -> list[dict[str, Any]]:
    """Run trials one after another until the searcher has no more; return its proposals."""
    proposed: list[dict[str, Any]] = []
    while (proposal := bench.searcher.suggest(str(len(proposed)))) != FINISHED:
        proposed.append(proposal)
        bench.run(str(len(proposed) - 1), 0.5, 0.6)
        assert len(proposed) < 100
    return proposed


def next_of(study: SearchStudy) -> Asked:
    """Take the next trial of a study that has one."""
    asked = study.next()
    assert asked is not None
    return asked
