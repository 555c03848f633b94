"""What the baseline would need for work it was not given the time to do. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import mean

import numpy as np

from benchmarks.compare.measured import Run


def epochs_by_k(run: Run) -> Counter[int]:
    """Count a run's epochs for every number of frozen stages."""
    counts: Counter[int] = Counter()
    for trial in run.trials:
        counts[trial.frozen_stages] += len(trial.epochs)
    return counts


def epoch_seconds_by_k(run: Run) -> dict[int, float]:
    """Return the mean seconds of an epoch for every number of frozen stages that has one.

    Raises:
        RuntimeError: The run completed no epoch.
    """
    seconds: dict[int, list[float]] = {}
    for trial in run.trials:
        for epoch in trial.epochs:
            seconds.setdefault(trial.frozen_stages, []).append(epoch.seconds)
    if not seconds:
        raise RuntimeError("the baseline completed no epoch to extrapolate from; give it more time")
    return {k: mean(seconds[k]) for k in sorted(seconds)}


def wall_s(seconds_by_k: Mapping[int, float], epochs: Mapping[int, int], slots: int) -> float:
    """Return the wall time of so many epochs at each k, all slots busy, nothing else counted.

    A k that was not measured lies on the line between its neighbours that were; outside of them,
    it costs what the nearest does. Start-up of processes and trials is left out, so that the
    figure is too low rather than too high.
    """
    measured = sorted(seconds_by_k)
    costs = [seconds_by_k[k] for k in measured]
    total = sum(count * float(np.interp(k, measured, costs)) for k, count in epochs.items())
    return total / slots
