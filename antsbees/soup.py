"""A model soup: trainings of one configuration, of which the mean of the weights answers.

They begin at the same weights, and each sees the images in another order. Few images make every
training a gamble; the mean is about as good as an ensemble, and one network. More epochs for the
same price are not. That is so of frozen BatchNorm; in train mode, statistics are averaged as
weights are, which those of the mean network would not be. Source: Wortsman et al. (2022),
https://arxiv.org/abs/2203.05482.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer


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
    network = copy.deepcopy(members[0].trained)
    states = [member.trained.state_dict() for member in members]
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():  # a counter of batches is the same in all
            tensor.copy_(torch.stack([state[name] for state in states]).mean(dim=0))
    return network
