"""The order of the images and its division into batches."""

from __future__ import annotations

import pytest
import torch

from antsbees.batches import batch_sizes, shuffled


@pytest.mark.parametrize(
    ("num_images", "batch_size", "sizes"),
    [(8, 4, [4, 4]), (10, 4, [4, 4, 2]), (9, 4, [4, 5]), (3, 4, [3]), (1, 4, [1]), (2, 1, [2])],
)
def test_a_last_batch_of_one_joins_its_neighbour(
    num_images: int, batch_size: int, sizes: list[int]
) -> None:
    assert batch_sizes(num_images, batch_size) == sizes


def test_every_epoch_and_seed_has_an_order_of_its_own() -> None:
    orders = [shuffled(seed, epoch, 50) for seed in range(3) for epoch in range(3)]
    assert len({tuple(order.tolist()) for order in orders}) == 9
    assert all(torch.equal(order.sort().values, torch.arange(50)) for order in orders)
    assert torch.equal(orders[4], shuffled(1, 1, 50))
