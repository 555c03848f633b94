"""Batches in pieces: the same gradient, from parts that fit into the memory of a GPU."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

logger = logging.getLogger(__name__)


class Pieces:
    """Runs the backward pass of a batch in pieces as large as memory allows.

    A batch that does not fit is tried again in halves, and so are those after it. The gradient is
    that of the whole batch, but for BatchNorm in train mode, which sees the statistics of a piece.
    """

    def __init__(self) -> None:
        self.largest: int | None = None
        """Images of a piece, once a batch did not fit."""

    def backward(
        self, rows: Tensor, labels: Tensor, loss_of: Callable[[Tensor, Tensor], Tensor],
        clear: Callable[[], None],
    ) -> Tensor:  # fmt: skip
        """Add up the gradient of a batch's mean loss; return that loss.

        Args:
            loss_of: Returns the mean loss of some rows.
            clear: Sets the gradient to nothing.

        Raises:
            torch.OutOfMemoryError: A single image does not fit.
        """
        while True:
            clear()
            try:
                return self._backward(rows, labels, loss_of)
            except torch.OutOfMemoryError:
                tried = min(self.largest or len(rows), len(rows))
                if tried == 1:
                    raise
                self.largest = (tried + 1) // 2
            # Outside of the handler, whose exception holds on to what did not fit.
            logger.warning("out of memory: batches are computed in pieces of %d", self.largest)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _backward(
        self, rows: Tensor, labels: Tensor, loss_of: Callable[[Tensor, Tensor], Tensor]
    ) -> Tensor:
        if self.largest is None or len(rows) <= self.largest:
            loss = loss_of(rows, labels)
            loss.backward()
            return loss.detach()
        total = torch.zeros((), device=labels.device)
        pieces = zip(rows.split(self.largest), labels.split(self.largest), strict=True)
        for some, answers in pieces:
            loss = loss_of(some, answers) * (len(some) / len(rows))
            loss.backward()
            total += loss.detach()
        return total
