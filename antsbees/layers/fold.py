"""BatchNorm with its pre-trained statistics is a scale and a shift: its convolution takes them in.

A network whose statistics are frozen has no need of BatchNorm. What remains is a convolution with a
bias and an activation: one pass over an activation less each way, and only the activation's output
is kept for the backward pass, which is the next convolution's input as well. What learns is the
scaled kernel and the bias; BatchNorm's own scale and shift are in them.
"""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import nn


def fold_batch_norm(network: nn.Module) -> None:
    """Give every BatchNorm's scale and shift to the convolution before it, in place.

    The outputs are those in eval mode, in train mode too. A BatchNorm that follows no convolution
    keeps its statistics and becomes a ``FrozenBatchNorm2d``.

    Args:
        network: One whose modules define a BatchNorm right after the convolution that it follows.
    """
    for parent in list(network.modules()):
        before: tuple[str, nn.Module] = "", parent
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.BatchNorm2d):
                place, convolution = before
                channels = layer.num_features
                if isinstance(convolution, nn.Conv2d) and convolution.out_channels == channels:
                    setattr(parent, place, _folded(convolution, layer))
                    setattr(parent, name, _activation(layer))
                else:
                    setattr(parent, name, FrozenBatchNorm2d(layer))
            before = name, layer


class FrozenBatchNorm2d(nn.BatchNorm2d):
    """A BatchNorm that uses its running statistics in train mode too, and never changes them."""

    def __init__(self, layer: nn.BatchNorm2d) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(copy.copy(layer).__dict__)
        self._modules = {"act": _activation(layer)}

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Scale and shift ``(N, C, H, W)`` by channel, then apply the layer's own activation."""
        y = nn.functional.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )
        return cast(torch.Tensor, cast(nn.Module, self.act)(y))


def _activation(layer: nn.BatchNorm2d) -> nn.Module:
    """Return what a BatchNorm applies to its own output: timm's may hold an activation."""
    act = getattr(layer, "act", None)
    if isinstance(act, nn.ReLU6):
        return nn.ReLU6(inplace=True)
    return nn.Identity() if act is None else act


def _folded(convolution: nn.Conv2d, layer: nn.BatchNorm2d) -> nn.Conv2d:
    if layer.running_mean is None or layer.running_var is None:
        raise ValueError("a BatchNorm without running statistics cannot be frozen")
    with torch.no_grad():
        scale = (layer.running_var + layer.eps).rsqrt()
        shift = -layer.running_mean * scale
        if layer.affine:
            scale, shift = scale * layer.weight, shift * layer.weight + layer.bias
        if convolution.bias is not None:
            shift = shift + convolution.bias * scale
        weight = convolution.weight * scale[:, None, None, None]
    folded = copy.copy(convolution)
    learns = convolution.weight.requires_grad
    folded._parameters = {
        "weight": nn.Parameter(weight, requires_grad=learns),
        "bias": nn.Parameter(shift, requires_grad=learns),
    }
    return folded
