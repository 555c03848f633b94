"""Depthwise convolutions whose backward pass is fast on a CPU, with the sums of PyTorch's."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from antsbees.layers.recompute import Recipe, recipe_of

PART = 3  # edge of a kernel whose weight's gradient oneDNN computes fast in bfloat16


@dataclass(frozen=True)
class Geometry:
    """How a convolution goes over its input.

    Args:
        padding: Rows of zeros above and below, columns of zeros on the left and on the right.
        crop: Rows and columns of the result that are dropped in front.
    """

    stride: int
    padding: tuple[int, int] = (0, 0)
    crop: int = 0


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution whose bfloat16 backward pass on a CPU is made of what is fast there.

    Some of oneDNN's bfloat16 gradients of depthwise convolutions take many times as long as its
    forward pass (benchmarks/README.md). Here the gradient of the input is a forward pass over the
    gradient of the output, and that of a large kernel is put together from those of 3 x 3 parts.

    Args:
        same: Pad as TensorFlow's ``SAME`` does, from the size of the input. Where that padding is
            asymmetric, the input is padded by ``stride`` more in front and the first row and column
            of the output are dropped: the same sums, and neither the input nor its gradient is
            copied to pad it.
    """

    def __init__(self, layer: nn.Conv2d, same: bool) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(layer.__dict__)
        self._same = same

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``(N, C, H, W)``."""
        if self._same and input.shape[-2] != input.shape[-1]:
            raise ValueError(f"SAME padding is for square images, got {tuple(input.shape)}")
        how = self._geometry(input.shape[-1])
        if input.device.type != "cpu":
            return _convolved(input, self.weight, self.bias, how)
        y: Tensor = _Depthwise.apply(input, self.weight, self.bias, how, recipe_of(input))
        return y

    def _geometry(self, size: int) -> Geometry:
        stride = self.stride[0]
        if not self._same:
            return Geometry(stride, (int(self.padding[0]), int(self.padding[1])))
        kernel = self.kernel_size[0]
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        crop = total % 2
        return Geometry(stride, (total // 2 + crop * stride,) * 2, crop)


def is_square_depthwise(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Recognise the depthwise convolutions that ``DepthwiseConv2d`` can replace."""
    return (
        isinstance(layer, nn.Conv2d)
        and layer.groups == layer.in_channels == layer.out_channels
        and layer.kernel_size[0] == layer.kernel_size[1]
        and layer.stride[0] == layer.stride[1]
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
    )


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, how: Geometry) -> Tensor:
    y = F.conv2d(x, weight, bias, how.stride, how.padding, 1, weight.shape[0])
    return y[:, :, how.crop :, how.crop :] if how.crop else y


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        how: Geometry,
        recipe: Recipe | None,
    ) -> Tensor:
        ctx.save_for_backward(weight, *([] if recipe else [x]))
        ctx.how, ctx.recipe, ctx.dtype = how, recipe, x.dtype
        y = _convolved(x, weight, bias, how)
        return y.contiguous(memory_format=torch.channels_last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        weight, *kept = ctx.saved_tensors
        grad = grads[0].contiguous(memory_format=torch.channels_last)
        x = (ctx.recipe.look() if ctx.recipe else kept[0]).to(grad.dtype)
        of_input = _of_input_in_parts if grad.dtype is torch.bfloat16 else _of_input
        of_weight = _of_weight_in_parts if grad.dtype is torch.bfloat16 else _of_weight
        arguments = grad, x, weight.to(grad.dtype), ctx.how
        grad_x = of_input(*arguments).to(ctx.dtype) if ctx.needs_input_grad[0] else None
        grad_bias = grad.sum((0, 2, 3), dtype=weight.dtype) if ctx.needs_input_grad[2] else None
        return grad_x, of_weight(*arguments).to(weight.dtype), grad_bias, None, None


def _of_input(grad: Tensor, x: Tensor, weight: Tensor, how: Geometry) -> Tensor:
    """Return the gradient of the input as oneDNN computes it."""
    return _convolution_backward(grad, x, weight, how, 0)


def _of_weight(grad: Tensor, x: Tensor, weight: Tensor, how: Geometry) -> Tensor:
    """Return the gradient of the weight as oneDNN computes it."""
    return _convolution_backward(grad, x, weight, how, 1)


def _convolution_backward(
    grad: Tensor, x: Tensor, weight: Tensor, how: Geometry, which: int
) -> Tensor:
    grad = F.pad(grad, (how.crop, 0, how.crop, 0)) if how.crop else grad
    gradients: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        grad, x, weight, None, [how.stride, how.stride], list(how.padding), [1, 1], False, [0, 0],
        weight.shape[0], [which == 0, which == 1, False],
    )  # fmt: skip
    return gradients[which]


def _of_input_in_parts(grad: Tensor, x: Tensor, weight: Tensor, how: Geometry) -> Tensor:
    """Convolve the gradient of the output, spread out by the stride, with the flipped kernel."""
    kernel = weight.shape[-1]
    zeros = [
        (kernel - 1 - before, kernel - 1 - after)
        for before, after in _margins(grad, x, kernel, how)
    ]
    shared = min(min(pair) for pair in zeros)
    if shared < 0:  # outputs that saw nothing but padding
        return _of_input(grad, x, weight, how)
    spread = grad
    stride = how.stride
    if stride > 1 or any(pair != (shared, shared) for pair in zeros):
        lengths = [
            front + (n - 1) * stride + 1 + back - 2 * shared
            for n, (front, back) in zip(grad.shape[-2:], zeros, strict=True)
        ]
        spread = grad.new_zeros(len(grad), *lengths, grad.shape[1]).permute(0, 3, 1, 2)
        (top, _), (left, _) = zeros
        rows, columns = slice(top - shared, None, stride), slice(left - shared, None, stride)
        height, width = grad.shape[-2:]
        spread[:, :, rows, columns][:, :, :height, :width] = grad
    flipped = weight.flip(2, 3).contiguous()
    return F.conv2d(spread, flipped, None, 1, (shared, shared), 1, weight.shape[0])


def _of_weight_in_parts(grad: Tensor, x: Tensor, weight: Tensor, how: Geometry) -> Tensor:
    """Put the gradient of the weight together from those of its 3 x 3 parts.

    Each part is a convolution of its own over the input, padded or cut to what the part sees:
    oneDNN is slow where padding is wide, too.
    """
    kernel = weight.shape[-1]
    if min(x.shape[-2:]) < PART:  # oneDNN's bfloat16 gradient reads outside of such small images
        return _of_weight(grad.float(), x.float(), weight.float(), how)
    rows, columns = _margins(grad, x, kernel, how)
    if kernel < PART or (kernel == PART and {*rows, *columns} == {1}):
        return _of_weight(grad, x, weight, how)
    whole = torch.empty_like(weight)
    offsets = [*range(0, kernel - PART, PART), kernel - PART]
    for top, left in itertools.product(offsets, offsets):
        below, right = kernel - PART - top, kernel - PART - left
        seen = F.pad(x, (columns[0] - left, columns[1] - right, rows[0] - top, rows[1] - below))
        part = (..., slice(top, top + PART), slice(left, left + PART))
        whole[part] = _of_weight(grad, seen, weight[part], Geometry(how.stride))
    return whole


def _margins(grad: Tensor, x: Tensor, kernel: int, how: Geometry) -> list[tuple[int, int]]:
    """Return the rows of zeros seen above and below the input, then the columns beside it.

    Negative below or on the right: so many rows or columns no output sees.
    """
    before = [pad - how.crop * how.stride for pad in how.padding]
    return [
        (first, (n - 1) * how.stride + kernel - size - first)
        for first, n, size in zip(before, grad.shape[-2:], x.shape[-2:], strict=True)
    ]
