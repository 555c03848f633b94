"""The leaderboard's columns: the one place that names and describes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Literal

import pyarrow as pa

from results.columns import (
    COUNT,
    FLAG,
    FRACTION,
    NATS,
    NUMBER,
    SECONDS,
    TEXT,
    TIME,
    Column,
    arrow_schema,
    column,
    columns_of,
)

SCHEMA_VERSION = 2


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
    def direction(self) -> Literal["maximize", "minimize"]:
        """``maximize`` or ``minimize``, Optuna's words."""
        return "maximize" if self is Objective.VAL_ACCURACY else "minimize"


TUTORIAL = "tutorial"
"""The ``first`` of the tutorial's configuration, which others are held against."""
PROBE = "probe"
"""The ``first`` of the probe, which others are held against too."""


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


class Group(StrEnum):
    """What a column is about."""

    IDENTITY = "Which trial it is"
    HYPERPARAMETER = "Hyperparameters"
    RESULT = "Results"
    COST = "Cost"
    EXECUTION = "How it was computed"
    ORIGIN = "What it was computed from"
    FAILURE = "What went wrong"


def _identity(kind: pa.DataType, description: str) -> Any:
    return column(Column(Group.IDENTITY, kind, description))


def _optional(
    group: Group, kind: pa.DataType, description: str, unit: str = "", default: Any = None
) -> Any:
    return column(Column(group, kind, description, unit), default=default)


_hyperparameter = partial(_optional, Group.HYPERPARAMETER)
_result = partial(_optional, Group.RESULT)
_cost = partial(_optional, Group.COST)
_execution = partial(_optional, Group.EXECUTION)
_origin = partial(_optional, Group.ORIGIN)
_failure = partial(_optional, Group.FAILURE)


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One row of the leaderboard. What says which trial it is, and how it ended, is required."""

    sweep: str = _identity(TEXT, "Name of the sweep.")
    trial_number: int = _identity(COUNT, "Order of the trial in its sweep's study, from 0.")
    status: TrialStatus = _identity(
        TEXT,
        "`complete`; `stopped`: judged against others before its end; `unfinished`: cut by the "
        "time limit or a signal; `failed`.",
    )
    objective: str = _identity(TEXT, "What the sweep optimises: `val_accuracy` or `val_loss`.")
    seed: int = _identity(COUNT, "Seeds the head's first weights and the order of the images.")
    first: str | None = _optional(
        Group.IDENTITY, TEXT, "Name of the first try it is; empty for what the search proposed."
    )

    lr: float | None = _hyperparameter(NUMBER, "The highest learning rate of the head.")
    optimizer: str | None = _hyperparameter(TEXT, "What turns gradients into changes of weights.")
    momentum: float | None = _hyperparameter(NUMBER, "SGD's momentum.")
    nesterov: bool | None = _hyperparameter(FLAG, "Whether SGD's momentum looks ahead.")
    beta1: float | None = _hyperparameter(NUMBER, "Decay of AdamW's mean of gradients.")
    beta2: float | None = _hyperparameter(NUMBER, "Decay of AdamW's mean of squared gradients.")
    weight_decay: float | None = _hyperparameter(NUMBER, "How strongly weights are drawn to zero.")
    stage_lr_decay: float | None = _hyperparameter(
        NUMBER, "Factor of the learning rate from a trained stage to the one below it."
    )
    batch_size: int | None = _hyperparameter(COUNT, "Images in a step.", "images")
    label_smoothing: float | None = _hyperparameter(
        NUMBER, "Share of the right answer that is spread over all classes.", FRACTION
    )
    frozen_stages: int | None = _hyperparameter(
        COUNT, "The first stages of the backbone that stay as pre-trained.", "stages"
    )
    batchnorm: str | None = _hyperparameter(
        TEXT, "Statistics in the trained stages: of the batch (`train`), or pre-trained (`frozen`)."
    )
    head_start: str | None = _hyperparameter(
        TEXT, "First weights of the head: `random`, or those of the `probe`."
    )
    epochs: int | None = _hyperparameter(
        COUNT, "Length of the trial and of its schedule.", "epochs"
    )
    soup_size: int | None = _hyperparameter(
        COUNT, "Trainings in other orders of the images, whose weights are averaged.", "trainings"
    )
    schedule: str | None = _hyperparameter(TEXT, "How the learning rate changes over a trial.")
    step_size: int | None = _hyperparameter(COUNT, "Of `step`: from one fall on.", "epochs")
    gamma: float | None = _hyperparameter(NUMBER, "Of `step` and `exponential`: factor of a fall.")
    final_fraction: float | None = _hyperparameter(
        NUMBER, "Of `cosine`: where the learning rate ends, as a share of `lr`.", FRACTION
    )
    peak: float | None = _hyperparameter(
        NUMBER, "Of `one_cycle`: where the learning rate is highest.", "fraction of the trial"
    )
    warmup_epochs: int | None = _hyperparameter(
        COUNT, "Epochs over which the learning rate rises to `lr`.", "epochs"
    )

    score: float | None = _result(
        NUMBER, "The objective at the last completed epoch; empty when no epoch was."
    )
    val_accuracy: float | None = _result(NUMBER, "Of the last completed epoch.", FRACTION)
    val_loss: float | None = _result(NUMBER, "Of the last completed epoch.", NATS)
    train_loss: float | None = _result(NUMBER, "Mean over the last completed epoch.", NATS)
    best_epoch: int | None = _result(
        COUNT, "The epoch with the best objective, from 1; the score is that of the last one."
    )
    epochs_run: int = _result(COUNT, "Completed epochs.", "epochs", default=0)
    curve: list[dict[str, Any]] | None = _result(CURVE_TYPE, "One entry for each epoch.")
    probabilities: list[list[float]] | None = _result(
        pa.list_(pa.list_(pa.float32())),
        "For each validation image, for each class, after the last completed epoch.",
        FRACTION,
    )
    test_looks: int | None = _result(
        COUNT, "How often a model of it was judged by the images of `test/`; empty for never."
    )

    training_s: float = _cost(
        NUMBER, "Wall time of all epochs, evaluation included.", SECONDS, default=0.0
    )
    trained_part_s: float = _cost(
        NUMBER,
        "The share of `training_s` spent in the trained stages and the head; the rest is computing "
        "or reading activations.",
        SECONDS,
        default=0.0,
    )
    waiting_s: float = _cost(
        NUMBER, "From the proposal to the start of the first epoch.", SECONDS, default=0.0
    )
    peak_memory_bytes: int | None = _cost(
        COUNT, "The most its worker, or its GPU, held during the trial.", "bytes"
    )
    started_at: datetime | None = _cost(TIME, "When its worker began it.")
    finished_at: datetime | None = _cost(TIME, "When its row was made.")

    lane: str | None = _execution(TEXT, "`cpu` or `gpu`.")
    device: str | None = _execution(TEXT, "What torch calls the device.")
    threads: int | None = _execution(COUNT, "Threads of torch in the worker.", "threads")
    precision: str | None = _execution(TEXT, "Of the trained part.")
    inference_precision: str | None = _execution(TEXT, "Of the frozen stages.")
    micro_batch: int | None = _execution(
        COUNT, "At once, where a batch did not fit into the memory of a GPU.", "images"
    )
    fast_layers: bool | None = _execution(FLAG, "Whether our own layers took the place of torch's.")
    node: str | None = _execution(TEXT, "Name of the machine.")
    worker_pid: int | None = _execution(COUNT, "Process on that machine.")

    dataset: str | None = _origin(TEXT, "Name of the images.")
    dataset_fingerprint: str | None = _origin(TEXT, "Hash over the contents of the images.")
    num_val_images: int | None = _origin(COUNT, "Validation images.", "images")
    backbone: str | None = _origin(TEXT, "The pre-trained network.")
    weights: str | None = _origin(TEXT, "`default`, `none`, or the path of a file.")
    weights_hash: str | None = _origin(TEXT, "Hash over the pre-trained weights.")
    image_size: int | None = _origin(COUNT, "Edge of the square the network sees.", "pixels")
    views: int | None = _origin(COUNT, "Augmented versions of each training image.", "views")
    data_seed: int | None = _origin(COUNT, "Seeds the views.")
    code_version: str | None = _origin(TEXT, "Version of antsbees.")
    library_versions: str | None = _origin(TEXT, "Versions of Python and of the libraries.")
    schema_version: int = _origin(COUNT, "Version of these columns.", default=SCHEMA_VERSION)

    error_kind: str | None = _failure(
        TEXT, "`diverged`, `lost` (its worker or node died), or the class of the exception."
    )
    error_message: str | None = _failure(TEXT, "What it said.")

    @property
    def is_open(self) -> bool:
        """Whether the trial is to be taken up again, and a later row will replace this one."""
        return self.status is TrialStatus.UNFINISHED or self.error_kind == LOST

    @property
    def is_resumed(self) -> bool:
        """Whether its epochs took longer than its worker had it: an earlier try ran some."""
        if self.started_at is None or self.finished_at is None:
            return False
        return (self.finished_at - self.started_at).total_seconds() < self.training_s


COLUMNS = columns_of(TrialRecord)
SCHEMA = arrow_schema(TrialRecord, SCHEMA_VERSION)
HEAVY_COLUMNS = ("curve", "probabilities")
HYPERPARAMETERS = tuple(
    name for name, known in COLUMNS.items() if known.group is Group.HYPERPARAMETER
)
FORMER_NAMES = {"epochs": "epochs_asked"}
"""What a column was called in files of an older version of the schema."""
