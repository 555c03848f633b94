"""What frozen stages put out: the same bits from the cache, from a shallower k, and from pixels."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from torch import Tensor, nn

from antsbees.config import Precision, TaskConfig
from antsbees.data import images
from antsbees.data.datasets import Dataset
from antsbees.data.folder import read_folder
from antsbees.errors import DataError
from antsbees.frozen import activations
from antsbees.frozen.activations import Activations
from antsbees.frozen.cache import TensorCache
from antsbees.machine import kinds
from antsbees.machine.devices import Execution
from antsbees.networks.backbones import Backbone
from antsbees.networks.catalog import Architecture
from tests.antsbees.laboratory import Laboratory

ROOM = 10**9
BF16 = Execution(inference_precision=Precision.BF16)


@pytest.fixture
def cache(tmp_path: Path) -> TensorCache:
    return TensorCache(tmp_path / "cache", ROOM)


class Counting(nn.Module):
    """A stage that doubles what it is given, and counts the images that went through."""

    def __init__(self) -> None:
        super().__init__()
        self.num_images = 0

    def forward(self, x: Tensor) -> Tensor:
        self.num_images += len(x)
        return 2 * x


def counting_backbone(num_stages: int = 3) -> Backbone:
    entry = Architecture("resnet18", "resnet", num_stages, 3, 0.1, 0.5)
    return Backbone(entry, tuple(Counting() for _ in range(num_stages)), "fake")


@pytest.mark.parametrize("execution", [Execution(), BF16], ids=["fp32", "bf16"])
def test_cached_shallower_and_direct_give_the_same_bits(
    lab: Laboratory, cache: TensorCache, execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every k, in several chunks: from pixels, from the k before it, and read back."""
    monkeypatch.setattr(activations, "CHUNK", 10)
    lab = replace(lab, execution=execution)
    from_pixels, step_by_step, reader = lab.activations(), lab.activations(cache), None
    seen = 0
    for k in range(lab.task.num_stages + 1):
        direct = from_pixels.val(k)
        assert torch.equal(step_by_step.val(k), direct)
        reader = lab.activations(cache)
        assert torch.equal(reader.val(k), direct)
        assert reader.val(k).stride() == step_by_step.val(k).stride()
        seen += 1
    assert seen == {"efficientnet_lite0": 10, "resnet18": 6}[lab.task.backbone]


def test_shapes_and_formats_are_as_stated(lite0_lab: Laboratory) -> None:
    source = replace(lite0_lab, execution=BF16).activations()
    assert (source.train(0, 0).shape, source.train(0, 0).dtype) == ((24, 32, 32, 3), torch.uint8)
    assert (source.train(9, 0).shape, source.train(9, 0).dtype) == ((24, 1280), torch.bfloat16)
    assert source.val(2).shape == (16, 16, 16, 16)
    assert lite0_lab.activations().val(2).dtype == torch.float32


def test_a_second_reader_computes_nothing(tiny_dataset: Dataset, cache: TensorCache) -> None:
    task, first, second = TaskConfig("resnet18", "none", 32), counting_backbone(), None
    wanted = Activations(tiny_dataset, first, task, Execution(), cache).train(2, 1)
    assert [stage.num_images for stage in first.stages] == [24, 24, 0]
    second = counting_backbone()
    found = Activations(tiny_dataset, second, task, Execution(), cache).train(2, 1)
    assert [stage.num_images for stage in second.stages] == [0, 0, 0]
    assert torch.equal(found, wanted)


def test_a_deeper_k_starts_from_the_deepest_shallower_one(
    tiny_dataset: Dataset, cache: TensorCache
) -> None:
    task, backbone = TaskConfig("resnet18", "none", 32), counting_backbone()
    Activations(tiny_dataset, counting_backbone(), task, Execution(), cache).train(2, 0)
    Activations(tiny_dataset, backbone, task, Execution(), cache).train(3, 0)
    assert [stage.num_images for stage in backbone.stages] == [0, 0, 24]


def test_without_a_cache_frozen_stages_run_every_time(tiny_dataset: Dataset) -> None:
    task, backbone = TaskConfig("resnet18", "none", 32), counting_backbone()
    source = Activations(tiny_dataset, backbone, task, Execution())
    assert torch.equal(source.train(1, 0), source.train(1, 0))
    assert backbone.stages[0].num_images == 48


def test_cached_activations_need_no_image_files(
    tiny_folder: Path, tmp_path: Path, lite0_lab: Laboratory, cache: TensorCache
) -> None:
    shutil.copytree(tiny_folder, tmp_path / "copy")
    lab = replace(lite0_lab, dataset=read_folder(tmp_path / "copy"))
    wanted = lab.activations(cache).train(0, 0)
    shutil.rmtree(tmp_path / "copy")
    assert torch.equal(lab.activations(cache).train(0, 0), wanted)
    with pytest.raises(DataError, match="no such file"):
        lab.activations(cache).train(0, 1)


def test_what_changes_the_result_changes_the_key(lite0_lab: Laboratory, cache: TensorCache) -> None:
    """View, k, split, image size, data seed, precision, threads and weights."""
    task = lite0_lab.task
    labs = [
        lite0_lab,
        replace(lite0_lab, task=replace(task, image_size=33)),
        replace(lite0_lab, task=replace(task, data_seed=1)),
        replace(lite0_lab, execution=BF16),
        replace(lite0_lab, execution=Execution(threads=2)),
        replace(lite0_lab, backbone=replace(lite0_lab.backbone, weights_hash="other")),
        replace(lite0_lab, dataset=replace(lite0_lab.dataset, fingerprint="other")),
    ]
    for lab in labs:
        lab.activations(cache).train(1, 0)
    pixels, stages = 4, 7  # pixels know nothing of precision, threads and weights
    assert cache.usage().num_files == pixels + stages
    lite0_lab.activations(cache).train(1, 1)
    lite0_lab.activations(cache).val(1)
    assert cache.usage().num_files == pixels + stages + 4


def test_preparing_computes_what_nobody_else_does(
    tiny_dataset: Dataset, cache: TensorCache
) -> None:
    """What another process holds the lock of is left to it, without waiting."""
    task, backbone = TaskConfig("resnet18", "none", 32), counting_backbone()
    source = Activations(tiny_dataset, backbone, task, Execution(), cache)
    source.prepare(1, [("train", 0)])
    (key,) = [
        file.relative_to(cache.folder).as_posix().removesuffix(".tensor")
        for file in cache.folder.rglob("train-v0-k1.tensor")
    ]
    assert backbone.stages[0].num_images == 24
    with cache.computing(key.replace("v0", "v1")):
        source.prepare(1, [("train", 1), ("val", 0)])
    assert backbone.stages[0].num_images == 24 + 16
    source.train(1, 1)
    source.train(1, 0)
    source.val(1)
    assert backbone.stages[0].num_images == 24 + 16 + 24


VERSIONS = {
    "pixels": [(images, "VIEWS_VERSION", 99), (activations, "version", lambda name: "99")],
    "stages": [
        (activations, "LAYERS_VERSION", 99),
        (kinds, "instruction_set", lambda: "AVX1024"),
        (torch, "__version__", "99.0"),
    ],
}


@pytest.mark.parametrize("what", VERSIONS)
def test_versions_that_change_values_change_the_key(
    lite0_lab: Laboratory, cache: TensorCache, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Of our code for views, of Pillow, of our layers, of the instructions, of torch."""
    lite0_lab.activations(cache).train(1, 0)
    for number, (module, name, value) in enumerate(VERSIONS[what], start=1):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, value)
            lite0_lab.activations(cache).train(1, 0)
        assert cache.usage().num_files == 2 + number * (2 if what == "pixels" else 1)


def test_views_of_all_images_extend_those_of_the_splits(
    lite0_lab: Laboratory, cache: TensorCache
) -> None:
    """What is new is one view of the training images, to judge them by."""
    source = lite0_lab.activations(cache)
    train, val = [source.train(2, view) for view in range(2)], source.val(2)
    cached = cache.usage().num_files
    assert cached == 2 * 3
    for view in range(2):
        pooled = source.pooled(2, view)
        assert pooled.shape == (24 + 16, 16, 16, 16)
        assert torch.equal(pooled[:24], train[view])
        assert torch.equal(pooled[24:], val)
    assert cache.usage().num_files == cached
    centred = source.pooled_val(2)
    assert cache.usage().num_files == cached + 2
    assert torch.equal(centred[24:], val)
    assert not torch.equal(centred[:24], train[0])


@pytest.mark.parametrize("max_bytes", [1, 100_000])
def test_a_cache_too_small_changes_no_bits(
    lite0_lab: Laboratory, tmp_path: Path, max_bytes: int
) -> None:
    small = TensorCache(tmp_path, max_bytes)
    assert torch.equal(lite0_lab.activations(small).val(3), lite0_lab.activations().val(3))
    assert small.usage().num_bytes <= max_bytes


def test_what_cannot_be_cached_is_computed_once_an_epoch(
    tiny_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activations, "HELD_ON_HOST_BYTES", 1)
    task, backbone = TaskConfig("resnet18", "none", 32), counting_backbone()
    source = Activations(
        tiny_dataset, backbone, task, Execution(), TensorCache(tmp_path, max_bytes=1)
    )
    source.prepare(1, [("train", 0), ("val", 0)])
    source.train(1, 0)
    source.val(1)
    assert backbone.stages[0].num_images == 24 + 16


def test_a_file_that_cannot_be_published_costs_only_the_file(
    lite0_lab: Laboratory, cache: TensorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanished() -> NoReturn:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(cache, "_make_room", vanished)
    assert torch.equal(lite0_lab.activations(cache).val(3), lite0_lab.activations().val(3))


def test_what_is_too_large_to_stay_at_hand_is_mapped_again(
    tiny_dataset: Dataset, cache: TensorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activations, "HELD_ON_HOST_BYTES", 1)
    task, backbone = TaskConfig("resnet18", "none", 32), counting_backbone()
    source = Activations(tiny_dataset, backbone, task, Execution(), cache)
    assert torch.equal(source.train(1, 0), source.train(1, 0))
    assert backbone.stages[0].num_images == 24


def test_a_cache_that_cannot_be_written_changes_no_bits(
    lite0_lab: Laboratory, cache: TensorCache, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(TensorCache):
        def filling(self, key: str, shape: Sequence[int], dtype: torch.dtype) -> NoReturn:
            raise OSError(28, "No space left on device")

    full = Full(cache.folder, ROOM)
    assert torch.equal(lite0_lab.activations(full).val(3), lite0_lab.activations().val(3))
    assert "cannot be used: [Errno 28] No space left on device" in caplog.text


def test_a_file_in_the_caches_place_changes_no_bits(
    lite0_lab: Laboratory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("no folder")
    unusable = TensorCache(tmp_path / "cache", ROOM)
    source = lite0_lab.activations(unusable)
    source.prepare(3, [("val", 0)])
    assert torch.equal(source.val(3), lite0_lab.activations().val(3))
    assert len([message for message in caplog.messages if "cannot be used" in message]) == 1


def test_damaged_files_are_computed_again(lite0_lab: Laboratory, cache: TensorCache) -> None:
    wanted = lite0_lab.activations(cache).val(3).clone()
    files = sorted(cache.folder.rglob("*.tensor"))
    assert len(files) == 2
    for file in files:
        file.write_bytes(file.read_bytes()[:-1])
    assert torch.equal(lite0_lab.activations(cache).val(3), wanted)


def test_every_architecture_runs_in_bf16_from_every_k(
    tiny_dataset: Dataset, cache: TensorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    from antsbees.networks.backbones import load_backbone

    monkeypatch.setattr(activations, "CHUNK", 8)
    few = replace(tiny_dataset.val, paths=tiny_dataset.val.paths[:2], labels=(0, 1))
    checked = 0
    for name in ("mobilenet_v3_large", "efficientnet_b0", "convnext_tiny"):
        backbone = load_backbone(name, "none")
        dataset = replace(tiny_dataset, fingerprint="few", val=few)
        lab = Laboratory(dataset, backbone, TaskConfig(name, "none", 32), cache)
        source = replace(lab, execution=BF16).activations(cache)
        for k in range(1, lab.task.num_stages + 1):
            source.val(k)
        last = replace(lab, execution=BF16).activations().val(k)
        assert torch.equal(source.val(k), last)
        checked += 1
    assert checked == 3
