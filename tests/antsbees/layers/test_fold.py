"""A folded BatchNorm is the one in eval mode, forward and backward, and learns no statistics."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from antsbees.hyperparameters import BatchNorm
from antsbees.layers.fold import FrozenBatchNorm2d, fold_batch_norm
from antsbees.layers.replace import speed_up
from antsbees.networks.backbones import load_backbone
from antsbees.networks.catalog import ARCHITECTURES

NAMES = [name for name in ARCHITECTURES if name != "convnext_tiny"]  # it has no BatchNorm


def unsettle(network: nn.Module) -> None:
    """Give every BatchNorm statistics, a scale and a shift that are not those of a new one."""
    torch.manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.uniform_(-0.5, 0.5)
            layer.running_var.uniform_(0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.5, 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_with_frozen_statistics_is_the_pretrained_one(name: str) -> None:
    backbone = load_backbone(name, "none")
    for stage in backbone.stages:
        unsettle(stage)
    k = max(0, len(backbone.stages) - 3)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for stage in backbone.stages[:k]:
            x = stage(x)
        expected = backbone.trained_part(k, 3, seed=0).double().eval()(x.double())
        folded = backbone.trained_part(k, 3, seed=0, batchnorm=BatchNorm.FROZEN).double()
        answer = folded.eval()(x.double())
    assert nn.BatchNorm2d not in {type(layer) for layer in folded.modules()}
    assert expected.std() > 0
    torch.testing.assert_close(answer, expected, rtol=1e-5, atol=1e-8)
    assert all(parameter.requires_grad for parameter in folded.parameters())


class Block(nn.Module):
    """A pointwise, a depthwise and a plain convolution, each with its BatchNorm."""

    def __init__(self, stride: int, bias: bool) -> None:
        super().__init__()
        self.a = nn.Conv2d(4, 6, 1, bias=bias)
        self.bn_a = nn.BatchNorm2d(6)
        self.b = nn.Conv2d(6, 6, 3, stride, 1, groups=6, bias=False)
        self.bn_b = nn.BatchNorm2d(6)
        self.c = nn.Conv2d(6, 5, 3, bias=bias)
        self.bn_c = nn.BatchNorm2d(5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.relu6(self.bn_a(self.a(x)))
        x = nn.functional.relu6(self.bn_b(self.b(x)))
        y: torch.Tensor = self.bn_c(self.c(x))
        return y


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("bias", [False, True])
def test_gradients_are_those_of_eval_mode_by_the_chain_rule(stride: int, bias: bool) -> None:
    """The kernel in use is the old one times a scale: so is the old one's gradient."""
    plain = Block(stride, bias).double()
    unsettle(plain)
    folded = copy.deepcopy(plain)
    speed_up(folded)
    fold_batch_norm(folded)
    x = torch.randn(2, 4, 9, 9, dtype=torch.float64)
    inputs = [x.clone().requires_grad_(), x.clone().requires_grad_()]
    for network, own in ((plain.eval(), inputs[0]), (folded.train(), inputs[1])):
        (network(own) ** 2).sum().backward()
    torch.testing.assert_close(inputs[1].grad, inputs[0].grad)
    for part in "abc":
        layer = getattr(plain, f"bn_{part}")
        scale = layer.weight / (layer.running_var + layer.eps).sqrt()
        old, new = getattr(plain, part), getattr(folded, part)
        torch.testing.assert_close(old.weight.grad, new.weight.grad * scale[:, None, None, None])
        torch.testing.assert_close(layer.bias.grad, new.bias.grad)


def test_a_batchnorm_that_follows_no_convolution_keeps_its_statistics() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 1))
    unsettle(network)
    x = torch.randn(4, 3, 5, 5)
    expected = network.eval()(x)
    before = copy.deepcopy(network.state_dict())
    fold_batch_norm(network)
    assert isinstance(network[0], FrozenBatchNorm2d)
    torch.testing.assert_close(network.train()(x), expected)
    assert all(torch.equal(network.state_dict()[key], value) for key, value in before.items())


def test_folding_leaves_the_backbone_alone() -> None:
    backbone = load_backbone("resnet18", "none")
    before = [copy.deepcopy(stage.state_dict()) for stage in backbone.stages]
    backbone.trained_part(0, 2, seed=0, batchnorm=BatchNorm.FROZEN)
    for stage, state in zip(backbone.stages, before, strict=True):
        assert stage.state_dict().keys() == state.keys()
        assert all(torch.equal(stage.state_dict()[key], value) for key, value in state.items())
