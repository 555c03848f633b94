"""What a GPU makes of a trial's parts: ``python -m benchmarks.studies.gpu [--data FOLDER]``.

Needs torch, timm and this package, no Ray. Prints, by k, the seconds of the first epoch, which
computes activations, images a second of later ones and the share of them that kernels run; heads a
minute, fused and single; training steps a second with and without a CUDA graph.
``--device cpu --tiny`` only shows that all of it but graphs runs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from antsbees.bench import Bench
from antsbees.config import Precision, TaskConfig, TrialConfig
from antsbees.data.sources import open_dataset
from antsbees.heads import FusedHeads, Head
from antsbees.machine.devices import Execution

BACKBONES = ("efficientnet_lite0", "resnet18")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    epochs: int = 6
    heads: int = 300
    head_epochs: int = 12
    steps: int = 100
    batch_size: int = 32


TINY = Size(epochs=1, heads=4, head_epochs=2, steps=2, batch_size=8)


def wait(device: str) -> None:
    """Wait until the device has done all it was asked for."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def seconds(device: str, work: Callable[[], object]) -> float:
    """Return how long some work takes, what it leaves on the device included."""
    wait(device)
    start = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - start


def kernel_share(device: str, work: Callable[[], object]) -> float:
    """Return the share of the time in which kernels of a GPU run; 0 on a CPU."""
    if torch.device(device).type != "cuda":
        return 0.0
    taken = seconds(device, work)  # without the profiler, which slows the host down
    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as recorded:
        work()
        wait(device)
    in_kernels = sum(event.self_device_time_total for event in recorded.key_averages())
    return float(in_kernels) / 1e6 / taken


def by_depth(bench: Bench, size: Size) -> Iterator[str]:
    """Yield a row for each number of frozen stages."""
    device = bench.execution.device
    for k in range(bench.task.num_stages + 1):
        epochs = size.epochs + 2 * bench.task.views
        config = TrialConfig(k, epochs=epochs, batch_size=size.batch_size)
        training = bench.training(config)
        cold = seconds(device, training.run_epoch)
        for _ in range(bench.task.views):
            training.run_epoch()
        rates = [training.run_epoch().images_per_second for _ in range(size.epochs)]
        share = kernel_share(device, training.run_epoch)
        name = bench.task.backbone
        yield f"| {name} | {k} | {cold:.2f} | {max(rates):.0f} | {share:.0%} |"


def heads_a_minute(bench: Bench, size: Size) -> tuple[float, float]:
    """Return how many heads are trained a minute: fused, and one after another."""
    device, last = bench.execution.device, bench.task.num_stages
    features = bench.pooled_features().float().to(device)
    labels = torch.tensor(bench.dataset.pooled.labels, device=device)
    configs = [
        TrialConfig(last, lr=0.01 * (1 + n % 7), epochs=size.head_epochs, seed=n)
        for n in range(size.heads)
    ]
    heads = [Head(config, tuple(range(len(labels)))) for config in configs]

    def fused() -> None:
        FusedHeads(heads, [features], labels, len(bench.dataset.classes)).train()

    def single() -> None:
        training = bench.training(configs[0])
        for _ in range(size.head_epochs):
            training.run_epoch()

    fused()  # warm
    single()
    return 60 * size.heads / seconds(device, fused), 60 / seconds(device, single)


class Step:
    """One training step on fixed rows, eager or replayed as a CUDA graph."""

    def __init__(self, bench: Bench, k: int, size: Size) -> None:
        execution = bench.execution
        generator = torch.Generator().manual_seed(0)
        image = bench.task.image_size
        self._x = torch.rand(size.batch_size, 3, image, image, generator=generator)
        self._x = self._x.to(execution.device).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            for stage in bench.backbone.stages[:k]:
                self._x = stage.to(execution.device)(self._x)
        self._labels = torch.zeros(size.batch_size, dtype=torch.long, device=execution.device)
        trained = bench.backbone.trained_part(k, 2, seed=0).train().to(execution.device)
        self._trained: nn.Module = trained
        self._optimizer = torch.optim.SGD(trained.parameters(), lr=1e-3, momentum=0.9)
        self._device = execution.device

    def loss(self) -> Tensor:
        """Forward only. A graph must not hold what autocast cached outside of it."""
        kind = torch.device(self._device).type
        with torch.autocast(kind, torch.bfloat16, cache_enabled=False):
            logits = self._trained(self._x)
        return F.cross_entropy(logits.float(), self._labels)

    def eager(self) -> None:
        """Forward, backward, update."""
        self._optimizer.zero_grad(set_to_none=True)
        self.loss().backward()
        self._optimizer.step()

    def graph(self) -> torch.cuda.CUDAGraph:
        """Capture a step, as https://docs.pytorch.org/docs/stable/notes/cuda.html has it."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.eager()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        self._optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.loss().backward()
            self._optimizer.step()
        return graph


def steps_a_second(bench: Bench, size: Size) -> Iterator[str]:
    """Yield a row for each number of frozen stages: eager, and as a graph."""
    device = bench.execution.device
    for k in range(bench.task.num_stages + 1):
        step = Step(bench, k, size)
        step.eager()
        eager = size.steps / seconds(device, partial(_repeat, step.eager, size.steps))
        graphed = "not on a CPU"
        if torch.device(device).type == "cuda":
            graph = step.graph()
            took = seconds(device, partial(_repeat, graph.replay, size.steps))
            graphed = f"{size.steps / took:.0f}"
        yield f"| {bench.task.backbone} | {k} | {eager:.0f} | {graphed} |"


def _repeat(work: Callable[[], object], times: int) -> None:
    for _ in range(times):
        work()


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="auto")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--backbones", default=",".join(BACKBONES))
    parser.add_argument("--weights", default="none", help="speed does not depend on them")
    parser.add_argument("--image-size", type=int, help="default: the backbone's own")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args(arguments)
    size = TINY if options.tiny else Size()
    dataset = open_dataset(options.data)
    name = torch.cuda.get_device_name() if options.device != "cpu" else "CPU"
    print(f"{name}, torch {torch.__version__}, {len(dataset.train)} images\n")
    with tempfile.TemporaryDirectory(prefix="gpu-study") as folder:
        execution = Execution(options.device, 1, Precision.BF16, Precision.BF16)
        benches = [
            Bench.sharing(
                dataset,
                TaskConfig(name, options.weights, options.image_size),
                execution,
                Path(folder),
                8 * 2**30,
            )
            for name in options.backbones.split(",")
        ]
        _print_tables(benches, size)


def _print_tables(benches: list[Bench], size: Size) -> None:
    print("| backbone | k | first epoch, s | images / s | in kernels |\n|---|---|---|---|---|")
    for bench in benches:
        for row in by_depth(bench, size):
            print(row, flush=True)
    print("\n| backbone | k | steps / s | as a CUDA graph |\n|---|---|---|---|")
    for bench in benches:
        for row in steps_a_second(bench, size):
            print(row, flush=True)
    fused, single = heads_a_minute(benches[0], size)
    print(f"\nheads of {size.head_epochs} epochs a minute: {fused:.0f} fused, {single:.0f} single")


if __name__ == "__main__":
    main()
