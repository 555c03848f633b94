"""What the optimizers promise: the one that was named, and a rate for each trained stage."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from antsbees.config import Schedule, TrialConfig
from antsbees.hyperparameters import OptimizerKind
from antsbees.optimizers import head_lr, make_optimizer, set_lr
from tests.antsbees.laboratory import Laboratory

CONSTANT = Schedule()


def network() -> nn.Sequential:
    """Three stages, of which the middle one has nothing to learn, and a head."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.Linear(3, 2))


def stepped(optimizer: torch.optim.Optimizer, net: nn.Sequential) -> list[torch.Tensor]:
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()
    return [parameter.detach() for parameter in net.parameters()]


@pytest.mark.parametrize(
    ("settings", "kind", "own"),
    [
        ({"momentum": 0.8}, torch.optim.SGD, {"momentum": 0.8}),
        ({"nesterov": True}, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        ({"momentum": 0.0, "nesterov": True}, torch.optim.SGD, {}),
        ({"optimizer": "adamw", "beta1": 0.8}, torch.optim.AdamW, {"betas": (0.8, 0.999)}),
    ],
)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_a_step_is_that_of_torchs_optimizer(
    settings: dict[str, Any], kind: Any, own: dict[str, Any], decay: float
) -> None:
    config = TrialConfig(0, lr=0.05, weight_decay=decay, **settings)
    ours, theirs = network(), network()
    expected = stepped(kind(theirs.parameters(), lr=0.05, weight_decay=decay, **own), theirs)
    optimizer = make_optimizer(ours, config)
    assert type(optimizer) is kind
    torch.testing.assert_close(stepped(optimizer, ours), expected)


def test_the_rate_falls_from_each_stage_to_the_one_below_it() -> None:
    net = network()
    optimizer = make_optimizer(net, TrialConfig(0, stage_lr_decay=0.5))
    set_lr(optimizer, 0.8)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert [rates[id(p)] for p in net.parameters()] == [0.1, 0.1, 0.4, 0.4, 0.8, 0.8]
    assert head_lr(optimizer) == 0.8


def test_without_a_fall_there_is_one_rate() -> None:
    optimizer = make_optimizer(network(), TrialConfig(0))
    assert len(optimizer.param_groups) == 1
    assert len(optimizer.param_groups[0]["params"]) == 6


def moved(lab: Laboratory, config: TrialConfig) -> list[float]:
    """Train an epoch; return how far the lowest trained stage and the head went."""
    training = lab.training(config)
    parts = [list(training.trained.children())[n] for n in (0, -1)]
    before = [[p.detach().clone() for p in part.parameters()] for part in parts]
    metrics = training.run_epoch()
    assert metrics.lr == config.lr
    return [
        max(
            float((p.detach() - old).abs().max())
            for p, old in zip(part.parameters(), olds, strict=True)
        )
        for part, olds in zip(parts, before, strict=True)
    ]


@pytest.mark.parametrize("optimizer", OptimizerKind)
def test_trained_stages_move_less_than_the_head_where_the_rate_falls(
    lite0_lab: Laboratory, optimizer: OptimizerKind
) -> None:
    config = TrialConfig(7, optimizer=optimizer, schedule=CONSTANT, epochs=1, batch_size=8)
    stage, head = moved(lite0_lab, config)
    assert stage > 0 < head
    slower = TrialConfig.from_dict(config.to_dict() | {"stage_lr_decay": 1e-3})
    slow_stage, slow_head = moved(lite0_lab, slower)
    assert slow_stage < stage / 100
    assert slow_head > head / 3
