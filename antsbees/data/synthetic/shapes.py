"""Coloured patches, and the geometry that outlines them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Patch:
    """A filled polygon."""

    points: Points  # (N, 2)
    colour: Colour
    alpha: float = 1.0


def lit(colour: Colour, factor: float) -> Colour:
    """Return a colour in stronger or weaker light."""
    red, green, blue = (min(255.0, channel * factor) for channel in colour)
    return red, green, blue


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour between two, ``share`` of the way to the other."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def unit(angle: float) -> Points:
    """Return the unit vector at an angle in radians, ``(2,)``."""
    return np.array([math.cos(angle), math.sin(angle)])


def ellipse(centre: Points, radii: tuple[float, float], angle: float = 0.0) -> Points:
    """Return the outline of an ellipse, ``(26, 2)``."""
    turn = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    along, across = unit(angle), unit(angle + np.pi / 2)
    return (
        centre
        + np.outer(radii[0] * np.cos(turn), along)
        + np.outer(radii[1] * np.sin(turn), across)
    )


def ribbon(line: Points, half_widths: Points) -> Points:
    """Outline a line (N, 2) that is ``half_widths`` (N,) wide to either side."""
    heading = np.empty_like(line)
    heading[1:-1] = line[2:] - line[:-2]
    heading[0], heading[-1] = line[1] - line[0], line[-1] - line[-2]
    scale = half_widths / (np.hypot(heading[:, 0], heading[:, 1]) + 1e-9)
    normal = heading[:, ::-1] * (-1, 1) * scale[:, None]
    return np.concatenate([line + normal, (line - normal)[::-1]])


def ovoid(share: Points, skew: float) -> Points:
    """Half width of an egg at a share of its length; ``skew`` above 1 makes the front slender."""
    return np.sqrt(np.clip(1 - (2 * share**skew - 1) ** 2, 0, 1))
