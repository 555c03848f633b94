"""Heads trained as one program come out as if each had been trained alone."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor

from antsbees.config import Schedule, TrialConfig
from antsbees.errors import ConfigError
from antsbees.heads import FusedHeads, Head
from antsbees.hyperparameters import OptimizerKind, ScheduleKind
from tests.antsbees.laboratory import Laboratory

COSINE = Schedule(ScheduleKind.COSINE, final_fraction=0.1, warmup_epochs=1)
TOLERANCE = 1e-4  # of probabilities and losses


def configurations(k: int, count: int) -> list[TrialConfig]:
    """Draw configurations that differ in all that a head has."""
    rng = random.Random(0)
    return [
        TrialConfig(
            k,
            lr=10 ** rng.uniform(-3.5, -1.5),
            momentum=rng.choice([0.0, 0.9, 0.99]),
            nesterov=rng.random() < 0.3,
            weight_decay=rng.choice([0.0, 1e-4, 1e-2]),
            batch_size=rng.choice([4, 8, 23, 64]),
            label_smoothing=rng.choice([0.0, 0.1]),
            schedule=rng.choice([COSINE, Schedule()]),
            epochs=rng.choice([1, 2, 5]),
            seed=rng.randrange(100),
        )
        for _ in range(count)
    ]


def features(lab: Laboratory) -> tuple[list[Tensor], Tensor]:
    source, k = lab.activations(lab.cache), lab.task.num_stages
    return [source.pooled(k, view) for view in range(lab.task.views)], all_labels(lab)


def all_labels(lab: Laboratory) -> Tensor:
    return torch.tensor(lab.dataset.train.labels + lab.dataset.val.labels)


def test_they_equal_single_training(lab: Laboratory) -> None:
    """Losses of every epoch, and what they say of the validation images at the end."""
    k = lab.task.num_stages
    configs = configurations(k, 12)
    views, labels = features(lab)
    images = tuple(range(len(lab.dataset.train)))
    fused = FusedHeads([Head(config, images) for config in configs], views, labels, 2)
    losses = torch.stack([fused.run_epoch() for _ in range(fused.num_epochs)])
    answers = fused.logits(lab.activations(lab.cache).val(k)).softmax(dim=2)
    assert fused.num_epochs == 5
    for number, config in enumerate(configs):
        alone = lab.training(config)
        wanted = torch.tensor([alone.run_epoch().train_loss for _ in range(config.epochs)])
        assert torch.allclose(losses[: config.epochs, number], wanted, rtol=1e-4, atol=TOLERANCE)
        assert losses[config.epochs :, number].isnan().all()
        assert alone.evaluation is not None
        probabilities = torch.from_numpy(alone.evaluation.probabilities)
        assert torch.allclose(answers[number], probabilities, atol=TOLERANCE)


def test_each_learns_from_its_own_images(lite0_lab: Laboratory) -> None:
    """Labels of the other images make no difference to a fold's head."""
    views, labels = features(lite0_lab)
    config = TrialConfig(9, lr=0.01, epochs=2, batch_size=8)
    folds = [tuple(range(first, 40, 2)) for first in range(2)]
    heads = [Head(config, fold) for fold in folds]
    fused, other = (FusedHeads(heads, views, given, 2) for given in (labels, flipped(labels)))
    fused.train()
    other.train()
    weight, bias = fused.linear()
    assert (weight.shape, bias.shape) == ((2, 2, 1280), (2, 2))
    assert torch.equal(weight[0], other.linear()[0][0])
    assert not torch.equal(weight[1], other.linear()[0][1])


def flipped(labels: Tensor) -> Tensor:
    """Return labels that are wrong for every odd image."""
    odd = torch.arange(len(labels)) % 2 == 1
    return torch.where(odd, 1 - labels, labels)


def test_the_start_can_be_given(lite0_lab: Laboratory) -> None:
    views, labels = features(lite0_lab)
    start = torch.nn.Linear(1280, 2)
    config = TrialConfig(9, lr=1e-12, epochs=1)
    fused = FusedHeads([Head(config, tuple(range(24)), start)], views, labels, 2)
    fused.train()
    assert torch.allclose(fused.logits(views[0])[0], start(views[0]), atol=1e-4)


def test_one_that_diverges_harms_no_other(lite0_lab: Laboratory) -> None:
    views, labels = features(lite0_lab)
    images = tuple(range(24))
    good, bad = TrialConfig(9, epochs=3), TrialConfig(9, lr=1e38, epochs=3)
    together = FusedHeads([Head(good, images), Head(bad, images)], views, labels, 2)
    alone = FusedHeads([Head(good, images)], views, labels, 2)
    together.train()
    alone.train()
    assert not together.linear()[0][1].isfinite().all()
    assert torch.allclose(together.linear()[0][0], alone.linear()[0][0], atol=1e-6)


def test_other_optimizers_are_refused() -> None:
    config = TrialConfig(9, optimizer=OptimizerKind.ADAMW)
    with pytest.raises(ConfigError, match="heads are fused with sgd only, got adamw"):
        Head(config, (0, 1))


def test_no_heads_are_no_work(lite0_lab: Laboratory) -> None:
    views, labels = features(lite0_lab)
    none = FusedHeads([], views, labels, 2)
    none.train()
    assert none.logits(views[0]).shape == (0, 40, 2)
