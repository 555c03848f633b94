"""The optimizer a configuration names, with a learning rate for each trained stage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from antsbees.config import TrialConfig
from antsbees.hyperparameters import OptimizerKind

SCALE = "lr_scale"  # of a group of parameters: its learning rate over the head's


def make_optimizer(trained: nn.Sequential, config: TrialConfig) -> Optimizer:
    """Build the optimizer of a trained part.

    Args:
        trained: The trained stages, then the head.
    """
    groups = list(_groups(trained, config.stage_lr_decay))
    common: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay}
    match config.optimizer:
        case OptimizerKind.SGD:
            momentum = config.momentum or 0.0
            nesterov = bool(config.nesterov) and momentum > 0  # without momentum they are the same
            return SGD(groups, momentum=momentum, nesterov=nesterov, **common)
        case OptimizerKind.ADAMW:
            betas = (config.beta1 or 0.0, config.beta2 or 0.0)
            return AdamW(groups, betas=betas, fused=True, **common)  # a third of the time


def set_lr(optimizer: Optimizer, lr: float) -> None:
    """Give the head a learning rate, and every stage below it its share."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group[SCALE]


def head_lr(optimizer: Optimizer) -> float:
    """Return the learning rate of the head, which is in the last group."""
    return float(optimizer.param_groups[-1]["lr"])


def _groups(trained: nn.Sequential, stage_lr_decay: float) -> Iterator[dict[str, Any]]:
    """Yield the parameters of each learning rate: one group, or one for every stage and the head.

    Discriminative fine-tuning: Howard and Ruder, https://arxiv.org/abs/1801.06146, section 3.1.
    """
    if stage_lr_decay == 1:
        yield {"params": list(trained.parameters()), SCALE: 1.0}
        return
    parts = list(trained.children())
    for depth, part in zip(reversed(range(len(parts))), parts, strict=True):
        if params := list(part.parameters()):
            yield {"params": params, SCALE: stage_lr_decay**depth}
