"""Which layers of a network are replaced by faster and smaller ones, with the same sums."""

from __future__ import annotations

from torch import nn

from antsbees.layers.batchnorm import BatchNormReLU6, is_batch_norm_relu6
from antsbees.layers.depthwise import DepthwiseConv2d, is_square_depthwise
from antsbees.layers.pointwise import PointwiseConv2d, is_pointwise


def speed_up(network: nn.Module) -> None:
    """Replace layers of a network, in place; its ``state_dict`` stays, and layers of our own do."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            replacement = _replacement(layer)
            if replacement is not None:
                setattr(parent, name, replacement)


def _replacement(layer: nn.Module) -> nn.Module | None:
    if isinstance(layer, BatchNormReLU6 | DepthwiseConv2d | PointwiseConv2d):
        return None
    if is_batch_norm_relu6(layer):
        return BatchNormReLU6(layer)
    if is_square_depthwise(layer):
        same = type(layer).__name__ == "Conv2dSame"  # timm's, with TensorFlow's padding
        return DepthwiseConv2d(layer, same)
    return PointwiseConv2d(layer) if is_pointwise(layer) else None
