"""A pre-trained network as a list of stages that can be run one after another, without its head."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from antsbees.hyperparameters import BatchNorm
from antsbees.layers.fold import fold_batch_norm
from antsbees.layers.replace import speed_up
from antsbees.networks.catalog import Architecture, architecture
from antsbees.networks.families import FAMILIES
from antsbees.networks.weights import load_weights


@dataclass(frozen=True)
class Backbone:
    """The stages of a pre-trained network, kept as pre-trained.

    Args:
        stages: Consecutive parts; the first takes ``(N, 3, H, W) float32``, normalised, the last
            puts out ``(N, width)``.
        weights_hash: SHA-256 over all parameters and buffers, hexadecimal.
        fast_layers: Whether layers of our own took the place of torch's.
    """

    architecture: Architecture
    stages: tuple[nn.Module, ...]
    weights_hash: str
    fast_layers: bool = True

    def trained_part(
        self,
        frozen_stages: int,
        num_classes: int,
        seed: int,
        batchnorm: BatchNorm = BatchNorm.TRAIN,
    ) -> nn.Sequential:
        """Return a fresh copy of the stages after the frozen ones, and a new head.

        The head's first weights depend on the seed alone.

        Args:
            batchnorm: ``frozen`` folds BatchNorm's pre-trained statistics into the convolutions.
        """
        head = new_head(self.architecture.width, num_classes, seed)
        stages = [copy.deepcopy(stage) for stage in self.stages[frozen_stages:]]
        if batchnorm is BatchNorm.FROZEN:
            for stage in stages:
                fold_batch_norm(stage)
        trained = nn.Sequential(*stages, head).to(memory_format=torch.channels_last)
        return trained.requires_grad_(True)


def new_head(width: int, num_classes: int, seed: int) -> nn.Linear:
    """Return a head whose first weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(width, num_classes)


def load_backbone(
    name: str, weights: str = "default", seed: int = 0, fast_layers: bool = True
) -> Backbone:
    """Build a backbone and fill it with weights.

    Args:
        seed: Seeds the parameters that are drawn when ``weights`` is ``none``.
        fast_layers: Put layers of our own in the place of torch's (``antsbees.layers``).

    Raises:
        ConfigError: No backbone has that name.
        WeightsError: The weights cannot be had, are damaged, or are of another architecture.
    """
    entry = architecture(name)
    family = FAMILIES[entry.family]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = family.build(entry.network)
    load_weights(network, entry.network, weights, family)
    if fast_layers:
        speed_up(network)
    stages = tuple(
        stage.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        for stage in family.stages(network)
    )
    return Backbone(entry, stages, _hash(stages), fast_layers)


def _hash(stages: tuple[nn.Module, ...]) -> str:
    digest = hashlib.sha256()
    for stage in stages:
        for name, tensor in stage.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def normalise(pixels: Tensor, entry: Architecture) -> Tensor:
    """Turn pixels into what the first stage takes.

    Args:
        pixels: ``(N, H, W, 3) uint8``.

    Returns:
        ``(N, 3, H, W) float32``, channels last in memory.
    """
    mean = torch.tensor(entry.mean, device=pixels.device) * 255
    std = torch.tensor(entry.std, device=pixels.device) * 255
    return ((pixels.float() - mean) / std).permute(0, 3, 1, 2)
