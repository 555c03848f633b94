"""What the schema of the leaderboard promises."""

from __future__ import annotations

from dataclasses import fields

import pyarrow as pa
import pytest

from results.schema import (
    COLUMNS,
    CURVE_TYPE,
    FILE_SCHEMA,
    HEAVY_COLUMNS,
    HYPERPARAMETERS,
    SCHEMA,
    SCHEMA_VERSION,
    Objective,
    TrialRecord,
    TrialStatus,
)
from tests.results.sample_rows import full_row

PUBLIC = [
    "sweep", "trial_number", "status", "seed",
    "lr", "momentum", "weight_decay", "batch_size", "label_smoothing", "frozen_stages",
    "schedule", "step_size", "gamma", "final_fraction", "peak", "warmup_epochs", "first",
    "objective", "score", "val_accuracy", "val_loss", "train_loss", "best_epoch", "epochs_run",
    "epochs_asked", "curve", "probabilities",
    "training_s", "trained_part_s", "waiting_s", "peak_memory_bytes", "started_at", "finished_at",
    "lane", "device", "threads", "precision", "inference_precision", "node", "worker_pid",
    "dataset", "dataset_fingerprint", "num_val_images", "backbone", "weights", "weights_hash",
    "image_size", "views", "data_seed", "code_version", "library_versions",
    "error_kind", "error_message", "schema_version",
]  # fmt: skip
"""What users' queries rely on: a change is a change of the schema's version."""


def test_the_columns_are_the_public_ones() -> None:
    assert list(COLUMNS) == PUBLIC
    assert len(COLUMNS) == 54
    assert SCHEMA_VERSION == 1


def test_every_field_of_a_record_is_a_column_with_an_arrow_type() -> None:
    kinds = [f.metadata["arrow"] for f in fields(TrialRecord)]
    assert len(kinds) == len(PUBLIC)
    assert all(isinstance(kind, pa.DataType) for kind in kinds)
    assert SCHEMA.names == PUBLIC
    assert SCHEMA.types == kinds


def test_arrow_types_follow_the_types_of_the_fields() -> None:
    expected = {"int": pa.int64(), "float": pa.float64(), "str": pa.string()}
    declared = {f.name: str(f.type).split(" | ")[0] for f in fields(TrialRecord)}
    plain = {name: expected[kind] for name, kind in declared.items() if kind in expected}
    assert len(plain) == 49
    assert plain == {name: SCHEMA.field(name).type for name in plain}


def test_files_hold_every_column_but_the_name_of_their_folder() -> None:
    assert FILE_SCHEMA.names == PUBLIC[1:]
    assert "sweep" not in FILE_SCHEMA.names


def test_files_carry_the_version_of_the_schema() -> None:
    assert FILE_SCHEMA.metadata == {b"antsbees_schema_version": b"1"}


def test_every_column_can_be_left_out_when_a_record_is_made() -> None:
    record = TrialRecord()
    assert record.schema_version == SCHEMA_VERSION
    assert record.status is TrialStatus.FAILED


def test_lists_of_columns_name_columns() -> None:
    assert len(HYPERPARAMETERS) == 12
    assert set(HYPERPARAMETERS) < set(COLUMNS)
    assert HEAVY_COLUMNS == ("curve", "probabilities")


def test_a_curve_has_the_metrics_of_an_epoch() -> None:
    entry = (full_row().curve or [])[0]
    assert [f.name for f in CURVE_TYPE.value_type] == list(entry)
    assert len(entry) == 8


@pytest.mark.parametrize(
    ("objective", "direction"), [("val_accuracy", "maximize"), ("val_loss", "minimize")]
)
def test_an_objective_knows_its_direction(objective: str, direction: str) -> None:
    assert Objective(objective).direction == direction
    assert len(Objective) == 2
