"""Images that are nearly the same are found, and different ones are not taken for the same."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from antsbees.data.duplicates import near_duplicates
from antsbees.data.images import decode, validation_view
from antsbees.data.synthetic.drawing import CLASSES, draw

SIZE = 64


def compressed(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=30)
    return Image.open(file).convert("RGB")


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "compressed": compressed,
    "half as large": lambda image: image.resize((image.width // 2, image.height // 2)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "flatter": lambda image: ImageEnhance.Contrast(image).enhance(0.7),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "trimmed": lambda image: image.crop((2, 2, image.width - 2, image.height - 2)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


@pytest.fixture(scope="module")
def drawn() -> list[Image.Image]:
    """Forty different pictures, twenty a class, on ten kinds of ground."""
    return [draw(name, "train", i, size=96) for name in CLASSES for i in range(20)]


def views(images: list[Image.Image]) -> np.ndarray:
    return np.stack([validation_view(image, SIZE) for image in images])


def test_different_pictures_are_groups_of_their_own(drawn: list[Image.Image]) -> None:
    assert near_duplicates(views(drawn)).tolist() == list(range(40))


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_belongs_to_its_original(drawn: list[Image.Image], change: str) -> None:
    group = near_duplicates(views([*drawn, *(CHANGES[change](image) for image in drawn)]))
    assert np.mean(group[40:] == np.arange(40)) >= 0.95
    assert group[:40].tolist() == list(range(40))


def test_what_is_like_a_third_one_belongs_with_it() -> None:
    """By features alone: twice two that are not alike, and one in between."""
    flat = np.zeros((6, 8, 8, 3), dtype=np.uint8)
    angles = np.radians([0, 60, 30, 180, 240, 210])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert near_duplicates(flat).tolist() == [0, 1, 2, 3, 4, 5]
    assert near_duplicates(flat, features).tolist() == [0, 0, 0, 3, 3, 3]


def test_small_shapes_on_an_empty_ground_are_not_the_same() -> None:
    images = np.full((30, SIZE, SIZE, 3), 255, dtype=np.uint8)
    for i, (y, x) in enumerate(np.random.default_rng(0).integers(0, SIZE - 8, (30, 2))):
        images[i, y : y + 8, x : x + 8] = 0
    assert len(set(near_duplicates(images).tolist())) >= 28


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_to_compare(count: int) -> None:
    empty = np.zeros((count, 8, 8, 3), dtype=np.uint8)
    assert near_duplicates(empty, np.zeros((count, 4), np.float32)).tolist() == [0] * count


def test_the_photographs_are_all_different(photographs: Path) -> None:
    paths = sorted(path for path in photographs.rglob("*.jpg"))[::2]
    assert len(set(near_duplicates(views([decode(path) for path in paths])).tolist())) == len(paths)
