"""What reading a spec promises: all faults at once, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from antsbees.hyperparameters import OptimizerKind
from sweeps import configs
from sweeps.errors import SpecError, UsageError
from sweeps.spec.entries import LogUniform
from sweeps.spec.first import TUTORIAL_FIRST
from sweeps.spec.reading import parse_spec, read_spec

OPTIMIZERS = ", ".join(OptimizerKind)
CONFIGS = sorted(Path(configs.__file__).parent.glob("*.yaml"))


def faults(text: str) -> list[str]:
    """Return the faults that are told of a spec."""
    with pytest.raises(SpecError) as caught:
        parse_spec(text, "my.yaml")
    first, *told = str(caught.value).splitlines()
    assert first == "my.yaml cannot be used:"
    assert all(line.startswith("  - ") for line in told)
    return [line.removeprefix("  - ") for line in told]


def error(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_spec(text, "my.yaml")
    return str(caught.value)


def test_there_are_shipped_specs() -> None:
    assert "quick" in [path.stem for path in CONFIGS]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_spec_can_be_read_and_is_named_after_its_file(path: Path) -> None:
    spec = read_spec(path)
    assert spec.name == path.stem
    assert spec.search.trials >= 1


def test_several_faults_in_different_places_are_told_at_once() -> None:
    text = """\
name: ants
epohcs: 3
image_size: 8
search:
  trails: 3
  sampler: tpee
space:
  lr: {log_unifrom: [0.1, 1]}
  momentum: {uniform: [0, 1]}
  batch_size: {uniform: [1, 3]}
  weight_decay: all
  schedule:
    step: {gamma: 0.1}
    cosine: {final_fraction: 0, peak: 0.3}
"""
    entry = (
        "a value is needed, or one of {uniform: [low, high]}, {log_uniform: [low, high]}, "
        "{int: [low, high]}, {choice: [value, ...]}; "
    )
    assert sorted(faults(text)) == sorted(
        [
            "epohcs (line 2): unknown key; did you mean epochs?",
            "image_size (line 3): Input should be greater than or equal to 32, got 8",
            "search.trails (line 5): unknown key; did you mean trials?",
            "search.sampler (line 6): Input should be 'tpe', 'gp', 'cmaes', 'qmc', 'random' or "
            "'grid', got 'tpee'",
            f"space.lr (line 8): {entry}got log_unifrom, did you mean log_uniform?",
            "space.momentum (line 9): must be below 1, got 1.0",
            "space.batch_size (line 10): only whole numbers are possible; use int or choice",
            "space.weight_decay (line 11): 'all' has a meaning for frozen_stages only",
            "space.schedule (line 12): step needs step_size; cosine takes no peak",
        ]
    )


def test_faults_that_show_once_others_are_mended_are_told_too() -> None:
    told = faults("name: ants\nepohcs: 3\nspace: {frozen_stages: 12}\n")
    assert told[0] == "epohcs (line 2): unknown key; did you mean epochs?"
    assert "frozen_stages of efficientnet_lite0 must be at most 9, got 12" in told[1]
    assert len(told) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epochs: 3", "name: is missing"),
        ("name: a\nsearch:\n  sampelr: tpe",
         "search.sampelr (line 3): unknown key; did you mean sampler?"),
        ("name: a\nlanes: {cpu: {cores: 2}}",
         "lanes.cpu.cores (line 2): unknown key; known here: threads, slots"),
        ("name: a\nlanes:\n  gpus: {}", "lanes.gpus (line 3): unknown key; did you mean gpu?"),
        ("name: a\nspace:\n  schedule:\n    step: {gama: 0.1}",
         "space.schedule.step.gama (line 4): unknown key; did you mean gamma?"),
        ("name: a\nsearch:\n  early_stopping: {kind: asha, grace_epoch: 3}",
         "search.early_stopping.grace_epoch (line 3): unknown key; did you mean grace_epochs?"),
        ("name: a\nsearch:\n  first:\n    - tutorial\n    - {momentun: 0.9}",
         "search.first.1.momentun (line 5): unknown key; did you mean momentum?"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_told_the_nearest_one_and_its_line(text: str, told: str) -> None:
    assert told in faults(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: ../a", "name (line 1): '../a' is no safe file name; use letters, digits, '.', '_' "
                       "and '-', at most 64, starting with a letter or digit"),
        ("name: a\nspace:\n  lr: maybe",
         "space.lr (line 3): must be a number, got 'maybe'"),
        ("name: a\nspace:\n  lr: [1, 2]",
         "space.lr (line 3): a value is needed, or one of {uniform: [low, high]}, {log_uniform: "
         "[low, high]}, {int: [low, high]}, {choice: [value, ...]}; got [1, 2]"),
        ("name: a\nspace: {optimizer: adam}",
         f"space.optimizer (line 2): must be one of {OPTIMIZERS}, got adam"),
        ("name: a\nspace: {optimizer: adamw, momentum: 0.9}",
         "space (line 2): momentum needs the optimizer sgd among those to choose"),
        ("name: a\nepochs: {choice: [3, 2.5]}",
         "epochs (line 2): must be a whole number, got 2.5"),
        ("name: a\nsearch:\n  first:\n    - {nesterov: maybe}",
         "search.first.0.nesterov (line 4): must be true or false, got maybe"),
        ("name: a\nspace: {lr: {log_uniform: [0, 1]}}",
         "space.lr (line 2): log_uniform needs ends above 0, got [0, 1]"),
        ("name: a\nspace:\n  schedule: stepp",
         "space.schedule.stepp (line 3): Input should be 'constant', 'step', 'exponential', "
         "'cosine' or 'one_cycle', got 'stepp'"),
        ("name: a\nsearch: {trials: 0}",
         "search.trials (line 2): Input should be greater than or equal to 1, got 0"),
        ("name: a\nspace: {momentum: .nan}",
         "space.momentum (line 2): must be a finite number, got nan"),
        ("name: a\nspace:\n  momentum: 0.9\n  lr: -1e-30",
         "space.lr (line 4): must be above 0, got -1e-30"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_the_rule_and_the_value(text: str, told: str) -> None:
    assert told in faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "name: a\nspace: {lr: {log_uniform: [1, 0.1]}}",
        "name: a\nspace: {lr: {choice: []}}",
        "name: a\nspace: {schedule: {step: {step_size: 3, gamma: 2}}}",
        "name: a\nspace: {schedule: {step: 3}}",
        "name: a\nlanes: {cpu: {slots: many}}",
    ],
)
def test_one_fault_is_told_once(text: str) -> None:
    assert len(faults(text)) == 1


@pytest.mark.parametrize("text", ["", "- a\n- b", "just words", "3"])
def test_a_spec_is_a_mapping(text: str) -> None:
    assert error(text) == "my.yaml must be a mapping of settings, such as 'name: ants'"


@pytest.mark.parametrize("text", ["name: [a", "name: a\n\tepochs: 3", "a: b: c", "name: 'a\0'"])
def test_what_is_no_yaml_is_told_in_one_line(text: str) -> None:
    told = error(text)
    assert told.startswith("my.yaml is no valid YAML: ")
    assert "\n" not in told


@pytest.mark.parametrize("text", ["name: a\n1: 2", "name: a\nspace: {1: 2}"])
def test_keys_that_are_no_text_are_told(text: str) -> None:
    (fault,) = faults(text)
    assert "(line 2): Keys should be strings, got 1" in fault


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    with pytest.raises(UsageError) as caught:
        read_spec(missing)
    assert str(caught.value) == f"cannot read the spec {missing}: No such file or directory"
    with pytest.raises(UsageError, match=r"cannot read the spec .*: Is a directory"):
        read_spec(tmp_path)
    photograph = tmp_path / "a.jpg"
    photograph.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(UsageError, match=r"cannot read the spec .*a.jpg: it is no text"):
        read_spec(photograph)


@pytest.mark.parametrize("number", ["1e-3", "1E-3", "1.0e-3", "0.1e-2", "0.001", "10.e-4"])
def test_numbers_are_taken_however_they_are_written(number: str) -> None:
    spec = parse_spec(f"name: a\nspace: {{lr: {{log_uniform: [{number}, 1e+0]}}}}", "my.yaml")
    assert isinstance(spec.space.lr, LogUniform)
    assert (spec.space.lr.log_uniform.low, spec.space.lr.log_uniform.high) == (0.001, 1)


def test_a_name_may_look_like_a_number() -> None:
    assert parse_spec("name: '1e5'", "my.yaml").name == "1e5"


def test_the_command_line_overrides_name_data_and_trials(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("name: mine\nsearch: {trials: 5, sampler: random}\n")
    spec = read_spec(path, name="other", data="synthetic", trials=7)
    assert (spec.name, spec.data, spec.search.trials) == ("other", "synthetic", 7)
    assert spec.search.sampler == "random"
    kept = read_spec(path, name=None, data=None, trials=None)
    assert (kept.name, kept.data, kept.search.trials) == ("mine", "auto", 5)
    path.write_text("epochs: 2\nsearch:\n")
    assert read_spec(path, name="named", trials=1).search.trials == 1


def test_overrides_are_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("name: mine\n")
    with pytest.raises(SpecError) as caught:
        read_spec(path, name="../up", trials=0)
    assert "'../up' is no safe file name" in str(caught.value)
    assert "search.trials: Input should be greater than or equal to 1, got 0" in str(caught.value)


def test_first_tries_are_read() -> None:
    text = "name: a\nsearch:\n  first: [tutorial, {name: mine, lr: 1e-2, schedule: constant}]"
    tutorial, own = parse_spec(text, "my.yaml").search.first
    assert tutorial == TUTORIAL_FIRST
    assert (own.name, own.lr, own.schedule) == ("mine", 0.01, "constant")
