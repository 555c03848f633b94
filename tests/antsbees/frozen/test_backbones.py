"""A process holds several backbones within a cap, and loads none twice while it is held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from antsbees.config import Precision, TaskConfig
from antsbees.data.datasets import Dataset
from antsbees.frozen import activations
from antsbees.frozen.backbones import Backbones
from antsbees.frozen.cache import TensorCache
from antsbees.machine.devices import Execution

LITE0 = TaskConfig("efficientnet_lite0", "none", image_size=32, views=2)
RESNET18 = TaskConfig("resnet18", "none", image_size=32, views=2)
RESNET18_BYTES = 45 * 10**6


def test_several_are_held_and_none_is_loaded_twice(tiny_dataset: Dataset) -> None:
    backbones = Backbones(tiny_dataset)
    first, second = backbones.load(LITE0), backbones.load(RESNET18)
    assert backbones.load(LITE0) is first
    assert backbones.load(RESNET18) is second
    assert backbones.load(replace(LITE0, image_size=64)) is first
    source = backbones.activations(LITE0, Execution())
    assert backbones.activations(LITE0, Execution()) is source
    bf16 = Execution(inference_precision=Precision.BF16)
    assert backbones.activations(LITE0, bf16) is not source


def test_the_one_used_longest_ago_goes_when_the_cap_is_passed(tiny_dataset: Dataset) -> None:
    backbones = Backbones(tiny_dataset, max_bytes=RESNET18_BYTES)
    first = backbones.load(LITE0)
    backbones.load(RESNET18)
    assert backbones.load(LITE0) is not first


def test_what_is_at_hand_of_activations_is_shared(
    tiny_dataset: Dataset, shared_cache: TensorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under one cap: what a second backbone brings takes the place of the first one's."""
    monkeypatch.setattr(activations, "HELD_ON_HOST_BYTES", 16 * 1280 * 4)  # lite0's features
    backbones = Backbones(tiny_dataset, shared_cache)
    lite0, resnet18 = (backbones.activations(task, Execution()) for task in (LITE0, RESNET18))
    features = lite0.val(9)
    assert lite0.val(9) is features
    assert resnet18.val(5).shape == (16, 512)
    assert lite0.val(9) is not features
