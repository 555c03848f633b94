"""Which of several networks to take, and which together: probes over twelve re-splits.

    python -m benchmarks.studies.networks --data FOLDER
    python -m benchmarks.studies.networks --set insects-hard
    python -m benchmarks.studies.networks --data FOLDER --backbones resnet18,resnet18@288
    python -m benchmarks.studies.networks --data FOLDER --first-split 12 --splits 62

40 % to train on and 25 % to choose by are pooled into folds; 35 % are seen by nothing else. The
last column is how much too much folds say of the accuracy, and its standard error over splits,
which share their images, so that it is a little more.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from antsbees.data.folder import read_folder
from antsbees.data.folds import folds
from antsbees.data.synthetic.sets import SETS
from antsbees.frozen.probe import fit_probe
from antsbees.networks.catalog import architecture
from benchmarks.studies.choosing import Features, division
from benchmarks.studies.out_of_fold import out_of_fold as probes_out_of_fold
from results.ensemble import helped
from results.evidence import Evidence, Floats
from results.schema import Objective
from results.selection import Select, best, cheapest_of_the_best, one

BACKBONES = (
    "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "efficientnet_lite2@320",
)  # fmt: skip


def probabilities(features: Features, learnt: list[int], asked: list[int]) -> Floats:
    """Return what the probe of some images says of others, ``(images, classes)``."""
    places = torch.tensor(learnt)
    probe = fit_probe(features.plain[places], features.labels[places], features.num_classes)
    said: Floats = probe.probabilities(features.plain[torch.tensor(asked)]).double().numpy()
    return np.minimum(said, 1)


def out_of_fold(features: Features, images: list[int]) -> Floats:
    """Return what probes say of the images they have not learnt from."""
    places = torch.tensor(images)
    plain, labels = features.plain[places], features.labels[places]
    (divided,) = folds(labels.tolist(), num_folds=5, repeats=1, seed=0)
    held_out = [fold.tolist() for fold in divided]
    said: Floats = probes_out_of_fold(
        plain[None], plain, labels, held_out, features.num_classes
    ).numpy()
    return np.minimum(said, 1)


def rules(backbones: Sequence[str]) -> dict[str, Select]:
    """Return the rules that are compared, by what they are called."""
    loss = Objective.VAL_LOSS
    same = [0.0] * len(backbones)
    promises = [architecture(name).accuracy for name in backbones]
    promising = cheapest_of_the_best(loss, same, [True] * len(same), promises)
    always = {
        f"always {name}": (lambda evidence, place=place: one(place, len(evidence.losses)))
        for place, name in enumerate(backbones)
    }
    return always | {
        "the best out of fold": best(loss),
        "of those as good, the best on ImageNet": promising,
        "all, each counting the same": lambda _: np.full(len(same), 1 / len(same)),
        "greedy with replacement, from the best": _greedy,
        "the chosen one and who helps it": helped(promising),
    }


def _greedy(evidence: Evidence) -> Floats:
    """Add the member that lowers the log-loss most, until none does; members may come again.

    Source: Caruana et al. (2004), https://doi.org/10.1145/1015330.1015432.
    """
    right = np.exp(-evidence.losses)
    picked = np.zeros(len(right))
    lowest = np.inf
    while picked.sum() < 50:
        losses = [-np.log((picked @ right + own) / (picked.sum() + 1)).mean() for own in right]
        if min(losses) >= lowest - 1e-12:
            break
        lowest = min(losses)
        picked[int(np.argmin(losses))] += 1
    weights: Floats = picked / picked.sum()
    return weights


def one_split(features: Mapping[str, Features], seed: int) -> dict[str, tuple[float, ...]]:
    """Return log-loss, accuracy, and by how much folds overstate the accuracy, by rule."""
    labels = next(iter(features.values())).labels
    train, val, unseen = division(labels, seed)
    pooled, asked = sorted(train + val), list(unseen)
    known = Evidence.of(
        np.stack([out_of_fold(own, pooled) for own in features.values()]),
        labels[torch.tensor(pooled)].numpy(),
    )
    truth = Evidence.of(
        np.stack([probabilities(own, pooled, asked) for own in features.values()]),
        labels[torch.tensor(asked)].numpy(),
    )
    found: dict[str, tuple[float, ...]] = {}
    for name, rule in rules([*features]).items():
        weights = rule(known)
        loss = truth.mixed(weights, Objective.VAL_LOSS)
        accuracy = truth.mixed(weights, Objective.VAL_ACCURACY)
        found[name] = (loss, accuracy, known.mixed(weights, Objective.VAL_ACCURACY) - accuracy)
    return found


def main() -> None:
    """Run the splits, and print the means."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.networks")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--set", choices=SETS)
    parser.add_argument("--backbones", default=",".join(BACKBONES))
    parser.add_argument("--first-split", type=int, default=0)
    parser.add_argument("--splits", type=int, default=12, help="the number of the last, and one")
    options = parser.parse_args()
    if options.first_split >= options.splits:
        parser.error("--splits must be above --first-split")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.data or Path(scratch) / "drawn"
        if options.set:
            SETS[options.set].write(folder)
        dataset = read_folder(folder)
        names = options.backbones.split(",")
        features = {name: Features(dataset, name, with_views=False) for name in names}
    seeds = range(options.first_split, options.splits)
    splits = [one_split(features, seed) for seed in seeds]
    print("| rule | log-loss | accuracy | told - true |\n|---|---|---|---|")
    for name in splits[0]:
        values = np.array([split[name] for split in splits])
        loss, accuracy, off = values.mean(axis=0)
        error = values[:, 2].std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
        told = f"{100 * off:+.2f} ± {100 * error:.2f}"
        print(f"| {name} | {loss:.4f} | {100 * accuracy:.2f} % | {told} |")


if __name__ == "__main__":
    main()
