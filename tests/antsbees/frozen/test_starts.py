"""A head that starts as the probe is the probe, fitted once to what is learnt from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from antsbees.bench import Bench
from antsbees.config import Precision, Schedule, TrialConfig
from antsbees.evaluation import evaluate
from antsbees.frozen.activations import TRAIN_CENTRED, Activations
from antsbees.frozen.cache import TensorCache
from antsbees.frozen.probe import fit_probe
from antsbees.frozen.starts import ProbeStarts
from antsbees.hyperparameters import HeadStart
from antsbees.lessons import Splits
from antsbees.machine.devices import Execution
from antsbees.training import Training
from tests.antsbees.laboratory import Laboratory, head_of, timeless

PROBE = TrialConfig(
    9, lr=0.001, batch_size=8, schedule=Schedule(), epochs=2, head_start=HeadStart.PROBE
)


class NoActivations(Activations):
    """Fails the test that asks for activations."""

    def get(self, split: str, k: int, view: int) -> torch.Tensor:
        raise AssertionError(f"asked for {split} at {k}, view {view}")


@pytest.fixture
def cache(tmp_path: Path) -> TensorCache:
    return TensorCache(tmp_path / "cache", max_bytes=10**9)


def probe_of(lab: Laboratory) -> nn.Linear:
    """Fit the probe to the training images of a laboratory, seen as validation sees them."""
    features = lab.activations().get(TRAIN_CENTRED, lab.task.num_stages, 0)
    probe = fit_probe(features.float(), torch.tensor(lab.dataset.train.labels), 2)
    head = nn.Linear(*probe.weight.T.shape)
    head.load_state_dict({"weight": probe.weight, "bias": probe.bias})
    return head


@pytest.mark.parametrize("from_end", [0, 1, 2])
def test_before_its_first_step_a_trial_answers_as_the_probe(lab: Laboratory, from_end: int) -> None:
    """However many stages are trained: their weights are still the pre-trained ones."""
    k = lab.task.num_stages - from_end
    training = lab.training(replace(PROBE, frozen_stages=k))
    labels, source = torch.tensor(lab.dataset.val.labels), lab.activations()
    ours = evaluate(training.trained, source.val(k), labels, lab.backbone, lab.execution)
    features = source.val(lab.task.num_stages)
    expected = evaluate(probe_of(lab), features, labels, lab.backbone, lab.execution)
    np.testing.assert_allclose(ours.probabilities, expected.probabilities, atol=1e-5)


def test_a_step_changes_the_head_of_one_trial_alone(lite0_lab: Laboratory) -> None:
    bench = lite0_lab.bench()
    once, again = bench.training(PROBE), bench.training(replace(PROBE, lr=0.5))
    again.run_epoch()
    third = bench.training(PROBE)
    assert timeless(once.run_epoch()) == timeless(third.run_epoch())


def test_a_random_head_is_what_it_was(lite0_lab: Laboratory) -> None:
    """The default draws from the seed, whatever was fitted before on the same bench."""
    random = replace(PROBE, head_start=HeadStart.RANDOM)
    assert random == TrialConfig(9, lr=0.001, batch_size=8, schedule=Schedule(), epochs=2)
    bench = lite0_lab.bench()
    bench.training(PROBE)
    expected = lite0_lab.backbone.trained_part(9, 2, seed=0)
    assert torch.equal(head_of(bench.training(random).trained), head_of(expected))


def test_a_probe_starts_nearer_to_the_end_than_chance(lite0_lab: Laboratory) -> None:
    random = lite0_lab.curve(replace(PROBE, head_start=HeadStart.RANDOM))
    assert lite0_lab.curve(PROBE)[0]["train_loss"] < random[0]["train_loss"]


def test_what_is_learnt_from_is_what_the_probe_is_fitted_to(lite0_lab: Laboratory) -> None:
    bench = lite0_lab.bench()
    heads = [
        head_of(bench.training(PROBE, train_on).trained)
        for train_on in (("train",), ("train", "val"))
    ]
    assert not torch.equal(*heads)


def test_one_process_fits_it_for_all(lite0_lab: Laboratory, cache: TensorCache) -> None:
    fitted = ProbeStarts(lite0_lab.activations(cache), 9, cache).head(("train",))
    lab, execution = lite0_lab, lite0_lab.execution
    reader = NoActivations(lab.dataset, lab.backbone, lab.task, execution, cache)
    read = ProbeStarts(reader, 9, cache).head(("train",))
    assert torch.equal(read.weight, fitted.weight)
    assert torch.equal(read.bias, fitted.bias)
    with pytest.raises(AssertionError, match="asked for train"):
        ProbeStarts(reader, 9).head(("train",))
    bf16 = NoActivations(
        lab.dataset, lab.backbone, lab.task, Execution(inference_precision=Precision.BF16), cache
    )
    with pytest.raises(AssertionError, match="asked for train"):
        ProbeStarts(bf16, 9, cache).head(("train",))


def test_one_process_fits_the_heads_of_folds_for_all(
    lite0_lab: Laboratory, cache: TensorCache
) -> None:
    folds = [tuple(range(first, 40, 2)) for first in range(2)]
    fitted = ProbeStarts(lite0_lab.activations(cache), 9, cache).fold_heads(folds)
    assert len(fitted) == 2
    assert not torch.equal(fitted[0].weight, fitted[1].weight)
    lab, run = lite0_lab, lite0_lab.execution
    reader = NoActivations(lab.dataset, lab.backbone, lab.task, run, cache)
    read = ProbeStarts(reader, 9, cache).fold_heads(folds)
    assert all(torch.equal(a.weight, b.weight) for a, b in zip(fitted, read, strict=True))
    with pytest.raises(AssertionError, match="asked for"):
        ProbeStarts(reader, 9, cache).fold_heads(folds[::-1])


def test_a_damaged_file_is_fitted_again(lite0_lab: Laboratory, cache: TensorCache) -> None:
    wanted = ProbeStarts(lite0_lab.activations(cache), 9, cache).head(("train",))
    (file,) = cache.folder.rglob("probe*.tensor")
    file.write_bytes(file.read_bytes()[:-10])
    again = ProbeStarts(lite0_lab.activations(cache), 9, cache).head(("train",))
    assert torch.equal(again.weight, wanted.weight)


def test_a_folder_that_cannot_be_used_costs_the_file_only(
    lite0_lab: Laboratory, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file in its place")
    cache = TensorCache(tmp_path / "cache", max_bytes=10**9)
    head = ProbeStarts(lite0_lab.activations(), 9, cache).head(("train",))
    assert torch.equal(head.weight, probe_of(lite0_lab).weight)


def test_a_training_without_the_head_it_asks_for_is_refused(lite0_lab: Laboratory) -> None:
    lab = lite0_lab
    parts = (lab.task, lab.backbone, Splits(lab.activations()), lab.execution)
    with pytest.raises(ValueError, match="head_start is probe, which the given head is not"):
        Training(PROBE, *parts)
    with pytest.raises(ValueError, match="head_start is random"):
        Training(replace(PROBE, head_start=HeadStart.RANDOM), *parts, head=nn.Linear(1280, 2))


def test_a_bench_in_bf16_starts_from_features_in_bf16(lite0_lab: Laboratory) -> None:
    execution = Execution(inference_precision=Precision.BF16)
    bench = Bench(lite0_lab.dataset, lite0_lab.task, execution, backbone=lite0_lab.backbone)
    weight = head_of(bench.training(PROBE).trained)
    assert not torch.equal(weight, probe_of(lite0_lab).weight)
    assert weight.isfinite().all()
