"""What a few epochs at each depth bring over the probe: gently, with AdamW, as a soup, boldly.

    python -m benchmarks.studies.depths FOLDER_OR_SET [--frozen-stages 9,8,6,3]

A set is one of those that ``benchmarks.studies.drawn`` draws; ``grain`` has a cue that features of
photographs miss, so that depth pays there.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from antsbees.bench import Bench
from antsbees.config import Precision, TaskConfig, TrialConfig
from antsbees.data.folder import read_folder
from antsbees.data.synthetic.sets import SETS
from antsbees.machine.devices import Execution
from sweeps.spec.first import ADAPTIVE, BOLD, PORTFOLIO_FIRST, PROBE_FIRST, SOUP, First


@contextmanager
def bench_of(images: str, backbone: str) -> Iterator[Bench]:
    """Open a bench with a cache of its own on a folder, or on a set that is drawn for it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(images)
        if images in SETS:
            folder = Path(scratch) / "images"
            SETS[images].write(folder)
        execution = Execution(precision=Precision.AUTO, inference_precision=Precision.AUTO)
        task, cache = TaskConfig(backbone), Path(scratch) / "cache"
        yield Bench.sharing(read_folder(folder), task, execution, cache, 2 * 10**10)


def main() -> None:
    """Train, and print a row for each configuration."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.depths")
    parser.add_argument("images", help=f"a folder, or one of {', '.join(SETS)}")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--frozen-stages", default="8,6,5,3", help="how many, of several trials")
    options = parser.parse_args()
    with bench_of(options.images, options.backbone) as bench:
        print(
            "| frozen stages | optimizer | trainings | BatchNorm | lr "
            "| accuracy by epoch | log-loss by epoch |"
        )
        print("|---|---|---|---|---|---|---|")
        print(_row(bench, PROBE_FIRST, bench.task.num_stages), flush=True)
        for depth in map(int, options.frozen_stages.split(",")):
            for first in (PORTFOLIO_FIRST, ADAPTIVE, SOUP, BOLD):
                print(_row(bench, first, depth), flush=True)


def _row(bench: Bench, first: First, depth: int) -> str:
    config = TrialConfig.from_dict(first.given() | {"frozen_stages": depth})
    training = bench.training(config)
    epochs = [training.run_epoch() for _ in range(config.epochs)]
    accuracies = ", ".join(f"{100 * epoch.val_accuracy:.1f}" for epoch in epochs)
    losses = ", ".join(f"{epoch.val_loss:.3f}" for epoch in epochs)
    settings = f"{config.optimizer} | {config.soup_size} | {config.batchnorm} | {config.lr:g}"
    return f"| {depth} | {settings} | {accuracies} % | {losses} |"


if __name__ == "__main__":
    main()
