"""One file a family of networks: it builds one, cuts it into stages, and has its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from torch import nn

from antsbees.networks.families import (
    convnext,
    efficientnet,
    efficientnet_lite,
    mobilenet_v3,
    resnet,
    torchvision_models,
)


@dataclass(frozen=True)
class Family:
    """How the networks of a family are made.

    Args:
        build: Returns the network of that name as its maker defines it, parameters drawn at random.
        stages: Cuts it; what pools and flattens belongs to the last stage.
        fill: Fills a network with the published weights of that name, in place; raises
            ``WeightsError`` if they cannot be had.
    """

    build: Callable[[str], nn.Module]
    stages: Callable[[Any], Iterator[nn.Module]]
    fill: Callable[[nn.Module, str], None]


def _torchvision(stages: Callable[[Any], Iterator[nn.Module]]) -> Family:
    return Family(torchvision_models.build, stages, torchvision_models.fill)


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "efficientnet_lite": Family(
            efficientnet_lite.build, efficientnet_lite.stages, efficientnet_lite.fill
        ),
        "resnet": _torchvision(resnet.stages),
        "mobilenet_v3": _torchvision(mobilenet_v3.stages),
        "efficientnet": _torchvision(efficientnet.stages),
        "convnext": _torchvision(convnext.stages),
    }
)
