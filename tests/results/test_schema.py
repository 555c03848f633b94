"""What the schema of the leaderboard promises."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pyarrow as pa
import pytest

from antsbees import hyperparameters as table
from antsbees.hyperparameters import Kind
from results.schema import (
    COLUMNS,
    CURVE_TYPE,
    FORMER_NAMES,
    HEAVY_COLUMNS,
    HYPERPARAMETERS,
    SCHEMA,
    SCHEMA_VERSION,
    Group,
    Objective,
    TrialRecord,
    TrialStatus,
)
from tests.results.sample_rows import full_row

PUBLIC = [
    "sweep", "trial_number", "status", "objective", "seed", "first",
    "lr", "optimizer", "momentum", "nesterov", "beta1", "beta2", "weight_decay", "stage_lr_decay",
    "batch_size", "label_smoothing", "frozen_stages", "batchnorm", "head_start", "epochs",
    "soup_size", "schedule", "step_size", "gamma", "final_fraction", "peak", "warmup_epochs",
    "score", "val_accuracy", "val_loss", "train_loss", "best_epoch", "epochs_run", "curve",
    "probabilities", "test_looks",
    "training_s", "trained_part_s", "waiting_s", "peak_memory_bytes", "started_at", "finished_at",
    "lane", "device", "threads", "precision", "inference_precision", "micro_batch", "fast_layers",
    "node", "worker_pid",
    "dataset", "dataset_fingerprint", "num_val_images", "backbone", "weights", "weights_hash",
    "image_size", "views", "data_seed", "code_version", "library_versions", "schema_version",
    "error_kind", "error_message",
]  # fmt: skip
"""What users' queries rely on: a change is a change of the schema's version."""

IDENTITY: dict[str, Any] = {
    "sweep": "ants", "trial_number": 3, "status": TrialStatus.STOPPED, "objective": "val_loss",
    "seed": 7,
}  # fmt: skip


def test_the_columns_are_the_public_ones() -> None:
    assert list(COLUMNS) == PUBLIC
    assert len(COLUMNS) >= 62
    assert SCHEMA_VERSION == 2


def test_every_field_of_a_record_is_a_column_with_a_type_and_a_description() -> None:
    assert [f.name for f in fields(TrialRecord)] == PUBLIC
    assert SCHEMA.names == PUBLIC
    for known in COLUMNS.values():
        assert isinstance(known.type, pa.DataType)
        assert isinstance(known.group, Group)
        assert known.description[0].isupper() or known.description[0] in "`", known.description
        assert known.description.endswith("."), known.description
        assert "|" not in known.description, "it would end a cell of the page of columns"


def test_columns_of_a_group_stand_together() -> None:
    groups = list(dict.fromkeys(known.group for known in COLUMNS.values()))
    assert [known.group for known in COLUMNS.values()] == sorted(
        (known.group for known in COLUMNS.values()), key=groups.index
    )
    assert len(groups) == len(Group)


def test_arrow_types_follow_the_types_of_the_fields() -> None:
    expected = {"int": pa.int64(), "float": pa.float64(), "str": pa.string(), "bool": pa.bool_()}
    declared = {f.name: str(f.type).split(" | ")[0] for f in fields(TrialRecord)}
    plain = {name: expected[kind] for name, kind in declared.items() if kind in expected}
    assert len(plain) >= 55
    assert plain == {name: SCHEMA.field(name).type for name in plain}


def test_files_carry_the_version_of_the_schema() -> None:
    assert SCHEMA.metadata == {b"antsbees_schema_version": b"2"}


@pytest.mark.parametrize("name", IDENTITY)
def test_a_record_must_say_which_trial_it_is_and_how_it_ended(name: str) -> None:
    assert TrialRecord(**IDENTITY).score is None
    with pytest.raises(TypeError, match=f"missing 1 required keyword-only argument: '{name}'"):
        TrialRecord(**{key: value for key, value in IDENTITY.items() if key != name})


def test_every_column_but_the_identity_can_be_left_out() -> None:
    record = TrialRecord(**IDENTITY)
    filled = [name for name in COLUMNS if getattr(record, name) is not None]
    zero = ["epochs_run", "training_s", "trained_part_s", "waiting_s"]
    assert filled == [*IDENTITY, *zero, "schema_version"]
    assert [getattr(record, name) for name in zero] == [0, 0, 0, 0]


def test_lists_of_columns_name_columns() -> None:
    assert len(HYPERPARAMETERS) >= 20
    assert set(HYPERPARAMETERS) < set(COLUMNS)
    assert set(HEAVY_COLUMNS) < set(COLUMNS)
    assert set(FORMER_NAMES) < set(COLUMNS)
    assert not set(FORMER_NAMES.values()) & set(COLUMNS)


def test_the_columns_of_hyperparameters_are_the_table_of_hyperparameters() -> None:
    types = {Kind.NUMBER: pa.float64(), Kind.COUNT: pa.int64(), Kind.CATEGORY: pa.string(),
             Kind.FLAG: pa.bool_(), Kind.NETWORK: pa.string()}  # fmt: skip
    assert len(table.HYPERPARAMETERS) >= 21
    assert set(HYPERPARAMETERS) == set(table.HYPERPARAMETERS) - {"backbone"}  # of the origin
    for name, known in table.HYPERPARAMETERS.items():
        assert COLUMNS[name].type == types[known.kind], name


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
