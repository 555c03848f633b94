"""Small pictures of a user's images, whatever the images are."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from sweeps.reporting import pictures
from sweeps.reporting.pictures import EDGE, groups_of, picture


def shown(uri: str | None) -> Image.Image:
    """Read the image that a data URI holds."""
    assert uri is not None
    head, _, content = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(BytesIO(base64.b64decode(content)))


def test_a_picture_is_small_and_transparent_parts_are_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (900, 600), (200, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 450, 600))
    image.save(tmp_path / "half.png")
    found = shown(picture(tmp_path / "half.png"))
    assert found.size == (EDGE, round(EDGE * 600 / 900))
    left, right = found.getpixel((5, 50)), found.getpixel((EDGE - 5, 50))
    assert left == (255, 255, 255)
    assert isinstance(right, tuple)
    assert right[0] > 150 > right[1]


def test_a_file_that_can_no_longer_be_read_has_no_picture(tmp_path: Path) -> None:
    (tmp_path / "torn.jpg").write_bytes(b"no image")
    assert picture(tmp_path / "torn.jpg") is None
    assert picture(tmp_path / "gone.jpg") is None
    assert groups_of((tmp_path / "gone.jpg",)) is None


def test_images_that_are_nearly_the_same_are_found_unless_there_are_too_many(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = sorted((tiny_folder / "train" / "ants").iterdir())
    with Image.open(first) as image:
        image.save(tmp_path / "again.png")
    paths = (first, second, tmp_path / "again.png")
    assert groups_of(paths) == [0, 1, 0]
    monkeypatch.setattr(pictures, "MOST_COMPARED", 2)
    groups_of.cache_clear()
    assert groups_of(paths) is None
