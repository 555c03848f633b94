"""Tensors stay at hand up to a number of bytes, the ones used last."""

from __future__ import annotations

import torch
from torch import Tensor

from antsbees.frozen.holding import Holder


def tensor_of(num_bytes: int) -> Tensor:
    return torch.zeros(num_bytes, dtype=torch.uint8)


def test_what_was_used_longest_ago_is_let_go_of() -> None:
    holder: Holder[torch.Tensor] = Holder(max_bytes=30)
    for name in "abc":
        holder.keep(name, tensor_of(10))
    assert holder.find("a") is not None  # and so used after b
    holder.keep("d", tensor_of(15))
    assert [name for name in "abcd" if holder.find(name) is not None] == ["a", "d"]
    assert holder.num_bytes == 25


def test_what_is_too_large_is_not_kept_and_costs_the_others_nothing() -> None:
    holder: Holder[torch.Tensor] = Holder(max_bytes=30)
    holder.keep("a", tensor_of(30))
    assert not holder.has_room_for(tensor_of(31))
    holder.keep("b", tensor_of(31))
    assert holder.find("b") is None
    assert holder.find("a") is not None


def test_the_same_name_counts_once() -> None:
    holder: Holder[torch.Tensor] = Holder(max_bytes=30)
    holder.keep("a", tensor_of(20))
    holder.keep("a", tensor_of(25))
    assert holder.num_bytes == 25


def test_other_values_are_held_by_their_own_size() -> None:
    holder = Holder[str](max_bytes=5, size_of=len)
    holder.keep("a", "abc")
    holder.keep("b", "de")
    assert holder.num_bytes == 5
    holder.keep("c", "f")
    assert [holder.find(name) for name in "abc"] == [None, "de", "f"]
