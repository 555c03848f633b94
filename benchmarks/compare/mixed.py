"""Every number of frozen stages once, three epochs each: the same list for both systems."""

from __future__ import annotations

from benchmarks.compare.baseline import configuration, run_list
from benchmarks.compare.measured import Baseline, Row
from benchmarks.compare.ours import make_spec, run_ours
from benchmarks.compare.pairs import alternate
from benchmarks.compare.settings import Settings
from sweeps.search.space import SearchSpace

LR = 0.005


def measure(settings: Settings) -> list[Row]:
    """Measure both whole; the baseline takes the configurations in the order of our grid."""
    ks = [7, 9] if settings.tiny else list(range(10))
    epochs = settings.pick(3, 1)
    spec = make_spec(
        settings,
        name="mixed",
        epochs=epochs,
        views=3,
        search={"sampler": "grid", "trials": len(ks), "early_stopping": "none"},
        space={
            "lr": LR,
            "momentum": 0.9,
            "batch_size": 32,
            "frozen_stages": {"choice": ks},
            "schedule": "constant",
        },
    )
    configs = [
        configuration(int(point["frozen_stages"]), LR) for point in SearchSpace.of(spec).grid()
    ]
    ours, plain = alternate(
        settings, lambda: run_ours(settings, spec), lambda: run_list(settings, configs, epochs)
    )
    name = f"mixed: k = {ks[0]}..{ks[-1]} once each, {epochs} epochs"
    return [Row(name, ours, Baseline(plain, plain.seconds))]
