"""A bench makes trainings on what is warm, and says what their numbers depend on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from antsbees.bench import Bench
from antsbees.config import Precision, TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.errors import ConfigError, WeightsError
from antsbees.machine.devices import Execution
from tests.antsbees.laboratory import Laboratory, timeless

HEAD = TrialConfig(9, lr=0.01, batch_size=8, epochs=2)


def curve(bench: Bench, config: TrialConfig) -> list[dict[str, float]]:
    training = bench.training(config)
    return [timeless(training.run_epoch()) for _ in range(config.epochs)]


def test_a_dataset_is_all_a_bench_needs(tiny_dataset: Dataset) -> None:
    """The defaults a user gets: the backbone with weights at hand, one thread, float32."""
    bench = Bench(tiny_dataset, TaskConfig(image_size=32))
    assert bench.backbone.architecture.name == "efficientnet_lite0"
    assert 0 <= bench.training(HEAD).run_epoch().val_accuracy <= 1
    assert bench.facts["precision"] == bench.facts["inference_precision"] == "fp32"
    assert Bench(tiny_dataset, backbone=bench.backbone).task == TaskConfig()


def test_a_warm_bench_gives_the_bits_of_a_fresh_one(lite0_lab: Laboratory) -> None:
    warm = lite0_lab.bench()
    for k in (9, 8, 9):
        config = replace(HEAD, frozen_stages=k)
        assert curve(warm, config) == curve(lite0_lab.bench(), config)


def test_what_one_bench_computed_another_reads(
    tiny_dataset: Dataset, lite0_lab: Laboratory, tmp_path: Path
) -> None:
    execution, task = lite0_lab.execution, lite0_lab.task
    curves = []
    for _ in range(2):
        bench = Bench.sharing(tiny_dataset, task, execution, tmp_path, 10**9)
        curves.append(curve(bench, HEAD))
        files = {path: path.stat().st_ino for path in tmp_path.rglob("*.tensor")}
        assert len(files) == 6  # pixels and features of two training views and of validation
    assert curves[0] == curves[1] == curve(lite0_lab.bench(), HEAD)


@pytest.mark.parametrize("max_bytes", [0, 10**9])
def test_without_room_or_folder_nothing_is_kept(
    tiny_dataset: Dataset, lite0_lab: Laboratory, tmp_path: Path, max_bytes: int
) -> None:
    folder = None if max_bytes else tmp_path
    bench = Bench.sharing(tiny_dataset, lite0_lab.task, lite0_lab.execution, folder, max_bytes)
    assert curve(bench, HEAD) == curve(lite0_lab.bench(), HEAD)
    assert list(tmp_path.rglob("*.tensor")) == []


def test_measured_precisions_are_remembered_and_told(
    tiny_dataset: Dataset, lite0_lab: Laboratory, tmp_path: Path
) -> None:
    auto = Execution(precision=Precision.AUTO, inference_precision=Precision.AUTO)
    bench = Bench.sharing(tiny_dataset, lite0_lab.task, auto, tmp_path, 10**9)
    assert {"weights_hash", "library_versions"} <= set(bench.facts)
    assert not {"precision", "inference_precision"} & set(bench.facts)
    bench.training(replace(HEAD, frozen_stages=8))
    found = [json.loads(f.read_text())["fastest"] for f in (tmp_path / "precision").glob("*.json")]
    told = [bench.facts["precision"], bench.facts["inference_precision"]]
    assert sorted(found) == sorted(told)
    bench.training(HEAD)
    assert bench.facts["precision"] == "fp32"  # a head alone


def test_a_bench_learns_from_the_splits_that_are_named(lite0_lab: Laboratory) -> None:
    both = lite0_lab.bench().training(HEAD, train_on=("train", "val")).run_epoch()
    assert both.images_per_second * both.seconds == pytest.approx(24 + 16)


def test_a_configuration_that_does_not_fit_leaves_the_bench_usable(lite0_lab: Laboratory) -> None:
    bench = lite0_lab.bench()
    with pytest.raises(ConfigError, match="frozen_stages must be at most 9"):
        bench.training(replace(HEAD, frozen_stages=10))
    assert len(curve(bench, HEAD)) == 2


def test_weights_that_cannot_be_had_are_told_at_once(tiny_dataset: Dataset) -> None:
    with pytest.raises(WeightsError, match="nowhere"):
        Bench(tiny_dataset, TaskConfig("resnet18", "/nowhere/weights.pth"))


def test_libraries_are_named_with_their_versions(lite0_lab: Laboratory) -> None:
    named = [part.split(" ")[0] for part in lite0_lab.bench().facts["library_versions"].split(", ")]
    assert named == ["python", "torch", "torchvision", "timm", "numpy", "pillow"]
