"""Loss, accuracy and probabilities, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from antsbees.config import Precision
from antsbees.evaluation import Evaluation, evaluate, network_input
from antsbees.machine.devices import Execution
from antsbees.networks.backbones import Backbone
from tests.antsbees.laboratory import Laboratory

NUM_IMAGES, NUM_CLASSES = 150, 3  # more than two chunks


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(NUM_IMAGES, NUM_CLASSES, generator=torch.Generator().manual_seed(0)) * 3


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.arange(NUM_IMAGES) % NUM_CLASSES


def evaluation_of(logits: torch.Tensor, labels: torch.Tensor, backbone: Backbone) -> Evaluation:
    """Evaluate a network that puts out what it is given."""
    return evaluate(nn.Identity(), logits, labels, backbone, Execution())


def test_probabilities_are_the_softmax(
    logits: torch.Tensor, labels: torch.Tensor, lite0: Backbone
) -> None:
    found = evaluation_of(logits, labels, lite0).probabilities
    assert (found.shape, found.dtype.type) == ((NUM_IMAGES, NUM_CLASSES), np.float32)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    powers = np.exp(logits.double().numpy())
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)


def test_the_loss_is_the_mean_cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, lite0: Backbone
) -> None:
    values = logits.double().numpy()
    log_sum = np.log(np.exp(values).sum(axis=1))
    expected = (log_sum - values[np.arange(NUM_IMAGES), labels.numpy()]).mean()
    assert evaluation_of(logits, labels, lite0).loss == pytest.approx(expected, rel=1e-5)


def test_the_accuracy_is_the_share_of_right_likeliest_classes(
    logits: torch.Tensor, labels: torch.Tensor, lite0: Backbone
) -> None:
    found = evaluation_of(logits, labels, lite0)
    right = (found.probabilities.argmax(axis=1) == labels.numpy()).mean()
    assert found.accuracy == pytest.approx(right, abs=1e-6)
    assert evaluation_of(logits, logits.argmax(dim=1), lite0).accuracy == 1
    assert evaluation_of(logits, (logits.argmax(dim=1) + 1) % 3, lite0).accuracy == 0


def test_an_accuracy_is_written_without_rounding_noise(lite0: Backbone) -> None:
    """Three of five is 0.6, as a leaderboard and its ties need it."""
    logits = nn.functional.one_hot(torch.zeros(5, dtype=torch.long), 2).float()
    labels = torch.tensor([0, 0, 0, 1, 1])
    assert evaluation_of(logits, labels, lite0).accuracy == 3 / 5


def test_evaluating_changes_nothing(lite0_lab: Laboratory) -> None:
    """No BatchNorm statistics, and the same answer again; dropout and the like are off."""
    source, backbone = lite0_lab.activations(), lite0_lab.backbone
    trained = backbone.trained_part(7, 2, seed=0).train()
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    labels = torch.tensor(lite0_lab.dataset.val.labels)
    one, two = (
        evaluate(trained, source.val(7), labels, backbone, Execution()).probabilities
        for _ in range(2)
    )
    assert np.array_equal(one, two)
    assert len(before) == 26
    assert all(torch.equal(before[name], t) for name, t in trained.state_dict().items())


def test_bf16_answers_nearly_the_same(lite0_lab: Laboratory) -> None:
    pixels, labels = lite0_lab.activations().val(0), torch.zeros(16, dtype=torch.long)
    network = lite0_lab.backbone.trained_part(0, 2, seed=0)
    fp32, bf16 = (
        evaluate(network, pixels, labels, lite0_lab.backbone, Execution(inference_precision=p))
        for p in (Precision.FP32, Precision.BF16)
    )
    np.testing.assert_allclose(fp32.probabilities, bf16.probabilities, atol=0.05)
    assert not np.array_equal(fp32.probabilities, bf16.probabilities)


@pytest.mark.parametrize(
    ("rows", "shape"),
    [
        (torch.zeros(2, 8, 8, 3, dtype=torch.uint8), (2, 3, 8, 8)),
        (torch.zeros(2, 4, 5, 6, dtype=torch.bfloat16), (2, 6, 4, 5)),
        (torch.zeros(2, 7, dtype=torch.bfloat16), (2, 7)),
    ],
)
def test_rows_become_float32_input_of_the_next_stage(
    lite0: Backbone, rows: torch.Tensor, shape: tuple[int, ...]
) -> None:
    found = network_input(rows, lite0, Execution())
    assert (found.shape, found.dtype) == (shape, torch.float32)
