"""Any image file a user may bring is decoded the way it looks; views are pure."""

from __future__ import annotations

import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps, TiffImagePlugin

from antsbees.data.images import decode, training_view, validation_view

RED, WHITE = (255, 0, 0), (255, 255, 255)


def colour(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(c) for c in np.asarray(image)[y, x])


def saved(path: Path, image: Image.Image, **options: Any) -> Image.Image:
    image.save(path, **options)
    decoded = decode(path)
    assert (decoded.mode, decoded.size) == ("RGB", decoded.size)
    return decoded


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    """Red grows to the right, green downwards."""
    red, green = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([red, green, 0 * red], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(tmp_path: Path, orientation: int) -> None:
    """The pixel that is to be seen at the top left is blue, however the file is turned."""
    upright = Image.new("RGB", (6, 4), WHITE)
    upright.putpixel((0, 0), (0, 0, 255))
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(turn[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = saved(tmp_path / "turned.png", stored, exif=exif)
    assert decoded.size == (6, 4)
    assert colour(decoded, 0, 0) == (0, 0, 255)


@pytest.mark.parametrize(
    ("mode", "fill", "expected"),
    [
        ("L", 128, (128, 128, 128)),
        ("1", 1, WHITE),
        ("1", 0, (0, 0, 0)),
        ("I;16", 65535, WHITE),
        ("I;16", 32896, (128, 128, 128)),
        ("I;16", 0, (0, 0, 0)),
        ("LA", (100, 255), (100, 100, 100)),
        ("LA", (100, 0), WHITE),
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (255, 0, 0, 0), WHITE),
        ("RGBA", (255, 0, 0, 128), (255, 127, 127)),
        ("RGB", RED, RED),
    ],
)
def test_every_mode_comes_out_rgb(
    tmp_path: Path, mode: str, fill: Any, expected: tuple[int, ...]
) -> None:
    decoded = saved(tmp_path / "image.png", Image.new(mode, (5, 4), fill))
    assert decoded.size == (5, 4)
    assert colour(decoded, 2, 2) == expected


def test_a_cmyk_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    decoded = saved(tmp_path / "ink.jpg", Image.new("CMYK", (16, 16), (0, 255, 255, 0)))
    assert np.abs(np.subtract(colour(decoded, 8, 8), RED)).max() < 8


@pytest.mark.parametrize("suffix", [".tif", ".ppm", ".pgm", ".bmp", ".webp", ".JPG"])
def test_other_formats_are_read(tmp_path: Path, suffix: str) -> None:
    decoded = saved(tmp_path / f"image{suffix}", Image.new("L", (16, 16), 200))
    assert np.abs(np.subtract(colour(decoded, 8, 8), 200)).max() < 4


def test_a_palette_keeps_its_colours_and_its_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 255, 0, *RED])
    image.putpixel((0, 0), 0)
    opaque = saved(tmp_path / "opaque.png", image)
    assert (colour(opaque, 0, 0), colour(opaque, 3, 3)) == ((0, 255, 0), RED)
    seen_through = saved(tmp_path / "transparent.png", image, transparency=0)
    assert (colour(seen_through, 0, 0), colour(seen_through, 3, 3)) == (WHITE, RED)


def test_a_gif_of_several_frames_gives_its_first(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), fill) for fill in (RED, WHITE)]
    decoded = saved(tmp_path / "moving.gif", frames[0], save_all=True, append_images=frames[1:])
    assert colour(decoded, 1, 1) == RED


def test_a_16_bit_tiff_of_the_other_byte_order_is_read(tmp_path: Path) -> None:
    image = Image.new("I;16B", (4, 4))
    image.putdata([65535] * 16)
    decoded = saved(tmp_path / "big.tif", image, tiffinfo=TiffImagePlugin.ImageFileDirectory_v2())
    assert colour(decoded, 1, 1) == WHITE


DAMAGED_EXIF = b"Exif\0\0MM\0\x2a\xff\xff\xff\xffgarbage"


def jpeg_bytes(**options: Any) -> bytes:
    buffer = io.BytesIO()
    gradient(200, 200).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [jpeg_bytes()[:1500], b"", b"no image at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 40],
    ids=["truncated jpeg", "empty", "text", "broken png"],
)
def test_what_cannot_be_decoded_is_an_os_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"trunc|identify"):
        decode(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tif", "webp"])
def test_no_other_error_than_os_error_escapes(tmp_path: Path, suffix: str) -> None:
    """Whatever Pillow raises inside for damaged bytes, callers see one kind."""
    path, refused = tmp_path / f"image.{suffix}", 0
    gradient().save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(content[: rng.integers(1, len(content))])
        damaged[rng.integers(len(damaged))] ^= 0xFF
        path.write_bytes(damaged)
        try:
            decode(path)
        except OSError:
            refused += 1
    assert refused > 40


def test_an_image_whose_exif_is_damaged_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "camera.jpg"
    path.write_bytes(jpeg_bytes(exif=DAMAGED_EXIF))
    assert decode(path).size == (200, 200)


def test_what_pillow_warns_about_is_not_printed_from_whatever_thread(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / "camera.jpg"
    path.write_bytes(jpeg_bytes(exif=DAMAGED_EXIF))
    filters = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(decode, [path] * 40))) == 40
    assert [str(warned.message) for warned in recwarn] == []
    assert warnings.filters == filters
    with Image.open(path) as image:
        ImageOps.exif_transpose(image)
    assert len(recwarn) > 0


@pytest.mark.parametrize(
    ("value", "shade"),
    [(0.0, 0), (0.5, 128), (1.0, 255), (100.0, 100), (255.0, 255), (65535.0, 255)],
)
def test_floats_are_fractions_of_white_or_8_bits_or_16_bits(
    tmp_path: Path, value: float, shade: int
) -> None:
    decoded = saved(tmp_path / "float.tif", Image.new("F", (4, 4), value))
    assert colour(decoded, 1, 1) == (shade, shade, shade)


def test_floats_that_are_no_numbers_are_black(tmp_path: Path) -> None:
    image = Image.new("F", (4, 4), 1.0)
    image.putpixel((0, 0), float("nan"))
    image.putpixel((1, 0), float("inf"))
    decoded = saved(tmp_path / "float.tif", image)
    seen = [colour(decoded, x, 0)[0] for x in range(3)]
    assert seen == [0, 0, 255]


@pytest.mark.parametrize("image_size", [(40, 30), (1, 1), (300, 2), (2, 300)])
def test_a_training_view_is_shaped_and_pure(image_size: tuple[int, int]) -> None:
    image = gradient(*image_size)
    first = training_view(image, 24, seed=1, index=2, view=3)
    assert (first.shape, first.dtype.type) == ((24, 24, 3), np.uint8)
    assert np.array_equal(training_view(image, 24, seed=1, index=2, view=3), first)


def test_training_views_differ_by_seed_index_and_view() -> None:
    changes = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    views = {
        training_view(gradient(), 24, seed=seed, index=index, view=view).tobytes()
        for seed, index, view in changes
    }
    assert len(views) == 4


def test_about_half_of_the_training_views_are_flipped() -> None:
    views = [training_view(gradient(), 8, seed=0, index=i, view=0).astype(int) for i in range(400)]
    flipped = [view[0, 0, 0] > view[0, -1, 0] for view in views]
    assert 0.42 < np.mean(flipped) < 0.58


def test_a_training_view_shows_between_a_quarter_and_all_of_the_image() -> None:
    """Read off the gradients: their spread in the view is the side of the crop."""
    views = [training_view(gradient(), 8, seed=0, index=i, view=0) for i in range(300)]
    areas = [np.ptp(view[..., 0]) / 224 * np.ptp(view[..., 1]) / 224 for view in views]
    assert 0.2 < min(areas) < 0.35
    assert 0.8 < max(areas) < 1.15


def test_the_validation_view_is_the_centre() -> None:
    """Of a wide image both ends are cut off alike, and a margin all around."""
    image = Image.new("RGB", (160, 64), (0, 0, 0))
    image.paste(WHITE, (51, 3, 109, 61))  # 64 * 224 / 256 = 56 pixels, and one for the filter
    view = validation_view(image, 28)
    assert (view.shape, view.dtype.type) == ((28, 28, 3), np.uint8)
    assert view.min() == 255
    smaller = Image.new("RGB", (160, 64), (0, 0, 0))
    smaller.paste(WHITE, (54, 6, 106, 58))
    edges = validation_view(smaller, 28)
    assert max(edges[0].max(), edges[-1].max(), edges[:, 0].max(), edges[:, -1].max()) < 128
    image.paste((0, 0, 0), (80, 0, 160, 64))
    half = validation_view(image, 28)
    assert half[:, :13].min() == 255
    assert half[:, 15:].max() == 0
