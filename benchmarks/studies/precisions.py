"""Does a frozen part in bf16 cost accuracy? ``-m benchmarks.studies.precisions [--data FOLDER]``.

Trains heads (k = all), and the last two stages (k = 7), on activations computed in fp32 and in
bf16, under several seeds, and prints mean and standard deviation of accuracy and loss.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator

from antsbees.bench import Bench
from antsbees.config import Precision, Schedule, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.data.sources import AUTO, open_dataset
from antsbees.frozen.cache import TensorCache
from antsbees.hyperparameters import ScheduleKind
from antsbees.machine.allocator import keep_freed_memory
from antsbees.machine.devices import Execution
from antsbees.networks.backbones import Backbone, load_backbone
from antsbees.storage import cache_folder
from antsbees.training import EpochMetrics

CASES = (
    ("head, activations fp32", 9, Precision.FP32, Precision.FP32, 10),
    ("head, activations bf16", 9, Precision.FP32, Precision.BF16, 10),
    ("k = 7, all in fp32", 7, Precision.FP32, Precision.FP32, 5),
    ("k = 7, activations bf16", 7, Precision.FP32, Precision.BF16, 5),
    ("k = 7, training bf16 too", 7, Precision.BF16, Precision.BF16, 5),
)
EPOCHS = 10


def last_epochs(
    dataset: Dataset, backbone: Backbone, k: int, execution: Execution, seeds: int
) -> Iterator[EpochMetrics]:
    """Yield the last epoch's metrics of a training under each seed."""
    cache = TensorCache(cache_folder() / "activations", 8 * 1024**3)
    bench = Bench(dataset, execution=execution, cache=cache, backbone=backbone)
    for seed in range(seeds):
        config = TrialConfig(
            frozen_stages=k,
            lr=0.01,
            batch_size=32,
            epochs=EPOCHS,
            seed=seed,
            schedule=Schedule(ScheduleKind.COSINE, final_fraction=0.0),
        )
        training = bench.training(config)
        for _ in range(EPOCHS):
            metrics = training.run_epoch()
        yield metrics


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=AUTO)
    dataset = open_dataset(parser.parse_args().data)
    keep_freed_memory()
    backbone = load_backbone("efficientnet_lite0")
    print("| case | seeds | accuracy | loss | seconds |\n|---|---|---|---|---|")
    for name, k, precision, inference, seeds in CASES:
        execution = Execution("cpu", 2, precision, inference)
        start = time.perf_counter()
        found = list(last_epochs(dataset, backbone, k, execution, seeds))
        accuracies = [metrics.val_accuracy for metrics in found]
        losses = [metrics.val_loss for metrics in found]
        print(
            f"| {name} | {seeds} | {statistics.fmean(accuracies):.4f} ± "
            f"{statistics.stdev(accuracies):.4f} | {statistics.fmean(losses):.4f} ± "
            f"{statistics.stdev(losses):.4f} | {time.perf_counter() - start:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
