"""The fast depthwise convolutions give the sums of the layers they replace."""

from __future__ import annotations

import copy

import pytest
import torch
from timm.layers import Conv2dSame
from torch import nn

from antsbees.config import Precision
from antsbees.devices import arithmetic
from antsbees.kernels import DepthwiseConv2d, speed_up

CHANNELS = 6


def depthwise(kernel: int, stride: int, same: bool, bias: bool = False) -> nn.Conv2d:
    torch.manual_seed(0)
    kind = Conv2dSame if same else nn.Conv2d
    padding = 0 if same else kernel // 2
    return kind(CHANNELS, CHANNELS, kernel, stride, padding, groups=CHANNELS, bias=bias)


def sped_up(layer: nn.Conv2d) -> nn.Module:
    network = nn.Sequential(copy.deepcopy(layer))
    speed_up(network)
    assert isinstance(network[0], DepthwiseConv2d)
    return network[0]


def forward_and_gradients(layer: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    x = x.clone().requires_grad_(True)
    y = layer(x)
    y.float().square().sum().backward()
    return [y.detach().float(), x.grad, *(p.grad for p in layer.parameters())]


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_the_same(same: bool, bias: bool) -> None:
    """For every kernel and stride in use, and sizes that pad alike and unlike on both sides."""
    seen = 0
    for kernel in (3, 5, 7):
        for stride in (1, 2):
            for size in (1, 2, 7, 8, 9, 14):
                layer = depthwise(kernel, stride, same, bias)
                x = torch.randn(2, CHANNELS, size, size)
                expected = forward_and_gradients(layer, x)
                found = forward_and_gradients(sped_up(layer), x)
                assert len(found) == (4 if bias else 3)
                torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
                seen += 1
    assert seen == 36


def test_same_padding_of_an_image_that_is_not_square_is_refused() -> None:
    layer, x = depthwise(3, 2, same=True), torch.randn(2, CHANNELS, 8, 9)
    with pytest.raises(ValueError, match="is for square images, got"):
        sped_up(layer)(x)


def test_bf16_gives_nearly_the_same() -> None:
    layer, x = depthwise(3, 2, same=True), torch.randn(2, CHANNELS, 8, 8)
    expected = forward_and_gradients(layer, x)
    with arithmetic("cpu", Precision.BF16):
        found = forward_and_gradients(sped_up(layer), x)
        assert sped_up(layer)(x).dtype == torch.bfloat16
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.1)


def test_only_depthwise_layers_are_replaced_and_the_state_stays() -> None:
    network = nn.Sequential(
        nn.Conv2d(6, 6, 3),
        nn.Sequential(depthwise(3, 1, same=False), nn.BatchNorm2d(6)),
        nn.Conv2d(6, 6, 3, groups=6, dilation=2),
        nn.Conv2d(6, 6, (3, 5), groups=6),
        nn.Conv2d(6, 12, 3, groups=6),
        nn.Conv2d(6, 6, 3, groups=6, padding="same"),
    )
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    speed_up(network)
    replaced = [name for name, m in network.named_modules() if isinstance(m, DepthwiseConv2d)]
    assert replaced == ["1.0"]
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
