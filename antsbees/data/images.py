"""Decodes image files safely, and makes the view of an image the network sees."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
"""File endings that are taken for images; everything else is skipped."""

CROP_AREA = (0.25, 1.0)
CROP_RATIO = (3 / 4, 4 / 3)
RESIZE_MARGIN = 256 / 224

Pixels = NDArray[np.uint8]


def is_image_file(path: Path) -> bool:
    """Tell by its name if a file is taken for an image; hidden files are not."""
    visible = not path.name.startswith(".")
    return visible and path.suffix.lower() in SUFFIXES and path.is_file()


def decode(path: Path) -> Image.Image:
    """Read an image file as RGB, turned the way its EXIF orientation says.

    Greyscale, palette, CMYK and 16-bit images are converted; transparent parts become white.

    Raises:
        OSError: The file cannot be read or is no image; the message does not repeat the path.
    """
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            return _to_rgb(upright)
    except FileNotFoundError as error:
        raise FileNotFoundError("no such file") from error
    except UnidentifiedImageError as error:
        raise OSError("cannot identify image file") from error
    except Exception as error:  # Pillow's decoders raise ValueError, SyntaxError, struct.error, ...
        raise OSError(getattr(error, "strerror", None) or str(error)) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.float64) / 257.0
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(paper, layered).convert("RGB")
    return image.convert("RGB")


def training_view(image: Image.Image, size: int, *, seed: int, index: int, view: int) -> Pixels:
    """Return a random resized crop, flipped half of the time: a pure function of its arguments.

    Args:
        size: Edge of the square view in pixels.
        index: The image's place in its split.
        view: Which augmented version of the image.

    Returns:
        ``(size, size, 3) uint8``.
    """
    rng = np.random.default_rng((seed, index, view))
    box = _random_box(image.width, image.height, rng)
    crop = image.resize((size, size), Image.Resampling.BILINEAR, box=box)
    pixels = np.asarray(crop)
    return np.ascontiguousarray(pixels[:, ::-1]) if rng.random() < 0.5 else pixels


def validation_view(image: Image.Image, size: int) -> Pixels:
    """Return the centre of the image, its shorter side first resized to slightly over ``size``.

    Returns:
        ``(size, size, 3) uint8``.
    """
    edge = min(image.width, image.height) / RESIZE_MARGIN
    left, top = (image.width - edge) / 2, (image.height - edge) / 2
    box = (left, top, left + edge, top + edge)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))


def _random_box(
    width: int, height: int, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Draw a crop of random area and aspect ratio (https://arxiv.org/abs/1409.4842, section 6)."""
    for _ in range(10):
        area = width * height * rng.uniform(*CROP_AREA)
        ratio = math.exp(rng.uniform(*np.log(CROP_RATIO)))
        w, h = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if w <= width and h <= height:
            break
    else:
        w = h = min(width, height)
    left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
    return left, top, min(left + w, width), min(top + h, height)
