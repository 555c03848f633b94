"""The backbones that can be named: what is known of each without loading torch.

``name@size`` is a backbone that sees larger or smaller images than it was pre-trained on. Somewhat
larger ones are often better, as pre-training shows it objects enlarged by random crops (H. Touvron
et al., 2019, https://arxiv.org/abs/1906.06423).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from antsbees.errors import ConfigError

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5)
AT = "@"
SIZES = range(32, 1025)
"""Edges in pixels that can stand after ``AT``."""


@dataclass(frozen=True)
class Architecture:
    """What is fixed about a backbone.

    Args:
        family: How it is built, cut and filled: a key of ``antsbees.networks.families``.
        num_stages: The number of consecutive parts it is cut into.
        width: The number of features its last stage puts out, the head's input.
        giga_macs: Multiplications and additions of a forward pass, counted by torch, in billions.
        accuracy: Of its default weights on ImageNet's validation images, as their makers say:
            TensorFlow's page on EfficientNet-Lite, and torchvision's tables.
        image_size: Edge in pixels of the images it sees; without ``@``, those of its pre-training.
        mean: Per channel, subtracted from pixels in [0, 1].
        std: Per channel, what the difference is divided by.
    """

    name: str
    family: str
    num_stages: int
    width: int
    giga_macs: float
    accuracy: float
    image_size: int = 224
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    std: tuple[float, float, float] = _IMAGENET_STD

    @property
    def network(self) -> str:
        """The name without a size."""
        return self.name.partition(AT)[0]


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            Architecture(
                "efficientnet_lite0", "efficientnet_lite", 9, 1280, 0.38, 0.751, 224, _HALF, _HALF
            ),
            Architecture(
                "efficientnet_lite1", "efficientnet_lite", 9, 1280, 0.60, 0.767, 240, _HALF, _HALF
            ),
            Architecture(
                "efficientnet_lite2", "efficientnet_lite", 9, 1280, 0.86, 0.776, 260, _HALF, _HALF
            ),
            Architecture("resnet18", "resnet", 5, 512, 1.8, 0.698),
            Architecture("resnet50", "resnet", 5, 2048, 4.1, 0.809),
            Architecture("mobilenet_v3_large", "mobilenet_v3", 18, 1280, 0.22, 0.753),
            Architecture("efficientnet_b0", "efficientnet", 9, 1280, 0.39, 0.777),
            Architecture("convnext_tiny", "convnext", 8, 768, 4.5, 0.825),
        )
    }
)


def architecture(name: str) -> Architecture:
    """Look a backbone up by name, ``efficientnet_lite2`` or ``efficientnet_lite2@320``.

    Raises:
        ConfigError: No backbone has that name, or no image that size.
    """
    network, at, size = name.partition(AT)
    if network not in ARCHITECTURES:
        close = difflib.get_close_matches(network, ARCHITECTURES, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise ConfigError(
            f"unknown backbone {name!r}; {hint}known backbones: {', '.join(ARCHITECTURES)}"
        )
    entry = ARCHITECTURES[network]
    if not at:
        return entry
    if not size.isdecimal() or int(size) not in SIZES or size != str(int(size)):
        raise ConfigError(
            f"backbone {name!r}: after {AT} comes the edge of the images in pixels, "
            f"{SIZES[0]} to {SIZES[-1]}"
        )
    pixels = (int(size) / entry.image_size) ** 2
    return replace(
        entry, name=name, image_size=int(size), giga_macs=round(entry.giga_macs * pixels, 2)
    )
