"""ResNet (torchvision): https://arxiv.org/abs/1512.03385."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn


def stages(network: Any) -> Iterator[nn.Module]:
    """Cut it into its stem and its four layers, the last with the pooling."""
    yield nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
    yield from (network.layer1, network.layer2, network.layer3)
    yield nn.Sequential(network.layer4, network.avgpool, nn.Flatten())
