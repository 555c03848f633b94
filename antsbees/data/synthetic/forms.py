"""Draws one of ten plain forms, in a colour of its own, as coloured patches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from antsbees.data.synthetic.shapes import Colour, Patch, Points, lit, ribbon


def _polar(radii: Points, turn: float = 0.0) -> Points:
    """Return the corners at these distances from the centre, at equal angles, ``(N, 2)``."""
    angles = turn + np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _ring() -> Points:
    turn = np.linspace(0, 2 * np.pi, 40)
    return ribbon(0.38 * np.stack([np.cos(turn), np.sin(turn)], axis=1), np.full(40, 0.1))


def _crescent() -> Points:
    turn = np.linspace(0.5, 2 * np.pi - 0.5, 30)
    outer = 0.5 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    inner = outer * (0.75, 0.8) + (0.12, 0)
    return np.concatenate([outer, inner[::-1]])


def _heart() -> Points:
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x = 13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)
    return np.stack([x, 16 * np.sin(turn) ** 3], axis=1) / 33


def _corners(*corners: tuple[float, float]) -> Points:
    return np.array(corners)


_CROSS = (
    (-0.15, -0.5), (0.15, -0.5), (0.15, -0.15), (0.5, -0.15), (0.5, 0.15), (0.15, 0.15),
    (0.15, 0.5), (-0.15, 0.5), (-0.15, 0.15), (-0.5, 0.15), (-0.5, -0.15), (-0.15, -0.15),
)  # fmt: skip
_ARROW = (
    (0.5, 0.0), (0.1, 0.4), (0.1, 0.15), (-0.5, 0.15), (-0.5, -0.15), (0.1, -0.15), (0.1, -0.4),
)  # fmt: skip
_BOLT = ((0.5, 0.1), (-0.05, 0.3), (0.0, 0.08), (-0.5, 0.0), (0.05, -0.3), (0.0, -0.08))

OUTLINES: Mapping[str, Callable[[], Points]] = MappingProxyType({
    "arrow": lambda: _corners(*_ARROW),
    "bolt": lambda: _corners(*_BOLT),
    "crescent": _crescent,
    "cross": lambda: _corners(*_CROSS),
    "disc": lambda: _polar(np.full(40, 0.45)),
    "heart": _heart,
    "ring": _ring,
    "square": lambda: _polar(np.full(4, 0.5), np.pi / 4),
    "star": lambda: _polar(np.tile([0.5, 0.22], 5)),
    "triangle": lambda: _polar(np.full(3, 0.5)),
})  # fmt: skip
"""Form to a function that returns its outline, about a unit long, ``(N, 2)``."""


def draw_form(name: str, rng: np.random.Generator) -> list[Patch]:
    """Return a form with a darker rim, in any colour."""
    red, green, blue = rng.uniform(40, 230, 3)
    colour: Colour = (red, green, blue)
    outline = OUTLINES[name]()
    return [Patch(outline, lit(colour, 0.6)), Patch(0.88 * outline, colour)]
