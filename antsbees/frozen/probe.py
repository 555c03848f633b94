"""The probe: the linear head that is best on frozen features, of all images or without a fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from antsbees.frozen.logistic import TOLERANCE, Problems, Span

STRENGTHS = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""Of the L2 penalty on standardised features; tried from strong to weak, see ``_path``."""

ENOUGH_RISES = 2  # of the log-loss, doubt added, in a row end the search for a weaker penalty
NUM_FOLDS = 5
USUAL_STRENGTH = 0.05
SPREAD = 1.5
"""What is known of a strength before images are seen: its logarithm is normal around the usual.
A few hundred images say little of it: the one that is best on them is often far from the best."""

FEW_STRENGTH = 0.1  # where images are too few for folds
ROUGH_TOLERANCE = 1e-4  # of fits that are only compared: their log-loss is right to 0.1 %


@dataclass(frozen=True)
class Probe:
    """A linear head for features as they are: standardisation is folded into it.

    Args:
        weight: ``(num_classes, D) float32``.
        bias: ``(num_classes,) float32``.
        strength: Of the L2 penalty; the loss is mean cross-entropy + strength / 2 x |weights|^2.
    """

    weight: Tensor
    bias: Tensor
    strength: float

    def probabilities(self, features: Tensor) -> Tensor:
        """Return ``(N, num_classes) float32`` for features ``(N, D)``."""
        return F.linear(features.float(), self.weight, self.bias).softmax(dim=1)


def fit_probe(
    features: Tensor, labels: Tensor, num_classes: int, strength: float | None = None
) -> Probe:
    """Fit a multinomial logistic regression with L2 to convergence: a pure function.

    Args:
        features: ``(N, D)``.
        labels: ``(N,) int64``.
        strength: By default the likeliest by log-loss in a stratified cross-validation, given that
            the usual one is ``USUAL_STRENGTH``.
    """
    features, labels = features.cpu(), labels.cpu()
    span = Span.of(features)
    if strength is None:
        strength = _strength(span, labels, num_classes)
    everything = torch.full((len(labels), 1), 1 / len(labels), dtype=torch.float64)
    problem = Problems(span.coordinates, labels, num_classes, everything)
    (solution,) = problem.fit(strength)
    return _probe_of(span, solution, strength)


def fold_probes(
    training: Tensor,
    validation: Tensor,
    labels: Tensor,
    folds: Sequence[Sequence[int]],
    num_classes: int,
    strength: float | None = None,
) -> tuple[Probe, ...]:
    """Fit a probe without each fold, all of them on one decomposition of the features.

    Features are standardised over all images, which sees no label. Without a strength, a fold's is
    the likeliest on the other folds.

    Args:
        training: ``(V, N, D)``, the features of all views of all images.
        validation: ``(N, D)``, the features that are judged.
        labels: ``(N,) int64``.
        folds: The images of each fold; together every image once.

    Raises:
        ValueError: The folds do not hold every image once.
    """
    num_views, num_images, width = training.shape
    if sorted(image for fold in folds for image in fold) != list(range(num_images)):
        raise ValueError(f"folds must hold each of the {num_images} images once")
    fold_of = torch.empty(num_images, dtype=torch.int64)
    for number, fold in enumerate(folds):
        fold_of[list(fold)] = number
    labels = labels.cpu()
    span = Span.of(training.reshape(-1, width).cpu())
    judged = span.project(validation.cpu())
    problems = _leave_one_out(
        span, labels.repeat(num_views), num_classes, fold_of.repeat(num_views)
    )
    strengths = STRENGTHS if strength is None else (strength,)
    solutions, losses = [], []
    unlikely: list[float] = []
    doubts = _doubt(strengths)
    for solution, doubt in zip(_path(problems, strengths), doubts, strict=True):
        solutions.append(solution)
        logits = problems.logits(solution, judged)[fold_of, torch.arange(num_images)]
        losses.append(F.cross_entropy(logits, labels, reduction="none"))
        unlikely.append(float(losses[-1].sum() + doubt))
        if _is_over(unlikely):
            break
    by_fold = torch.stack(losses) @ F.one_hot(fold_of, len(folds)).double()  # (strengths, folds)
    elsewhere = by_fold.sum(dim=1, keepdim=True) - by_fold
    best = (elsewhere + doubts[: len(losses), None]).argmin(dim=0).tolist()
    found = []
    for number, place in enumerate(best):
        one = slice(number, number + 1)
        alone = replace(problems, shares=problems.shares[:, one])
        (solution,) = alone.fit(strengths[place], solutions[place][one])
        found.append(_probe_of(span, solution, strengths[place]))
    return tuple(found)


def _probe_of(span: Span, solution: Tensor, strength: float) -> Probe:
    """Return the solution of a problem on a span's coordinates as a head for features."""
    weight = (span.basis @ solution[:-1]) / span.std[:, None]
    bias = solution[-1] - span.mean @ weight
    return Probe(weight.T.float().contiguous(), bias.float(), strength)


def _strength(span: Span, labels: Tensor, num_classes: int) -> float:
    """Return the likeliest strength by its out-of-fold log-loss."""
    fold_of = _stratified(labels)
    if int(fold_of.max()) == 0:
        return FEW_STRENGTH
    problems = _leave_one_out(span, labels, num_classes, fold_of)
    unlikely: list[float] = []
    for solution, doubt in zip(_path(problems, STRENGTHS), _doubt(STRENGTHS), strict=True):
        logits = problems.logits(solution, span.coordinates)
        out_of_fold = logits[fold_of, torch.arange(len(labels))]
        unlikely.append(len(labels) * float(F.cross_entropy(out_of_fold, labels)) + float(doubt))
        if _is_over(unlikely):
            break
    return STRENGTHS[unlikely.index(min(unlikely))]


def _doubt(strengths: Sequence[float]) -> Tensor:
    """Return what speaks against each strength before images are seen, in nats."""
    away = torch.log(torch.tensor(strengths, dtype=torch.float64) / USUAL_STRENGTH)
    return away**2 / (2 * SPREAD**2)


def _path(problems: Problems, strengths: Sequence[float]) -> Iterator[Tensor]:
    """Solve for one strength after another, each from the solution before it.

    Solutions that are only compared are rough; a single one is not.
    """
    tolerance, solution = TOLERANCE if len(strengths) == 1 else ROUGH_TOLERANCE, None
    for strength in strengths:
        solution = problems.fit(strength, solution, tolerance)
        yield solution


def _is_over(unlikely: list[float]) -> bool:
    """Tell whether a weaker penalty only makes it worse by now."""
    last = unlikely[-ENOUGH_RISES - 1 :]
    return len(last) > ENOUGH_RISES and last == sorted(last)


def _leave_one_out(span: Span, labels: Tensor, num_classes: int, fold_of_row: Tensor) -> Problems:
    """Return a problem a fold: to fit the rows of all the others."""
    counts = 1 - F.one_hot(fold_of_row).double()
    return Problems(span.coordinates, labels, num_classes, counts / counts.sum(dim=0))


def _stratified(labels: Tensor) -> Tensor:
    """Return the fold of each image; those of each class are dealt out in a fixed order."""
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    by_class = shuffled[labels[shuffled].argsort(stable=True)]
    fold_of = torch.empty_like(by_class)
    fold_of[by_class] = torch.arange(len(labels)) % min(NUM_FOLDS, len(labels))
    return fold_of
