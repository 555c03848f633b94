"""A soup is the mean of trainings that differ in the order of the images, and in nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from antsbees.batches import shuffled
from antsbees.config import TrialConfig, num_trainings
from antsbees.hyperparameters import BatchNorm, OptimizerKind
from antsbees.networks.backbones import normalise
from tests.antsbees.laboratory import Laboratory, judged, timeless

CONFIG = TrialConfig(
    8, lr=0.001, batch_size=8, epochs=2, optimizer=OptimizerKind.ADAMW,
    batchnorm=BatchNorm.FROZEN, soup_size=3,
)  # fmt: skip


def trained(lab: Laboratory, config: TrialConfig) -> list[torch.Tensor]:
    training = lab.training(config)
    for _ in range(config.epochs):
        training.run_epoch()
    return [tensor.double() for tensor in training.trained.state_dict().values()]


@pytest.mark.parametrize("batchnorm", list(BatchNorm))
def test_its_weights_and_statistics_are_the_means_of_its_members(
    lite0_lab: Laboratory, batchnorm: BatchNorm
) -> None:
    config = replace(CONFIG, batchnorm=batchnorm)
    training = lite0_lab.training(config)
    for _ in range(config.epochs):
        training.run_epoch()
    members = [member.trained.state_dict() for member in training._members]
    assert len(members) == 3
    for name, mean in training.trained.state_dict().items():
        expected = torch.stack([member[name].double() for member in members]).mean(dim=0)
        assert torch.allclose(mean.double(), expected, rtol=1e-5, atol=1e-7), name


def test_its_first_member_is_the_training_without_a_soup(lite0_lab: Laboratory) -> None:
    training = lite0_lab.training(CONFIG)
    for _ in range(CONFIG.epochs):
        training.run_epoch()
    alone = trained(lite0_lab, replace(CONFIG, soup_size=1))
    members = [member.trained.state_dict().values() for member in training._members]
    same = [
        all(torch.equal(a, b.double()) for a, b in zip(alone, member, strict=True))
        for member in members
    ]
    assert same == [True, False, False]


def test_no_other_seed_or_epoch_has_an_order_of_it() -> None:
    """Else the trainings of ``--seeds``, and the repeats of finals, would be alike."""
    orders = {
        tuple(shuffled(seed, epoch, 20, member).tolist())
        for seed in range(6) for epoch in range(6) for member in range(6)
    }  # fmt: skip
    assert len(orders) == 6**3


def test_it_answers_with_the_mean_and_gives_it_away(lite0_lab: Laboratory) -> None:
    once, again = lite0_lab.training(CONFIG), lite0_lab.training(CONFIG)
    for _ in range(CONFIG.epochs):
        assert timeless(once.run_epoch()) == timeless(again.run_epoch())
    pixels = lite0_lab.activations().val(0)
    with torch.no_grad():
        whole = once.network()(normalise(pixels, lite0_lab.backbone.architecture)).softmax(dim=1)
    assert torch.allclose(torch.from_numpy(judged(once).probabilities), whole, atol=1e-4)
    assert not any(once.trained is member.trained for member in once._members)


def test_where_the_mean_is_no_good_the_first_answers_alone(lite0_lab: Laboratory) -> None:
    """Members that have moved too far apart, here by force: their mean is the network of noise."""
    config = replace(CONFIG, soup_size=2)
    good, fallen, alone = (
        lite0_lab.training(c) for c in (config, config, replace(config, soup_size=1))
    )
    for training in (good, fallen, alone):
        for _ in range(config.epochs):
            training.run_epoch()
    good.settle()
    assert good.config.soup_size == 2
    fallen.evaluation = replace(judged(fallen), accuracy=judged(alone).accuracy - 0.5)
    fallen.settle()
    assert fallen.config.soup_size == 1
    assert np.array_equal(judged(fallen).probabilities, judged(alone).probabilities)
    state = fallen.trained.state_dict()
    assert all(torch.equal(t, state[n]) for n, t in alone.trained.state_dict().items())


def test_a_head_alone_is_trained_once(lite0_lab: Laboratory) -> None:
    head = replace(CONFIG, frozen_stages=9)
    assert len(lite0_lab.training(head)._members) == 1
    assert [num_trainings(4, k, "resnet18") for k in (0, 4, 5)] == [4, 4, 1]
