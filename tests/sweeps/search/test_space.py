"""What the space promises: valid configurations, first tries as given, a whole grid."""

from __future__ import annotations

from collections import Counter
from typing import Any

import optuna
import pytest

from antsbees.config import SETTINGS_OF_KIND, Schedule, TrialConfig
from antsbees.hyperparameters import ScheduleKind
from sweeps.search.firsts import keep_in_step
from sweeps.search.space import FIRST, GIVEN, SearchSpace
from sweeps.spec.models import SweepSpec
from tests.sweeps.sweep_fakes import (
    GRID_SPACE,
    NUM_IN_GRID,
    WIDE_SPACE,
    make_spec,
    study_in_memory,
)

SHARED = {"lr", "momentum", "weight_decay", "batch_size", "frozen_stages", "warmup_epochs"}
NUM_ASKS = 50
LITE0 = "efficientnet_lite0"


def suggest(trial: optuna.Trial, spec: SweepSpec) -> TrialConfig:
    return SearchSpace.of(spec).suggest(trial)


def grid(spec: SweepSpec) -> list[dict[str, Any]]:
    return SearchSpace.of(spec).grid()


def enqueue_first(study: optuna.Study, spec: SweepSpec) -> None:
    keep_in_step(study, study._storage, spec, SearchSpace.of(spec))


def settings_in(params: dict[str, Any]) -> set[str]:
    return {name for name in params if "." in name}


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "cmaes"])
def test_every_suggestion_is_a_valid_configuration_within_the_space(sampler: str) -> None:
    spec = make_spec(WIDE_SPACE, epochs=3, search={"sampler": sampler, "first": []})
    study = study_in_memory(spec)
    kinds: Counter[ScheduleKind] = Counter()
    for number in range(NUM_ASKS):
        trial = study.ask()
        config = suggest(trial, spec)
        kinds[config.schedule.kind] += 1
        assert TrialConfig.from_dict(config.to_dict()) == config
        assert 1e-4 <= config.lr <= 0.5
        assert config.momentum is not None
        assert 0.5 <= config.momentum <= 0.99
        assert config.weight_decay in (0, 1e-4, 1e-2)
        assert config.batch_size in (16, 32, 64)
        assert type(config.batch_size) is int
        assert config.label_smoothing == 0.1
        assert 4 <= config.frozen_stages <= 9
        assert 0 <= config.schedule.warmup_epochs <= 2
        assert (config.epochs, config.seed) == (3, 0)
        study.tell(trial, number / NUM_ASKS)
    assert kinds.total() == NUM_ASKS
    assert set(kinds) == set(ScheduleKind)


def test_the_study_is_asked_for_the_settings_of_the_chosen_schedule_only() -> None:
    spec = make_spec(WIDE_SPACE, search={"sampler": "random"})
    searched = {"step": {"step_size", "gamma"}, "exponential": {"gamma"}, "one_cycle": {"peak"}}
    study = study_in_memory(spec)
    kinds = set()
    for _ in range(NUM_ASKS):
        trial = study.ask()
        kind = str(suggest(trial, spec).schedule.kind)
        kinds.add(kind)
        assert set(trial.params) - settings_in(trial.params) == SHARED | {"schedule"}
        assert settings_in(trial.params) == {f"{kind}.{s}" for s in searched.get(kind, ())}
    assert kinds == {str(kind) for kind in ScheduleKind}


def test_settings_of_the_same_name_are_parameters_of_their_own() -> None:
    spec = make_spec(WIDE_SPACE, search={"sampler": "random"})
    study = study_in_memory(spec)
    names = set()
    for _ in range(NUM_ASKS):
        trial = study.ask()
        suggest(trial, spec)
        names |= settings_in(trial.params)
    assert names == {"step.step_size", "step.gamma", "exponential.gamma", "one_cycle.peak"}
    assert not any("/" in name for name in names)  # Ray would nest the configuration


def test_a_space_that_leaves_nothing_open_asks_nothing() -> None:
    spec = make_spec({"lr": 0.1, "schedule": "constant"}, seed=5)
    trial = study_in_memory(spec).ask()
    expected = TrialConfig(
        9, lr=0.1, batch_size=32, schedule=Schedule(), epochs=10, seed=5, backbone=LITE0
    )
    assert suggest(trial, spec) == expected
    assert trial.params == {}


def test_all_is_the_number_of_stages_of_the_backbone() -> None:
    for backbone, stages in (("resnet18", 5), ("efficientnet_lite0", 9)):
        spec = make_spec(backbone=backbone)
        assert suggest(study_in_memory(spec).ask(), spec).frozen_stages == stages


INSIDE = WIDE_SPACE | {
    "batch_size": {"choice": [4, 32]},
    "label_smoothing": {"uniform": [0, 0.1]},
    "schedule": {"step": {"step_size": {"int": [1, 9]}, "gamma": {"choice": [0.1, 0.5]}}},
}


@pytest.mark.parametrize("space", [None, WIDE_SPACE, GRID_SPACE, INSIDE])
def test_the_tutorial_comes_first_as_it_is_wherever_it_lies(space: dict[str, Any] | None) -> None:
    spec = make_spec(space, epochs=8)
    study = study_in_memory(spec)
    enqueue_first(study, spec)
    trial = study.ask()
    assert trial.user_attrs[FIRST] == "tutorial"
    assert suggest(trial, spec) == TrialConfig(frozen_stages=9, epochs=25, backbone=LITE0)
    assert FIRST not in study.ask().user_attrs


FIXED = {
    "optimizer": "sgd", "nesterov": False, "stage_lr_decay": 1.0, "batchnorm": "train",
    "head_start": "random", "soup_size": 1,
}  # fmt: skip
"""Of the tutorial's, what no space of these tests searches."""


def test_what_lies_in_the_space_is_told_to_the_study_and_the_rest_is_not() -> None:
    spec = make_spec(WIDE_SPACE)
    study = study_in_memory(spec)
    enqueue_first(study, spec)
    trial = study.ask()
    suggest(trial, spec)
    inside = {
        "lr": 0.001, "momentum": 0.9, "weight_decay": 0, "frozen_stages": 9, "warmup_epochs": 0,
        "schedule": "step", "step.gamma": 0.1,
    }  # fmt: skip
    assert trial.params == inside
    outside = {"batch_size": 4, "label_smoothing": 0.0, "step.step_size": 7, "epochs": 25}
    assert trial.user_attrs[GIVEN] == outside | FIXED
    study.tell(trial, 0.5)
    following = study.ask()
    assert suggest(following, spec).batch_size in (16, 32, 64)


def test_a_tutorial_inside_the_space_is_told_whole() -> None:
    spec = make_spec(INSIDE)
    study = study_in_memory(spec)
    enqueue_first(study, spec)
    trial = study.ask()
    suggest(trial, spec)
    only = {"schedule": "step", "epochs": 25}  # nothing to search
    assert trial.user_attrs[GIVEN] == only | FIXED
    assert len(trial.params) == 9


def test_first_tries_come_in_their_order_and_the_search_fills_the_gaps() -> None:
    own = [{"name": "mine", "lr": 0.25}, "tutorial", {"momentum": 0.6, "schedule": "cosine"}]
    spec = make_spec(WIDE_SPACE, search={"first": own})
    study = study_in_memory(spec)
    enqueue_first(study, spec)
    trials = [study.ask() for _ in range(4)]
    configs = [suggest(trial, spec) for trial in trials]
    labels = [trial.user_attrs.get(FIRST) for trial in trials]
    assert labels == ["mine", "tutorial", "first 3", None]
    assert configs[0].lr == 0.25
    assert configs[2].momentum == 0.6
    assert configs[2].schedule == Schedule(
        ScheduleKind.COSINE,
        final_fraction=0.01,
        warmup_epochs=configs[2].schedule.warmup_epochs,
    )
    assert all(c.batch_size in (16, 32, 64) for c in (configs[0], configs[2]))


def test_a_first_try_may_bring_a_schedule_the_space_does_not_have() -> None:
    own = {"schedule": "one_cycle", "peak": 0.4}
    spec = make_spec({"schedule": "constant"}, search={"first": [own]})
    study = study_in_memory(spec)
    enqueue_first(study, spec)
    assert suggest(study.ask(), spec).schedule == Schedule(ScheduleKind.ONE_CYCLE, peak=0.4)


def test_a_grid_lists_every_combination_once() -> None:
    combinations = grid(make_spec(GRID_SPACE, search={"sampler": "grid"}))
    assert len(combinations) == NUM_IN_GRID
    assert len({tuple(sorted(c.items())) for c in combinations}) == NUM_IN_GRID
    kinds = Counter(c["schedule"] for c in combinations)
    assert kinds == {"constant": 8, "step": 24, "cosine": 8}
    assert all(settings_in(c) <= {f"{c['schedule']}.step_size"} for c in combinations)


def test_a_grid_is_shuffled_by_the_seed_and_nothing_else() -> None:
    grids = [
        grid(make_spec(GRID_SPACE, seed=seed, search={"sampler": "grid"})) for seed in (1, 1, 2)
    ]
    assert grids[0] == grids[1] != grids[2]
    assert sorted(map(repr, grids[0])) == sorted(map(repr, grids[2]))


def test_a_grid_of_a_space_that_leaves_nothing_open_is_one_trial() -> None:
    assert grid(make_spec({"lr": 0.1, "schedule": "constant"}, search={"sampler": "grid"})) == [{}]


def test_every_combination_of_a_grid_is_a_valid_configuration() -> None:
    spec = make_spec(GRID_SPACE, search={"sampler": "grid"})
    study = optuna.create_study()
    configs = set()
    for combination in grid(spec):
        study.enqueue_trial(combination)
        trial = study.ask()
        configs.add(suggest(trial, spec))
        assert trial.params == combination
    assert len(configs) == NUM_IN_GRID


def test_the_schedules_have_the_settings_the_tests_search() -> None:
    assert {kind: len(names) for kind, names in SETTINGS_OF_KIND.items()} == {
        "constant": 0, "step": 2, "exponential": 1, "cosine": 1, "one_cycle": 1,
    }  # fmt: skip


def test_backbones_of_one_depth_share_a_parameter_of_frozen_stages() -> None:
    names = ["efficientnet_lite0", "efficientnet_lite2"]
    spec = make_spec({"frozen_stages": {"int": [7, "all"]}}, backbone={"choice": names})
    study = study_in_memory(spec)
    enqueue_first(study, spec)
    seen = set()
    for number in range(20):
        trial = study.ask()
        config = suggest(trial, spec)
        assert 7 <= config.frozen_stages <= 9
        assert set(trial.params) == {"backbone", "frozen_stages", "lr"}
        seen.add(config.backbone)
        if not number:
            assert config.backbone == LITE0  # the tutorial's runs on the first of the choice
        study.tell(trial, 0.5)
    assert seen == set(names)
    assert {spec.task_of(name).image_size for name in names} == {224, 260}


def test_backbones_of_unlike_depths_have_frozen_stages_of_their_own() -> None:
    own = {"backbone": "resnet18", "frozen_stages": "all"}
    spec = make_spec(
        {"frozen_stages": {"int": [3, "all"]}},
        backbone={"choice": [LITE0, "resnet18"]},
        search={"sampler": "random", "first": [own, "tutorial"]},
    )
    study = study_in_memory(spec)
    enqueue_first(study, spec)
    configs = []
    for _ in range(30):
        trial = study.ask()
        config = suggest(trial, spec)
        assert set(trial.params) == {"backbone", f"{config.backbone}.frozen_stages", "lr"}
        configs.append(config)
    assert [(c.backbone, c.frozen_stages) for c in configs[:2]] == [("resnet18", 5), (LITE0, 9)]
    ranges = {LITE0: set(range(3, 10)), "resnet18": set(range(3, 6))}
    for name, expected in ranges.items():
        assert {c.frozen_stages for c in configs if c.backbone == name} <= expected


def test_a_grid_over_backbones_of_unlike_depths_has_each_depth_once() -> None:
    spec = make_spec(
        {"lr": 0.1, "frozen_stages": {"int": [4, "all"]}},
        backbone={"choice": [LITE0, "resnet18"]},
        search={"sampler": "grid"},
    )
    combinations = grid(spec)
    assert Counter(c["backbone"] for c in combinations) == {LITE0: 6, "resnet18": 2}
    depths = [v for c in combinations for n, v in c.items() if n.endswith(".frozen_stages")]
    assert depths == sorted(depths)
    assert len(depths) == len(combinations)


def test_the_optimizers_settings_are_asked_for_where_it_has_them() -> None:
    space = {
        "lr": 0.1,
        "optimizer": {"choice": ["sgd", "adamw"]},
        "momentum": {"uniform": [0.5, 0.9]},
        "nesterov": {"choice": [True, False]},
        "beta2": {"choice": [0.99, 0.999]},
        "stage_lr_decay": {"uniform": [0.3, 1.0]},
    }
    spec = make_spec(space, search={"sampler": "random", "first": []})
    study = study_in_memory(spec)
    seen = Counter[str]()
    for _ in range(NUM_ASKS):
        trial = study.ask()
        config = suggest(trial, spec)
        own = {"sgd": {"momentum", "nesterov"}, "adamw": {"beta2"}}[config.optimizer]
        assert set(trial.params) == {"optimizer", "stage_lr_decay"} | own
        assert (config.momentum is None) == (config.optimizer == "adamw")
        assert config.beta1 == (None if config.optimizer == "sgd" else 0.9)
        seen[config.optimizer] += 1
    assert min(seen["sgd"], seen["adamw"]) > 10


def test_epochs_are_searched_and_a_warm_up_fits_into_them() -> None:
    spec = make_spec(
        {"lr": 0.1, "warmup_epochs": {"int": [0, 3]}},
        epochs={"int": [1, 6]},
        search={"sampler": "random", "first": [{"epochs": 9, "warmup_epochs": 8}]},
    )
    study = study_in_memory(spec)
    enqueue_first(study, spec)
    configs = [suggest(study.ask(), spec) for _ in range(NUM_ASKS)]
    assert (configs[0].epochs, configs[0].schedule.warmup_epochs) == (9, 8)
    assert {config.epochs for config in configs[1:]} == set(range(1, 7))
    assert all(config.schedule.warmup_epochs <= config.epochs for config in configs)
    assert spec.max_epochs == 6
