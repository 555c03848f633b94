"""Trains a configuration from the leaderboard again, and writes it as a model."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from antsbees import __version__
from antsbees.bench import Bench
from antsbees.checkpoints import ModelDescription, save_model
from antsbees.config import Precision, TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.data.sources import open_dataset
from antsbees.errors import DataError
from antsbees.machine.allocator import keep_freed_memory
from antsbees.machine.devices import Execution
from antsbees.machine.versions import library_versions
from antsbees.storage import cache_folder
from antsbees.training import EpochMetrics, Training
from results.schema import HYPERPARAMETERS, TrialRecord
from sweeps.errors import UsageError

Report = Callable[[int, EpochMetrics], None]
"""Called with the seed and the metrics of every epoch."""


@dataclass(frozen=True)
class Retrained:
    """What came out of training a configuration again.

    Args:
        reproduced: Whether the trial's own seed gave the row's accuracy and loss exactly; ``None``
            where that cannot be asked: other images, or another device.
        accuracies: Validation accuracy by seed; empty when the validation images were learnt from.
    """

    folder: Path
    reproduced: bool | None
    accuracies: dict[int, float]
    losses: dict[int, float]


def retrain(
    record: TrialRecord, dataset: Dataset, folder: Path, report: Report,
    num_seeds: int = 1, on_all: bool = False,
) -> Retrained:  # fmt: skip
    """Train a row's configuration with its own seed, then with further ones; save the first model.

    Args:
        dataset: The images of the row.
        on_all: Learn from the validation images too.

    Raises:
        WeightsError: The pre-trained weights cannot be had.
        DivergedError: The loss of a training is no longer finite.
    """
    task, config = task_of(record), config_of(record)
    run = execution_of(record)
    keep_freed_memory()
    bench = Bench.sharing(dataset, task, run, cache_folder(), 8 * 1024**3)
    train_on = ("train", "val") if on_all else ("train",)
    finals: dict[int, EpochMetrics] = {}
    own: Training | None = None
    reproduced: bool | None = None
    for seed in range(config.seed, config.seed + num_seeds):
        training = bench.training(config.with_seed(seed), train_on)
        for _ in range(config.epochs):
            metrics = training.run_epoch()
            report(seed, metrics)
            if (
                own is None
                and metrics.epoch == record.epochs_run
                and _can_compare(record, run, on_all)
            ):
                reproduced = _same(record, metrics)
        own = own or training
        finals[seed] = metrics
    accuracies = {} if on_all else {seed: m.val_accuracy for seed, m in finals.items()}
    losses = {} if on_all else {seed: m.val_loss for seed, m in finals.items()}
    if own is None:
        raise UsageError("at least one seed is needed, got 0")
    result = Retrained(folder, reproduced, accuracies, losses)
    description = ModelDescription(
        task=task,
        config=config,
        classes=dataset.classes,
        dataset=dataset.name,
        dataset_fingerprint=dataset.fingerprint,
        inference_precision=str(run.inference_precision),
        metrics=_metrics(result, finals[config.seed], on_all),
        provenance={
            "sweep": record.sweep,
            "trial_number": record.trial_number,
            "code_version": __version__,
            "library_versions": library_versions(),
            "weights_hash": bench.backbone.weights_hash,
            "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )
    save_model(folder, own.network(), description, model_card(description))
    return result


def told(result: Retrained, record: TrialRecord) -> list[str]:
    """Say what came out, a sentence a line."""
    lines = []
    if result.reproduced:
        lines.append(
            f"Reproduced exactly: validation accuracy {record.val_accuracy:.4f}, "
            f"loss {record.val_loss:.6f}, the same numbers as in the leaderboard."
        )
    elif result.reproduced is False:
        lines.append(
            "Not the same numbers as in the leaderboard, accuracy "
            f"{record.val_accuracy:.4f}, loss {record.val_loss:.6f}: this machine or its libraries "
            "are not those of the trial."
        )
    elif result.accuracies:
        lines.append(f"Not comparable bit by bit: the trial ran on {record.device}.")
    if len(result.accuracies) > 1:
        values = list(result.accuracies.values())
        mean, spread = statistics.fmean(values), statistics.stdev(values)
        lines.append(
            f"Over {len(values)} seeds: validation accuracy {mean:.4f} ± {spread:.4f} "
            f"(mean and standard deviation), from {min(values):.4f} to {max(values):.4f}"
        )
    return [*lines, f"Model: {result.folder}"]


def open_images(record: TrialRecord, sweep_file: Path, data: str | None) -> Dataset:
    """Open the images a row was computed from, and check that they are the same.

    Args:
        sweep_file: What the sweep was started with.
        data: A source that the user names instead.

    Raises:
        DataError: The images cannot be found, or are others.
    """
    source = data
    if source is None:
        try:
            before = json.loads(sweep_file.read_text())
        except OSError as error:
            raise UsageError(f"{sweep_file} is missing; name the images with --data") from error
        root = Path(before["dataset_root"])
        synthetic = record.dataset == "synthetic"
        source = "synthetic" if synthetic else str(root) if root.exists() else before["data"]
    dataset = open_dataset(source)
    if dataset.fingerprint != record.dataset_fingerprint:
        theirs = str(record.dataset_fingerprint)[:8]
        raise DataError(
            f"the images at {dataset.root} are not those of sweep {record.sweep}: their "
            f"fingerprint is {dataset.fingerprint[:8]}, its rows have {theirs}; "
            "bring the images back, or run a new sweep on these"
        )
    return dataset


def config_of(record: TrialRecord) -> TrialConfig:
    """Return the configuration of a row."""
    values = {name: getattr(record, name) for name in HYPERPARAMETERS}
    known = {name: value for name, value in values.items() if value is not None}
    return TrialConfig.from_dict(known | {"seed": record.seed})


def task_of(record: TrialRecord) -> TaskConfig:
    """Return what a row shares with its sweep."""
    return TaskConfig(
        backbone=str(record.backbone),
        weights=str(record.weights),
        image_size=int(record.image_size or 0),
        views=int(record.views or 0),
        data_seed=int(record.data_seed or 0),
    )


def execution_of(record: TrialRecord) -> Execution:
    """Return how a row was computed, on the CPU if its device is not here."""
    device = str(record.device)
    if device.startswith("cuda") and not torch.cuda.is_available():
        device = "cpu"
    return Execution(
        device=device,
        threads=int(record.threads or 1),
        precision=Precision(record.precision or Precision.FP32),
        inference_precision=Precision(record.inference_precision or Precision.FP32),
    )


def _can_compare(record: TrialRecord, run: Execution, on_all: bool) -> bool:
    return not on_all and record.device == run.device


def _same(record: TrialRecord, metrics: EpochMetrics) -> bool:
    return (metrics.val_accuracy, metrics.val_loss) == (record.val_accuracy, record.val_loss)


def _metrics(result: Retrained, final: EpochMetrics, on_all: bool) -> dict[str, Any]:
    metrics: dict[str, Any] = {"train_loss": final.train_loss, "trained_on_val": on_all}
    if not on_all:
        accuracies = list(result.accuracies.values())
        metrics |= {
            "val_accuracy": final.val_accuracy,
            "val_loss": final.val_loss,
            "reproduced": result.reproduced,
            "val_accuracy_by_seed": {str(s): a for s, a in result.accuracies.items()},
            "val_accuracy_mean": statistics.fmean(accuracies),
            "val_accuracy_std": statistics.stdev(accuracies) if len(accuracies) > 1 else None,
        }
    return metrics


def model_card(description: ModelDescription) -> str:
    """Write the model card: what the model is, what it was trained on, how well it does."""
    metrics, origin = description.metrics, description.provenance
    settings = "\n".join(
        f"| {name} | {value} |"
        for name, value in description.config.to_dict().items()
        if value is not None
    )
    if metrics["trained_on_val"]:
        quality = "It learnt from the validation images too, so it has no validation accuracy."
    else:
        quality = (
            f"Validation accuracy {metrics['val_accuracy']:.4f}, "
            f"validation loss {metrics['val_loss']:.4f}."
        )
        if metrics["val_accuracy_std"] is not None:
            quality += (
                f" Over {len(metrics['val_accuracy_by_seed'])} seeds: mean "
                f"{metrics['val_accuracy_mean']:.4f}, standard deviation "
                f"{metrics['val_accuracy_std']:.4f}."
            )
    return f"""# {" or ".join(description.classes)}

A {description.task.backbone} fine-tuned to tell {len(description.classes)} classes apart:
{", ".join(description.classes)}.

- Images: `{description.dataset}`, fingerprint `{description.dataset_fingerprint[:16]}`
- From: trial {origin["trial_number"]} of sweep `{origin["sweep"]}`, trained {origin["trained_at"]}
- Code: antsbees {origin["code_version"]}; {origin["library_versions"]}

{quality} The configuration was chosen for its score on these validation images, so on new images
expect a little less.

| setting | value |
|---|---|
{settings}

Answer for images: `antsbees predict <this folder> <files or folders>`. It knows these classes only,
and puts every image into one of them.
"""
