"""Many trials that have next to nothing to train: what a trial costs beside its training."""

from __future__ import annotations

from benchmarks.compare.baseline import configuration, run_list
from benchmarks.compare.heads import ALL_STAGES
from benchmarks.compare.measured import Baseline, Row, Run
from benchmarks.compare.ours import make_spec, run_ours
from benchmarks.compare.pairs import alternate
from benchmarks.compare.settings import Settings
from sweeps.spec.models import SweepSpec

WINDOW = 100
SAMPLE_ROUNDS = 3  # of the slots


def head_spec(settings: Settings, name: str, trials: int, epochs: int) -> SweepSpec:
    """Return a search over the learning rate of a head alone, without early stopping."""
    return make_spec(
        settings,
        name=name,
        epochs=epochs,
        views=epochs,
        search={"trials": trials, "early_stopping": "none"},
        space={
            "lr": {"log_uniform": [1e-3, 0.3]},
            "momentum": 0.9,
            "batch_size": 32,
            "frozen_stages": "all",
            "schedule": "constant",
        },
    )


def measure(settings: Settings) -> list[Row]:
    """Measure ours whole and a few rounds of the baseline's."""
    trials, slots = settings.max_trials, settings.slots
    configs = [configuration(ALL_STAGES, 0.001 * (n + 1)) for n in range(SAMPLE_ROUNDS * slots)]
    ours, sample = alternate(
        settings,
        lambda: run_ours(settings, head_spec(settings, "overhead", trials, 1)),
        lambda: run_list(settings, configs, 1),
    )
    sample_pace_s = pace_s(sample, slots - 1, len(configs) - 1)
    baseline = Baseline(
        sample,
        sample_pace_s * trials,
        f"{len(configs)} trials, linearly: {sample_pace_s:.3g} s a trial, all slots together, from "
        "the end of the first round on; start-up not counted",
    )
    last = len(ours.trials) - 1
    window = min(WINDOW, (last + 1) // 2)
    notes = (
        f"ours: {pace_s(ours, 0, window):.3f} s a trial over the first {window}, "
        f"{pace_s(ours, last - window, last):.3f} s over the last {window}, all slots together, "
        "from end to end of trials",
        f"our driver's memory: {_growth(ours)}",
    )
    return [Row(f"overhead: {trials} heads, 1 epoch", ours, baseline, notes)]


def pace_s(run: Run, first: int, last: int) -> float:
    """Return the mean seconds from the end of one trial to the next, in the order of their ends."""
    ends = sorted(trial.finished_at_s for trial in run.trials)
    return (ends[last] - ends[first]) / (last - first)


def _growth(run: Run) -> str:
    sizes = run.driver_rss_bytes.items()
    return ", ".join(f"{size / 2**20:.0f} MiB after {count} trials" for count, size in sizes)
