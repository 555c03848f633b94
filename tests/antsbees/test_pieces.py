"""A batch that does not fit into memory is computed in pieces, with the same gradient."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from antsbees.pieces import Pieces

ROWS, LABELS = torch.randn(10, 3, generator=torch.manual_seed(0)), torch.arange(10) % 2


class Small:
    """A model on a device with room for so many images."""

    def __init__(self, room: int) -> None:
        torch.manual_seed(1)
        self.model, self.room = nn.Linear(3, 2), room
        self.tried: list[int] = []

    def loss_of(self, rows: Tensor, labels: Tensor) -> Tensor:
        self.tried.append(len(rows))
        if len(rows) > self.room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return F.cross_entropy(self.model(rows), labels)

    def step(self, pieces: Pieces) -> tuple[float, Tensor]:
        loss = pieces.backward(ROWS, LABELS, self.loss_of, self.model.zero_grad)
        assert self.model.weight.grad is not None
        return float(loss), self.model.weight.grad.clone()


def test_the_gradient_of_pieces_is_that_of_the_batch() -> None:
    whole, pieces = Pieces(), Pieces()
    expected_loss, expected = Small(10).step(whole)
    small = Small(3)
    loss, gradient = small.step(pieces)
    assert (whole.largest, pieces.largest) == (None, 3)
    assert small.tried == [10, 5, 3, 3, 3, 1]
    assert loss == pytest.approx(expected_loss)
    torch.testing.assert_close(gradient, expected)
    small.tried.clear()
    small.step(pieces)
    assert small.tried == [3, 3, 3, 1]  # it is remembered


def test_what_does_not_fit_alone_is_an_error() -> None:
    with pytest.raises(torch.cuda.OutOfMemoryError):
        Small(0).step(Pieces())
