"""A saved model answers for image files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from antsbees.checkpoints import SavedModel
from antsbees.config import Precision
from antsbees.data import images
from antsbees.errors import DataError
from antsbees.machine.devices import arithmetic
from antsbees.networks.backbones import normalise


@dataclass(frozen=True)
class Prediction:
    """The answer for one file: a class and its probability, or why there is none.

    Args:
        probabilities: Class name to probability, likeliest first; empty when ``error`` is set.
    """

    path: Path
    probabilities: dict[str, float]
    error: str | None = None

    @property
    def label(self) -> str | None:
        """The likeliest class."""
        return next(iter(self.probabilities), None)


def image_files(paths: Iterable[Path]) -> list[Path]:
    """List the files to answer for: files as they are, and the images below folders.

    Raises:
        DataError: A folder holds no image, or nothing was given.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        below = sorted(f for f in path.rglob("*") if images.is_image_file(f))
        if not below:
            raise DataError(f"there are no images in the folder {path}")
        found += below
    if not found:
        raise DataError("no images were given: name files or folders")
    return found


def predict(model: SavedModel, paths: Iterable[Path], device: str = "cpu") -> Iterator[Prediction]:
    """Answer for every file, in order; a file that cannot be read gets its reason instead."""
    description = model.description
    precision = Precision(description.inference_precision)
    network = model.network.to(device)
    for path in paths:
        try:
            pixels = images.validation_view(images.decode(path), description.task.image_size)
        except OSError as error:
            yield Prediction(path, {}, str(error))
            continue
        batch = torch.from_numpy(pixels.copy()).unsqueeze(0).to(device)
        with torch.no_grad(), arithmetic(device, precision):
            logits = network(normalise(batch, model.backbone.architecture))
        probabilities = logits.float().softmax(dim=1).squeeze(0).tolist()
        named = zip(description.classes, probabilities, strict=True)
        yield Prediction(path, dict(sorted(named, key=lambda pair: -pair[1])))
