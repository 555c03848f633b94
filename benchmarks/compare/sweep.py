"""A search under ASHA over learning rate, momentum, frozen stages and schedule."""

from __future__ import annotations

from benchmarks.compare.baseline import run_search
from benchmarks.compare.extrapolation import epoch_seconds_by_k, epochs_by_k, wall_s
from benchmarks.compare.measured import Baseline, Row, Run
from benchmarks.compare.ours import make_spec, run_ours
from benchmarks.compare.pairs import alternate
from benchmarks.compare.settings import Settings
from sweeps.spec.models import SweepSpec

ACCURACIES = (0.95, 0.96)


def measure(settings: Settings) -> list[Row]:
    """Measure ours whole, and as much of the baseline's as its time allows."""
    trials, epochs = settings.pick(32, 4), settings.pick(10, 2)
    ours, sample = alternate(
        settings,
        lambda: run_ours(settings, _spec(settings, trials, epochs)),
        lambda: run_search(settings, trials, epochs, settings.time_budget_s),
    )
    notes = [
        f"{accuracy:.0%} validation accuracy first reached: ours {_reached(ours, accuracy)}, "
        f"baseline {_reached(sample, accuracy)}"
        for accuracy in ACCURACIES
    ]
    diverged = sum(trial.diverged for trial in ours.trials)
    notes.append(
        f"ours: {len(ours.trials)} trials ({diverged} diverged), {ours.num_epochs} epochs; the "
        f"baseline in its time: {len(sample.trials)} trials that reported, "
        f"{sample.num_epochs} epochs"
    )
    name = f"sweep: {trials} trials under ASHA, up to {epochs} epochs"
    return [Row(name, ours, _baseline(settings, ours, sample), tuple(notes))]


def _spec(settings: Settings, trials: int, epochs: int) -> SweepSpec:
    """Return the spec with the space of ``plain_ray_tune.space``."""
    return make_spec(
        settings,
        name="sweep",
        epochs=epochs,
        views=3,
        search={
            "trials": trials,
            "early_stopping": {"kind": "asha", "grace_epochs": 1, "reduction_factor": 3},
        },
        space={
            "lr": {"log_uniform": [1e-3, 0.3]},
            "momentum": {"uniform": [0.8, 0.98]},
            "batch_size": 32,
            "frozen_stages": {"int": [4, "all"]},
            "schedule": {"constant": {}, "cosine": {"final_fraction": 0.0}},
        },
    )


def _baseline(settings: Settings, ours: Run, sample: Run) -> Baseline:
    by_k = epoch_seconds_by_k(sample)
    costs = ", ".join(f"{k}: {seconds:.3g}" for k, seconds in by_k.items())
    return Baseline(
        sample,
        wall_s(by_k, epochs_by_k(ours), settings.slots),
        f"{sample.num_epochs} epochs of {len(sample.trials)} trials within "
        f"{sample.seconds:.0f} s, to our {ours.num_epochs} epochs at their k; seconds an "
        f"epoch at k: {costs}; start-up not counted",
    )


def _reached(run: Run, accuracy: float) -> str:
    seconds = run.reached_s(accuracy)
    return f"not within {run.seconds:.0f} s" if seconds is None else f"after {seconds:.0f} s"
