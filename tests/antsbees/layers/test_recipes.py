"""What holds of recipes: once differentiable, no change unseen, and nothing left behind."""

from __future__ import annotations

import copy
import gc
import weakref

import pytest
import torch
from timm.layers import BatchNormAct2d, Conv2dSame
from torch import nn

from antsbees.layers.batchnorm import BatchNormReLU6
from antsbees.layers.recompute import Recipe
from antsbees.layers.replace import speed_up
from antsbees.networks.backbones import load_backbone
from antsbees.networks.catalog import ARCHITECTURES

CHANNELS = 6
SMALL = ("efficientnet_lite0", "resnet18", "mobilenet_v3_large")  # built in a moment


def block() -> nn.Sequential:
    """Expand, filter, project, with recipes for what lies between."""
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, CHANNELS, 1, bias=False),
        BatchNormAct2d(CHANNELS, act_layer=nn.ReLU6),
        Conv2dSame(CHANNELS, CHANNELS, 5, 2, groups=CHANNELS, bias=False),
        BatchNormAct2d(CHANNELS, act_layer=nn.ReLU6),
        nn.Conv2d(CHANNELS, 3, 1, bias=False),
    )
    speed_up(layers)
    return layers.train()


def images() -> torch.Tensor:
    return torch.randn(4, 3, 9, 9)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in SMALL else [pytest.mark.whole])
        for name in ARCHITECTURES
    ],
)
def test_every_network_answers_in_inference_mode(name: str) -> None:
    trained = load_backbone(name, "none").trained_part(0, 2, seed=0).eval()
    with torch.inference_mode():
        answer = trained(torch.randn(1, 3, 32, 32))
    assert answer.shape == (1, 2)
    assert answer.is_inference()


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_second_derivative_is_refused(which: int) -> None:
    """Through the widening convolution and BatchNorm, the depthwise one, the narrowing one."""
    layers = block()
    part = (layers[:2], layers[2:3], layers[1:])[which]
    x = torch.randn(4, 3 if which == 0 else CHANNELS, 9, 9, requires_grad=True)
    y = part(x).square().sum()
    (gradient,) = torch.autograd.grad(y, x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.square().sum().backward()


@pytest.mark.parametrize("changed", ["bias", "weight", "input"])
def test_a_change_between_the_passes_is_noticed(changed: str) -> None:
    layers, x = block(), images()
    loss = layers(x).square().sum()
    term = x if changed == "input" else getattr(layers[1], changed)
    with torch.no_grad():
        term.add_(1)
    with pytest.raises(RuntimeError, match=r"written to after the forward|modified by an inplace"):
        loss.backward()


class Fails(torch.autograd.Function):
    """Passes its input on, and fails in the backward pass."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: object, *grads: torch.Tensor) -> torch.Tensor:
        raise KeyError("in mid-step")


@pytest.mark.parametrize("fails_at", [1, 3])
def test_a_backward_pass_that_fails_leaves_no_activation_alive(fails_at: int) -> None:
    """Recipes that were looked at and not taken go with the graph, without a garbage collector."""
    layers, x = block(), images()
    gc.collect()
    gc.disable()
    try:
        y = x
        for number, layer in enumerate(layers):
            y = layer(Fails.apply(y) if number == fails_at else y)
        recipes = [weakref.ref(o) for o in gc.get_objects() if isinstance(o, Recipe)]
        assert len(recipes) >= 3
        with pytest.raises(KeyError, match="in mid-step"):
            y.sum().backward()
        del y
        assert not [recipe for recipe in recipes if recipe() is not None]
    finally:
        gc.enable()


def test_a_forward_pass_that_fails_leaves_no_activation_alive() -> None:
    layers, x = block(), images()
    layers[4].weight = nn.Parameter(torch.zeros(3, CHANNELS + 1, 1, 1))
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(RuntimeError, match="channels"):
            layers(x)
        assert isinstance(layers[1], BatchNormReLU6)
        assert not [o for o in gc.get_objects() if isinstance(o, Recipe)]
    finally:
        gc.enable()


def test_a_pointwise_convolution_with_a_bias_has_the_gradients_of_torchs() -> None:
    """As folding makes them: recipes know of no bias, so it neither gives nor takes one."""
    torch.manual_seed(0)
    plain = nn.Sequential(
        nn.Conv2d(3, CHANNELS, 1, bias=False), nn.Conv2d(CHANNELS, 3, 1, bias=False)
    )
    ours = copy.deepcopy(plain)
    speed_up(ours)
    for layers in (plain, ours):
        for layer in layers:
            assert isinstance(layer, nn.Conv2d)
            layer.bias = nn.Parameter(torch.ones(layer.out_channels))
    x = images()
    for layers in (plain, ours):
        layers.train()(x).square().sum().backward()
    gradients = [[p.grad for p in layers.parameters()] for layers in (plain, ours)]
    assert len(gradients[0]) == 4
    torch.testing.assert_close(gradients[1], gradients[0])
