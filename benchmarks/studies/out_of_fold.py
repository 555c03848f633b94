"""What probes say of the images that they were not fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from antsbees.frozen.probe import fold_probes


def out_of_fold(
    training: Tensor,
    validation: Tensor,
    labels: Tensor,
    folds: Sequence[Sequence[int]],
    num_classes: int,
) -> Tensor:
    """Return ``(N, num_classes) float64`` probabilities, by the probes of ``fold_probes``."""
    probes = fold_probes(training, validation, labels, folds, num_classes)
    answers = torch.empty(len(labels), num_classes, dtype=torch.float64)
    for probe, fold in zip(probes, folds, strict=True):
        answers[list(fold)] = probe.probabilities(validation[list(fold)].cpu()).double()
    return answers
