"""Decodes image files safely, and makes the view of an image the network sees."""

from __future__ import annotations

import math
import threading
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
"""File endings that are taken for images; everything else is skipped."""

VIEWS_VERSION = 1
"""Of the code below: raise it with any change that gives other pixels, and they are made anew."""

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
        with _silence, Image.open(path) as image:
            return _to_rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError as error:
        raise FileNotFoundError("no such file") from error
    except UnidentifiedImageError as error:
        raise OSError("cannot identify image file") from error
    except Exception as error:  # Pillow's decoders raise ValueError, SyntaxError, struct.error, ...
        raise OSError(getattr(error, "strerror", None) or str(error)) from error


class _Silence:
    """Keeps Pillow's warnings, about metadata mostly, off the terminal while any thread decodes.

    The filters of ``warnings`` belong to the process: the first thread in sets one aside, and the
    last one out puts it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._num_inside = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._num_inside == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\b")
            self._num_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._num_inside -= 1
            if self._num_inside == 0:
                self._filters.__exit__(None, None, None)


_silence = _Silence()


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        return _from_floats(np.asarray(image)).convert("RGB")
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.float64) / 257.0
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(paper, layered).convert("RGB")
    return image.convert("RGB")


def _from_floats(values: NDArray[np.float32]) -> Image.Image:
    """Take values up to 1 as fractions of white, up to 255 as 8 bits, and others as 16 bits."""
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    highest = finite.max(initial=0.0)
    factor = 255.0 if highest <= 1.0 else 1.0 if highest <= 255.0 else 1.0 / 257.0
    return Image.fromarray((finite * factor).clip(0, 255).round().astype(np.uint8))


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
