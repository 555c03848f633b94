"""Configurations are checked at birth, and their messages hold the rule and the value."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from antsbees.config import SETTINGS_OF_KIND, Precision, Schedule, TaskConfig, TrialConfig
from antsbees.errors import AntsbeesError, ConfigError, UserError
from antsbees.hyperparameters import OptimizerKind, ScheduleKind

SETTINGS: dict[str, Any] = {"step_size": 3, "gamma": 0.5, "final_fraction": 0.01, "peak": 0.3}


def schedule_of(kind: ScheduleKind, warmup_epochs: int = 0) -> Schedule:
    settings = {name: SETTINGS[name] for name in SETTINGS_OF_KIND[kind]}
    return Schedule(kind, warmup_epochs=warmup_epochs, **settings)


def refusal(make: type, **values: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        make(**values)
    return str(refused.value)


def test_the_defaults_are_the_tutorials() -> None:
    config = TrialConfig(frozen_stages=0)
    assert (config.lr, config.momentum, config.batch_size, config.epochs) == (0.001, 0.9, 4, 25)
    assert config.schedule == Schedule(ScheduleKind.STEP, step_size=7, gamma=0.1)
    assert (config.weight_decay, config.label_smoothing, config.seed) == (0, 0, 0)


def test_the_default_task_needs_no_download() -> None:
    task = TaskConfig()
    assert (task.backbone, task.image_size, task.views) == ("efficientnet_lite0", 224, 3)
    assert task.num_stages == 9


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("frozen_stages", -1, "at least 0"),
        ("lr", 0, "above 0"),
        ("lr", -0.1, "above 0"),
        ("lr", math.inf, "a finite number"),
        ("lr", math.nan, "a finite number"),
        ("momentum", -0.1, "at least 0"),
        ("momentum", 1, "below 1"),
        ("momentum", math.nan, "a finite number"),
        ("weight_decay", -1e-9, "at least 0"),
        ("batch_size", 0, "at least 1"),
        ("label_smoothing", 1.0, "below 1"),
        ("label_smoothing", -0.5, "at least 0"),
        ("epochs", 0, "at least 1"),
        ("seed", -1, "at least 0"),
    ],
)
def test_a_bad_hyperparameter_is_refused(name: str, value: float, rule: str) -> None:
    message = refusal(TrialConfig, **{"frozen_stages": 0, name: value})
    assert message == f"{name} must be {rule}, got {value}"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("lr", None, "lr must be a number, got None"),
        ("lr", "0.1", "lr must be a number, got '0.1'"),
        ("lr", True, "lr must be a number, got True"),
        ("batch_size", 2.7, "batch_size must be a whole number, got 2.7"),
        ("batch_size", None, "batch_size must be a whole number, got None"),
        ("seed", None, "seed must be a whole number, got None"),
        ("epochs", 10**7, "epochs must be at most 1000000, got 10000000"),
        ("schedule", "step", "schedule must be a Schedule, got 'step'"),
        ("optimizer", "adam", f"optimizer must be one of {', '.join(OptimizerKind)}, got adam"),
        ("nesterov", 1, "nesterov must be true or false, got 1"),
        ("beta1", 0.9, "the sgd optimizer takes no beta1"),
        ("stage_lr_decay", 0, "stage_lr_decay must be above 0, got 0"),
        ("stage_lr_decay", 1.5, "stage_lr_decay must be at most 1, got 1.5"),
        ("batchnorm", "eval", "batchnorm must be one of train, frozen, got eval"),
        ("head_start", None, "head_start must be one of random, probe, got None"),
    ],
)
def test_a_value_of_another_kind_is_refused_in_one_sentence(
    name: str, value: Any, told: str
) -> None:
    assert refusal(TrialConfig, **{"frozen_stages": 0, name: value}) == told


def test_an_optimizer_has_exactly_its_settings() -> None:
    sgd = TrialConfig(0)
    assert (sgd.optimizer, sgd.momentum, sgd.nesterov) == ("sgd", 0.9, False)
    assert (sgd.beta1, sgd.beta2) == (None, None)
    adamw = TrialConfig(0, optimizer=OptimizerKind.ADAMW, beta1=0.8)
    assert (adamw.momentum, adamw.nesterov) == (None, None)
    assert (adamw.beta1, adamw.beta2) == (0.8, 0.999)
    assert TrialConfig.from_dict(json.loads(json.dumps(adamw.to_dict()))) == adamw
    told = refusal(TrialConfig, frozen_stages=0, optimizer="adamw", momentum=0.9)
    assert told == "the adamw optimizer takes no momentum"


def test_whole_numbers_and_choices_are_kept_in_their_own_types() -> None:
    config = TrialConfig.from_dict({"frozen_stages": 3.0, "batch_size": 8.0, "optimizer": "sgd"})
    assert type(config.frozen_stages) is type(config.batch_size) is int
    assert type(config.optimizer) is OptimizerKind


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("image_size", 31, "at least 32"),
        ("views", 0, "at least 1"),
        ("data_seed", -1, "at least 0"),
    ],
)
def test_a_bad_task_is_refused(name: str, value: int, rule: str) -> None:
    assert refusal(TaskConfig, **{name: value}) == f"{name} must be {rule}, got {value}"


@pytest.mark.parametrize(
    ("kind", "name", "value", "rule"),
    [
        ("step", "step_size", 0, "at least 1"),
        ("step", "gamma", 0, "above 0"),
        ("step", "gamma", 1.1, "at most 1"),
        ("exponential", "gamma", -1, "above 0"),
        ("cosine", "final_fraction", -0.1, "at least 0"),
        ("cosine", "final_fraction", 2, "at most 1"),
        ("one_cycle", "peak", 0, "above 0"),
        ("one_cycle", "peak", 1, "below 1"),
        ("constant", "warmup_epochs", -1, "at least 0"),
    ],
)
def test_a_bad_schedule_is_refused(kind: str, name: str, value: float, rule: str) -> None:
    settings = {setting: SETTINGS[setting] for setting in SETTINGS_OF_KIND[ScheduleKind(kind)]}
    message = refusal(Schedule, **({"kind": kind} | settings | {name: value}))
    assert message == f"{name} must be {rule}, got {value}"


def test_a_task_sees_images_of_the_size_after_its_backbones_name() -> None:
    assert TaskConfig("resnet18@96").image_size == 96
    assert TaskConfig("resnet18@96", image_size=96) == TaskConfig("resnet18@96")
    with pytest.raises(ConfigError, match="image_size is 64, but resnet18@96 names another size"):
        TaskConfig("resnet18@96", image_size=64)


def test_a_schedule_takes_exactly_its_settings() -> None:
    """Every kind with every setting: those it lacks are asked for, the others refused."""
    seen = 0
    for kind in ScheduleKind:
        wanted = SETTINGS_OF_KIND[kind]
        for name, value in SETTINGS.items():
            own = {setting: SETTINGS[setting] for setting in wanted}
            if name in wanted:
                message = refusal(Schedule, kind=kind, **(own | {name: None}))
                assert message == f"the {kind} schedule needs {name}"
                assert schedule_of(kind)[name] == value
            else:
                message = refusal(Schedule, kind=kind, **(own | {name: value}))
                assert message == f"the {kind} schedule takes no {name}"
                with pytest.raises(KeyError):
                    schedule_of(kind)[name]
            seen += 1
    assert seen == 5 * 4


def test_a_warm_up_longer_than_the_run_is_refused() -> None:
    message = refusal(TrialConfig, frozen_stages=0, epochs=3, schedule=Schedule(warmup_epochs=4))
    assert message == "warmup_epochs must be at most epochs (3), got 4"
    TrialConfig(0, epochs=4, schedule=Schedule(warmup_epochs=4))


def test_an_unknown_backbone_is_refused_as_a_configuration() -> None:
    assert "unknown backbone 'vgg'" in refusal(TaskConfig, backbone="vgg")


def test_an_unknown_schedule_is_refused_as_a_configuration() -> None:
    assert "linear" in refusal(Schedule, kind="linear")


@pytest.mark.parametrize("kind", ScheduleKind)
@pytest.mark.parametrize("warmup_epochs", [0, 2])
def test_a_configuration_survives_plain_values_and_json(
    kind: ScheduleKind, warmup_epochs: int
) -> None:
    config = TrialConfig(3, lr=0.2, seed=5, schedule=schedule_of(kind, warmup_epochs))
    plain = config.to_dict()
    assert plain["schedule"] == str(kind)
    assert plain["frozen_stages"] == 3
    assert TrialConfig.from_dict(plain) == config
    assert TrialConfig.from_dict(json.loads(json.dumps(plain))) == config


def test_what_is_left_out_of_plain_values_is_the_default() -> None:
    assert TrialConfig.from_dict({"frozen_stages": 2}) == TrialConfig(2)
    short = TrialConfig.from_dict({"frozen_stages": 2, "schedule": "exponential", "gamma": 0.5})
    assert short.schedule == Schedule(ScheduleKind.EXPONENTIAL, gamma=0.5)


def test_unknown_hyperparameters_are_named() -> None:
    with pytest.raises(ConfigError) as refused:
        TrialConfig.from_dict({"frozen_stages": 0, "momentun": 0.9, "beta": 1})
    assert str(refused.value) == "unknown hyperparameters: beta, momentun"


def test_an_unknown_schedule_in_plain_values_is_refused() -> None:
    with pytest.raises(ConfigError, match="linear"):
        TrialConfig.from_dict({"frozen_stages": 0, "schedule": "linear"})


def test_a_setting_without_its_schedule_is_not_ignored() -> None:
    """Either it changes the default schedule or it is refused; it must not get lost."""
    try:
        config = TrialConfig.from_dict({"frozen_stages": 0, "gamma": 0.5})
    except ConfigError:
        return
    assert config.schedule.gamma == 0.5


def test_only_the_seed_changes_with_the_seed() -> None:
    config = TrialConfig(1, lr=0.5)
    assert config.with_seed(9) == TrialConfig(1, lr=0.5, seed=9)
    assert config.seed == 0


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        TrialConfig(0).lr = 1.0  # type: ignore[misc]


def test_precisions_are_named_as_users_write_them() -> None:
    assert [str(precision) for precision in Precision] == ["auto", "fp32", "bf16"]


def test_a_bad_configuration_is_a_mistake_of_the_user() -> None:
    assert issubclass(ConfigError, UserError)
    assert issubclass(UserError, AntsbeesError)
