"""The drawn sets that studies measure on, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

from antsbees.data.synthetic import cues, drawing, forms
from antsbees.data.synthetic.drawing import COUNTS, DIFFICULTIES, Difficulty, DrawOne


@dataclass(frozen=True)
class DrawnSet:
    """A set that can be drawn anew, in any size.

    Args:
        one: Draws the image of a class, split and index; takes ``seed`` and ``size`` by name.
        counts: split -> images a class.
        size: Edge of an image in pixels.
    """

    classes: tuple[str, ...]
    one: DrawOne
    counts: Mapping[str, int]
    size: int = 256

    def write(
        self,
        folder: Path,
        *,
        seed: int = 0,
        size: int | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """Write the set as ``folder/split/class/0000.jpg``, unless ``folder`` already exists."""
        one = partial(self.one, seed=seed, size=size or self.size)
        drawing.write_set(folder, self.classes, counts or self.counts, one)


def _form(
    class_name: str, split: str, index: int, *, seed: int = 0, size: int = 256
) -> Image.Image:
    place = (list(forms.OUTLINES).index(class_name), ("train", "val").index(split))
    rng = np.random.default_rng([seed, *place, index])
    return drawing.compose(rng, partial(forms.draw_form, class_name), size)


def _insects(difficulty: Difficulty) -> DrawnSet:
    return DrawnSet(drawing.CLASSES, partial(drawing.draw, difficulty=difficulty), COUNTS)


SETS: Mapping[str, DrawnSet] = MappingProxyType(
    {f"insects-{name}": _insects(difficulty) for name, difficulty in DIFFICULTIES.items()}
    | {
        "forms": DrawnSet(tuple(forms.OUTLINES), _form, {"train": 40, "val": 25}),
        "grain": DrawnSet(cues.CLASSES, cues.draw_grain, {"train": 300, "val": 200}, 96),
    }
)
