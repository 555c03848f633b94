"""What the layers of our own save in the trained part: ``python -m benchmarks.studies.kernels``.

Times forward, backward and update of 32 random images, on one thread, with and without
``antsbees.layers.replace``, side by side, and scales the best of two to 244 images; then counts
the bytes that a forward pass in bfloat16 keeps for the backward pass.
"""

from __future__ import annotations

import time

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.profiler import profile

from antsbees.config import Precision
from antsbees.machine.allocator import keep_freed_memory
from antsbees.machine.devices import Execution, arithmetic, configure
from antsbees.networks.backbones import Backbone, load_backbone

BATCH, IMAGES, REPEATS = 32, 244, 2


def frozen_output(backbone: Backbone, k: int, images: Tensor) -> Tensor:
    """Return what the first k stages put out, computed by few images at a time."""
    parts = []
    with torch.no_grad():
        for x in images.split(8):
            for stage in backbone.stages[:k]:
                x = stage(x)
            parts.append(x)
    return torch.cat(parts)


def kept_bytes(backbone: Backbone, k: int, images: Tensor) -> int:
    """Return what a forward pass in bfloat16 allocates and does not free."""
    x = frozen_output(backbone, k, images)
    trained = backbone.trained_part(k, 2, seed=0).train()
    with profile(profile_memory=True) as recorded, arithmetic("cpu", Precision.BF16):
        logits = trained(x)
    if not logits.requires_grad:
        raise RuntimeError("nothing was kept for a backward pass")
    return sum(event.self_cpu_memory_usage for event in recorded.key_averages())


def seconds(
    backbone: Backbone, k: int, images: Tensor, precision: Precision, repeats: int = REPEATS
) -> float:
    """Return the seconds of an epoch over 244 images, after a warm-up step."""
    x = frozen_output(backbone, k, images)
    trained = backbone.trained_part(k, 2, seed=0).train()
    optimizer = torch.optim.SGD(trained.parameters(), lr=1e-3, momentum=0.9)
    labels = torch.zeros(BATCH, dtype=torch.long)
    best = float("inf")
    for number in range(repeats + 1):
        start = time.perf_counter()
        with arithmetic("cpu", precision):
            logits = trained(x)
        optimizer.zero_grad()
        F.cross_entropy(logits.float(), labels).backward()
        optimizer.step()
        if number:
            best = min(best, time.perf_counter() - start)
    return best * IMAGES / BATCH


def main() -> None:
    """Measure and print a Markdown table."""
    keep_freed_memory()
    configure(Execution())
    images = torch.randn(BATCH, 3, 224, 224).to(memory_format=torch.channels_last)
    before = load_backbone("efficientnet_lite0", fast_layers=False)
    after = load_backbone("efficientnet_lite0")
    print("| k | fp32 before | bf16 before | fp32 after | bf16 after |\n|---|---|---|---|---|")
    for k in (7, 5, 2, 0):
        cells = [
            f"{seconds(backbone, k, images, precision):.1f}"
            for backbone in (before, after)
            for precision in (Precision.FP32, Precision.BF16)
        ]
        print(f"| {k} | {' | '.join(cells)} |", flush=True)
    print("\n| k | MiB kept before | MiB kept after |\n|---|---|---|")
    for k in (7, 5, 2, 0):
        kept = [f"{kept_bytes(backbone, k, images) / 2**20:.0f}" for backbone in (before, after)]
        print(f"| {k} | {' | '.join(kept)} |", flush=True)


if __name__ == "__main__":
    main()
