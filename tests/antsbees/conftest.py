"""What this room's tests share: one thread, and backbones loaded once."""

from __future__ import annotations

import pytest
import torch

from antsbees.config import TaskConfig
from antsbees.data.datasets import Dataset
from antsbees.frozen.cache import TensorCache
from antsbees.networks.backbones import Backbone, load_backbone
from tests.antsbees.laboratory import Laboratory


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def lite0() -> Backbone:
    """EfficientNet-Lite0 with the weights of its package."""
    return load_backbone("efficientnet_lite0")


@pytest.fixture(scope="session")
def resnet18() -> Backbone:
    """ResNet-18 with weights drawn from a seed."""
    return load_backbone("resnet18", weights="none")


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> TensorCache:
    """Activations that tests need not compute again."""
    return TensorCache(tmp_path_factory.mktemp("activations"), max_bytes=10**9)


@pytest.fixture(scope="session")
def lite0_lab(tiny_dataset: Dataset, lite0: Backbone, shared_cache: TensorCache) -> Laboratory:
    """EfficientNet-Lite0 on the tiny images, 32 pixels wide."""
    task = TaskConfig("efficientnet_lite0", image_size=32, views=2)
    return Laboratory(tiny_dataset, lite0, task, shared_cache)


@pytest.fixture(scope="session")
def resnet18_lab(
    tiny_dataset: Dataset, resnet18: Backbone, shared_cache: TensorCache
) -> Laboratory:
    """ResNet-18 on the tiny images, 32 pixels wide."""
    task = TaskConfig("resnet18", "none", image_size=32, views=2)
    return Laboratory(tiny_dataset, resnet18, task, shared_cache)


@pytest.fixture(params=["efficientnet_lite0", "resnet18"])
def lab(
    request: pytest.FixtureRequest, lite0_lab: Laboratory, resnet18_lab: Laboratory
) -> Laboratory:
    """Each of the two."""
    return lite0_lab if request.param == "efficientnet_lite0" else resnet18_lab
