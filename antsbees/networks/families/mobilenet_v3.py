"""MobileNetV3 (torchvision): https://arxiv.org/abs/1905.02244."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn


def stages(network: Any) -> Iterator[nn.Module]:
    """Cut it into its blocks, then the pooling with the first layer of its classifier."""
    yield from network.features
    yield nn.Sequential(network.avgpool, nn.Flatten(), *network.classifier[:2])
