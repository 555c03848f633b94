"""BatchNorm and ReLU6 as one layer, which keeps its input at most for the backward pass."""

from __future__ import annotations

from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from antsbees.layers.recompute import Recipe, give_recipe, recipe_of


class BatchNormReLU6(nn.BatchNorm2d):
    """BatchNorm and ReLU6 whose output is computed again in the backward pass on a CPU."""

    def __init__(self, layer: nn.BatchNorm2d) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(layer.__dict__)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise ``(N, C, H, W)`` over all but C, and clamp to [0, 6]."""
        on_cpu = input.device.type == "cpu"
        one_value = input.numel() == input.shape[1]  # a channel: PyTorch says that it is too few
        ours = on_cpu and self.training and torch.is_grad_enabled() and not one_value
        if not ours or self.momentum is None:
            return F.relu6(super().forward(input), inplace=True)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        x, weight, bias, eps = input.detach(), self.weight.detach(), self.bias.detach(), self.eps
        mean, var = torch.batch_norm_update_stats(
            x, self.running_mean, self.running_var, self.momentum
        )
        source = recipe_of(input) or Recipe(lambda: x, (x,))
        terms_of_y = mean, var, weight, bias
        recipe = Recipe(lambda: _normalised(source.look(), *terms_of_y, eps), terms_of_y)
        terms = self.weight, self.bias, mean, var, eps
        y: Tensor = _BatchNormReLU6.apply(input, *terms, source, recipe)
        return give_recipe(y, recipe)


def _normalised(
    x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor, eps: float
) -> Tensor:
    return F.batch_norm(x, mean, var, weight, bias, eps=eps).clamp_(0, 6)


class _BatchNormReLU6(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor, eps: float,
        source: Recipe, recipe: Recipe,
    ) -> Tensor:  # fmt: skip
        ctx.save_for_backward(weight, mean, var)
        ctx.eps, ctx.source, ctx.recipe = eps, source, recipe
        return _normalised(x, mean, var, weight, bias, eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        weight, mean, var = ctx.saved_tensors
        y, x = ctx.recipe.take(), ctx.source.take()
        grad = torch.ops.aten.hardtanh_backward.grad_input(grads[0], y, 0, 6, grad_input=y)
        of_inputs = torch.ops.aten.native_batch_norm_backward(
            grad, x, weight, None, None, mean, (var + ctx.eps).rsqrt(), True, ctx.eps,
            [True, True, True],
        )  # fmt: skip
        return (*of_inputs, None, None, None, None, None)


def is_batch_norm_relu6(layer: nn.Module) -> TypeGuard[nn.BatchNorm2d]:
    """Recognise timm's ``BatchNormAct2d``, a BatchNorm with an activation within."""
    return (
        isinstance(layer, nn.BatchNorm2d)
        and layer.affine
        and isinstance(getattr(layer, "act", None), nn.ReLU6)
        and isinstance(getattr(layer, "drop", None), nn.Identity)
    )
