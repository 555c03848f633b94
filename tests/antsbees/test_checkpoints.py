"""A saved model comes back as it was, and a damaged one is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import nn

from antsbees.checkpoints import ModelDescription, load_model, save_model
from antsbees.config import Precision, Schedule, TaskConfig, TrialConfig
from antsbees.errors import ModelError
from antsbees.hyperparameters import HYPERPARAMETERS, BatchNorm
from antsbees.networks.backbones import Backbone
from tests.antsbees.laboratory import Laboratory

IMAGES = torch.linspace(-2, 2, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)
DESCRIPTION = ModelDescription(
    task=TaskConfig("resnet18", "none", image_size=32, views=2),
    config=TrialConfig(5, lr=0.01, epochs=1, schedule=Schedule()),
    classes=("ants", "bees"),
    dataset="tiny",
    dataset_fingerprint="f" * 64,
    inference_precision="fp32",
    metrics={"val_accuracy": 0.75, "curve": [0.5, 0.75]},
    provenance={"sweep": "it's a sweep", "trial_number": 3},
)


@pytest.fixture(scope="module")
def network(resnet18: Backbone) -> nn.Module:
    return nn.Sequential(*resnet18.stages, *resnet18.trained_part(5, 2, seed=1)).eval()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, network: nn.Module) -> Path:
    folder = tmp_path_factory.mktemp("models") / "model"
    save_model(folder, network, DESCRIPTION, "# A card\n")
    return folder


@pytest.fixture
def folder(tmp_path: Path, saved: Path) -> Path:
    """A copy of the saved model that a test may damage."""
    return shutil.copytree(saved, tmp_path / "the model é")


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as refused:
        load_model(folder)
    return str(refused.value)


def answer(network: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return cast(torch.Tensor, network(IMAGES))


def test_a_model_read_back_gives_the_same_answers(folder: Path, network: nn.Module) -> None:
    model = load_model(folder)
    assert torch.equal(answer(model.network), answer(network))
    assert model.description == DESCRIPTION
    assert not model.network.training


def test_a_trained_efficientnet_of_three_classes_comes_back(
    tmp_path: Path, lite0_lab: Laboratory
) -> None:
    backbone = lite0_lab.backbone
    network = nn.Sequential(*backbone.stages[:4], *backbone.trained_part(4, 3, seed=1)).eval()
    description = replace(
        DESCRIPTION,
        task=lite0_lab.task,
        config=TrialConfig(4),
        classes=("ants", "bees", "wasps"),
        inference_precision="bf16",
    )
    save_model(tmp_path / "model", network, description, "")
    model = load_model(tmp_path / "model")
    torch.testing.assert_close(answer(model.network), answer(network), rtol=1e-5, atol=1e-5)
    assert model.description == description


@pytest.mark.parametrize("k", [0, 6, 9])
@pytest.mark.parametrize("batchnorm", BatchNorm)
def test_a_trained_network_answers_as_before_it_was_saved(
    tmp_path: Path, lite0_lab: Laboratory, batchnorm: BatchNorm, k: int
) -> None:
    """With frozen statistics BatchNorm is folded away, and the saved layers are other ones."""
    config = TrialConfig(k, batch_size=24, schedule=Schedule(), epochs=1, batchnorm=batchnorm)
    training = lite0_lab.training(config)
    training.run_epoch()
    network = training.network()
    description = replace(DESCRIPTION, task=lite0_lab.task, config=config)
    save_model(tmp_path / "model", network, description, "")
    loaded = load_model(tmp_path / "model").network
    torch.testing.assert_close(answer(loaded), answer(network), rtol=1e-5, atol=1e-5)


def test_a_model_says_every_hyperparameter(folder: Path) -> None:
    config = json.loads((folder / "model.json").read_text())["config"]
    assert len(HYPERPARAMETERS) >= 20
    assert set(HYPERPARAMETERS) | {"seed"} <= set(config)


def test_a_model_of_fewer_hyperparameters_is_read(folder: Path) -> None:
    """Those that came later have their defaults, which is what was trained then."""
    plain = json.loads((folder / "model.json").read_text())
    known = {
        "frozen_stages", "lr", "momentum", "weight_decay", "batch_size", "label_smoothing",
        "schedule", "step_size", "gamma", "final_fraction", "peak", "warmup_epochs", "epochs",
        "seed",
    }  # fmt: skip
    plain["config"] = {name: plain["config"][name] for name in known}
    (folder / "model.json").write_text(json.dumps(plain))
    assert load_model(folder).description == DESCRIPTION


def test_a_model_is_three_files(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["README.md", "model.json", "model.safetensors"]
    assert (folder / "README.md").read_text() == "# A card\n"
    plain = json.loads((folder / "model.json").read_text())
    assert plain["format_version"] == 1
    assert plain["classes"] == ["ants", "bees"]
    assert plain["architecture"]["mean"] == [0.485, 0.456, 0.406]


def test_saving_again_replaces_the_folder_whole(folder: Path, network: nn.Module) -> None:
    (folder / "left over").touch()
    save_model(folder, network, replace(DESCRIPTION, classes=("a", "b")), "# New\n")
    assert load_model(folder).description.classes == ("a", "b")
    assert len(list(folder.iterdir())) == 3
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_model_that_cannot_be_saved_leaves_the_old_one(folder: Path, network: nn.Module) -> None:
    unwritable = replace(DESCRIPTION, metrics={"no JSON": object()})
    with pytest.raises(TypeError):
        save_model(folder, network, unwritable, "")
    assert load_model(folder).description == DESCRIPTION


def test_a_moved_model_is_read(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder, tmp_path / "elsewhere")
    assert load_model(tmp_path / "elsewhere").description == DESCRIPTION


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_where_there_is_no_model_it_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    path = tmp_path / name
    assert refusal(path) == f"there is no model at {path}: it holds no model.json"


@pytest.mark.parametrize("kept", [0, 100, 10_000_000])
def test_damaged_weights_are_refused(folder: Path, kept: int) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    message = refusal(folder)
    assert message.startswith(f"the model at {folder} cannot be read: ")
    assert len(message.splitlines()) == 1


def test_missing_weights_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert refusal(folder).startswith(f"the model at {folder} cannot be read: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "5", '"text"', "null", "\x00"])
def test_a_damaged_description_is_refused(folder: Path, text: str) -> None:
    (folder / "model.json").write_text(text)
    assert refusal(folder).startswith(f"the model at {folder} cannot be read: ")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("format_version", 99, "its format is 99, not 1"),
        ("classes", ["ants", "bees", "wasps"], ""),
        ("task", {"backbone": "vgg"}, "unknown backbone 'vgg'"),
        ("task", {"colour": 1}, "colour"),
        ("task", None, ""),
        ("config", {"frozen_stages": -1}, "frozen_stages must be at least 0, got -1"),
        ("config", {"schedule": "linear"}, "linear"),
        ("config", [], ""),
        ("classes", None, ""),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    folder: Path, key: str, value: object, reason: str
) -> None:
    plain = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(plain | {key: value}))
    message = refusal(folder)
    assert message.startswith(f"the model at {folder} cannot be read: ")
    assert reason in message


def test_a_model_with_frozen_statistics_is_read_back(lite0_lab: Laboratory, tmp_path: Path) -> None:
    config = TrialConfig(
        7, lr=0.01, batch_size=12, epochs=1, schedule=Schedule(), batchnorm=BatchNorm.FROZEN
    )
    training = lite0_lab.training(config)
    training.run_epoch()
    description = ModelDescription(
        lite0_lab.task, config, ("ants", "bees"), "tiny", "f", str(Precision.FP32)
    )
    save_model(tmp_path / "model", training.network(), description, "")
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(
            load_model(tmp_path / "model").network(images), training.network()(images)
        )
