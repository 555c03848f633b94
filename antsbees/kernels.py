"""Depthwise convolutions that train fast on CPUs, with the sums of the layers they replace."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution whose backward pass on a CPU runs in float32, channels last.

    oneDNN's bfloat16 backward pass of depthwise convolutions takes several times as long as its
    float32 one, and would eat up all that bfloat16 saves elsewhere.

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
        padding, crop = self._padding(input.shape[-1])
        if input.device.type != "cpu" or self.bias is not None:
            y = F.conv2d(input, self.weight, self.bias, self.stride, padding, 1, self.groups)
            return y[:, :, crop:, crop:]
        return _apply(input, self.weight, self.stride[0], padding, crop)

    def _padding(self, size: int) -> tuple[tuple[int, int], int]:
        """Return the padding of both sides, and how many rows and columns to drop in front."""
        if not self._same:
            return (int(self.padding[0]), int(self.padding[1])), 0
        kernel, stride = self.kernel_size[0], self.stride[0]
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        if total % 2 == 0:
            return (total // 2, total // 2), 0
        return (total // 2 + stride, total // 2 + stride), 1


def _apply(x: Tensor, weight: Tensor, stride: int, padding: tuple[int, int], crop: int) -> Tensor:
    y: Tensor = _Depthwise.apply(x, weight, stride, padding, crop)
    return y


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: tuple[int, int], crop: int
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = stride, padding, crop
        y = F.conv2d(x, weight, None, stride, padding, 1, weight.shape[0])
        return y[:, :, crop:, crop:].contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, padding, crop = ctx.geometry
        grad = F.pad(grads[0], (crop, 0, crop, 0)) if crop else grads[0]
        grad_x, grad_weight, _ = torch.ops.aten.convolution_backward(
            grad.float().contiguous(memory_format=torch.channels_last),
            x.float(),
            weight.float(),
            None,
            [stride, stride],
            list(padding),
            [1, 1],
            False,
            [0, 0],
            weight.shape[0],
            [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False],
        )
        return (
            None if grad_x is None else grad_x.to(x.dtype),
            None if grad_weight is None else grad_weight.to(weight.dtype),
            None,
            None,
            None,
        )


def speed_up(network: nn.Module) -> None:
    """Replace the depthwise convolutions of a network, in place; its ``state_dict`` stays."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d) and _is_square_depthwise(layer):
                same = type(layer).__name__ == "Conv2dSame"  # timm's, with TensorFlow's padding
                setattr(parent, name, DepthwiseConv2d(layer, same))


def _is_square_depthwise(layer: nn.Conv2d) -> bool:
    return (
        layer.groups == layer.in_channels == layer.out_channels
        and layer.kernel_size[0] == layer.kernel_size[1]
        and layer.stride[0] == layer.stride[1]
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
    )
