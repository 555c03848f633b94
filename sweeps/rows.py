"""A row of the leaderboard and the configuration it stands for: there and back in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antsbees.config import Precision, TaskConfig, TrialConfig
from antsbees.errors import ConfigError
from results.schema import SCHEMA_VERSION, TrialRecord
from sweeps.errors import UsageError

if TYPE_CHECKING:
    from antsbees.machine.devices import Execution

COLUMN_OF = {"epochs": "epochs_asked"}
"""Fields of a configuration whose column has another name."""

SINCE_THE_FIRST_SCHEMA = (
    "lr", "weight_decay", "batch_size", "label_smoothing", "frozen_stages", "schedule",
    "warmup_epochs", "epochs_asked", "backbone", "weights", "image_size", "views", "data_seed",
    "dataset_fingerprint",
)  # fmt: skip
"""Columns without which a row stands for no configuration; every other takes its default."""


def configuration_columns(config: TrialConfig) -> dict[str, Any]:
    """Return a configuration as columns; ``config_of`` reads them back."""
    return {COLUMN_OF.get(name, name): value for name, value in config.to_dict().items()}


def config_of(record: TrialRecord) -> TrialConfig:
    """Return the configuration of a row.

    A hyperparameter that the row's schema did not have yet has its default.

    Raises:
        UsageError: The row is of a newer schema, or lacks what cannot be left out.
    """
    _require_readable(record)
    names = TrialConfig(frozen_stages=0).to_dict()
    plain = {name: getattr(record, COLUMN_OF.get(name, name)) for name in names}
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
    names = ("backbone", "weights", "image_size", "views", "data_seed")
    try:
        return TaskConfig(**{name: getattr(record, name) for name in names})
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
    )


def _require_readable(record: TrialRecord) -> None:
    if record.schema_version > SCHEMA_VERSION:
        raise UsageError(
            f"{_cannot(record)}: its row was written by a newer antsbees, {record.code_version}"
        )
    if missing := [name for name in SINCE_THE_FIRST_SCHEMA if not _has(record, name)]:
        raise UsageError(f"{_cannot(record)}: its row has no {', '.join(missing)}")


def _has(record: TrialRecord, column: str) -> bool:
    value = getattr(record, column)
    return value is not None and not (column == "epochs_asked" and value == 0)


def _cannot(record: TrialRecord) -> str:
    return f"trial {record.trial_number} of sweep {record.sweep!r} cannot be trained again"
