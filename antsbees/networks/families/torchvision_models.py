"""What torchvision's families share: how a network is built, and where its weights are."""

from __future__ import annotations

import urllib.error
from typing import cast

from torch import nn

from antsbees.errors import WeightsError


def build(name: str) -> nn.Module:
    """Return the network of that name, parameters drawn at random."""
    import torchvision

    return cast(nn.Module, torchvision.models.get_model(name, weights=None))


def fill(network: nn.Module, name: str) -> None:
    """Fill it with the published tensors, downloaded, or read where torch has kept them.

    Raises:
        WeightsError: They cannot be had.
    """
    import torchvision

    try:
        enum = torchvision.models.get_model_weights(name)
        network.load_state_dict(enum.DEFAULT.get_state_dict(progress=False, check_hash=True))
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        reason = getattr(error, "reason", None) or error
        raise WeightsError(
            f"the weights of {name} could not be downloaded ({reason}); use backbone "
            "efficientnet_lite0, whose weights come with the installation, or name a file of "
            "weights, or set weights: none"
        ) from error
