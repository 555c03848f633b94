"""The leaderboard's columns: the one place that names them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 1


class TrialStatus(StrEnum):
    """How a trial ended.

    A stopped trial was judged against others and lost; an unfinished one was cut by the time limit
    or a signal, and was not judged.
    """

    COMPLETE = "complete"
    STOPPED = "stopped"
    UNFINISHED = "unfinished"
    FAILED = "failed"


LOST = "lost"
"""The ``error_kind`` of a failed trial whose worker or node died: not its configuration's fault."""


class Objective(StrEnum):
    """The metric a sweep optimises."""

    VAL_ACCURACY = "val_accuracy"
    VAL_LOSS = "val_loss"

    @property
    def direction(self) -> str:
        """``maximize`` or ``minimize``, Optuna's words."""
        return "maximize" if self is Objective.VAL_ACCURACY else "minimize"


CURVE_TYPE = pa.list_(
    pa.struct(
        [
            ("epoch", pa.int32()),
            ("train_loss", pa.float64()),
            ("val_loss", pa.float64()),
            ("val_accuracy", pa.float64()),
            ("lr", pa.float64()),
            ("seconds", pa.float64()),
            ("train_s", pa.float64()),
            ("images_per_second", pa.float64()),
        ]
    )
)


def _column(kind: pa.DataType, default: Any = None) -> Any:
    return field(default=default, metadata={"arrow": kind})


_NUMBER = pa.float64()
_COUNT = pa.int64()
_TEXT = pa.string()
_TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class TrialRecord:
    """One row of the leaderboard. ``sweep`` is the name of the folder a row lies in.

    Args:
        score: The objective at the last completed epoch; empty when no epoch was.
        best_epoch: The epoch with the best objective; the score is that of the last one.
        training_s: Wall time of all epochs, evaluation included: what the trial cost.
        trained_part_s: The share of it spent in the unfrozen stages and head, training and
            evaluating them; the rest is computing or reading activations.
        waiting_s: From being proposed to the start of the first epoch.
        curve: One entry per epoch.
        probabilities: Per validation image, per class, of the last completed epoch.
    """

    sweep: str = _column(_TEXT, "")
    trial_number: int = _column(_COUNT, -1)
    status: TrialStatus = _column(_TEXT, TrialStatus.FAILED)
    seed: int = _column(_COUNT, 0)
    # hyperparameters
    lr: float | None = _column(_NUMBER)
    momentum: float | None = _column(_NUMBER)
    weight_decay: float | None = _column(_NUMBER)
    batch_size: int | None = _column(_COUNT)
    label_smoothing: float | None = _column(_NUMBER)
    frozen_stages: int | None = _column(_COUNT)
    schedule: str | None = _column(_TEXT)
    step_size: int | None = _column(_COUNT)
    gamma: float | None = _column(_NUMBER)
    final_fraction: float | None = _column(_NUMBER)
    peak: float | None = _column(_NUMBER)
    warmup_epochs: int | None = _column(_COUNT)
    first: str | None = _column(_TEXT)
    # results
    objective: str = _column(_TEXT, str(Objective.VAL_ACCURACY))
    score: float | None = _column(_NUMBER)
    val_accuracy: float | None = _column(_NUMBER)
    val_loss: float | None = _column(_NUMBER)
    train_loss: float | None = _column(_NUMBER)
    best_epoch: int | None = _column(_COUNT)
    epochs_run: int = _column(_COUNT, 0)
    epochs_asked: int = _column(_COUNT, 0)
    curve: list[dict[str, Any]] | None = _column(CURVE_TYPE)
    probabilities: list[list[float]] | None = _column(pa.list_(pa.list_(pa.float32())))
    # cost
    training_s: float = _column(_NUMBER, 0.0)
    trained_part_s: float = _column(_NUMBER, 0.0)
    waiting_s: float = _column(_NUMBER, 0.0)
    peak_memory_bytes: int | None = _column(_COUNT)
    started_at: datetime | None = _column(_TIME)
    finished_at: datetime | None = _column(_TIME)
    # how it was computed
    lane: str | None = _column(_TEXT)
    device: str | None = _column(_TEXT)
    threads: int | None = _column(_COUNT)
    precision: str | None = _column(_TEXT)
    inference_precision: str | None = _column(_TEXT)
    node: str | None = _column(_TEXT)
    worker_pid: int | None = _column(_COUNT)
    # what it was computed from
    dataset: str | None = _column(_TEXT)
    dataset_fingerprint: str | None = _column(_TEXT)
    num_val_images: int | None = _column(_COUNT)
    backbone: str | None = _column(_TEXT)
    weights: str | None = _column(_TEXT)
    weights_hash: str | None = _column(_TEXT)
    image_size: int | None = _column(_COUNT)
    views: int | None = _column(_COUNT)
    data_seed: int | None = _column(_COUNT)
    code_version: str | None = _column(_TEXT)
    library_versions: str | None = _column(_TEXT)
    # what went wrong
    error_kind: str | None = _column(_TEXT)
    error_message: str | None = _column(_TEXT)
    schema_version: int = _column(_COUNT, SCHEMA_VERSION)

    @property
    def is_open(self) -> bool:
        """Whether the trial is to be taken up again, and a later row will replace this one."""
        return self.status is TrialStatus.UNFINISHED or self.error_kind == LOST


PARTITION = "sweep"
COLUMNS = tuple(f.name for f in fields(TrialRecord))
HEAVY_COLUMNS = ("curve", "probabilities")
HYPERPARAMETERS = (
    "lr", "momentum", "weight_decay", "batch_size", "label_smoothing", "frozen_stages",
    "schedule", "step_size", "gamma", "final_fraction", "peak", "warmup_epochs",
)  # fmt: skip
SCHEMA = pa.schema([(f.name, f.metadata["arrow"]) for f in fields(TrialRecord)])
FILE_SCHEMA = SCHEMA.remove(SCHEMA.get_field_index(PARTITION)).with_metadata(
    {"antsbees_schema_version": str(SCHEMA_VERSION)}
)
