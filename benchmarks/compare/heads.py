"""Twenty learning rates of a head on a frozen backbone, 25 epochs each."""

from __future__ import annotations

import numpy as np

from benchmarks.compare.baseline import configuration, run_list
from benchmarks.compare.extrapolation import epoch_seconds_by_k, epochs_by_k, wall_s
from benchmarks.compare.measured import Baseline, Row
from benchmarks.compare.ours import make_spec, run_ours
from benchmarks.compare.pairs import alternate
from benchmarks.compare.settings import Settings

SAMPLE_TRIALS = 2
ALL_STAGES = 9


def measure(settings: Settings) -> list[Row]:
    """Measure ours whole and a sample of the baseline's, which would take hours."""
    trials, epochs = settings.pick(20, 3), settings.pick(25, 2)
    sample_epochs = settings.pick(2, 1)
    lrs = [float(f"{lr:.3g}") for lr in np.geomspace(1e-3, 0.3, trials)]
    spec = make_spec(
        settings,
        name="heads",
        epochs=epochs,
        views=3,
        search={"sampler": "grid", "trials": trials, "early_stopping": "none"},
        space={
            "lr": {"choice": lrs},
            "momentum": 0.9,
            "batch_size": 32,
            "frozen_stages": "all",
            "schedule": "constant",
        },
    )
    configs = [configuration(ALL_STAGES, lr) for lr in lrs[:SAMPLE_TRIALS]]
    ours, sample = alternate(
        settings,
        lambda: run_ours(settings, spec),
        lambda: run_list(settings, configs, sample_epochs),
    )
    by_k = epoch_seconds_by_k(sample)
    baseline = Baseline(
        sample,
        wall_s(by_k, epochs_by_k(ours), settings.slots),
        f"{SAMPLE_TRIALS} trials x {sample_epochs} epochs, linearly: {by_k[ALL_STAGES]:.3g} s an "
        f"epoch x {ours.num_epochs} epochs / {settings.slots} slots; start-up not counted",
    )
    return [Row(f"heads: {trials} trials at k = all, {epochs} epochs", ours, baseline)]
