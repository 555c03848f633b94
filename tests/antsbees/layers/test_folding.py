"""Frozen BatchNorm: pre-trained statistics in training, folded into the convolution before it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from antsbees.bench import Bench
from antsbees.config import TrialConfig
from antsbees.layers.folding import FoldedConv2d, FrozenBatchNorm2d
from antsbees.networks.backbones import Backbone, load_backbone
from antsbees.networks.catalog import ARCHITECTURES
from tests.antsbees.laboratory import Laboratory

NUM_BATCH_NORMS = {
    "efficientnet_lite0": 49, "efficientnet_lite1": 64, "efficientnet_lite2": 64, "resnet18": 20,
    "resnet50": 53, "mobilenet_v3_large": 46, "efficientnet_b0": 49,
}  # fmt: skip
LARGE = ("efficientnet_lite1", "efficientnet_lite2", "resnet50")  # as the small ones, but slow
NAMES = [
    pytest.param(name, marks=[pytest.mark.whole] if name in LARGE else []) for name in ARCHITECTURES
    if name in NUM_BATCH_NORMS
]  # fmt: skip


def test_all_networks_but_the_one_without_batch_norm_are_tried() -> None:
    assert set(ARCHITECTURES) - set(NUM_BATCH_NORMS) == {"convnext_tiny"}


def without_chance(network: nn.Module) -> nn.Module:
    """Switch off dropout and stochastic depth."""
    for module in network.modules():
        if hasattr(module, "p"):
            module.p = 0.0
        if hasattr(module, "drop_prob"):  # timm's stochastic depth
            module.drop_prob = 0.0
    return network


def kinds(network: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


def in_evaluation(network: nn.Module) -> nn.Module:
    """Put BatchNorm in evaluation mode, and the rest in training mode."""
    network.train()
    for norm in kinds(network, nn.BatchNorm2d):
        norm.eval()
    return network


def with_statistics(network: nn.Module) -> nn.Module:
    """Draw statistics, weights and biases, so that no scale is 1 and no shift 0."""
    torch.manual_seed(1)
    for norm in kinds(network, nn.BatchNorm2d):
        nn.init.uniform_(norm.running_var, 0.5, 2)
        nn.init.normal_(norm.running_mean, std=0.1)
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, std=0.1)
    return network


def outputs_and_gradients(network: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    x = x.clone().requires_grad_(True)
    y = network(x)
    y.square().sum().backward()
    gradients = {name: p.grad for name, p in network.named_parameters()}
    return {"output": y.detach(), "input": x.grad, **gradients}


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_a_folded_network_are_those_of_pytorch_in_float64(name: str) -> None:
    """Also those of BatchNorm's weight and bias, which learn though they are folded."""
    folded = load_backbone(name, "none").trained_part(0, 2, 0, "frozen").double().train()
    plain = load_backbone(name, "none", fast_layers=False).trained_part(0, 2, 0).double()
    with_statistics(plain)
    folded.load_state_dict(plain.state_dict())
    number = NUM_BATCH_NORMS[name]
    assert len(kinds(folded, FoldedConv2d)) == len(kinds(folded, FrozenBatchNorm2d)) == number
    torch.manual_seed(2)
    x = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    expected = outputs_and_gradients(in_evaluation(without_chance(plain)), x)
    found = outputs_and_gradients(without_chance(folded), x)
    assert found.keys() == expected.keys()
    for key, tensor in expected.items():
        error = (found[key] - tensor).norm()
        assert error <= 1e-9 * tensor.norm() + 1e-12, key


@pytest.mark.parametrize("fast_layers", [True, False])
def test_frozen_statistics_stay_and_an_image_is_computed_alike_in_any_batch(
    fast_layers: bool,
) -> None:
    trained = load_backbone("efficientnet_lite0", "default", 0, fast_layers)
    part = trained.trained_part(7, 2, 0, "frozen").double().train()
    assert bool(kinds(part, FoldedConv2d)) is fast_layers
    statistics = [norm.running_mean.clone() for norm in kinds(part, nn.BatchNorm2d)]
    x = torch.rand(4, _channels(trained, 7), 3, 3).double()
    together = part(x)
    torch.testing.assert_close(together[:1], part(x[:1]), rtol=1e-9, atol=1e-9)
    after = [norm.running_mean for norm in kinds(part, nn.BatchNorm2d)]
    assert len(after) > 3
    assert all(torch.equal(one, other) for one, other in zip(statistics, after, strict=True))


def _channels(backbone: Backbone, k: int) -> int:
    with torch.no_grad():
        x = torch.zeros(1, 3, 32, 32)
        for stage in backbone.stages[:k]:
            x = stage(x)
    return x.shape[1]


def test_in_evaluation_the_bits_are_those_of_the_network_that_is_saved(lite0: Backbone) -> None:
    """A folded network's state fits the unfolded one, which answers alike."""
    folded = lite0.trained_part(0, 2, 0, "frozen").eval()
    unfolded = lite0.trained_part(0, 2, 1).eval()
    unfolded.load_state_dict(folded.state_dict())
    x = torch.randn(2, 3, 32, 32).to(memory_format=torch.channels_last)
    with torch.no_grad():
        assert torch.equal(folded(x), unfolded(x))


def test_a_copy_of_a_folded_network_has_layers_of_its_own(lite0: Backbone) -> None:
    folded = lite0.trained_part(8, 2, 0, "frozen").train()
    other = copy.deepcopy(folded)
    x = torch.randn(2, 320, 2, 2)
    before = other(x)
    with torch.no_grad():
        for parameter in folded.parameters():
            parameter.zero_()
    assert torch.equal(other(x), before)
    assert not torch.equal(folded(x), before)


@pytest.mark.parametrize("batchnorm", ["train", "frozen"])
def test_a_trial_keeps_or_moves_its_statistics_as_it_is_told(
    lab: Laboratory, batchnorm: str
) -> None:
    k = lab.task.num_stages - 1
    config = TrialConfig(k, lr=0.01, batch_size=8, epochs=1, batchnorm=batchnorm)
    bench: Bench = lab.bench()
    training = bench.training(config)
    training.run_epoch()
    norms = kinds(training.trained, nn.BatchNorm2d)
    pretrained = kinds(lab.backbone.stages[k], nn.BatchNorm2d)
    assert len(norms) == len(pretrained) > 0
    pairs = list(zip(norms, pretrained, strict=True))
    for norm, own in pairs:
        stays = batchnorm == "frozen"
        assert torch.equal(norm.running_mean, own.running_mean) is stays
        assert torch.equal(norm.running_var, own.running_var) is stays
        assert not torch.equal(norm.weight, own.weight)
        assert not torch.equal(norm.bias, own.bias)
