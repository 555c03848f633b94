"""The probe is the optimum it claims to be, is chosen without peeking, and always the same."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from antsbees.frozen import probe as probes
from antsbees.frozen.probe import STRENGTHS, fit_probe, fold_probes

NUM_IMAGES, NUM_VIEWS, NUM_CLASSES, WIDTH = 40, 2, 3, 100


def drawn(width: int = WIDTH, signal: float = 1.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw features ``(V, N, D)`` of images whose views resemble each other, and labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(NUM_IMAGES) % NUM_CLASSES
    centres = torch.randn(NUM_CLASSES, width, generator=generator) * signal
    images = centres[labels] + 2 * torch.randn(NUM_IMAGES, width, generator=generator)
    views = torch.randn(NUM_VIEWS, NUM_IMAGES, width, generator=generator)
    scale = torch.logspace(-2, 2, width)
    return (images + views) * scale + 3 * scale, labels


def stacked(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    return features.flatten(0, 1), labels.repeat(NUM_VIEWS)


def out_of_fold(
    training: Tensor,
    validation: Tensor,
    labels: Tensor,
    folds: list[list[int]],
    strength: float | None,
) -> Tensor:
    """What the probe without each fold says of it, ``(N, C)``."""
    probes_of = fold_probes(training, validation, labels, folds, NUM_CLASSES, strength)
    said = torch.empty(len(labels), NUM_CLASSES)
    for probe, fold in zip(probes_of, folds, strict=True):
        said[fold] = probe.probabilities(validation[fold])
    return said


@pytest.mark.parametrize("width", [20, WIDTH], ids=["more rows", "more features"])
@pytest.mark.parametrize("strength", [1.0, 0.01])
def test_it_is_the_optimum_on_standardised_features(width: int, strength: float) -> None:
    """Autograd on the plain formula, in all features, finds no way further down."""
    features, labels = stacked(*drawn(width))
    features[:, 0] = 7.0  # a constant feature costs nothing
    found = fit_probe(features, labels, NUM_CLASSES, strength)
    std = features.double().std(dim=0, correction=0)
    std[0] = 1.0
    mean = features.double().mean(dim=0)
    weight = (found.weight.double() * std).requires_grad_()
    bias = (found.bias.double() + found.weight.double() @ mean).requires_grad_()
    logits = ((features.double() - mean) / std) @ weight.T + bias
    loss = F.cross_entropy(logits, labels) + strength / 2 * weight.square().sum()
    loss.backward()
    for variable in (weight, bias):
        assert variable.grad is not None
        assert variable.grad.abs().max() < 1e-4
    assert found.strength == strength


def test_it_is_a_linear_head_on_features_as_they_are() -> None:
    features, labels = stacked(*drawn())
    found = fit_probe(features, labels, NUM_CLASSES, 0.1)
    head = torch.nn.Linear(WIDTH, NUM_CLASSES)
    head.load_state_dict({"weight": found.weight, "bias": found.bias})
    assert torch.equal(head(features).softmax(dim=1), found.probabilities(features))


def test_it_is_the_same_to_the_bit_and_draws_no_random_number() -> None:
    features, labels = drawn()[0][0], drawn()[1]
    state = torch.random.get_rng_state()
    first = fit_probe(features, labels, NUM_CLASSES)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(2)
    second = fit_probe(features, labels, NUM_CLASSES)
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(first.bias, second.bias)


def test_noise_asks_for_a_strong_penalty_and_signal_for_a_weak_one() -> None:
    chosen = []
    for signal in (0.0, 3.0):
        features, labels = drawn(signal=signal)
        chosen.append(fit_probe(features[0], labels, NUM_CLASSES).strength)
    assert chosen[0] >= 1.0
    assert chosen[1] <= 0.1


def test_where_images_do_not_tell_the_usual_strength_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On six images the weakest penalty is best by a hair; that is no reason to take it."""
    features, labels = drawn(signal=3.0)
    few, of_few = features[0, :6], labels[:6]
    assert fit_probe(few, of_few, NUM_CLASSES).strength in (0.1, 0.03)
    monkeypatch.setattr(probes, "SPREAD", 1e9)
    assert fit_probe(few, of_few, NUM_CLASSES).strength == STRENGTHS[-1]


def test_of_few_images_no_log_loss_ends_the_search_before_the_usual_strength() -> None:
    """On these ten it rises by a hair from the strongest penalty on, which says next to nothing."""
    features = torch.randn(10, 300, generator=torch.Generator().manual_seed(1))
    assert fit_probe(features, torch.arange(10) % 2, 2).strength == 0.1


def test_folds_hold_each_class_evenly() -> None:
    labels = torch.tensor([0] * 10 + [1] * 15)
    folds = probes._stratified(labels)
    for fold in range(5):
        assert [int(((folds == fold) & (labels == c)).sum()) for c in (0, 1)] == [2, 3]


@pytest.mark.parametrize("strength", [None, 0.1])
def test_what_is_said_of_an_image_comes_from_the_other_folds(strength: float | None) -> None:
    training, labels = drawn()
    validation = training.mean(dim=0)
    folds = [list(range(first, NUM_IMAGES, 4)) for first in range(4)]
    found = out_of_fold(training, validation, labels, folds, strength)
    assert found.shape == (NUM_IMAGES, NUM_CLASSES)
    assert torch.allclose(found.sum(dim=1), torch.ones(NUM_IMAGES))
    changed = labels.clone()
    changed[folds[0]] = (labels[folds[0]] + 1) % NUM_CLASSES
    other = out_of_fold(training, validation, changed, folds, strength)
    moved = (found - other).abs().max(dim=1).values
    if strength is not None:  # one that is chosen is chosen on the labels of other folds
        assert moved[folds[0]].max() < 1e-3
    assert moved[folds[1]].min() > 1e-3


def test_out_of_fold_probabilities_are_those_of_fits_without_the_fold() -> None:
    training, labels = drawn()
    folds = [list(range(first, NUM_IMAGES, 4)) for first in range(4)]
    found = out_of_fold(training, training[0], labels, folds, 0.3)
    kept = sorted(set(range(NUM_IMAGES)) - set(folds[2]))
    alone = fit_probe(
        training[:, kept].flatten(0, 1), labels[kept].repeat(NUM_VIEWS), NUM_CLASSES, 0.3
    )
    wanted = alone.probabilities(training[0][folds[2]])
    # standardised over all images there, over the fold's alone here
    assert torch.allclose(found[folds[2]], wanted, atol=0.05)


def test_folds_must_hold_every_image_once() -> None:
    training, labels = drawn()
    with pytest.raises(ValueError, match="folds must hold each of the 40 images once"):
        fold_probes(training, training[0], labels, [[0, 1], [1, 2]], NUM_CLASSES)


def test_a_single_image_a_class_is_enough() -> None:
    found = fit_probe(torch.eye(2, 5), torch.tensor([0, 1]), 2)
    assert found.probabilities(torch.eye(2, 5)).argmax(dim=1).tolist() == [0, 1]
