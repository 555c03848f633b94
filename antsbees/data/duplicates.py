"""Finds images that are nearly the same, so that folds keep them together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from antsbees.data.folds import Indices

ALIKE = 0.92  # correlation of two thumbnails; photographs of different things stay below 0.84
MOST_BITS_APART = 48  # of the 256 of a hash; photographs of different things are 66 or more apart
ALIKE_FEATURES = 0.85  # cosine of centred features; photographs of different things: below 0.7

_EDGE = 16
_CHUNK = 512  # images compared with all others at a time

_Floats = NDArray[np.float32]


def near_duplicates(
    pixels: NDArray[np.uint8], features: NDArray[np.float32] | None = None
) -> Indices:
    """Group images that are copies of one another: compressed again, resized, mirrored, trimmed.

    Two images belong together if their thumbnails correlate and their difference hashes
    (https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html) differ in few
    bits, as they are or mirrored; or if their features are close. What is like a third one belongs
    with it.

    Args:
        pixels: ``(N, S, S, 3) uint8``, such as the validation views.
        features: ``(N, D) float32``, what a backbone makes of each; finds closer crops too.

    Returns:
        For each image the index of the first one of its group, ``(N,) int64``.
    """
    group = np.arange(len(pixels), dtype=np.int64)
    if len(pixels) < 2:
        return group
    thumbnails = np.stack([_thumbnail(image) for image in pixels])
    for other in (thumbnails, thumbnails[:, :, ::-1]):
        for i, j in _pairs(_standardised(thumbnails), _standardised(other), ALIKE):
            near = np.count_nonzero(_hash(thumbnails[i]) != _hash(other[j]), axis=1)
            _join(group, i[near <= MOST_BITS_APART], j[near <= MOST_BITS_APART])
    if features is not None:
        centred = features - features.mean(axis=0)
        for i, j in _pairs(_of_length_one(centred), _of_length_one(centred), ALIKE_FEATURES):
            _join(group, i, j)
    return group


def _thumbnail(image: NDArray[np.uint8]) -> _Floats:
    """Shrink an image to ``(16, 17) float32``, from black to white."""
    grey = Image.fromarray(image).convert("L").convert("F")
    return np.asarray(grey.resize((_EDGE + 1, _EDGE), Image.Resampling.BOX))


def _hash(thumbnails: _Floats) -> NDArray[np.bool_]:
    """Tell for each place whether it becomes brighter to the right, ``(N, 256)``."""
    return (thumbnails[:, :, 1:] > thumbnails[:, :, :-1]).reshape(len(thumbnails), _EDGE**2)


def _standardised(thumbnails: _Floats) -> _Floats:
    flat = thumbnails.reshape(len(thumbnails), -1)
    return _of_length_one(flat - flat.mean(axis=1, keepdims=True))


def _of_length_one(vectors: _Floats) -> _Floats:
    """Scale vectors to length 1; those of length 0, of images without any contrast, stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: _Floats = (vectors / np.where(lengths > 1e-3, lengths, np.inf)).astype(np.float32)
    return scaled


def _pairs(one: _Floats, other: _Floats, alike: float) -> Iterator[tuple[Indices, Indices]]:
    """Yield the pairs i < j whose product reaches a threshold, some rows at a time."""
    for first in range(0, len(one), _CHUNK):
        i, j = np.nonzero(one[first : first + _CHUNK] @ other[first:].T >= alike)
        yield first + i[i < j], first + j[i < j]


def _join(group: Indices, i: Indices, j: Indices) -> None:
    """Give the images of each pair, and all in their groups, the smaller of their two groups."""
    for one, other in zip(i, j, strict=True):
        if group[one] != group[other]:
            low, high = sorted((group[one], group[other]))
            group[group == high] = low
