"""A searcher on a bench: driven by hand, without Ray."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from ray.tune.search import Searcher

from results.schema import TrialRecord
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
    rows: list[TrialRecord] = field(default_factory=list)
    states_when_published: list[TrialState] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)

    def __post_init__(self) -> None:
        self.searcher = StudySearcher(
            self.study, self.spec, DATASET, (GPU, CPU), self._publish, self.notes,
            clock=lambda: self.now_s, deadline_s=self.deadline_s,
        )  # fmt: skip

    def _publish(self, record: TrialRecord) -> None:
        self.rows.append(record)
        self.states_when_published.append(trials_of(self.study)[record.trial_number].state)

    def run(self, trial_id: str, *scores: float, **facts: Any) -> TrialRecord:
        """Report epochs one by one, the last as the trial's end."""
        epochs = [epoch(number, score) for number, score in enumerate(scores, start=1)]
        for e in epochs[:-1]:
            self.searcher.on_trial_result(trial_id, {"epochs": [e], "done": False})
        last = {"epochs": epochs[-1:], "done": True, "started_at_s": self.now_s + 3}
        self.searcher.on_trial_complete(trial_id, last | facts)
        return self.rows[-1]

    def states(self) -> list[TrialState]:
        return [trial.state for trial in trials_of(self.study)]


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
