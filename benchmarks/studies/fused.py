"""How many heads a second are trained as one program, beside one after another.

    python -m benchmarks.studies.fused [--heads 300] [--epochs 12] [--images 244] [--width 1280]

Features are random: the time does not depend on what they say.
"""

from __future__ import annotations

import argparse
import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from antsbees.batches import shuffled
from antsbees.config import TrialConfig
from antsbees.heads import FusedHeads, Head
from antsbees.networks.backbones import new_head
from antsbees.schedules import lr_fraction

VIEWS = 3
NUM_CLASSES = 2


def main() -> None:
    """Train both ways, and print the rates."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.fused")
    parser.add_argument("--heads", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--images", type=int, default=244)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    views = [torch.randn(options.images, options.width) for _ in range(VIEWS)]
    labels = torch.randint(NUM_CLASSES, (options.images,))
    rates = torch.logspace(-3.5, -1, options.heads).tolist()
    configs = [
        TrialConfig(9, lr=rate, batch_size=32, epochs=options.epochs, seed=seed)
        for seed, rate in enumerate(rates)
    ]
    everyone = tuple(range(options.images))
    start = time.perf_counter()
    fused = FusedHeads([Head(c, everyone) for c in configs], views, labels, NUM_CLASSES)
    fused.train()
    together_s = time.perf_counter() - start
    start = time.perf_counter()
    alone = [one_by_one(config, views, labels) for config in configs[:: max(len(configs) // 10, 1)]]
    alone_s = (time.perf_counter() - start) / len(alone)
    print(f"{options.heads} heads of {options.epochs} epochs, {options.threads} threads:")
    print(f"  as one program {together_s:.2f} s, {options.heads / together_s:.0f} a second")
    print(f"  one after another {alone_s:.3f} s each, {1 / alone_s:.0f} a second")


def one_by_one(config: TrialConfig, views: list[Tensor], labels: Tensor) -> nn.Linear:
    """Train a head as one would in torch."""
    head = new_head(views[0].shape[1], NUM_CLASSES, config.seed)
    optimizer = torch.optim.SGD(head.parameters(), lr=config.lr, momentum=config.momentum or 0.0)
    for epoch in range(config.epochs):
        order = shuffled(config.seed, epoch, len(labels)).split(config.batch_size)
        for number, places in enumerate(order):
            fraction = lr_fraction(config.schedule, epoch + number / len(order), config.epochs)
            optimizer.param_groups[0]["lr"] = config.lr * fraction
            optimizer.zero_grad()
            F.cross_entropy(head(views[epoch % VIEWS][places]), labels[places]).backward()
            optimizer.step()
    return head


if __name__ == "__main__":
    main()
