"""How well a trained part does on the validation images: loss, accuracy, probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from antsbees.frozen.activations import to_network
from antsbees.machine.devices import Execution, arithmetic
from antsbees.networks.backbones import Backbone

CHUNK = 32  # images in a forward pass


@dataclass(frozen=True)
class Evaluation:
    """What a network answers for the N images of a split.

    Args:
        loss: Mean cross-entropy, without label smoothing.
        accuracy: Share of images whose likeliest class is the right one, in [0, 1].
        probabilities: ``(N, num_classes) float32``, rows sum to 1.
    """

    loss: float
    accuracy: float
    probabilities: NDArray[np.float32]


def evaluate(
    trained: nn.Module,
    activations: Tensor,
    labels: Tensor,
    backbone: Backbone,
    execution: Execution,
) -> Evaluation:
    """Evaluate the trained part on the activations of a split.

    Args:
        activations: ``(N, ...)`` as ``Activations.get`` returns them.
        labels: ``(N,) int64``, on the execution's device.
    """
    trained.eval()
    parts = []
    with torch.no_grad(), arithmetic(execution.device, execution.inference_precision):
        for chunk in activations.split(CHUNK):
            parts.append(trained(network_input(chunk, backbone, execution)).float())
    return evaluation_of(torch.cat(parts), labels)


def evaluation_of(logits: Tensor, labels: Tensor) -> Evaluation:
    """Sum up ``(N, num_classes)`` logits for images of known classes."""
    return Evaluation(
        loss=float(F.cross_entropy(logits, labels)),
        accuracy=int((logits.argmax(dim=1) == labels).sum()) / len(labels),
        probabilities=logits.softmax(dim=1).cpu().numpy(),
    )


def network_input(rows: Tensor, backbone: Backbone, execution: Execution) -> Tensor:
    """Bring rows of activations to the device, as float32 input of the next stage."""
    if execution.on_gpu and rows.device.type == "cpu":
        rows = rows.pin_memory()  # so that the copy need not be waited for
    return to_network(rows.to(execution.device, non_blocking=True), backbone).float()
