"""What asking and telling cost as a study grows: ``python -m benchmarks.studies.study [TRIALS]``.

Optuna's journal and TPE as they come, beside ours, on the space of the default sweep: the mean
milliseconds of asking for a trial, reporting twelve epochs and telling its end.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from antsbees.config import TrialConfig
from results.schema import TrialRecord, TrialStatus
from sweeps.naming import spec_path
from sweeps.search.space import SearchSpace
from sweeps.search.study import SearchStudy
from sweeps.spec.models import SweepSpec
from sweeps.spec.reading import read_spec

WINDOW = 50


def score_of(config: TrialConfig) -> float:
    """Make up a score that prefers some configurations."""
    return 1 - abs((config.momentum or 0.0) - 0.9) - config.lr


def plain_trials(spec: SweepSpec, journal: Path) -> Callable[[], None]:
    """Return what makes a trial in a study as Optuna's documentation shows."""
    sampler = TPESampler(seed=spec.seed, multivariate=True, group=True, constant_liar=True)
    storage = JournalStorage(JournalFileBackend(str(journal)))
    direction = cast(Any, spec.objective.direction)
    study = optuna.create_study(storage=storage, sampler=sampler, direction=direction)

    space = SearchSpace.of(spec)

    def run_trial() -> None:
        trial = study.ask()
        score = score_of(space.suggest(trial))
        for epoch in range(1, spec.max_epochs + 1):
            trial.report(score, epoch)
        study.tell(trial, score)

    return run_trial


def our_trials(spec: SweepSpec, journal: Path) -> Callable[[], None]:
    """Return what makes a trial in the study of a sweep."""
    study = SearchStudy.open(spec, journal)
    complete = TrialStatus.COMPLETE

    def run_trial() -> None:
        asked = study.next()
        if asked is None:
            raise ValueError(f"the spec has {spec.search.trials} trials, more are measured")
        score = score_of(asked.config)
        for epoch in range(1, spec.max_epochs + 1):
            study.report(asked.number, epoch, score)
        study.tell(
            TrialRecord(
                sweep=spec.name,
                trial_number=asked.number,
                status=complete,
                score=score,
                objective=str(spec.objective),
                seed=spec.seed,
            )
        )

    return run_trial


def trial_ms(run_trial: Callable[[], None], trials: int) -> Iterator[float]:
    """Yield the milliseconds of each trial."""
    for _ in range(trials):
        start = time.perf_counter()
        run_trial()
        yield 1000 * (time.perf_counter() - start)


def main() -> None:
    """Measure and print a Markdown table."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", ExperimentalWarning)
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    spec = read_spec(spec_path("default"))
    search = spec.search.model_copy(update={"trials": trials})
    spec = spec.model_copy(update={"search": search})
    print(f"| study | ms a trial, first {WINDOW} | ms a trial, last {WINDOW} of {trials} |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        studies = {
            "Optuna's journal and TPE": plain_trials(spec, Path(folder) / "plain"),
            "ours": our_trials(spec, Path(folder) / "ours"),
        }
        for name, run_trial in studies.items():
            times = list(trial_ms(run_trial, trials))
            first, last = sum(times[:WINDOW]) / WINDOW, sum(times[-WINDOW:]) / WINDOW
            print(f"| {name} | {first:.1f} | {last:.1f} |", flush=True)


if __name__ == "__main__":
    main()
