"""By what to choose among heads: accuracy or log-loss, on one split or on folds.

    python -m benchmarks.studies.choosing --data FOLDER [--backbone efficientnet_lite2]

Photographs are divided anew for each of twelve splits: 40 % to train on, 25 % to choose by, 35 %
that nothing sees. 200 heads of random settings start as the probe and are trained on the first
part; what is chosen is tried on the last. It also says what a probe of all views is against one of
the images as validation sees them.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from antsbees.bench import Bench
from antsbees.config import Precision, Schedule, TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.data.folder import read_folder
from antsbees.data.folds import folds
from antsbees.frozen import probe
from antsbees.frozen.probe import fit_probe
from antsbees.heads import FusedHeads, Head
from antsbees.hyperparameters import HeadStart, ScheduleKind
from antsbees.machine.devices import Execution
from benchmarks.studies.out_of_fold import out_of_fold
from benchmarks.studies.splits import SHARES

NUM_HEADS = 200
NUM_FINALISTS = 13
Score = tuple[float, float]


class Features:
    """What a frozen network makes of all images: as validation sees them, and of each view.

    Args:
        with_views: Views are asked for, too; they are several times the work.
    """

    def __init__(self, dataset: Dataset, backbone: str, with_views: bool = True) -> None:
        with tempfile.TemporaryDirectory() as folder:
            execution = Execution(inference_precision=Precision.AUTO)
            bench = Bench.sharing(dataset, TaskConfig(backbone), execution, Path(folder), 10**10)
            self.plain = bench.pooled_features().float().clone()
            count = bench.task.views if with_views else 0
            self.views = [v.float().clone() for v in bench.training_features(count)]
        self.labels = torch.tensor(dataset.pooled.labels)
        self.num_classes = len(dataset.classes)
        self.num_stages = bench.task.num_stages

    def fit(self, jobs: Sequence[tuple[TrialConfig, tuple[int, ...]]]) -> Tensor:
        """Train heads on some of the images each; return ``(heads, images, classes)`` logits."""
        starts: dict[tuple[int, ...], nn.Linear] = {}
        for _, images in jobs:
            if images not in starts:
                starts[images] = self.probe(images)
        heads = [Head(config, images, starts[images]) for config, images in jobs]
        fused = FusedHeads(heads, self.views, self.labels, self.num_classes)
        fused.train()
        return fused.logits(self.plain)

    def probe(self, images: Sequence[int]) -> nn.Linear:
        """Fit the probe to some images."""
        places = torch.tensor(images)
        found = fit_probe(self.plain[places], self.labels[places], self.num_classes)
        head = nn.Linear(self.plain.shape[1], self.num_classes)
        head.load_state_dict({"weight": found.weight, "bias": found.bias})
        return head

    def scores(self, logits: Tensor, images: Sequence[int]) -> list[Score]:
        """Return log-loss and accuracy on some images, of each head."""
        places = torch.tensor(images)
        labels = self.labels[places]
        found = []
        for own in logits.detach()[:, places]:
            accuracy = (own.argmax(dim=1) == labels).double().mean()
            found.append((float(F.cross_entropy(own, labels)), float(accuracy)))
        return found


def drawn(rng: random.Random, num_stages: int) -> TrialConfig:
    """Draw settings of a head from the space of the default sweep."""
    return TrialConfig(
        num_stages,
        lr=3e-4 * (0.1 / 3e-4) ** rng.random(),
        momentum=rng.uniform(0.7, 0.95),
        weight_decay=1e-6 * (1e-2 / 1e-6) ** rng.random(),
        batch_size=rng.choice([16, 32]),
        label_smoothing=rng.uniform(0, 0.2),
        epochs=rng.randint(1, 12),
        schedule=Schedule(ScheduleKind.COSINE, final_fraction=rng.uniform(0, 0.2)),
        head_start=HeadStart.PROBE,
    )


def one_split(features: Features, seed: int) -> dict[str, Score]:
    """Return what each way to choose comes to on the unseen images: log-loss and accuracy."""
    train, val, unseen = division(features.labels, seed)
    rng = random.Random(seed)
    configs = [drawn(rng, features.num_stages) for _ in range(NUM_HEADS)]
    logits = features.fit([(config, train) for config in configs])
    judged, truth = features.scores(logits, val), features.scores(logits, unseen)
    by_loss = sorted(range(NUM_HEADS), key=lambda i: judged[i][0])
    by_accuracy = sorted(range(NUM_HEADS), key=lambda i: (-judged[i][1], judged[i][0]))
    pooled = tuple(sorted(train + val))
    found = {
        "best by accuracy": truth[by_accuracy[0]],
        "best by log-loss": truth[by_loss[0]],
        "best there was": min(truth),
        "probe of train + val": features.scores(
            features.probe(pooled)(features.plain)[None], unseen
        )[0],
    }
    with mock.patch.object(probe, "SPREAD", 1e9):
        found["the same, its strength by cross-validation alone"] = features.scores(
            features.probe(pooled)(features.plain)[None], unseen
        )[0]
    for name, order in (("accuracy", by_accuracy), ("log-loss", by_loss)):
        best = _best_on_folds(features, [configs[i] for i in order[:NUM_FINALISTS]], pooled)
        found[f"finals of the best by {name}"] = features.scores(
            features.fit([(best, pooled)]), unseen
        )[0]
    return found


def _best_on_folds(
    features: Features, configs: Sequence[TrialConfig], images: tuple[int, ...]
) -> TrialConfig:
    """Return the configuration with the least out-of-fold log-loss."""
    labels = [int(features.labels[i]) for i in images]
    (division,) = folds(labels, num_folds=5, repeats=1, seed=0)
    held_out = [[images[place] for place in fold.tolist()] for fold in division]
    learnt = [tuple(sorted(set(images) - set(fold))) for fold in held_out]
    logits = features.fit([(config, part) for config in configs for part in learnt])
    losses = []
    for number in range(len(configs)):
        own = logits[number * len(held_out) : (number + 1) * len(held_out)]
        losses.append(
            sum(
                features.scores(one[None], fold)[0][0] * len(fold)
                for one, fold in zip(own, held_out, strict=True)
            )
        )
    return configs[int(np.argmin(losses))]


def division(labels: Tensor, seed: int) -> list[tuple[int, ...]]:
    """Divide images by class: the places of those to train on, to choose by, and unseen."""
    rng = np.random.default_rng(seed)
    parts: list[list[int]] = [[] for _ in SHARES]
    for label in range(int(labels.max()) + 1):
        own = rng.permutation(torch.nonzero(labels == label)[:, 0].numpy())
        ends = np.round(np.cumsum(list(SHARES.values())) * len(own)).astype(int)
        for part, images in zip(parts, np.split(own, ends[:-1]), strict=True):
            part += images.tolist()
    return [tuple(sorted(part)) for part in parts]


def views(features: Features) -> dict[str, float]:
    """Return the out-of-fold log-loss of probes of all views, and of images as they are judged."""
    (division,) = folds(features.labels.tolist(), num_folds=5, repeats=1, seed=0)
    places = [fold.tolist() for fold in division]
    found = {}
    for name, seen in (
        ("all views", features.views),
        ("images as they are judged", [features.plain]),
    ):
        said = out_of_fold(
            torch.stack(seen), features.plain, features.labels, places, features.num_classes
        )
        found[name] = float(F.nll_loss(said.log(), features.labels))
    return found


def main() -> None:
    """Run the splits, and print the means."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.choosing")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--backbone", default="efficientnet_lite2")
    parser.add_argument("--splits", type=int, default=12)
    options = parser.parse_args()
    features = Features(read_folder(options.data), options.backbone)
    for name, loss in views(features).items():
        print(f"probe of {name}: out-of-fold log-loss {loss:.4f}")
    splits = [one_split(features, seed) for seed in range(options.splits)]
    print("| chosen | log-loss | accuracy |\n|---|---|---|")
    for name in splits[0]:
        loss, accuracy = np.mean([split[name] for split in splits], axis=0)
        print(f"| {name} | {loss:.4f} | {100 * accuracy:.2f} % |")


if __name__ == "__main__":
    main()
