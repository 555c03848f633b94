"""Small pictures of images for a page, and which images are nearly the same."""

from __future__ import annotations

import base64
import functools
from io import BytesIO
from pathlib import Path

import numpy as np

from antsbees.data.duplicates import near_duplicates
from antsbees.data.images import decode, validation_view

EDGE = 160  # pixels of a picture's longer side
QUALITY = 70
MOST_COMPARED = 2000
"""Images that are searched for near-duplicates; decoding more would take long."""
_COMPARED_EDGE = 64


def picture(path: Path) -> str | None:
    """Return an image as a small JPEG in a data URI; ``None`` if it cannot be read any more."""
    try:
        image = decode(path)
    except OSError:
        return None
    image.thumbnail((EDGE, EDGE))
    written = BytesIO()
    image.save(written, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"


@functools.lru_cache(maxsize=1)
def groups_of(paths: tuple[Path, ...]) -> list[int] | None:
    """Return for each image the first of its near-duplicates; ``None`` if there are too many."""
    if len(paths) > MOST_COMPARED:
        return None
    try:
        views = [validation_view(decode(path), _COMPARED_EDGE) for path in paths]
    except OSError:
        return None
    return [int(group) for group in near_duplicates(np.stack(views))]
