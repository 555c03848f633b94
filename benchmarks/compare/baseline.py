"""The baselines' side of a measurement: a script that stands alone, in a fresh process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.compare.measured import Epoch, Run, Trial
from benchmarks.compare.processes import run_python
from benchmarks.compare.settings import Settings

PLAIN = Path(__file__).with_name("plain_ray_tune.py")
TUNED = Path(__file__).with_name("tuned_ray_tune.py")


def configuration(frozen_stages: int, lr: float) -> dict[str, Any]:
    """Return a configuration as the script takes it; the rest is fixed in all measurements."""
    return {
        "frozen_stages": frozen_stages,
        "lr": lr,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "batch_size": 32,
        "schedule": "constant",
    }


def run_list(settings: Settings, configs: Sequence[dict[str, Any]], epochs: int) -> Run:
    """Train a list of configurations."""
    with settings.folder("plain-list") as folder:
        file = folder / "configs.json"
        file.write_text(json.dumps(list(configs)))
        sized = ["--epochs", str(epochs), "--image-size", str(settings.image_size)]
        return _run(PLAIN, settings, folder, [*sized, "--configs", str(file)])


def run_tuned_list(settings: Settings, configs: Sequence[dict[str, Any]]) -> Run:
    """Train a list of configurations, each with its epochs, by the tuned script."""
    with settings.folder("tuned-list") as folder:
        file = folder / "configs.json"
        file.write_text(json.dumps(list(configs)))
        sized = ["--size", str(settings.image_size)]
        return _run(TUNED, settings, folder, [*sized, "--configs", str(file)])


def run_search(settings: Settings, trials: int, epochs: int, time_budget_s: float) -> Run:
    """Run an Optuna search under ASHA until it is done or the time is up."""
    with settings.folder("plain-search") as folder:
        sized = ["--epochs", str(epochs), "--image-size", str(settings.image_size)]
        limits = ["--trials", str(trials), "--time-budget-s", str(time_budget_s)]
        return _run(PLAIN, settings, folder, [*sized, *limits], time_budget_s)


def _run(
    script: Path,
    settings: Settings,
    folder: Path,
    what: Sequence[str],
    time_budget_s: float = float("inf"),
) -> Run:
    out = folder / "out.json"
    shared = {
        "--data": settings.data,
        "--out": out,
        "--slots": settings.slots,
        "--storage": folder / "ray_results",
    }
    arguments = [str(part) for pair in shared.items() for part in pair]
    timed = run_python([str(script), *arguments, *what], folder / "log.txt")
    outcome = json.loads(out.read_text())
    return Run(
        started_at_s=timed.started_at_s,
        seconds=timed.seconds,
        slots=settings.slots,
        trials=tuple(_trial(trial) for trial in outcome["trials"]),
        driver_peak_bytes=outcome["driver_peak_bytes"],
        was_cut=outcome["fit_s"] >= time_budget_s,
    )


def _trial(trial: dict[str, Any]) -> Trial:
    epochs = tuple(
        Epoch(row["val_accuracy"], row["seconds"], row["train_s"], row["finished_at_s"])
        for row in trial["curve"]
    )
    return Trial(
        frozen_stages=trial["config"]["frozen_stages"],
        epochs=epochs,
        finished_at_s=epochs[-1].finished_at_s,
        peak_memory_bytes=max(int(row["max_rss_bytes"]) for row in trial["curve"]),
    )
