"""The fast and small layers give the sums of those they replace."""

from __future__ import annotations

import copy
import gc
import weakref

import pytest
import torch
from timm.layers import BatchNormAct2d, Conv2dSame
from torch import nn

from antsbees.config import Precision
from antsbees.layers.batchnorm import BatchNormReLU6
from antsbees.layers.depthwise import DepthwiseConv2d
from antsbees.layers.pointwise import PointwiseConv2d
from antsbees.layers.recompute import Recipe, recipe_of
from antsbees.layers.replace import speed_up
from antsbees.machine.devices import arithmetic

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


@pytest.mark.parametrize("same", [True, False])
def test_bf16_gives_nearly_the_same(same: bool) -> None:
    """Values and gradients, for every way the parts of a kernel and its padding fall."""
    seen = 0
    for kernel in (1, 2, 3, 4, 5, 7):
        for stride in (1, 2, 3):
            for size in (1, 2, 3, 7, 8, 9, 14):
                if size + 2 * (0 if same else kernel // 2) < kernel and not same:
                    continue
                layer = depthwise(kernel, stride, same)
                x = torch.randn(2, CHANNELS, size, size).to(memory_format=torch.channels_last)
                expected = forward_and_gradients(layer, x)
                with arithmetic("cpu", Precision.BF16):
                    found = forward_and_gradients(sped_up(layer), x)
                for one, other in zip(found, expected, strict=True):
                    assert (one - other).norm() <= 0.02 * other.norm() + 1e-6
                seen += 1
    assert seen == 126


def test_bf16_of_images_that_are_not_square_gives_nearly_the_same() -> None:
    layer, x = depthwise(5, 2, same=False), torch.randn(2, CHANNELS, 9, 14)
    expected = forward_and_gradients(layer, x)
    with arithmetic("cpu", Precision.BF16):
        found = forward_and_gradients(sped_up(layer), x)
        assert sped_up(layer)(x).dtype == torch.bfloat16
    assert len(found) == 3
    for one, other in zip(found, expected, strict=True):
        assert (one - other).norm() <= 0.02 * other.norm()


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


def batch_norm(training: bool, momentum: float | None = 0.1) -> BatchNormAct2d:
    torch.manual_seed(0)
    layer = BatchNormAct2d(CHANNELS, momentum=momentum, act_layer=nn.ReLU6)
    nn.init.uniform_(layer.weight, 1, 5)  # so that both ends of the clamp are met
    nn.init.normal_(layer.bias)
    return layer.train(training)


def small(layer: BatchNormAct2d) -> BatchNormReLU6:
    network = nn.Sequential(copy.deepcopy(layer))
    speed_up(network)
    assert isinstance(network[0], BatchNormReLU6)
    return network[0]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_batch_norm_gives_the_same_but_for_rounding(
    training: bool, momentum: float | None, dtype: torch.dtype
) -> None:
    """Outputs, gradients and running statistics."""
    tolerance = 1e-5 if dtype is torch.float32 else 0.01
    layer = batch_norm(training, momentum)
    replaced = small(layer)
    x = torch.randn(4, CHANNELS, 8, 8, dtype=dtype).to(memory_format=torch.channels_last)
    expected, found = forward_and_gradients(layer, x), forward_and_gradients(replaced, x)
    assert {0.0, 6.0} <= set(expected[0].unique().tolist())
    assert len(found) == len(expected) == 4
    for one, other in zip(found, expected, strict=True):
        assert (one - other).float().norm() <= tolerance * other.float().norm()
    state, before = replaced.state_dict(), layer.state_dict()
    assert list(state) == list(before)
    torch.testing.assert_close(list(state.values()), list(before.values()))


def test_what_is_computed_again_has_the_same_bits() -> None:
    replaced = small(batch_norm(training=True))
    y = replaced(torch.randn(4, CHANNELS, 8, 8).to(memory_format=torch.channels_last))
    recipe = recipe_of(y)
    assert recipe is not None
    assert torch.equal(recipe.look(), y)


def block() -> nn.Sequential:
    """An inverted residual without its shortcut: expand, filter, project."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, CHANNELS, 1, bias=False),
        batch_norm(training=True),
        depthwise(5, 2, same=True),
        batch_norm(training=True),
        nn.Conv2d(CHANNELS, 3, 1, bias=False),
    )


@pytest.mark.parametrize(
    ("precision", "tolerance"), [(Precision.FP32, 1e-5), (Precision.BF16, 0.04)]
)
def test_a_block_that_computes_again_gives_the_same_gradients(
    precision: Precision, tolerance: float
) -> None:
    layer, x = block(), torch.randn(4, 3, 9, 9)
    replaced = copy.deepcopy(layer)
    speed_up(replaced)
    kinds = [PointwiseConv2d, BatchNormReLU6, DepthwiseConv2d, BatchNormReLU6, PointwiseConv2d]
    assert [type(part) for part in replaced] == kinds
    expected = forward_and_gradients(layer, x)
    with arithmetic("cpu", precision):
        found = forward_and_gradients(replaced, x)
    assert len(found) == 2 + 7
    for one, other in zip(found, expected, strict=True):
        assert (one - other).norm() <= tolerance * other.norm()


def test_layers_of_our_own_stay_as_they_are() -> None:
    network = nn.Sequential(depthwise(5, 2, same=True), batch_norm(training=True))
    speed_up(network)
    once = list(network)
    assert [type(layer) for layer in once] == [DepthwiseConv2d, BatchNormReLU6]
    speed_up(network)
    assert all(one is other for one, other in zip(network, once, strict=True))


def bytes_kept_for_backward(layer: nn.Module, x: torch.Tensor) -> int:
    """Return what a forward pass allocates and does not free, but for its result."""
    with torch.profiler.profile(profile_memory=True) as recorded:
        y = layer(x)
    assert y.requires_grad
    kept = sum(event.self_cpu_memory_usage for event in recorded.key_averages())
    return int(kept - y.untyped_storage().nbytes())


def test_a_block_that_computes_again_keeps_half_of_the_large_and_none_of_the_widened() -> None:
    """Of six activations only the output of the depthwise convolution, at half the size."""
    x = torch.randn(4, 3, 32, 32)
    large, small = 4 * CHANNELS * 32 * 32 * 4, 4 * CHANNELS * 16 * 16 * 4
    few = 100 * CHANNELS * 4
    layer = block()
    assert bytes_kept_for_backward(layer, x) >= 3 * large + 2 * small
    speed_up(layer)
    assert small <= bytes_kept_for_backward(layer, x) <= small + few


def test_nothing_is_held_once_the_backward_pass_is_over() -> None:
    """Not even while the graph itself is still there."""
    layer = block()
    speed_up(layer)
    loss = layer(torch.randn(4, 3, 9, 9)).sum()
    alive = [weakref.ref(t) for t in gc.get_objects() if isinstance(t, Recipe)]
    assert len(alive) == 4  # two convolutions' outputs, and two normalised ones
    loss.backward(retain_graph=True)
    held = [recipe for ref in alive if (recipe := ref()) is not None]
    assert all(recipe._compute is None and recipe._value is None for recipe in held)
    with pytest.raises(RuntimeError, match="has run already"):
        loss.backward()


def test_a_recipe_does_not_outlive_a_change_of_its_tensor() -> None:
    y = small(batch_norm(training=True))(torch.randn(4, CHANNELS, 8, 8))
    assert recipe_of(y) is not None
    y.detach().add_(1)
    assert recipe_of(y) is None


def test_a_single_value_a_channel_is_refused_as_by_pytorch() -> None:
    layer = small(batch_norm(training=True))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        layer(torch.randn(1, CHANNELS, 1, 1))


def test_other_batch_norms_stay() -> None:
    network = nn.Sequential(
        nn.BatchNorm2d(6),
        BatchNormAct2d(6, act_layer=nn.ReLU),
        BatchNormAct2d(6, apply_act=False),
        BatchNormAct2d(6, act_layer=nn.ReLU6, affine=False),
        BatchNormAct2d(6, act_layer=nn.ReLU6, drop_layer=nn.Dropout),
    )
    speed_up(network)
    assert not any(isinstance(layer, BatchNormReLU6) for layer in network)
