"""Draws images whose class is a faint cue that networks trained on photographs look past."""

from __future__ import annotations

import numpy as np
from PIL import Image

from antsbees.data.synthetic.drawing import draw

CLASSES = ("grey grain", "violet grain")
STRENGTH = 8.0  # of the grain, in levels of 255


def draw_grain(
    class_name: str, split: str, index: int, *, seed: int = 0, size: int = 96
) -> Image.Image:
    """Draw an ant or a bee, whichever, under fine grain.

    In one class red and blue rise and fall together, in the other one against the other; each
    colour alone looks the same in both.

    Raises:
        ValueError: The class is unknown.
    """
    if class_name not in CLASSES:
        raise ValueError(f"class_name must be one of {CLASSES}, got {class_name!r}")
    label = CLASSES.index(class_name)
    insect = ("ants", "bees")[index % 2]
    image = np.asarray(draw(insect, split, 2 * index + label, seed=seed, size=size))
    rng = np.random.default_rng([seed, label, len(split), index])
    grain = rng.standard_normal((size, size))
    grain = grain + np.roll(grain, 1, axis=0)
    grain = STRENGTH / 2 * (grain + np.roll(grain, 1, axis=1))
    sign = (1, -1)[label]
    grained = image + np.stack([grain, 0 * grain, sign * grain], axis=2)
    return Image.fromarray(grained.clip(0, 255).round().astype(np.uint8))
