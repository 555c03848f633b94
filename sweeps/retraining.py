"""Trains a configuration from the leaderboard again, and writes it as a model."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from antsbees import __version__
from antsbees.bench import Bench
from antsbees.checkpoints import ModelDescription, save_model
from antsbees.config import TrialConfig
from antsbees.errors import DivergedError
from antsbees.machine.allocator import keep_freed_memory
from antsbees.storage import cache_folder
from antsbees.training import EpochMetrics, Training
from results.schema import TrialRecord
from results.winner import Score
from sweeps.origin import Origin
from sweeps.rows import as_kept, config_of, execution_of, task_of
from sweeps.views.model_card import model_card

OnEpoch = Callable[[int, EpochMetrics], None]
"""Called with the seed and the metrics of every epoch."""


@dataclass(frozen=True)
class Asked:
    """What to train again, and how often.

    Args:
        num_seeds: Seeds to train under: the row's own, and those that follow it; at least 1.
        on_all: Learn from the validation images too.
        score: Of models that learnt from all images, where finals found one.
    """

    record: TrialRecord
    origin: Origin
    num_seeds: int = 1
    on_all: bool = False
    score: Score | None = None

    @property
    def config(self) -> TrialConfig:
        """What is trained, for the first of the seeds; as the row says, or ``as_kept``."""
        config = config_of(self.record)
        kept = as_kept(self.record).soup_size if self.on_all else None
        return replace(config, soup_size=kept or config.soup_size)

    @property
    def train_on(self) -> tuple[str, ...]:
        """The splits to learn from."""
        return ("train", "val") if self.on_all else ("train",)

    @property
    def score_of_soup_size(self) -> int:
        """Of how many trainings the model is the mean that the score is of."""
        known = self.score.soup_size if self.on_all and self.score else None
        return known or self.record.soup_size or 1

    def __post_init__(self) -> None:
        if self.num_seeds < 1:
            raise ValueError(f"at least one seed is needed, got {self.num_seeds}")


@dataclass(frozen=True)
class Retrained:
    """What came out of training a configuration again.

    Args:
        last_epochs: Its metrics, by seed, of the seeds that worked; the model is that of the first.
        diverged: What went wrong under the others.
        reproduced: Whether the trial's own seed gave the row's accuracy and loss exactly; ``None``
            where that cannot be asked: other images, another device, or it diverged.
        num_learnt: Images that the model learnt from.
        score: What it is expected to score on new images, if that is known.
        other_weights: The pre-trained weights are not those of the trial.
        other_versions: What else has another version than when the trial ran, a clause each.
        soup_size: How many trainings the model is the mean of.
    """

    folder: Path
    last_epochs: Mapping[int, EpochMetrics]
    diverged: Mapping[int, str] = field(default_factory=dict)
    reproduced: bool | None = None
    on_all: bool = False
    num_learnt: int = 0
    score: Score | None = None
    other_weights: bool = False
    other_versions: tuple[str, ...] = ()
    soup_size: int = 1

    @property
    def accuracies(self) -> dict[int, float]:
        """Validation accuracy by seed; empty when the validation images were learnt from."""
        last_epochs = {} if self.on_all else self.last_epochs
        return {seed: metrics.val_accuracy for seed, metrics in last_epochs.items()}


def retrain(asked: Asked, folder: Path, report: OnEpoch) -> Retrained:
    """Train a row's configuration with its own seed, then with further ones.

    The model of the first seed that works is saved as soon as it is there, and described again
    after every further one.

    Raises:
        UsageError: The row does not say what is needed.
        WeightsError: The pre-trained weights cannot be had.
        DivergedError: The loss is no longer finite, under every seed.
    """
    bench, config = bench_for(asked), asked.config
    curves: dict[int, list[EpochMetrics]] = {}
    diverged: dict[int, DivergedError] = {}
    saved: Training | None = None
    for seed in range(config.seed, config.seed + asked.num_seeds):
        training = bench.training(config.with_seed(seed), asked.train_on)
        try:
            curves[seed] = list(epochs_of(training, report))
            if asked.on_all:
                training.settle()
            saved = saved or training
        except DivergedError as error:
            diverged[seed] = error
        if saved is not None:
            result = result_of(asked, folder, bench, curves, diverged)
            result = replace(result, soup_size=saved.config.soup_size)
            description = description_of(asked, result, bench, saved)
            save_model(folder, saved.network(), description, model_card(description))
    if saved is None:
        raise diverged[config.seed]
    return result


def bench_for(asked: Asked) -> Bench:
    """Return a bench that computes as a row's trial did."""
    task, execution = task_of(asked.record), execution_of(asked.record)
    keep_freed_memory()
    origin = asked.origin
    return Bench.sharing(origin.dataset, task, execution, cache_folder(), origin.cache_max_bytes)


def epochs_of(training: Training, report: OnEpoch) -> Iterator[EpochMetrics]:
    """Train to the end, an epoch at a time."""
    for _ in range(training.config.epochs):
        metrics = training.run_epoch()
        report(training.config.seed, metrics)
        yield metrics


def result_of(
    asked: Asked,
    folder: Path,
    bench: Bench,
    curves: Mapping[int, list[EpochMetrics]],
    diverged: Mapping[int, DivergedError],
) -> Retrained:
    """Sum up what came of the seeds so far."""
    record = asked.record
    own = curves.get(record.seed)
    reproduced: bool | None = None
    if own is not None and not asked.on_all and record.device == bench.execution.device:
        epoch = own[record.epochs_run - 1]
        reproduced = (epoch.val_accuracy, epoch.val_loss) == (record.val_accuracy, record.val_loss)
    return Retrained(
        folder=folder,
        last_epochs={seed: curve[-1] for seed, curve in curves.items()},
        diverged={seed: str(error) for seed, error in diverged.items()},
        reproduced=reproduced,
        on_all=asked.on_all,
        num_learnt=sum(len(bench.dataset.split(split)) for split in asked.train_on),
        score=asked.score if asked.on_all else None,
        other_weights=record.weights_hash not in (None, bench.backbone.weights_hash),
        other_versions=tuple(_other_versions(record, bench.facts["library_versions"])),
    )


def _other_versions(record: TrialRecord, versions: str) -> Iterator[str]:
    """Yield what has another version than when the trial ran."""
    before = dict(
        part.split(" ", 1) for part in (record.library_versions or "").split(", ") if part
    )
    before["antsbees"] = record.code_version or __version__
    for part in (f"antsbees {__version__}", *versions.split(", ")):
        name, now = part.split(" ", 1)
        if before.get(name, now) != now:
            yield f"{name} was {before[name]} and is {now} here"


def description_of(
    asked: Asked, result: Retrained, bench: Bench, saved: Training
) -> ModelDescription:
    """Describe the model that a training gave."""
    record, facts = asked.record, bench.facts
    return ModelDescription(
        task=bench.task,
        config=saved.config,
        classes=bench.dataset.classes,
        dataset=bench.dataset.name,
        dataset_fingerprint=bench.dataset.fingerprint,
        inference_precision=facts["inference_precision"],
        metrics=_metrics(result, result.last_epochs[saved.config.seed])
        | {
            "score_of_soup_size": asked.score_of_soup_size,
            "trainings": asked.config.soup_size,
        },
        provenance={
            "sweep": record.sweep,
            "trial_number": record.trial_number,
            "code_version": __version__,
            "library_versions": facts["library_versions"],
            "weights_hash": facts["weights_hash"],
            "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )


def _metrics(result: Retrained, final: EpochMetrics) -> dict[str, Any]:
    metrics: dict[str, Any] = {
        "train_loss": final.train_loss,
        "trained_on_val": result.on_all,
        "num_learnt": result.num_learnt,
    }
    if result.on_all:
        metrics["expected"] = None if result.score is None else asdict(result.score)
    else:
        accuracies = list(result.accuracies.values())
        metrics |= {
            "val_accuracy": final.val_accuracy,
            "val_loss": final.val_loss,
            "reproduced": result.reproduced,
            "val_accuracy_by_seed": {str(s): a for s, a in result.accuracies.items()},
            "val_accuracy_mean": statistics.fmean(accuracies),
            "val_accuracy_std": statistics.stdev(accuracies) if len(accuracies) > 1 else None,
        }
    return metrics | {"diverged_seeds": sorted(result.diverged)}
