"""What the training loop promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from antsbees.config import SETTINGS_OF_KIND, Precision, Schedule, TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.errors import ConfigError, DivergedError
from antsbees.frozen.activations import Activations
from antsbees.frozen.cache import TensorCache
from antsbees.hyperparameters import ScheduleKind
from antsbees.machine.devices import Execution
from antsbees.networks.backbones import load_backbone, normalise
from antsbees.schedules import lr_fraction
from antsbees.training import Training
from tests.antsbees.laboratory import Laboratory, judged, timeless

CONSTANT = Schedule()
SETTINGS: dict[str, Any] = {"step_size": 1, "gamma": 0.5, "final_fraction": 0.1, "peak": 0.3}


def short(frozen_stages: int, **changed: Any) -> TrialConfig:
    config = TrialConfig(frozen_stages, lr=0.01, batch_size=8, schedule=CONSTANT, epochs=2)
    return replace(config, **changed)


class RecordingActivations:
    """Hands out one feature a class, and remembers what was asked for."""

    def __init__(self, dataset: Dataset, width: int) -> None:
        self.dataset = dataset
        self.asked: list[tuple[str, int, int]] = []
        self.prepared: list[tuple[object, ...]] = []
        self._width = width

    def prepare(self, k: int, wanted: Sequence[tuple[str, int]]) -> None:
        self.prepared.append((k, *wanted))

    def get(self, split: str, k: int, view: int) -> Tensor:
        self.asked.append((split, k, view))
        labels = torch.tensor(self.dataset.split(split).labels)
        return nn.functional.one_hot(labels, self._width).float()

    def train(self, k: int, view: int) -> Tensor:
        return self.get("train", k, view)

    def val(self, k: int) -> Tensor:
        return self.get("val", k, 0)


@contextmanager
def recorded_batches(training: Training) -> Iterator[list[Tensor]]:
    """Remember the batches that are learnt from."""
    batches: list[Tensor] = []

    def record(part: nn.Module, given: tuple[Tensor, ...]) -> None:
        if part.training:
            batches.append(given[0])

    handle = training.trained.register_forward_pre_hook(record)
    yield batches
    handle.remove()


@pytest.mark.parametrize("from_end", [0, 1])
def test_the_same_configuration_gives_the_same_bits(lab: Laboratory, from_end: int) -> None:
    config = short(lab.task.num_stages - from_end)
    once, again = lab.training(config), lab.training(config)
    for _ in range(2):
        assert timeless(once.run_epoch()) == timeless(again.run_epoch())
        assert np.array_equal(judged(once).probabilities, judged(again).probabilities)


def test_a_backbone_with_stochastic_depth_gives_the_same_bits(
    tiny_dataset: Dataset, shared_cache: TensorCache
) -> None:
    backbone = load_backbone("efficientnet_b0", "none")
    task = TaskConfig("efficientnet_b0", "none", 32)
    lab = Laboratory(tiny_dataset, backbone, task, shared_cache)
    config = short(6, epochs=1)
    assert lab.curve(config) == lab.curve(config)


def test_trials_that_take_turns_do_not_disturb_each_other(lite0_lab: Laboratory) -> None:
    alone = [lite0_lab.curve(short(8, seed=seed)) for seed in (1, 2)]
    one, two = (lite0_lab.training(short(8, seed=seed)) for seed in (1, 2))
    turns = [(timeless(one.run_epoch()), timeless(two.run_epoch())) for _ in range(2)]
    assert [[turn[trial] for turn in turns] for trial in range(2)] == alone


def test_another_seed_gives_another_curve(lite0_lab: Laboratory) -> None:
    assert lite0_lab.curve(short(9, seed=0)) != lite0_lab.curve(short(9, seed=1))


@pytest.mark.parametrize("k", [8, 9])
def test_the_loss_falls(lite0_lab: Laboratory, k: int) -> None:
    curve = lite0_lab.curve(short(k, lr=0.02, epochs=6))
    assert curve[-1]["train_loss"] < 0.7 * curve[0]["train_loss"]


def test_epochs_are_counted_from_one(lite0_lab: Laboratory) -> None:
    assert [metrics["epoch"] for metrics in lite0_lab.curve(short(9, epochs=3))] == [1, 2, 3]


def test_the_metrics_are_those_of_the_evaluation(lite0_lab: Laboratory) -> None:
    training = lite0_lab.training(short(9))
    metrics = training.run_epoch()
    assert (metrics.val_loss, metrics.val_accuracy) == (
        judged(training).loss,
        judged(training).accuracy,
    )
    assert 0 < metrics.train_s < metrics.seconds
    assert metrics.images_per_second == pytest.approx(24 / metrics.seconds)


def test_a_rate_far_too_high_is_reported_as_divergence(lite0_lab: Laboratory) -> None:
    training = lite0_lab.training(short(9, lr=1e38))
    with pytest.raises(DivergedError, match=r"no longer finite in epoch 1: training (nan|inf)"):
        training.run_epoch()


@pytest.mark.parametrize("excess", [1, 100])
def test_more_frozen_stages_than_there_are_is_refused(lab: Laboratory, excess: int) -> None:
    k = lab.task.num_stages + excess
    rule = f"frozen_stages must be at most {k - excess}, the number of stages of "
    with pytest.raises(ConfigError) as refused:
        lab.training(short(k))
    assert str(refused.value) == f"{rule}{lab.task.backbone}, got {k}"


def test_validation_images_can_be_learnt_from_as_well(lite0_lab: Laboratory) -> None:
    training = lite0_lab.training(short(9), train_on=("train", "val"))
    metrics = training.run_epoch()
    assert metrics.images_per_second * metrics.seconds == pytest.approx(24 + 16)


@pytest.mark.parametrize("kind", ScheduleKind)
def test_every_schedule_sets_the_rate(lite0_lab: Laboratory, kind: ScheduleKind) -> None:
    settings = {name: SETTINGS[name] for name in SETTINGS_OF_KIND[kind]}
    schedule = Schedule(kind, warmup_epochs=1, **settings)
    curve = lite0_lab.curve(short(9, schedule=schedule, epochs=3))
    last_batches = [epoch + 2 / 3 for epoch in range(3)]
    expected = [0.01 * lr_fraction(schedule, progress, 3) for progress in last_batches]
    assert [metrics["lr"] for metrics in curve] == pytest.approx(expected)


def test_epoch_e_reads_view_e_mod_views(lite0_lab: Laboratory) -> None:
    source = RecordingActivations(lite0_lab.dataset, 1280)
    lab = replace(lite0_lab, task=replace(lite0_lab.task, views=3))
    lab.curve(short(9, epochs=7), cast(Activations, source))
    assert [view for split, _, view in source.asked if split == "train"] == [0, 1, 2, 0, 1, 2, 0]
    assert {(k, view) for split, k, view in source.asked if split == "val"} == {(9, 0)}
    assert source.prepared[1] == (9, ("train", 1), ("val", 0))


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(8, [8, 8, 8]), (23, [24]), (11, [11, 11, 2]), (100, [24]), (1, [1] * 22 + [2])],
)
def test_a_last_batch_of_one_joins_its_neighbour(
    lite0_lab: Laboratory, batch_size: int, sizes: list[int]
) -> None:
    training = lite0_lab.training(short(9, batch_size=batch_size))
    with recorded_batches(training) as batches:
        training.run_epoch()
    assert [len(batch) for batch in batches] == sizes


def test_every_image_is_seen_once_an_epoch_in_an_order_of_its_own(lite0_lab: Laboratory) -> None:
    source = lite0_lab.activations()
    training = lite0_lab.training(short(9, batch_size=7), source)
    orders = []
    for view in range(2):
        with recorded_batches(training) as batches:
            training.run_epoch()
        known = {row.numpy().tobytes(): i for i, row in enumerate(source.train(9, view))}
        orders.append([known[row.numpy().tobytes()] for row in torch.cat(batches)])
    assert [sorted(order) for order in orders] == [list(range(24))] * 2
    assert orders[0] != orders[1]


@pytest.mark.parametrize("k", [0, 5])
def test_the_whole_network_answers_as_the_parts_do(resnet18_lab: Laboratory, k: int) -> None:
    training = resnet18_lab.training(short(k))
    training.run_epoch()
    pixels = resnet18_lab.activations().val(0)
    with torch.no_grad():
        logits = training.network()(normalise(pixels, resnet18_lab.backbone.architecture))
    np.testing.assert_allclose(
        logits.softmax(dim=1).numpy(), judged(training).probabilities, atol=1e-5
    )


@pytest.mark.parametrize("k", [7, 9])
def test_bf16_learns_as_fp32_does_but_for_its_few_digits(lite0_lab: Laboratory, k: int) -> None:
    execution = Execution(precision=Precision.BF16, inference_precision=Precision.BF16)
    config = short(k, lr=0.02, epochs=3)
    exact = lite0_lab.training(config).run_epoch().train_loss
    found = [m["train_loss"] for m in replace(lite0_lab, execution=execution).curve(config)]
    assert found[0] != exact
    assert found[0] == pytest.approx(exact, rel=0.05)
    assert found[2] < 0.9 * found[0]


def test_the_activations_are_not_written_to(lite0_lab: Laboratory) -> None:
    source: Activations = lite0_lab.activations()
    before = source.train(0, 0).clone()
    lite0_lab.curve(short(0, epochs=1), source)
    assert torch.equal(source.train(0, 0), before)


class CountingWaits(TorchDispatchMode):
    """Counts the operations that wait for a device to hand over a number."""

    def __init__(self) -> None:
        super().__init__()
        self.num_waits = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.num_waits += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_the_device_is_not_waited_for_in_every_batch(lite0_lab: Laboratory) -> None:
    counts = []
    for batch_size in (2, 24):
        training = lite0_lab.training(short(8, batch_size=batch_size))
        with CountingWaits() as counting:
            training.run_epoch()
        counts.append(counting.num_waits)
    assert counts[0] == counts[1] > 0
