"""Keeps at hand what was used last, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def _nbytes(tensor: Any) -> int:
    return int(tensor.nbytes)


class Holder(Generic[T]):
    """A small store of tensors, or other values, by name; those used longest ago go first.

    Args:
        max_bytes: Of all values together. A larger one is not kept at all.
        size_of: Returns the bytes of a value.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[T], int] = _nbytes) -> None:
        self.max_bytes = max_bytes
        self._size_of = size_of
        self._values: OrderedDict[str, T] = OrderedDict()

    @property
    def num_bytes(self) -> int:
        """Of the values kept."""
        return sum(self._size_of(value) for value in self._values.values())

    def find(self, name: str) -> T | None:
        """Return a value that is kept, and count it as used now."""
        if name in self._values:
            self._values.move_to_end(name)
        return self._values.get(name)

    def has_room_for(self, value: T) -> bool:
        """Tell whether a value would be kept."""
        return self._size_of(value) <= self.max_bytes

    def keep(self, name: str, value: T) -> None:
        """Keep a value, if it is not too large, and let go of others to make room for it."""
        if not self.has_room_for(value):
            return
        self._values.pop(name, None)
        self.make_room(self._size_of(value))
        self._values[name] = value

    def make_room(self, num_bytes: int) -> None:
        """Let go of values until a further one of this size can be kept."""
        while self._values and self.num_bytes + num_bytes > self.max_bytes:
            self._values.popitem(last=False)
