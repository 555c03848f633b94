"""What the models of a spec promise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from antsbees.config import SETTINGS_OF_KIND, TrialConfig
from antsbees.hyperparameters import ScheduleKind
from antsbees.networks.catalog import ARCHITECTURES
from results.schema import Objective
from sweeps.spec.first import PROBE_FIRST, TUTORIAL_FIRST
from sweeps.spec.models import (
    Asha,
    NoEarlyStopping,
    Sampler,
    SweepSpec,
    is_safe_name,
)
from tests.sweeps.sweep_fakes import GRID_SPACE, WIDE_SPACE, make_spec

SETTINGS: dict[str, Any] = {"step_size": 3, "gamma": 0.5, "final_fraction": 0.1, "peak": 0.3}


def fault(space: Any = None, **settings: Any) -> str:
    """Return the one fault a spec has."""
    with pytest.raises(ValidationError) as caught:
        make_spec(space, **settings)
    (error,) = caught.value.errors()
    return str(error["msg"]).removeprefix("Value error, ")


def models(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield kind
    for field in kind.model_fields.values():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from models(annotation)


def test_a_name_is_all_a_spec_needs() -> None:
    spec = make_spec()
    assert (spec.search.trials, spec.search.sampler) == (32, Sampler.TPE)
    assert spec.search.first == (TUTORIAL_FIRST,)
    assert isinstance(spec.search.early_stopping, Asha)
    with pytest.raises(ValidationError, match="name\n  Field required"):
        SweepSpec.model_validate({})


def test_specs_are_frozen_and_take_no_unknown_keys() -> None:
    found = list(models(SweepSpec))
    assert len(found) >= 7
    assert all(m.model_config["frozen"] and m.model_config["extra"] == "forbid" for m in found)


@pytest.mark.parametrize("space", [None, WIDE_SPACE, GRID_SPACE])
def test_a_spec_survives_json(space: Any) -> None:
    spec = make_spec(space, search={"first": ["tutorial", {"lr": 0.1}], "early_stopping": "none"})
    assert SweepSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize("name", ["ants", "a", "a_", "2024-01-01", "A.b_c-1", "a" * 64])
def test_safe_names_are_taken(name: str) -> None:
    assert is_safe_name(name)
    assert make_spec(name=name).name == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".a", "-a", "_a", "a/b", "../a", "a b", "a\n", "ä", "a" * 65, "a=b", "a\\b"],
)
def test_unsafe_names_are_refused_with_the_rule(name: str) -> None:
    assert fault(name=name) == (
        f"{name!r} is no safe file name; use letters, digits, '.', '_' and '-', at most 64, "
        "starting with a letter or digit"
    )


def test_every_known_backbone_is_taken_and_another_is_refused() -> None:
    stages = {name: make_spec(backbone=name).task.num_stages for name in ARCHITECTURES}
    assert len(stages) >= 8
    assert stages["efficientnet_lite0"] == 9
    told = fault(backbone="resnet19")
    assert told.startswith("unknown backbone 'resnet19'; did you mean resnet18? known backbones: ")


def test_frozen_stages_must_be_there() -> None:
    for space in ({"frozen_stages": 6}, {"frozen_stages": {"int": [0, 6]}}):
        told = fault(backbone="resnet18", space=space)
        assert told == "frozen_stages of resnet18 must be at most 5, got 6"
    told = fault(backbone="resnet18", search={"first": [{"frozen_stages": 7}]})
    assert told == "frozen_stages of resnet18 must be at most 5, got 7"


def test_warmup_fits_into_the_epochs() -> None:
    for settings in ({"space": {"warmup_epochs": {"int": [0, 4]}}},
                     {"search": {"first": [{"warmup_epochs": 4}]}}):  # fmt: skip
        assert fault(epochs=3, **settings).startswith("warmup_epochs must be at most epochs (3)")
    assert make_spec({"warmup_epochs": 3}, epochs=3).space.warmup_epochs == 3


@pytest.mark.parametrize("kind", ScheduleKind)
def test_a_schedule_takes_exactly_its_own_settings(kind: ScheduleKind) -> None:
    own = {name: SETTINGS[name] for name in SETTINGS_OF_KIND[kind]}
    assert make_spec({"schedule": {kind: own}}).space.schedule[kind].given() == own
    for name in own:
        without = {n: v for n, v in own.items() if n != name}
        assert fault(space={"schedule": {kind: without}}) == f"{kind} needs {name}"
    foreign = set(SETTINGS) - set(own)
    assert len(foreign) + len(own) == 4
    for name in foreign:
        told = fault(space={"schedule": {kind: own | {name: SETTINGS[name]}}})
        assert told == f"{kind} takes no {name}"


@pytest.mark.parametrize("written", ["constant", ["constant"], {"constant": None}])
def test_schedules_without_settings_can_be_written_short(written: Any) -> None:
    assert list(make_spec({"schedule": written}).space.schedule) == [ScheduleKind.CONSTANT]


def test_the_grid_sampler_takes_no_continuous_entries() -> None:
    space = {
        "lr": {"log_uniform": [0.1, 1]},
        "momentum": {"choice": [0.8, 0.9]},
        "schedule": {"exponential": {"gamma": {"uniform": [0.5, 1]}}},
    }
    ending = "the grid sampler needs choice, int or a fixed value"
    told = fault(space=space, search={"sampler": "grid"})
    assert told == f"space.lr: {ending}; space.schedule.exponential.gamma: {ending}"
    assert make_spec(GRID_SPACE, search={"sampler": "grid"}).search.sampler is Sampler.GRID


def test_the_tutorials_configuration_is_that_of_trial_config() -> None:
    tutorial = TUTORIAL_FIRST.model_dump(exclude_none=True)
    assert tutorial.pop("name") == "tutorial"
    assert tutorial.pop("frozen_stages") == "all"
    assert len(tutorial) == 16
    plain = TrialConfig(frozen_stages=0).to_dict()
    assert tutorial == {name: plain[name] for name in tutorial}


def test_first_tries_are_the_tutorial_or_ones_own() -> None:
    own = {"name": "mine", "lr": 0.1, "frozen_stages": "all", "schedule": "constant"}
    first = make_spec(search={"first": ["tutorial", own]}).search.first
    assert first[0] == TUTORIAL_FIRST
    assert first[1].model_dump(exclude_none=True) == own
    assert make_spec(search={"first": []}).search.first == ()


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"momentum": 1}, "must be below 1, got 1"),
        ({"batch_size": 0}, "must be at least 1, got 0"),
        ({"gamma": 2}, "must be at most 1, got 2"),
    ],
)
def test_first_tries_keep_to_the_bounds(own: dict[str, Any], told: str) -> None:
    assert fault(search={"first": [own]}) == told


@pytest.mark.parametrize("own", [{"schedule": "step"}, {"schedule": "one_cycle", "lr": 0.1}])
def test_a_first_try_brings_the_settings_the_space_does_not_have(own: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="needs"):
        make_spec({"schedule": "constant"}, search={"first": [own]})


@pytest.mark.parametrize("own", [{"step_size": 3}, {"schedule": "cosine", "peak": 0.3}])
def test_a_first_try_has_no_settings_without_their_schedule(own: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_spec(search={"first": [own]})


@pytest.mark.parametrize("lane", ["cpu", "gpu"])
def test_slots_are_not_negative(lane: str) -> None:
    with pytest.raises(ValidationError):
        make_spec(lanes={lane: {"slots": -1}})


def test_early_stopping_is_asha_or_none() -> None:
    assert make_spec(search={"early_stopping": "asha"}).search.early_stopping == Asha()
    told = make_spec(search={"early_stopping": {"kind": "asha", "grace_epochs": 2}})
    assert told.search.early_stopping == Asha(grace_epochs=2)
    stopping = make_spec(search={"early_stopping": "none"}).search.early_stopping
    assert stopping == NoEarlyStopping()


def test_views_of_a_sweep_are_seeded_by_its_seed() -> None:
    task = make_spec(seed=7, views=2, image_size=64, weights="none").task
    assert (task.data_seed, task.views, task.image_size, task.weights) == (7, 2, 64, "none")


def test_objectives_can_be_named() -> None:
    assert make_spec(objective="val_loss").objective is Objective.VAL_LOSS


def test_several_backbones_can_be_chosen_from() -> None:
    spec = make_spec(
        {"frozen_stages": {"int": [0, "all"]}},
        backbone={"choice": ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]},
    )
    assert [spec.task_of(name).image_size for name in spec.backbones] == [224, 240, 260]
    told = fault(backbone={"choice": ["resnet18", "resnet19"]})
    assert told.startswith("unknown backbone 'resnet19'; did you mean resnet18?")
    told = fault(
        {"frozen_stages": {"int": [0, 7]}}, backbone={"choice": ["efficientnet_lite0", "resnet18"]}
    )
    assert told == "frozen_stages of resnet18 must be at most 5, got 7"
    told = fault(search={"first": [{"backbone": "resnet18", "frozen_stages": 1}]})
    assert told == "search.first, number 1: resnet18 is not in this sweep"
    told = fault(backbone={"choice": ["resnet18", "resnet50"]}, weights="/mine.pth")
    assert told == "the file /mine.pth cannot hold the weights of several backbones"


def test_a_backbone_can_be_tried_at_several_sizes() -> None:
    sizes = {"choice": ["resnet18", "resnet18@288"]}
    spec = make_spec(backbone=sizes, weights="/mine.pth")  # which are of both
    assert [spec.task_of(name).image_size for name in spec.backbones] == [224, 288]
    told = fault(backbone=sizes, image_size=224)
    assert told == "image_size and a size after a backbone's name cannot both be given"
    assert fault(backbone="resnet18@5").startswith("backbone 'resnet18@5': after @ comes the edge")


def test_a_first_try_that_names_an_optimizer_names_its_settings_only() -> None:
    both = {"optimizer": {"choice": ["sgd", "adamw"]}}
    ending = "search.first, number 1: "
    told = fault(both, search={"first": [{"momentum": 0.5}]})
    assert told == f"{ending}momentum needs an optimizer beside it"
    told = fault(both, search={"first": [{"optimizer": "adamw", "momentum": 0.5}]})
    assert told == f"{ending}adamw takes no momentum"
    make_spec(both, search={"first": [{"optimizer": "sgd", "momentum": 0.5}]})
    make_spec(search={"first": [{"momentum": 0.5}, {"optimizer": "adamw", "beta1": 0.5}]})


@pytest.mark.parametrize("name", ["tutorial", "probe", "portfolio"])
def test_the_name_of_a_ready_made_try_is_no_name_for_ones_own(name: str) -> None:
    """The winner is held against rows of these names."""
    assert fault(search={"first": ["tutorial", {"name": name, "lr": 0.5}]}) == (
        f"search.first, number 2: the name {name} stands for a ready-made try; give another name "
        "to one of your own"
    )
    written = make_spec(search={"first": [name]})
    assert SweepSpec.model_validate_json(written.model_dump_json()) == written


def test_paths_are_absolute_from_the_folder_the_command_ran_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker runs in a folder of its own, where a relative path means another file."""
    monkeypatch.chdir(tmp_path)
    spec = make_spec(weights="sub/mine.pth", data="./synthetic")
    assert spec.weights == spec.task.weights == str(tmp_path / "sub" / "mine.pth")
    assert spec.data == str(tmp_path / "synthetic")
    assert make_spec(weights="~/a.pth").weights == str(Path.home() / "a.pth")
    monkeypatch.chdir("/")
    assert SweepSpec.model_validate_json(spec.model_dump_json()) == spec
    for word in ("default", "none"):
        assert make_spec(weights=word).weights == word
    for word in ("auto", "synthetic"):
        assert make_spec(data=word).data == word


def test_a_portfolio_is_a_careful_try_at_a_few_depths() -> None:
    def tried(entry: object, **settings: object) -> list[int]:
        spec = make_spec({"frozen_stages": entry}, search={"first": ["portfolio"]}, **settings)
        assert {first.name for first in spec.firsts} == {"portfolio"}
        kept = [first.batchnorm == "frozen" for first in spec.firsts]
        assert kept == [*[True] * (len(kept) - 1), len(kept) == 1]  # the deepest is bold
        adaptive = [f.frozen_stages for f in spec.firsts if f.optimizer == "adamw"]
        soups = [f.frozen_stages for f in spec.firsts if f.soup_size > 1]
        gentle = [f.frozen_stages for f in spec.firsts if f.optimizer == "sgd"]
        assert soups == gentle[2:-1]  # neither near the top nor at the bottom
        assert adaptive == [depth for depth in soups for _ in range(2)]
        return gentle

    assert tried({"int": [5, "all"]}) == [9, 8, 7, 5]
    assert tried({"int": [0, "all"]}, backbone="resnet18") == [5, 4, 2, 0]
    assert tried({"choice": ["all", 3]}) == [9, 3]
    assert tried("all") == [9]


def test_the_probe_is_tried_on_every_backbone() -> None:
    """The most promising first; the tutorial's on the first of the spec."""
    names = ["efficientnet_lite0", "efficientnet_lite2", "efficientnet_lite2@320"]
    tried = make_spec(backbone={"choice": names}, search={"first": ["tutorial", "probe"]}).firsts
    assert [(first.name, first.backbone) for first in tried] == [
        ("tutorial", "efficientnet_lite0"),
        ("probe", "efficientnet_lite2@320"),
        ("probe", "efficientnet_lite2"),
        ("probe", "efficientnet_lite0"),
    ]  # fmt: skip
    assert tried[1].head_start == "probe"
    assert tried[1].frozen_stages == "all"
    alone = make_spec(search={"first": ["probe"]})
    assert alone.firsts == alone.search.first == (PROBE_FIRST,)
