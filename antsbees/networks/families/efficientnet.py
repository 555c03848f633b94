"""EfficientNet (torchvision): https://arxiv.org/abs/1905.11946."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn


def stages(network: Any) -> Iterator[nn.Module]:
    """Cut it into its blocks, the last convolution with the pooling."""
    *features, last = network.features
    yield from features
    yield nn.Sequential(last, network.avgpool, nn.Flatten())
