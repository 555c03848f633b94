"""A model soup: trainings of one configuration, of which the mean of the weights answers.

They begin at the same weights, and each sees the images in another order. Few images make every
training a gamble; the mean is as good as an ensemble, and one network. More epochs would not be:
they overfit. Source: Wortsman et al. (2022), https://arxiv.org/abs/2203.05482.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from torch import nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel


@dataclass
class Member:
    """One of the trainings.

    Args:
        number: From 0.
    """

    number: int
    trained: nn.Sequential
    optimizer: Optimizer


def averaged(members: Sequence[Member]) -> nn.Sequential:
    """Return a network with the mean of the weights and statistics; the only member's own."""
    if len(members) == 1:
        return members[0].trained
    mean = AveragedModel(members[0].trained, use_buffers=True)
    for member in members:
        mean.update_parameters(member.trained)
    return cast(nn.Sequential, mean.module)
