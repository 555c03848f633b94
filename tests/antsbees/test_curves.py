"""Learning curves are the same with the cache and without, and those of a naive loop."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from antsbees.config import Schedule, TrialConfig
from antsbees.data import images
from antsbees.data.datasets import Split
from antsbees.frozen.cache import TensorCache
from antsbees.networks.backbones import normalise
from tests.antsbees.laboratory import Laboratory

ALL_K = [("efficientnet_lite0", k) for k in range(10)] + [("resnet18", k) for k in range(6)]
LAB_OF = {"efficientnet_lite0": "lite0_lab", "resnet18": "resnet18_lab"}


@pytest.fixture
def cache(tmp_path: Path) -> TensorCache:
    return TensorCache(tmp_path / "cache", max_bytes=10**9)


def few_images(lab: Laboratory) -> Laboratory:
    """Keep every third training and every fourth validation image."""
    few: dict[str, Any] = {
        name: Split(split.paths[::step], split.labels[::step])
        for name, split, step in (("train", lab.dataset.train, 3), ("val", lab.dataset.val, 4))
    }
    return replace(lab, dataset=replace(lab.dataset, fingerprint="few", **few))


@pytest.mark.parametrize(("name", "k"), ALL_K)
def test_learning_curves_with_and_without_the_cache_are_equal(
    request: pytest.FixtureRequest, cache: TensorCache, name: str, k: int
) -> None:
    lab = few_images(request.getfixturevalue(LAB_OF[name]))
    config = TrialConfig(k, lr=0.01, batch_size=8, epochs=2)
    assert lab.curve(config, lab.activations(cache)) == lab.curve(config, lab.activations())


def naive_curve(lab: Laboratory, config: TrialConfig) -> list[tuple[float, float]]:
    """Fine-tune as a plain script does: the whole network on every batch, views made each time."""
    torch.manual_seed(config.seed)
    head = nn.Linear(lab.backbone.architecture.width, 2)
    stages = [copy.deepcopy(stage) for stage in lab.backbone.stages]
    network = nn.Sequential(*stages, head).requires_grad_(False)
    trained = network[config.frozen_stages :].requires_grad_(True)
    optimizer = torch.optim.SGD(trained.parameters(), lr=config.lr, momentum=config.momentum or 0.0)
    train, val = lab.dataset.train, lab.dataset.val
    size, seed = lab.task.image_size, lab.task.data_seed

    def batch_of(views: list[images.Pixels]) -> Tensor:
        pixels = torch.stack([torch.from_numpy(view.copy()) for view in views])
        return normalise(pixels, lab.backbone.architecture)

    curve = []
    for epoch in range(config.epochs):
        network.eval()
        trained.train()
        total = 0.0
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + epoch)
        for batch in torch.randperm(len(train), generator=generator).split(config.batch_size):
            views = [
                images.training_view(
                    images.decode(train.paths[i]), size, seed=seed, index=i, view=epoch % 2
                )
                for i in batch.tolist()
            ]
            loss = F.cross_entropy(network(batch_of(views)), torch.tensor(train.labels)[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(batch)
        network.eval()
        centred = [images.validation_view(images.decode(path), size) for path in val.paths]
        with torch.no_grad():
            loss = F.cross_entropy(network(batch_of(centred)), torch.tensor(val.labels))
        curve.append((total / len(train), float(loss)))
    return curve


@pytest.mark.parametrize(("name", "k"), [item for item in ALL_K if item[1] in (0, 4, 7, 9)])
def test_learning_curves_are_those_of_a_naive_loop(
    request: pytest.FixtureRequest, name: str, k: int
) -> None:
    lab = few_images(request.getfixturevalue(LAB_OF[name]))
    config = TrialConfig(k, lr=0.002, batch_size=4, epochs=2, schedule=Schedule())
    fast = [(m["train_loss"], m["val_loss"]) for m in lab.curve(config, lab.activations())]
    naive = naive_curve(lab, config)
    for ours, theirs in zip(fast, naive, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3)
    assert all(a != b for a, b in pairwise(fast))
