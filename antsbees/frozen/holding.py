"""Keeps at hand the tensors used last, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor


class Holder:
    """A small store of tensors by name; those used longest ago are let go of first.

    Args:
        max_bytes: Of all tensors together. A larger tensor is not kept at all.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._tensors: OrderedDict[str, Tensor] = OrderedDict()

    @property
    def num_bytes(self) -> int:
        """Of the tensors kept."""
        return sum(tensor.nbytes for tensor in self._tensors.values())

    def find(self, name: str) -> Tensor | None:
        """Return a tensor that is kept, and count it as used now."""
        if name in self._tensors:
            self._tensors.move_to_end(name)
        return self._tensors.get(name)

    def has_room_for(self, tensor: Tensor) -> bool:
        """Tell whether a tensor would be kept."""
        return tensor.nbytes <= self.max_bytes

    def keep(self, name: str, tensor: Tensor) -> None:
        """Keep a tensor, if it is not too large, and let go of others to make room for it."""
        if not self.has_room_for(tensor):
            return
        self._tensors.pop(name, None)
        self.make_room(tensor.nbytes)
        self._tensors[name] = tensor

    def make_room(self, num_bytes: int) -> None:
        """Let go of tensors until a further one of this size can be kept."""
        while self._tensors and self.num_bytes + num_bytes > self.max_bytes:
            self._tensors.popitem(last=False)
