"""ConvNeXt (torchvision): https://arxiv.org/abs/2201.03545."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn


def stages(network: Any) -> Iterator[nn.Module]:
    """Cut it into its blocks, the last with the pooling and the classifier's normalisation."""
    *features, last = network.features
    yield from features
    yield nn.Sequential(last, network.avgpool, *network.classifier[:2])
