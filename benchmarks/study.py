"""What asking and telling cost as a study grows: ``python -m benchmarks.study [TRIALS]``.

Optuna's journal and TPE as they come, beside ours, on the space of the default sweep: the mean
milliseconds of asking for a trial, reporting twelve epochs and telling its end.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from sweeps.naming import spec_path
from sweeps.search.space import suggest
from sweeps.search.study import open_study
from sweeps.spec.models import SweepSpec
from sweeps.spec.reading import read_spec

WINDOW = 50


def plain_study(spec: SweepSpec, journal: Path) -> optuna.Study:
    """Open a study as Optuna's documentation shows."""
    sampler = TPESampler(seed=spec.seed, multivariate=True, group=True, constant_liar=True)
    storage = JournalStorage(JournalFileBackend(str(journal)))
    direction = cast(Any, spec.objective.direction)
    return optuna.create_study(storage=storage, sampler=sampler, direction=direction)


def trial_ms(study: optuna.Study, spec: SweepSpec, trials: int) -> Iterator[float]:
    """Yield the milliseconds of each trial."""
    for _ in range(trials):
        start = time.perf_counter()
        trial = study.ask()
        config = suggest(trial, spec)
        score = 1 - abs(config.momentum - 0.9) - config.lr
        for epoch in range(1, spec.epochs + 1):
            trial.report(score, epoch)
        study.tell(trial, score)
        yield 1000 * (time.perf_counter() - start)


def main() -> None:
    """Measure and print a Markdown table."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", ExperimentalWarning)
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    spec = read_spec(spec_path("default"))
    print(f"| study | ms a trial, first {WINDOW} | ms a trial, last {WINDOW} of {trials} |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        studies = {
            "Optuna's journal and TPE": plain_study(spec, Path(folder) / "plain"),
            "ours": open_study(spec, Path(folder) / "ours"),
        }
        for name, study in studies.items():
            times = list(trial_ms(study, spec, trials))
            first, last = sum(times[:WINDOW]) / WINDOW, sum(times[-WINDOW:]) / WINDOW
            print(f"| {name} | {first:.1f} | {last:.1f} |", flush=True)


if __name__ == "__main__":
    main()
