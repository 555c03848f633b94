"""What else is said to help fine-tuning on few images, each tried beside what is there.

    python -m benchmarks.studies.regularisers FOLDER_OR_SET [--backbone ...] [--frozen-stages 6]

Every way starts with the probe as its head, learns from train, and is judged on val, after the last
epoch; a row is the mean over seeds. None of these ways but the first five can be had in a sweep.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from antsbees.bench import Bench
from antsbees.config import Schedule, TrialConfig
from antsbees.data.synthetic.sets import SETS
from antsbees.evaluation import evaluate
from antsbees.hyperparameters import BatchNorm, HeadStart, OptimizerKind, ScheduleKind
from antsbees.soup import Member
from antsbees.training import Training
from benchmarks.studies.depths import bench_of

START_STRENGTH = 0.01  # of L2-SP, the value its authors found best
MIXED = 0.2  # both parameters of mixup's beta distribution
EMA_DECAY = 0.95  # an epoch has some ten batches
Change = Callable[[Training], None]


def nothing(training: Training) -> None:
    """Leave a training as it is."""


def l2_sp(training: Training) -> None:
    """Draw weights towards those of the pre-training.

    Source: Li, Grandvalet and Davoine (2018), https://arxiv.org/abs/1802.01483.
    """
    start = [p.detach().clone() for p in training.trained.parameters()]
    plain = training._loss_of

    def loss(trained: nn.Module, rows: Tensor, labels: Tensor) -> Tensor:
        now = training.trained.parameters()
        apart = sum(((p - s) ** 2).sum() for p, s in zip(now, start, strict=True))
        return plain(trained, rows, labels) + START_STRENGTH / 2 * apart

    _set(training, _loss_of=loss)


def mixup(training: Training) -> None:
    """Learn from mixtures of two images, at the depth where training begins.

    Source: Verma et al. (2019), https://arxiv.org/abs/1806.05236.
    """
    plain = training._loss_of
    generator = torch.distributions.Beta(MIXED, MIXED)

    def loss(trained: nn.Module, rows: Tensor, labels: Tensor) -> Tensor:
        share = float(generator.sample())
        other = torch.randperm(len(rows))
        mixed = (share * rows + (1 - share) * rows[other]).to(rows.dtype)
        own, others = plain(trained, mixed, labels), plain(trained, mixed, labels[other])
        return share * own + (1 - share) * others

    _set(training, _loss_of=loss)


def averaged(training: Training) -> None:
    """Judge the moving average of the weights.

    Source: Polyak and Juditsky (1992), https://doi.org/10.1137/0330046.
    """
    average = AveragedModel(
        training.trained, multi_avg_fn=get_ema_multi_avg_fn(EMA_DECAY), use_buffers=True
    )
    plain = training._step

    def step(member: Member, rows: Tensor, labels: Tensor) -> Tensor:
        loss = plain(member, rows, labels)
        average.update_parameters(training.trained)
        return loss

    def judge(judged: Tensor) -> Any:
        labels = training._judged_labels
        return evaluate(average.module, judged, labels, training._backbone, training._execution)

    _set(training, _step=step, _evaluate=judge)


def _set(training: Training, **methods: Any) -> None:
    """Replace methods of one training; a study may, the program does not."""
    for name, method in methods.items():
        setattr(training, name, method)


def ways(frozen_stages: int, lr: float, epochs: int) -> dict[str, tuple[TrialConfig, Change]]:
    """Return the configurations and changes, by their names."""
    base = TrialConfig(
        frozen_stages,
        lr=lr,
        momentum=0.9,
        batch_size=32,
        epochs=epochs,
        schedule=Schedule(ScheduleKind.COSINE, final_fraction=0.0),
        head_start=HeadStart.PROBE,
        batchnorm=BatchNorm.FROZEN,
    )
    adamw = replace(
        base, optimizer=OptimizerKind.ADAMW, momentum=None, nesterov=None, lr=lr / 10,
        weight_decay=0.01,
    )  # fmt: skip
    return {
        "as it is": (base, nothing),
        "`stage_lr_decay: 0.5`": (replace(base, stage_lr_decay=0.5), nothing),
        "`optimizer: adamw`, a tenth of the rate": (adamw, nothing),
        "`soup_size: 3`, three times as long": (replace(base, soup_size=3), nothing),
        "AdamW, `soup_size: 3`": (replace(adamw, soup_size=3), nothing),
        "L2-SP": (base, l2_sp),
        "mixup": (base, mixup),
        "moving average of weights": (base, averaged),
    }


def main() -> None:
    """Train, and print a row for each way."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.regularisers")
    parser.add_argument("images", help=f"a folder, or one of {', '.join(SETS)}")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--frozen-stages", type=int, default=6)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    with bench_of(options.images, options.backbone) as bench:
        print("| way | log-loss | from seed to seed | accuracy |\n|---|---|---|---|")
        tried = ways(options.frozen_stages, options.lr, options.epochs)
        for name, (config, change) in tried.items():
            seeds = [replace(config, seed=seed) for seed in range(options.seeds)]
            print(_row(name, bench, seeds, change), flush=True)


def _row(name: str, bench: Bench, configs: list[TrialConfig], change: Change) -> str:
    losses, accuracies = [], []
    for config in configs:
        training = bench.training(config)
        change(training)
        for _ in range(config.epochs):
            last = training.run_epoch()
        losses.append(last.val_loss)
        accuracies.append(last.val_accuracy)
    loss, spread = statistics.fmean(losses), statistics.stdev(losses)
    return f"| {name} | {loss:.4f} | {spread:.4f} | {100 * statistics.fmean(accuracies):.2f} % |"


if __name__ == "__main__":
    main()
