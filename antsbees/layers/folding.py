"""BatchNorm that keeps its pre-trained statistics, multiplied into the convolution before it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from antsbees.layers.depthwise import DepthwiseConv2d


class FrozenBatchNorm2d(nn.BatchNorm2d):
    """BatchNorm with running statistics in training, too; its weight and bias learn.

    Args:
        folded: Whether a ``FoldedConv2d`` before it normalises in its place in training.
    """

    def __init__(self, layer: nn.BatchNorm2d, folded: bool) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(layer.__dict__)
        self._folded = folded

    def folds(self) -> bool:
        """Return whether the convolution before it is to normalise now.

        In evaluation it is not: a saved network, whose layers are not folded, gives the same bits.
        """
        return self._folded and self.training and torch.is_grad_enabled()

    def forward(self, input: Tensor) -> Tensor:
        """Normalise ``(N, C, H, W)`` by the running statistics; apply the activation within."""
        x = input
        if not self.folds():
            statistics = self.running_mean, self.running_var
            x = F.batch_norm(x, *statistics, self.weight, self.bias, eps=self.eps)
        for part in self.children():  # timm's layers have dropout and activation within
            x = part(x)
        return x


class FoldedConv2d(nn.Conv2d):
    """A convolution that multiplies the frozen BatchNorm after it into its weight and bias.

    The product is taken anew in every forward pass, and gradients flow through it: weight of the
    convolution, weight and bias of BatchNorm learn as they would one after the other, and keep
    their names. The pass over the activations that BatchNorm needs is saved in both directions.
    """

    def __init__(self, layer: nn.Conv2d, norm: FrozenBatchNorm2d) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(layer.__dict__)
        self._beside = layer, norm  # in a tuple, so that neither is a part of this one

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``(N, C, H, W)``, and normalise where BatchNorm does not."""
        layer, norm = self._beside
        if not norm.folds() or norm.running_mean is None or norm.running_var is None:
            unfolded: Tensor = layer(input)
            return unfolded
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        shift = -norm.running_mean if layer.bias is None else layer.bias - norm.running_mean
        weight, bias = layer.weight * scale.view(-1, 1, 1, 1), norm.bias + shift * scale
        if isinstance(layer, DepthwiseConv2d):
            return layer.convolve(input, weight, bias)
        if type(layer).__name__ == "Conv2dSame":
            input = _padded(input, layer)
        return layer._conv_forward(input, weight, bias)


def _padded(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """Pad as TensorFlow's ``SAME`` does, the odd row and column behind."""
    sides: list[int] = []
    for size, kernel, stride, dilation in reversed(
        list(zip(x.shape[-2:], layer.kernel_size, layer.stride, layer.dilation, strict=True))
    ):
        total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides)


def freeze_batch_norm(network: nn.Module, fold: bool) -> None:
    """Give all BatchNorm layers of a network their running statistics for good, in place.

    Args:
        fold: Multiply into the convolution before, where there is one; its ``state_dict`` stays.
    """
    for parent in list(network.modules()):
        before: tuple[str, nn.Module] | None = None
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.BatchNorm2d) and layer.track_running_stats:
                folded = fold and before is not None and _folds_into(before[1], layer)
                frozen = FrozenBatchNorm2d(layer, folded)
                setattr(parent, name, frozen)
                if before is not None and folded:
                    conv_name, conv = before
                    setattr(parent, conv_name, FoldedConv2d(conv, frozen))  # type: ignore[arg-type]
            before = name, layer


def _folds_into(layer: nn.Module, norm: nn.BatchNorm2d) -> bool:
    """Whether a layer is a convolution whose output the BatchNorm after it takes."""
    return (
        isinstance(layer, nn.Conv2d)
        and layer.out_channels == norm.num_features
        and layer.padding_mode == "zeros"
        and norm.affine
    )
