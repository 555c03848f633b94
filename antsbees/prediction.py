"""A saved model answers for image files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from antsbees.checkpoints import Member, SavedModel
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
    sizes = {member.description.task.image_size for member in model.members}
    for member in model.members:
        member.network.to(device)
    for path in paths:
        try:
            image = images.decode(path)
            views = {size: images.validation_view(image, size) for size in sizes}
        except OSError as error:
            yield Prediction(path, {}, str(error))
            continue
        probabilities = _probabilities(model, views, device).tolist()
        named = zip(model.description.classes, probabilities, strict=True)
        yield Prediction(path, dict(sorted(named, key=lambda pair: -pair[1])))


def _probabilities(model: SavedModel, views: Mapping[int, images.Pixels], device: str) -> Tensor:
    """Return the mean of what the members answer, ``(num_classes,)``.

    Args:
        views: Of the image, by the size that a network sees.
    """
    outputs: dict[tuple[object, ...], list[Tensor]] = {}
    answers = [_logits(member, views, device, outputs) for member in model.members]
    return torch.cat(answers).float().softmax(dim=1).mean(dim=0)


def _logits(
    member: Member,
    views: Mapping[int, images.Pixels],
    device: str,
    outputs: dict[tuple[object, ...], list[Tensor]],
) -> Tensor:
    """Return a member's logits ``(1, num_classes)``.

    Args:
        outputs: Of the frozen stages that were run for other members, to be used again: the input
            of a backbone, then the output of each of its stages.
    """
    task, precision = member.description.task, member.description.inference_precision
    frozen_stages = member.description.config.frozen_stages
    known = outputs.setdefault((id(member.backbone), task.image_size, precision), [])
    with torch.no_grad(), arithmetic(device, Precision(precision)):
        if not known:
            batch = torch.from_numpy(views[task.image_size].copy()).unsqueeze(0).to(device)
            known.append(normalise(batch, member.backbone.architecture))
        while len(known) <= frozen_stages:
            known.append(member.network[len(known) - 1](known[-1]))
        logits: Tensor = member.network[frozen_stages:](known[frozen_stages])
    return logits
