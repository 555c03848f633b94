"""Draws an ants-and-bees set when no photographs can be had."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from antsbees.data.synthetic.insects import Figure, draw_ant, draw_bee
from antsbees.data.synthetic.shapes import Colour, Patch, ellipse, lit, mixed, ovoid, ribbon, unit

VERSION = 1  # of the drawing; another one draws other images
CLASSES = ("ants", "bees")
COUNTS: Mapping[str, int] = MappingProxyType({"train": 120, "val": 75})  # images a class


@dataclass(frozen=True)
class Difficulty:
    """How hard figures are to tell apart: their size, what hides them, and the camera.

    Args:
        lengths: Of a figure that is alone, as fractions of the image's edge.
        hidden: Probabilities of 0, 1, 2 and 4 leaves in front.
        most_blur: Radius in pixels of an image 256 pixels wide.
        most_noise: Standard deviation in levels of 255.
    """

    lengths: tuple[float, float] = (0.22, 0.8)
    hidden: tuple[float, float, float, float] = (0.3, 0.3, 0.25, 0.15)
    most_blur: float = 2.6
    most_noise: float = 14.0


USUAL = Difficulty()
DIFFICULTIES: Mapping[str, Difficulty] = MappingProxyType({
    "easy": Difficulty((0.5, 0.9), (1.0, 0.0, 0.0, 0.0), 1.0, 6.0),
    "usual": USUAL,
    "hard": Difficulty((0.1, 0.3), (0.1, 0.2, 0.3, 0.4), 4.0, 24.0),
})  # fmt: skip

Drawer = Callable[[np.random.Generator], list[Patch]]
DrawOne = Callable[..., Image.Image]

_Grey = NDArray[np.float32]

_SPLITS = tuple(COUNTS)
_OVERSAMPLING = 2  # insects are drawn this much larger, then reduced, for smooth edges
_JPEG_QUALITY = 90


@dataclass(frozen=True)
class _Backdrop:
    """What lies behind the insects; both classes draw from the same ones."""

    tones: tuple[Colour, Colour]
    roughness: float  # how much of the next finer octave of noise is left, in [0, 1]
    stretch: int  # how many times longer than wide the grain is
    clutter: Literal["veins", "blades", "pebbles", "petals", "bokeh"]


_BACKDROPS = (
    _Backdrop(((46, 82, 30), (120, 158, 70)), 0.45, 1, "veins"),
    _Backdrop(((84, 118, 52), (172, 190, 104)), 0.4, 2, "blades"),
    _Backdrop(((48, 36, 26), (138, 104, 76)), 0.85, 1, "pebbles"),
    _Backdrop(((164, 138, 102), (226, 204, 164)), 0.95, 1, "pebbles"),
    _Backdrop(((56, 44, 36), (156, 132, 110)), 0.75, 7, "blades"),
    _Backdrop(((170, 80, 120), (240, 176, 200)), 0.4, 1, "petals"),
    _Backdrop(((206, 150, 40), (250, 220, 110)), 0.4, 1, "petals"),
    _Backdrop(((196, 190, 200), (246, 242, 238)), 0.4, 1, "petals"),
    _Backdrop(((120, 150, 190), (206, 222, 238)), 0.2, 1, "blades"),
    _Backdrop(((60, 84, 50), (190, 180, 120)), 0.2, 1, "bokeh"),
)
_FOLIAGE: tuple[Colour, ...] = (
    (70, 110, 44), (126, 152, 66), (110, 84, 52), (150, 120, 76),
    (222, 140, 170), (236, 200, 80), (232, 228, 226), (48, 62, 34),
)  # fmt: skip


def _generator(class_name: str, split: str, index: int, seed: int) -> np.random.Generator:
    if class_name not in CLASSES:
        raise ValueError(f"class_name must be one of {CLASSES}, got {class_name!r}")
    if split not in _SPLITS:
        raise ValueError(f"split must be one of {_SPLITS}, got {split!r}")
    return np.random.default_rng([seed, CLASSES.index(class_name), _SPLITS.index(split), index])


_DRAWERS = {"ants": draw_ant, "bees": draw_bee}


def _noise(rng: np.random.Generator, size: int, backdrop: _Backdrop) -> _Grey:
    """Cloudy grain (size, size) in [0, 1], from coarse to fine."""
    clouds = np.zeros((2, 2), dtype=np.float32)
    weight = 1.0
    for cells in (3, 6, 13, 28, 60, 128):
        shape = (max(2, cells // backdrop.stretch), cells)
        grown = Image.fromarray(clouds).resize(shape, Image.Resampling.BICUBIC)
        clouds = np.asarray(grown) + weight * rng.random(shape[::-1], dtype=np.float32)
        weight *= backdrop.roughness
    if rng.random() < 0.5:
        clouds = np.ascontiguousarray(clouds.T)
    clouds = (clouds - clouds.min()) / (clouds.max() - clouds.min())
    return np.asarray(Image.fromarray(clouds).resize((size, size), Image.Resampling.BILINEAR))


def _ground(rng: np.random.Generator, size: int, backdrop: _Backdrop) -> Image.Image:
    tint = rng.uniform(0.92, 1.08, 3) * rng.uniform(0.8, 1.2)
    dark, light = (np.array(tone, dtype=np.float32) * np.float32(tint) for tone in backdrop.tones)
    slope = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    steepness = rng.uniform(-0.6, 0.6, 2).astype(np.float32)
    tilt = np.add.outer(slope * steepness[0], slope * steepness[1])
    share = np.clip(_noise(rng, size, backdrop) + tilt, 0, 1)[:, :, None]
    return Image.fromarray(np.clip(dark + (light - dark) * share, 0, 255).astype(np.uint8))


def _blade(
    rng: np.random.Generator, colour: Colour, half_width: float, length: float
) -> list[Patch]:
    """A leaf, petal or stalk somewhere in the unit square."""
    share = np.linspace(0, 1, 14)
    angle = rng.uniform(0, 2 * np.pi)
    bend = angle + rng.uniform(-0.7, 0.7) * share
    steps = np.stack([np.cos(bend), np.sin(bend)], axis=-1) * length / 14
    line = rng.uniform(0, 1, 2) - length / 2 * unit(angle) + np.cumsum(steps, axis=0)
    width = half_width * ovoid(share, rng.uniform(0.7, 1.4))
    normal = unit(angle + np.pi / 2) * half_width * 0.45
    return [
        Patch(ribbon(line, width), colour),
        Patch(ribbon(line + normal, width * 0.5), lit(colour, 1.12), 0.7),
        Patch(ribbon(line, width * 0.06 + 0.001), lit(colour, 0.75), 0.8),
    ]


def _pebble(rng: np.random.Generator, colour: Colour) -> list[Patch]:
    """A rounded stone somewhere in the unit square."""
    centre, radius, angle = rng.uniform(0, 1, 2), rng.uniform(0.01, 0.06), rng.uniform(0, np.pi)
    patches = []
    for layer in (1.0, 0.75, 0.5, 0.25):  # smaller and brighter towards the light
        lifted = centre - (0, 0.2 * radius * (1 - layer))
        shape = ellipse(lifted, (radius * layer, 0.7 * radius * layer), angle)
        patches.append(Patch(shape, lit(colour, 1.3 - layer / 2)))
    return patches


def _clutter(rng: np.random.Generator, backdrop: _Backdrop) -> list[Patch]:
    """What lies about behind the insects, in the unit square."""
    patches: list[Patch] = []
    tone = mixed(*backdrop.tones, rng.uniform(0.2, 0.9))
    for _ in range(rng.integers(4, 16)):
        shade = lit(tone, rng.uniform(0.6, 1.3))
        match backdrop.clutter:
            case "pebbles":
                patches += _pebble(rng, shade)
            case "petals":
                patches += _blade(rng, shade, rng.uniform(0.08, 0.2), rng.uniform(0.5, 1.0))
            case "veins":
                patches += _blade(rng, lit(shade, 1.2), 0.006, rng.uniform(0.5, 1.4))
            case "blades":
                patches += _blade(rng, shade, rng.uniform(0.008, 0.03), rng.uniform(0.4, 1.4))
            case "bokeh":
                disc = ellipse(rng.uniform(0, 1, 2), (rng.uniform(0.03, 0.15),) * 2)
                patches.append(Patch(disc, shade, 0.3))
    return patches


def _occluders(rng: np.random.Generator, difficulty: Difficulty) -> list[Patch]:
    """Leaves, blades of grass and petals in front of the insects, in the unit square."""
    patches: list[Patch] = []
    for _ in range(rng.choice([0, 1, 2, 4], p=difficulty.hidden)):
        colour = lit(_FOLIAGE[rng.integers(len(_FOLIAGE))], rng.uniform(0.75, 1.2))
        patches += _blade(rng, colour, rng.choice([0.015, 0.03, 0.08]), rng.uniform(0.3, 1.2))
    return patches


def _placed(rng: np.random.Generator, patches: list[Patch], length: float) -> list[Patch]:
    """Turn, shorten, mirror and move an insect into the unit square."""
    turn = rng.uniform(0, 2 * np.pi)
    mirror = rng.choice([-1.0, 1.0])
    scale = np.array([length * rng.uniform(0.8, 1.0), length * mirror])
    rotation = np.stack([unit(turn), unit(turn + np.pi / 2)])
    margin = min(0.45, 0.3 * length + 0.08)
    place = rng.uniform(margin, 1 - margin, 2)
    return [Patch((p.points * scale) @ rotation + place, p.colour, p.alpha) for p in patches]


def _paint(canvas: Image.Image, patches: list[Patch]) -> None:
    pen = ImageDraw.Draw(canvas, "RGBA")
    for patch in patches:
        red, green, blue = (int(channel) for channel in patch.colour)
        points = (patch.points * canvas.width).ravel().tolist()
        pen.polygon(points, fill=(red, green, blue, int(255 * patch.alpha)))


def _cast_shadow(canvas: Image.Image, patches: list[Patch], rng: np.random.Generator) -> None:
    """Darken the ground under an insect."""
    small = canvas.width // (2 * _OVERSAMPLING)
    mask = Image.new("L", (small, small))
    pen = ImageDraw.Draw(mask)
    offset, depth = rng.uniform(-0.03, 0.03, 2), int(rng.uniform(40, 170))
    for patch in patches:
        if patch.alpha == 1.0:
            pen.polygon(((patch.points + offset) * small).ravel().tolist(), fill=depth)
    mask = mask.filter(ImageFilter.GaussianBlur(small * rng.uniform(0.005, 0.03)))
    canvas.paste((14, 12, 10), mask=mask.resize(canvas.size, Image.Resampling.BILINEAR))


def _photographed(
    rng: np.random.Generator, image: Image.Image, difficulty: Difficulty
) -> Image.Image:
    """Add what a camera adds: defocus, contrast, a cast of light and sensor noise."""
    if rng.random() < 0.6:
        radius = image.width / 256 * rng.uniform(0.3, difficulty.most_blur)
        image = image.filter(ImageFilter.GaussianBlur(radius))
    image = ImageEnhance.Color(image).enhance(rng.uniform(0.4, 1.15))
    image = ImageEnhance.Contrast(image).enhance(rng.uniform(0.45, 1.15))
    cast = rng.uniform(0.87, 1.13, 3) * rng.uniform(0.65, 1.2)
    image = image.point([level * gain for gain in cast for level in range(256)])
    noise = rng.standard_normal((image.height, image.width, 3), dtype=np.float32)
    noise *= np.float32(rng.uniform(1, difficulty.most_noise))
    return Image.fromarray(np.clip(noise + np.asarray(image), 0, 255).astype(np.uint8))


def draw(
    class_name: str,
    split: str,
    index: int,
    *,
    seed: int = 0,
    size: int = 256,
    difficulty: Difficulty = USUAL,
) -> Image.Image:
    """Draw one image; the same arguments always give the same pixels.

    Returns:
        An RGB image of ``size`` by ``size`` pixels.

    Raises:
        ValueError: ``class_name`` or ``split`` is unknown, or a number is negative.
    """
    rng = _generator(class_name, split, index, seed)

    def insect(rng: np.random.Generator) -> list[Patch]:
        curl = rng.choice([-1, 1]) * rng.uniform(0.05, 1.0)
        figure = Figure(rng, curl, bool(rng.random() < 0.35))
        _DRAWERS[class_name](figure)
        return figure.patches

    return compose(rng, insect, size, difficulty)


def compose(
    rng: np.random.Generator, figure: Drawer, size: int, difficulty: Difficulty = USUAL
) -> Image.Image:
    """Draw one to three figures on some ground, among leaves, as a camera would see them.

    Args:
        figure: Returns one about a unit long, around (0.5, 0) or so.
    """
    backdrop = _BACKDROPS[rng.integers(len(_BACKDROPS))]
    large = size * _OVERSAMPLING
    canvas = _ground(rng, size, backdrop).resize((large, large), Image.Resampling.BILINEAR)
    _paint(canvas, _clutter(rng, backdrop))
    count = rng.choice([1, 2, 3], p=[0.75, 0.17, 0.08])
    length = rng.uniform(*difficulty.lengths) / count**0.5
    for _ in range(count):
        patches = _placed(rng, figure(rng), length)
        _cast_shadow(canvas, patches, rng)
        _paint(canvas, patches)
    _paint(canvas, _occluders(rng, difficulty))
    return _photographed(rng, canvas.reduce(_OVERSAMPLING), difficulty)


def write(
    folder: Path, *, seed: int = 0, size: int = 256, counts: Mapping[str, int] = COUNTS
) -> None:
    """Write the set as ``folder/split/class/0000.jpg``, unless ``folder`` already exists.

    The folder appears whole or not at all.

    Args:
        counts: split -> images a class.
    """

    def one(class_name: str, split: str, index: int) -> Image.Image:
        return draw(class_name, split, index, seed=seed, size=size)

    write_set(folder, CLASSES, counts, one)


def write_set(
    folder: Path, classes: Sequence[str], counts: Mapping[str, int], one: DrawOne
) -> None:
    """Write a set of drawn images, each from its class, split and index; see ``write``."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        draft = Path(temporary) / folder.name
        for split, count in counts.items():
            for class_name in classes:
                (draft / split / class_name).mkdir(parents=True)
                for index in range(count):
                    image = one(class_name, split, index)
                    path = draft / split / class_name / f"{index:04d}.jpg"
                    image.save(path, quality=_JPEG_QUALITY)
        try:
            os.replace(draft, folder)
        except OSError:
            if not folder.exists():  # another process may have published the same set first
                raise
