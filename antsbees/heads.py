"""Trains many heads on the same frozen features as one batched program.

A step of SGD adds multiples of the batch's features to a head's weights. Within an epoch every
image of one view is seen once, so that weights stay a combination of those at the epoch's start and
of that view's features: what is stepped are the few hundred coefficients of the images, against the
inner products of the features, which all heads share. Fused as in https://arxiv.org/abs/2102.02344.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from antsbees.batches import batch_sizes, shuffled
from antsbees.config import TrialConfig
from antsbees.errors import ConfigError
from antsbees.hyperparameters import OptimizerKind
from antsbees.networks.backbones import new_head
from antsbees.schedules import lr_fraction

AT_ONCE = 300  # heads in a batched step: enough that a step is arithmetic, not overhead


@dataclass(frozen=True)
class Head:
    """One head to train.

    Args:
        config: With every stage frozen, and SGD.
        images: Which of the images it learns from, in the order ``Training`` would see them.
        start: Its first weights; by default those that ``Training`` draws from the seed.

    Raises:
        ConfigError: The optimizer is not SGD, whose steps alone can be fused.
    """

    config: TrialConfig
    images: tuple[int, ...]
    start: nn.Linear | None = None

    def __post_init__(self) -> None:
        if self.config.optimizer is not OptimizerKind.SGD:
            raise ConfigError(f"heads are fused with sgd only, got {self.config.optimizer}")


class FusedHeads:
    """The state of many heads between epochs: each as ``Training`` would train it alone.

    Single training sums in another order: after 12 epochs probabilities agree to 1e-4.

    Args:
        views: For each view the features ``(N, D)`` of all images.
        labels: ``(N,) int64``.
    """

    def __init__(
        self, heads: Sequence[Head], views: Sequence[Tensor], labels: Tensor, num_classes: int
    ) -> None:
        self.epoch = 0
        self.num_heads = len(heads)
        self._views = [F.pad(view.float(), (0, 1), value=1.0) for view in views]  # and a bias
        self._products = [view @ view.T for view in self._views]
        self._num_classes = num_classes
        width = self._views[0].shape[1] - 1
        self._groups = [
            _Group(heads, places, width, labels, num_classes) for places in _alike(heads)
        ]

    @property
    def num_epochs(self) -> int:
        """How many epochs the longest trial has."""
        return max((group.epochs[0] for group in self._groups), default=0)

    def run_epoch(self) -> Tensor:
        """Train every head that is not done over its images once.

        Returns:
            ``(num_heads,) float32``, the mean loss over the epoch's batches, with label smoothing;
            NaN for heads that were done.
        """
        number = self.epoch % len(self._views)
        losses = torch.full((self.num_heads,), torch.nan)
        for group in self._groups:
            if active := sum(epochs > self.epoch for epochs in group.epochs):
                places = torch.tensor(group.places[:active])
                losses[places] = group.run_epoch(
                    self.epoch, active, self._views[number], self._products[number]
                )
        self.epoch += 1
        return losses

    def train(self) -> None:
        """Run all epochs."""
        while self.epoch < self.num_epochs:
            self.run_epoch()

    def linear(self) -> tuple[Tensor, Tensor]:
        """Return weights ``(num_heads, num_classes, D)`` and biases, without the last axis."""
        width = self._views[0].shape[1]
        together = torch.empty(self.num_heads, self._num_classes, width)
        for group in self._groups:
            together[torch.tensor(group.places)] = group.weights
        return together[..., :-1], together[..., -1]

    def logits(self, features: Tensor) -> Tensor:
        """Return ``(num_heads, M, num_classes)`` for features ``(M, D)``."""
        weight, bias = self.linear()
        return (weight @ features.float().T).transpose(1, 2) + bias[:, None]


def _alike(heads: Sequence[Head]) -> list[list[int]]:
    """Return the places of heads that step together; those with most epochs come first."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, head in enumerate(heads):
        config = head.config
        key = (config.batch_size, len(head.images), bool(config.nesterov and config.momentum))
        groups.setdefault(key, []).append(place)
    chunks = []
    for places in groups.values():
        places.sort(key=lambda place: -heads[place].config.epochs)
        chunks += [places[first : first + AT_ONCE] for first in range(0, len(places), AT_ONCE)]
    return chunks


class _Group:
    """Heads with the same sizes of batches, stepped together."""

    def __init__(
        self,
        heads: Sequence[Head],
        places: list[int],
        width: int,
        labels: Tensor,
        num_classes: int,
    ) -> None:
        self.places = places
        self._heads = [heads[place] for place in places]
        self._configs = configs = [head.config for head in self._heads]
        self.epochs = [config.epochs for config in configs]
        self._images = torch.tensor([head.images for head in self._heads])  # (H, n)
        self._sizes = batch_sizes(self._images.shape[1], configs[0].batch_size)
        self._nesterov = bool(configs[0].nesterov and configs[0].momentum)
        self._momentum = torch.tensor([config.momentum or 0.0 for config in configs])
        self._decay = torch.tensor([config.weight_decay for config in configs])
        self._decays = bool(self._decay.any())
        smoothing = torch.tensor([config.label_smoothing for config in configs])[:, None, None]
        is_label = F.one_hot(labels.cpu(), num_classes).T.float()  # (C, N)
        self._targets = is_label * (1 - smoothing) + smoothing / num_classes  # (H, C, N)
        self.weights = torch.stack([_first_weights(h, width, num_classes) for h in self._heads])
        self._velocity = torch.zeros_like(self.weights)  # (H, C, D + 1), the bias last

    def run_epoch(self, epoch: int, active: int, view: Tensor, products: Tensor) -> Tensor:
        """Step the first heads over one epoch; return their mean losses."""
        num_images, shape = self._images.shape[1], self.weights[:active].shape[:2]
        seen = torch.stack(
            [
                images[shuffled(config.seed, epoch, num_images)]
                for images, config in zip(
                    self._images[:active], self._configs[:active], strict=True
                )
            ]
        )
        rates = self._rates(epoch, active)  # (steps, H)
        start = self._carried(rates, active)  # (steps + 1, H, 2, 2)
        weights, velocity = (
            self.weights[:active].flatten(0, 1),
            self._velocity[:active].flatten(0, 1),
        )
        places = seen[:, None].expand(*shape, num_images)  # (H, C, n)
        before = torch.stack([weights @ view.T, velocity @ view.T]).unflatten(1, shape)
        before = before.gather(3, places.expand(2, *places.shape))
        targets = self._targets[:active].gather(2, places)
        rows = torch.arange(shape[0] * shape[1]).view(*shape, 1) * len(view)
        flat = places + rows  # where an image's coefficients are
        of_weights, of_velocity = torch.zeros(2, *shape, len(view))
        momentum, decay = self._momentum[:active, None, None], self._decay[:active, None, None]
        losses, first = torch.zeros(active), 0
        for step, size in enumerate(self._sizes):
            batch = slice(first, first + size)
            inner = products.index_select(0, seen[:, batch].flatten()).view(active, size, -1)
            logits = of_weights @ inner.transpose(1, 2)
            kept = start[step, :, 0, :, None, None]  # (H, 2, 1, 1)
            logits += kept[:, 0] * before[0, ..., batch] + kept[:, 1] * before[1, ..., batch]
            log_p = logits.log_softmax(dim=1)
            losses -= (log_p * targets[..., batch]).sum(dim=(1, 2))
            gradient = (log_p.exp() - targets[..., batch]) / size
            rate = rates[step, :, None, None]
            where = flat[..., batch].flatten()
            of_velocity *= momentum
            if self._decays:
                of_velocity += decay * of_weights
            of_velocity.view(-1).index_add_(0, where, gradient.flatten())
            if self._nesterov:
                if self._decays:
                    of_weights *= 1 - rate * decay
                of_weights.view(-1).index_add_(0, where, (-rate * gradient).flatten())
                of_weights -= (rate * momentum) * of_velocity
            else:
                of_weights -= rate * of_velocity
            first += size
        kept = start[-1, :, :, :, None, None]
        old = torch.stack([self.weights[:active], self._velocity[:active]])
        for state, row, added in ((self.weights, 0, of_weights), (self._velocity, 1, of_velocity)):
            fresh = (added.flatten(0, 1) @ view).unflatten(0, shape)
            state[:active] = kept[:, row, 0] * old[0] + kept[:, row, 1] * old[1] + fresh
        return losses / num_images

    def _rates(self, epoch: int, active: int) -> Tensor:
        """Return the learning rate of each step and head, ``(steps, H) float32``."""
        num_steps, fractions = len(self._sizes), {}
        for c in self._configs[:active]:
            if (c.schedule, c.epochs) not in fractions:  # many heads share it
                fractions[c.schedule, c.epochs] = [
                    lr_fraction(c.schedule, epoch + step / num_steps, c.epochs)
                    for step in range(num_steps)
                ]
        of_heads = torch.tensor(
            [fractions[c.schedule, c.epochs] for c in self._configs[:active]], dtype=torch.float64
        )
        rates = torch.tensor([c.lr for c in self._configs[:active]], dtype=torch.float64)
        return (rates[:, None] * of_heads).T.float()

    def _carried(self, rates: Tensor, active: int) -> Tensor:
        """Return what is left of the epoch's first weights and velocity before each step.

        Returns:
            ``(steps + 1, H, 2, 2) float32``: weights = [0, 0] x first weights + [0, 1] x first
            velocity + ..., and [1, :] for the velocity.
        """
        m, decay = self._momentum[:active].double(), self._decay[:active].double()
        now = torch.eye(2, dtype=torch.float64).repeat(active, 1, 1)
        kept = [now]
        for rate in rates.double():
            weights, velocity = now[:, 0], now[:, 1]
            pull = decay[:, None] * weights
            velocity = m[:, None] * velocity + pull
            move = pull + m[:, None] * velocity if self._nesterov else velocity
            now = torch.stack([weights - rate[:, None] * move, velocity], dim=1)
            kept.append(now)
        return torch.stack(kept).float()


def _first_weights(head: Head, width: int, num_classes: int) -> Tensor:
    """Return ``(num_classes, D + 1)``, the bias last."""
    start = head.start or new_head(width, num_classes, head.config.seed)
    return torch.cat([start.weight.detach(), start.bias.detach()[:, None]], dim=1)
