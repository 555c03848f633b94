"""The order in which a trial sees its images, a pure function of seed and epoch."""

from __future__ import annotations

import torch
from torch import Tensor

APART = 2_654_435_761
"""Between members of a soup: far apart in the low 32 bits, which are all that torch's CPU takes."""


def order_seed(seed: int, epoch: int, member: int = 0) -> int:
    """Return the seed of everything random in an epoch of a trial.

    Args:
        member: Of a soup, from 0.
    """
    return (seed * 1_000_003 + epoch + member * APART) % 2**63


def shuffled(seed: int, epoch: int, num_images: int, member: int = 0) -> Tensor:
    """Return the images in the order of an epoch."""
    generator = torch.Generator().manual_seed(order_seed(seed, epoch, member))
    return torch.randperm(num_images, generator=generator)


def batch_sizes(num_images: int, batch_size: int) -> list[int]:
    """Divide images into batches; a last batch of one joins its neighbour, for BatchNorm's sake."""
    whole, rest = divmod(num_images, batch_size)
    sizes = [batch_size] * whole + ([rest] if rest else [])
    if len(sizes) > 1 and sizes[-1] == 1:
        sizes[-2:] = [sizes[-2] + 1]
    return sizes
