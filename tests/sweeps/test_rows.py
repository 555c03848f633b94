"""A row says all of a configuration and of how its trial ended, and gives the first back."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antsbees.config import Precision, Schedule, TaskConfig, TrialConfig
from antsbees.hyperparameters import HYPERPARAMETERS
from results.schema import COLUMNS, SCHEMA_VERSION, Group, TrialRecord, TrialStatus
from sweeps.errors import UsageError
from sweeps.rows import (
    SINCE_THE_FIRST_SCHEMA,
    Ended,
    config_of,
    execution_of,
    record_of,
    task_of,
)
from sweeps.running.messages import Epoch, Facts
from tests.sweeps.generated import configurations
from tests.sweeps.sweep_fakes import DATASET, epoch, make_spec

CONFIG = TrialConfig(
    9, lr=0.02, batch_size=16, schedule=Schedule(), epochs=3, seed=5, backbone="efficientnet_lite0"
)
FACTS = Facts(1_000.5, "node-1", 77, 2**20, "a" * 64, "torch 2.9", "bf16", "fp32", True)


def ended(config: TrialConfig = CONFIG, **changes: Any) -> Ended:
    trial = Ended(
        number=4, config=config, status=TrialStatus.COMPLETE, lane="cpu", device="cpu", threads=2,
        proposed_at_s=1_000.0, finished_at_s=1_009.0, first="tutorial", facts=asdict(FACTS),
        curve=[epoch(1, 0.9), epoch(2, 0.95), epoch(3, 0.8)], probabilities=[[0.25, 0.75]],
    )  # fmt: skip
    return replace(trial, **changes)


def row(config: TrialConfig = CONFIG, **changes: Any) -> TrialRecord:
    return record_of(ended(config, **changes), make_spec(), DATASET)


@settings(max_examples=100, deadline=None)
@given(configurations())
def test_any_configuration_comes_back_from_its_row(config: TrialConfig) -> None:
    on = config.backbone or make_spec().task.backbone
    assert config_of(row(config)) == replace(config, backbone=on)


@settings(max_examples=50, deadline=None)
@given(st.integers(32, 1024), st.integers(1, 9), st.integers(0, 2**31 - 1))
def test_any_task_comes_back_from_its_row(image_size: int, views: int, seed: int) -> None:
    spec = make_spec(backbone="resnet18", weights="none", image_size=image_size, views=views,
                     seed=seed)  # fmt: skip
    trial = ended(replace(CONFIG, backbone=None))
    assert task_of(record_of(trial, spec, DATASET)) == spec.task


def test_every_part_of_a_configuration_has_a_column_and_every_such_column_a_part() -> None:
    """A field that is added to a configuration and to no column fails here."""
    names = set(CONFIG.to_dict())
    assert names - set(COLUMNS) == set()
    searched = {name for name, known in COLUMNS.items() if known.group is Group.HYPERPARAMETER}
    assert names - {"seed", "backbone"} == searched == set(HYPERPARAMETERS) - {"backbone"}
    assert COLUMNS["backbone"].group is Group.ORIGIN
    assert len(searched) >= 20
    assert {f.name for f in fields(TaskConfig)} <= set(COLUMNS)


def test_every_fact_and_every_metric_has_its_place_in_the_row() -> None:
    record = row()
    facts = asdict(FACTS) | {"started_at": datetime.fromtimestamp(1_000.5, UTC)}
    assert {name: getattr(record, name) for name in facts if name != "started_at_s"} == {
        name: value for name, value in facts.items() if name != "started_at_s"
    }
    in_curve = {field.name for field in COLUMNS["curve"].type.value_type}
    assert {f.name for f in fields(Epoch)} == in_curve


def test_what_no_column_takes_is_an_error_and_no_silent_loss() -> None:
    with pytest.raises(TypeError, match="colour"):
        row(facts={"colour": "red"})


def test_the_numbers_of_a_row_are_those_of_the_last_epoch() -> None:
    record = row()
    assert (record.score, record.val_accuracy, record.best_epoch, record.epochs_run) == (
        0.8, 0.8, 2, 3,
    )  # fmt: skip
    assert (record.training_s, record.trained_part_s, record.waiting_s) == (6.0, 4.5, 0.5)
    assert (record.first, record.objective, record.num_val_images) == (
        "tutorial",
        "val_accuracy",
        1,
    )


def test_a_trial_that_never_began_has_a_row() -> None:
    record = row(facts={}, curve=[], probabilities=None, status=TrialStatus.FAILED,
                 error=("lost", "gone"))  # fmt: skip
    assert (record.score, record.epochs_run, record.waiting_s) == (None, 0, 0.0)
    assert (record.error_kind, record.error_message) == ("lost", "gone")
    assert config_of(record) == CONFIG


NEW = (
    "optimizer", "nesterov", "beta1", "beta2", "stage_lr_decay", "batchnorm", "head_start",
    "soup_size",
)  # fmt: skip


def test_a_row_of_the_first_schema_stands_for_what_was_trained_then() -> None:
    nothing: dict[str, Any] = dict.fromkeys(NEW)
    old = replace(row(), schema_version=1, **nothing)
    assert config_of(old) == CONFIG
    assert execution_of(replace(old, precision=None, inference_precision=None)).precision is (
        Precision.FP32
    )


@pytest.mark.parametrize("column", SINCE_THE_FIRST_SCHEMA)
def test_a_row_that_lacks_what_is_needed_says_what(column: str) -> None:
    nothing: dict[str, Any] = {column: None}
    with pytest.raises(UsageError) as refused:
        task_of(replace(row(), **nothing))
    assert str(refused.value) == (
        f"trial 4 of sweep 'test' cannot be trained again: its row has no {column}"
    )


def test_a_row_of_a_newer_antsbees_is_refused() -> None:
    newer = replace(row(), schema_version=SCHEMA_VERSION + 1, code_version="9.1")
    with pytest.raises(UsageError) as refused:
        config_of(newer)
    assert str(refused.value) == (
        "trial 4 of sweep 'test' cannot be trained again: its row was written by a newer "
        "antsbees, 9.1"
    )


def test_a_row_that_breaks_a_rule_is_refused_with_the_rule() -> None:
    with pytest.raises(UsageError, match="trained again: the step schedule needs gamma"):
        config_of(replace(row(), schedule="step", step_size=3))
    with pytest.raises(UsageError, match="trained again: unknown backbone 'vgg'"):
        task_of(replace(row(), backbone="vgg"))


def test_a_row_is_computed_again_as_it_was_and_on_the_cpu_where_its_device_is_not() -> None:
    execution = execution_of(row(device="cuda", threads=2))
    assert (execution.threads, execution.precision, execution.inference_precision) == (
        2, Precision.BF16, Precision.FP32,
    )  # fmt: skip
    assert execution_of(row()).device == "cpu"


@pytest.mark.parametrize("fast", [True, False])
def test_a_row_is_computed_again_with_the_layers_that_it_had(fast: bool) -> None:
    assert execution_of(row(facts=asdict(replace(FACTS, fast_layers=fast)))).fast_layers is fast


def test_a_row_from_before_the_switch_had_our_layers() -> None:
    assert execution_of(replace(row(), fast_layers=None)).fast_layers
