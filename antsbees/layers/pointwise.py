"""1 x 1 convolutions that keep nothing, and let others keep nothing, that can be computed again."""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from antsbees.layers.recompute import Recipe, give_recipe, recipe_of

FEW_CHANNELS = 32  # computing an output from no more costs about as much as reading it


class PointwiseConv2d(nn.Conv2d):
    """A 1 x 1 convolution; where its input comes with a recipe, it keeps that instead.

    One that widens few channels gives its output a recipe.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(layer.__dict__)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``(N, C, H, W)``."""
        if self.bias is not None:  # BatchNorm is folded in; there are no recipes
            return super().forward(input)
        recipe = recipe_of(input)
        if recipe is not None:
            narrowed: Tensor = _Pointwise.apply(input, self.weight, recipe)
            return narrowed
        y = super().forward(input)
        on_cpu = input.device.type == "cpu"
        widens = self.in_channels <= FEW_CHANNELS and self.in_channels < self.out_channels
        if not (on_cpu and widens and self.training and torch.is_grad_enabled()):
            return y
        x, weight, dtype = input.detach(), self.weight.detach(), y.dtype
        return give_recipe(y, Recipe(lambda: F.conv2d(x.to(dtype), weight.to(dtype)), (x, weight)))


class _Pointwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, recipe: Recipe) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.recipe = recipe
        return F.conv2d(x, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        x = ctx.recipe.look()
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(
            grads[0], x.to(grads[0].dtype), weight.to(grads[0].dtype), None,
            [1, 1], [0, 0], [1, 1], False, [0, 0], 1, [True, True, False],
        )  # fmt: skip
        return of_x.to(x.dtype), of_weight.to(weight.dtype), None


def is_pointwise(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Recognise the convolutions that ``PointwiseConv2d`` can replace."""
    return (
        isinstance(layer, nn.Conv2d)
        and layer.kernel_size == layer.stride == (1, 1)
        and layer.padding in ((0, 0), "valid")
        and layer.groups == 1
        and layer.bias is None
    )
