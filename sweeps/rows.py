"""A row of the leaderboard, and the configuration and result it stands for: there and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from antsbees import __version__
from antsbees.config import Precision, TaskConfig, TrialConfig, num_trainings
from antsbees.data.datasets import Dataset
from antsbees.errors import ConfigError
from antsbees.hyperparameters import BatchNorm
from results.ranking import is_better
from results.schema import SCHEMA_VERSION, Objective, TrialRecord, TrialStatus
from sweeps.errors import UsageError
from sweeps.spec.models import SweepSpec

if TYPE_CHECKING:
    from antsbees.machine.devices import Execution

SURE = 3
"""Trainings of deep stages whose weights are averaged, where the row's is a single one."""
SINCE_THE_FIRST_SCHEMA = (
    "lr", "weight_decay", "batch_size", "label_smoothing", "frozen_stages", "schedule",
    "warmup_epochs", "epochs", "backbone", "weights", "image_size", "views", "data_seed",
    "dataset_fingerprint",
)  # fmt: skip
"""Columns without which a row stands for no configuration; every other takes its default."""


@dataclass(frozen=True)
class Ended:
    """A trial that has ended, for now or for good, as its driver knows it.

    Args:
        first: Name of the first try it is, if it is one.
        facts: What its worker said of itself, by column, and ``started_at_s``.
        curve: The metrics of its epochs.
        probabilities: After the last of them, per validation image, per class.
        error: Kind and message, if it failed.
    """

    number: int
    config: TrialConfig
    status: TrialStatus
    lane: str
    device: str
    threads: int
    proposed_at_s: float
    finished_at_s: float
    first: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)
    probabilities: list[list[float]] | None = None
    error: tuple[str, str] | None = None


def record_of(trial: Ended, spec: SweepSpec, dataset: Dataset) -> TrialRecord:
    """Return the row of a trial.

    Raises:
        TypeError: The configuration, the task or the facts hold what no column takes.
    """
    facts = dict(trial.facts)
    started_at_s = facts.pop("started_at_s", trial.proposed_at_s)
    error_kind, error_message = trial.error or (None, None)
    configuration = trial.config.to_dict()
    backbone = configuration.pop("backbone") or spec.backbones[0]
    return TrialRecord(
        sweep=spec.name,
        trial_number=trial.number,
        status=trial.status,
        first=trial.first,
        waiting_s=max(0.0, started_at_s - trial.proposed_at_s),
        started_at=datetime.fromtimestamp(started_at_s, UTC),
        finished_at=datetime.fromtimestamp(trial.finished_at_s, UTC),
        lane=trial.lane,
        device=trial.device,
        threads=trial.threads,
        dataset=dataset.name,
        dataset_fingerprint=dataset.fingerprint,
        num_val_images=len(dataset.val),
        code_version=__version__,
        objective=str(spec.objective),
        probabilities=trial.probabilities,
        error_kind=error_kind,
        error_message=error_message,
        **configuration,
        **asdict(spec.task_of(backbone)),
        **_outcome(trial.curve, spec.objective),
        **facts,
    )


def _outcome(curve: list[dict[str, Any]], objective: Objective) -> dict[str, Any]:
    """Sum a learning curve up; the numbers of a row are those of its last epoch."""
    if not curve:
        return {}
    last, best = curve[-1], curve[0]
    for epoch in curve[1:]:
        if is_better(epoch[objective], best[objective], objective):
            best = epoch
    return {
        "score": last[objective],
        "val_accuracy": last["val_accuracy"],
        "val_loss": last["val_loss"],
        "train_loss": last["train_loss"],
        "best_epoch": best["epoch"],
        "epochs_run": len(curve),
        "curve": curve,
        "training_s": sum(epoch["seconds"] for epoch in curve),
        "trained_part_s": sum(epoch["train_s"] for epoch in curve),
    }


def as_kept(record: TrialRecord) -> TrialRecord:
    """Return a row with as many trainings as ``retrain`` makes where it learns from all images.

    Deep stages with frozen BatchNorm are trained ``SURE`` times, and their weights averaged: a
    single training on few images is a gamble, which no image is left to tell. See
    ``antsbees.soup``.
    """
    if (record.soup_size or 1) > 1 or record.batchnorm != BatchNorm.FROZEN:
        return record
    is_deep = num_trainings(SURE, record.frozen_stages or 0, str(record.backbone)) > 1
    return replace(record, soup_size=SURE) if is_deep else record


def config_of(record: TrialRecord) -> TrialConfig:
    """Return the configuration of a row.

    A hyperparameter that the row's schema did not have yet has its default.

    Raises:
        UsageError: The row is of a newer schema, or lacks what cannot be left out.
    """
    _require_readable(record)
    names = TrialConfig(frozen_stages=0).to_dict()
    plain = {name: getattr(record, name) for name in names}
    try:
        return TrialConfig.from_dict({n: v for n, v in plain.items() if v is not None})
    except ConfigError as error:
        raise UsageError(f"{_cannot(record)}: {error}") from error


def task_of(record: TrialRecord) -> TaskConfig:
    """Return what a row shares with its sweep.

    Raises:
        UsageError: As ``config_of``.
    """
    _require_readable(record)
    try:
        return TaskConfig(**{f.name: getattr(record, f.name) for f in fields(TaskConfig)})
    except ConfigError as error:
        raise UsageError(f"{_cannot(record)}: {error}") from error


def execution_of(record: TrialRecord) -> Execution:
    """Return how a row was computed, on the CPU if its device is not here."""
    import torch

    from antsbees.machine.devices import Execution

    device = record.device or "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        device = "cpu"
    return Execution(
        device=device,
        threads=record.threads or 1,
        precision=Precision(record.precision or Precision.FP32),
        inference_precision=Precision(record.inference_precision or Precision.FP32),
        fast_layers=record.fast_layers is not False,  # None: there was no switch yet
    )


def _require_readable(record: TrialRecord) -> None:
    if record.schema_version > SCHEMA_VERSION:
        raise UsageError(
            f"{_cannot(record)}: its row was written by a newer antsbees, {record.code_version}"
        )
    missing = [name for name in SINCE_THE_FIRST_SCHEMA if getattr(record, name) is None]
    if missing:
        raise UsageError(f"{_cannot(record)}: its row has no {', '.join(missing)}")


def _cannot(record: TrialRecord) -> str:
    return f"trial {record.trial_number} of sweep {record.sweep!r} cannot be trained again"
