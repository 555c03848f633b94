"""Does ``search.cost_aware`` pay? ``-m benchmarks.studies.cost [--data FOLDER] [--seeds 0,1,2]``.

Runs the same search with and without it, under several seeds, each in a fresh process with a cold
cache; the order changes with the seed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from antsbees.data.sources import AUTO, open_dataset
from benchmarks.compare.measured import Run
from benchmarks.compare.ours import make_spec, run_ours
from benchmarks.compare.settings import Settings, default_slots
from sweeps.spec.models import SweepSpec

TRIALS, EPOCHS = 40, 8


def spec_of(settings: Settings, seed: int, cost_aware: bool) -> SweepSpec:
    """Return a search over all that changes what a trial costs and how good it is."""
    return make_spec(
        settings,
        name="cost",
        seed=seed,
        epochs=EPOCHS,
        views=2,
        search={
            "trials": TRIALS,
            "cost_aware": cost_aware,
            "early_stopping": {"kind": "asha", "grace_epochs": 2, "reduction_factor": 3},
        },
        space={
            "lr": {"log_uniform": [1e-3, 0.1]},
            "momentum": {"uniform": [0.7, 0.95]},
            "batch_size": 32,
            "frozen_stages": {"int": [5, "all"]},
            "schedule": {"constant": {}, "cosine": {"final_fraction": 0.0}},
        },
    )


def told(run: Run) -> str:
    """Return the cells of a run: wall time, training time, best accuracy, mean frozen stages."""
    best = max(epoch.val_accuracy for trial in run.trials for epoch in trial.epochs)
    frozen = statistics.fmean(trial.frozen_stages for trial in run.trials)
    return f"{run.seconds:.0f} | {run.training_s:.0f} | {best:.4f} | {frozen:.1f}"


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=AUTO)
    parser.add_argument("--seeds", default="0,1,2")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="antsbees-cost-") as folder:
        os.environ.setdefault("ANTSBEES_CACHE", f"{folder}/cache")
        data = open_dataset(options.data).root
        settings = Settings(data=data, scratch=Path(folder), slots=default_slots())
        print("| seed | cost_aware | seconds | training s | best accuracy | mean k |")
        print("|---|---|---|---|---|---|")
        for seed in map(int, options.seeds.split(",")):
            for cost_aware in (False, True) if seed % 2 == 0 else (True, False):
                run = run_ours(settings, spec_of(settings, seed, cost_aware))
                print(f"| {seed} | {cost_aware} | {told(run)} |", flush=True)


if __name__ == "__main__":
    main()
