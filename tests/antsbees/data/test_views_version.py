"""Nobody changes the pixels a network sees, and leaves old activations in the cache to be used."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from antsbees.data.images import VIEWS_VERSION, decode, training_view, validation_view

CHECKSUMS = {(1, 11): 2998181337, (1, 12): 2998181337, (1, 13): 4247724987}
"""Of the views of all pictures below, by the version of the code and the major one of Pillow."""
MODES = ("L", "1", "P", "I;16", "LA", "RGBA", "RGB", "F")


def pictures(folder: Path) -> Iterator[Path]:
    """Write one picture a mode, without loss, one that its EXIF data turn, and a thin one."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (6, 8, 4), dtype=np.uint8)
    rgba = Image.fromarray(noise).resize((80, 60), Image.Resampling.NEAREST)
    for mode in MODES:
        path = folder / f"{MODES.index(mode)}.tif"
        if mode == "I;16":
            wide = np.asarray(rgba)[..., 0].astype(np.uint16) * 257
            Image.fromarray(wide).save(path)
        elif mode == "F":
            Image.fromarray(np.asarray(rgba)[..., 0].astype(np.float32) / 255).save(path)
        else:
            rgba.convert(mode).save(path)
        yield path
    exif = Image.Exif()
    exif[0x0112] = 6
    rgba.convert("RGB").save(folder / "turned.png", exif=exif)
    yield folder / "turned.png"
    rgba.convert("RGB").resize((300, 2)).save(folder / "thin.png")
    yield folder / "thin.png"


def test_other_pixels_under_the_same_version_fail_here(tmp_path: Path) -> None:
    checksum, num_views = 0, 0
    for index, path in enumerate(pictures(tmp_path)):
        image = decode(path)
        views = [validation_view(image, 24)]
        views += [training_view(image, 24, seed=3, index=index, view=v) for v in range(4)]
        for view in views:
            checksum = zlib.crc32(view.tobytes(), checksum)
            num_views += 1
    assert num_views == 5 * (len(MODES) + 2)
    pillow = int(PIL.__version__.split(".")[0])
    known = CHECKSUMS.get((VIEWS_VERSION, pillow))
    assert known == checksum, (
        f"views of version {VIEWS_VERSION} with Pillow {pillow} had the checksum {known}, these "
        f"have {checksum}. If decoding or augmentation changed: raise VIEWS_VERSION, and add its "
        "checksum here. If Pillow did: add it too; the key of the cache knows Pillow's version"
    )
