"""Draws an ants-and-bees set when no photographs can be had."""

import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

VERSION = 1  # of the drawing; another one draws other images
CLASSES = ("ants", "bees")
COUNTS: Mapping[str, int] = MappingProxyType({"train": 120, "val": 75})  # images a class

_Points = NDArray[np.float64]
_Grey = NDArray[np.float32]
_Colour = tuple[float, float, float]

_SPLITS = tuple(COUNTS)
_OVERSAMPLING = 2  # insects are drawn this much larger, then reduced, for smooth edges
_JPEG_QUALITY = 90


@dataclass(frozen=True)
class _Backdrop:
    """What lies behind the insects; both classes draw from the same ones."""

    tones: tuple[_Colour, _Colour]
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
_FOLIAGE: tuple[_Colour, ...] = (
    (70, 110, 44), (126, 152, 66), (110, 84, 52), (150, 120, 76),
    (222, 140, 170), (236, 200, 80), (232, 228, 226), (48, 62, 34),
)  # fmt: skip

_ANT_COATS: tuple[tuple[_Colour, _Colour, _Colour], ...] = (  # head, thorax, gaster
    ((38, 32, 32), (36, 30, 30), (30, 26, 28)),
    ((66, 42, 30), (72, 46, 32), (48, 32, 26)),
    ((128, 58, 32), (138, 66, 36), (92, 42, 28)),
    ((58, 36, 28), (146, 72, 38), (44, 32, 28)),
    ((178, 118, 58), (186, 126, 64), (150, 96, 48)),
)
_BEE_COATS: tuple[tuple[_Colour, _Colour, _Colour], ...] = (  # fur, light band, dark band
    ((168, 122, 62), (206, 142, 56), (52, 36, 26)),
    ((120, 92, 58), (150, 104, 56), (44, 34, 28)),
    ((214, 172, 60), (226, 184, 66), (32, 28, 28)),
    ((74, 60, 48), (96, 76, 56), (40, 34, 32)),
    ((150, 84, 40), (172, 128, 84), (58, 42, 34)),
)


@dataclass(frozen=True)
class _Patch:
    points: _Points  # (N, 2)
    colour: _Colour
    alpha: float = 1.0


def _generator(class_name: str, split: str, index: int, seed: int) -> np.random.Generator:
    if class_name not in CLASSES:
        raise ValueError(f"class_name must be one of {CLASSES}, got {class_name!r}")
    if split not in _SPLITS:
        raise ValueError(f"split must be one of {_SPLITS}, got {split!r}")
    return np.random.default_rng([seed, CLASSES.index(class_name), _SPLITS.index(split), index])


def _lit(colour: _Colour, factor: float) -> _Colour:
    red, green, blue = (min(255.0, channel * factor) for channel in colour)
    return red, green, blue


def _mixed(one: _Colour, other: _Colour, share: float) -> _Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _unit(angle: float) -> _Points:
    return np.array([math.cos(angle), math.sin(angle)])


def _ellipse(centre: _Points, radii: tuple[float, float], angle: float = 0.0) -> _Points:
    turn = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    along, across = _unit(angle), _unit(angle + np.pi / 2)
    return (
        centre
        + np.outer(radii[0] * np.cos(turn), along)
        + np.outer(radii[1] * np.sin(turn), across)
    )


def _ribbon(line: _Points, half_widths: _Points) -> _Points:
    """Outline a line (N, 2) that is ``half_widths`` (N,) wide to either side."""
    heading = np.empty_like(line)
    heading[1:-1] = line[2:] - line[:-2]
    heading[0], heading[-1] = line[1] - line[0], line[-1] - line[-2]
    scale = half_widths / (np.hypot(heading[:, 0], heading[:, 1]) + 1e-9)
    normal = heading[:, ::-1] * (-1, 1) * scale[:, None]
    return np.concatenate([line + normal, (line - normal)[::-1]])


def _ovoid(share: _Points, skew: float) -> _Points:
    """Half width of an egg at a share of its length; ``skew`` above 1 makes the front slender."""
    return np.sqrt(np.clip(1 - (2 * share**skew - 1) ** 2, 0, 1))


@dataclass
class _Figure:
    """An insect one unit long, head towards +x, gathered patch by patch from back to front."""

    rng: np.random.Generator
    curl: float
    from_side: bool
    patches: list[_Patch] = field(default_factory=list)

    def spine(self, share: _Points | float) -> _Points:
        """Points at shares of the body's length, 0 the front and 1 the tip."""
        bend = self.curl * (0.5 - np.asarray(share, dtype=np.float64))
        return np.stack([np.sin(bend), 1 - np.cos(bend)], axis=-1) / self.curl

    def heading(self, share: float) -> float:
        return self.curl * (0.5 - share)

    def beside(self, share: float, offset: float) -> _Points:
        """The point ``offset`` to the side of the spine, or below it when seen from the side."""
        return self.spine(share) + offset * _unit(self.heading(share) + math.pi / 2)

    def segment(
        self, ends: tuple[float, float], half_width: float, bands: list[_Colour], skew: float = 1.0
    ) -> None:
        """Add a rounded part of the body, its bands of colour from front to back."""
        edges = np.linspace(0, np.pi, len(bands) + 1)
        shares = [(1 - np.cos(np.linspace(*pair, 6))) / 2 for pair in pairwise(edges)]
        lines = [self.spine(ends[0] + share * (ends[1] - ends[0])) for share in shares]
        widths = [half_width * _ovoid(share, skew) for share in shares]
        for layer in np.linspace(0, 1, 5):  # narrower and brighter towards the light
            lift = (0, 0.25 * half_width * layer)
            for line, width, colour in zip(lines, widths, bands, strict=True):
                outline = _ribbon(line - lift, width * (1 - 0.85 * layer))
                self.patches.append(_Patch(outline, _lit(colour, 0.6 + 0.65 * layer)))

    def gloss(self, share: float, length: float, lift: float) -> None:
        for scale, alpha in ((1.0, 0.12), (0.6, 0.18)):
            radii = (length * scale, length * scale * 0.45)
            shape = _ellipse(self.spine(share) - (0, lift), radii, self.heading(share))
            self.patches.append(_Patch(shape, (255, 250, 240), alpha))

    def limb(self, joints: list[_Points], half_width: float, colour: _Colour) -> None:
        """Add a jointed leg or antenna that thins towards its end."""
        thin = np.linspace(half_width, 0.4 * half_width, len(joints))
        for i, (start, stop) in enumerate(pairwise(joints)):
            swell = np.array([0.8, 1.15, 1.1, 0.7]) * np.linspace(thin[i], thin[i + 1], 4)
            outline = _ribbon(np.linspace(start, stop, 4), swell)
            self.patches.append(_Patch(outline, _lit(colour, 1.1 - 0.12 * i)))

    def legs(
        self, roots: tuple[float, float, float], length: float, colour: _Colour, *, behind: bool
    ) -> None:
        """Add the legs that lie behind the body, or those before it (none, seen from above)."""
        far_sides, near_sides = ((1,), (-1,)) if self.from_side else ((1, -1), ())
        for side in far_sides if behind else near_sides:
            tone = _lit(colour, 0.7) if self.from_side and behind else colour
            for root, spread in zip(roots, (0.75, 1.6, 2.35), strict=True):
                joints = [self.beside(root, 0.03 if self.from_side else 0.0)]
                for step in self._steps(root, spread + self.rng.uniform(-0.3, 0.3), side):
                    joints.append(joints[-1] + length * step)
                self.limb(joints, 0.036 * length, tone)

    def _steps(self, root: float, spread: float, side: int) -> list[_Points]:
        """Femur, tibia and tarsus of a leg ``spread`` radians away from straight ahead."""
        if self.from_side:
            reach = math.cos(spread)
            return [
                np.array([along * reach, down])
                for along, down in ((0.5, -0.16), (0.32, 0.52), (0.24, 0.08))
            ]
        toward = 1 if spread > math.pi / 2 else -1
        return [
            part * _unit(self.heading(root) + side * (spread + toward * bend))
            for part, bend in ((0.42, -0.3), (0.36, 0.35), (0.24, 0.1))
        ]

    def antennae(self, scape: float, lash: float, colour: _Colour) -> None:
        """Add two elbowed antennae: a scape outwards, then a lash forwards."""
        for side in (1, -1):
            turn = -1 if self.from_side else side
            angle = self.heading(0) + turn * self.rng.uniform(0.4, 1.1)
            joints = [self.beside(0.05, 0.03 * turn)]
            for length, bend in ((scape, 0.0), (lash / 2, 0.8), (lash / 2, 0.5)):
                angle -= turn * bend * self.rng.uniform(0.5, 1.5)
                joints.append(joints[-1] + length * _unit(angle))
            self.limb(joints, 0.013, colour)

    def eyes(self, share: float, offset: float, radii: tuple[float, float]) -> None:
        for place in (-0.3 * offset,) if self.from_side else (-offset, offset):
            centre = self.beside(share, place)
            eye = _ellipse(centre, radii, self.heading(share))
            shine = _ellipse(centre - (0, radii[1] / 3), (radii[0] / 3, radii[1] / 3))
            self.patches += [_Patch(eye, (20, 15, 15)), _Patch(shine, (160, 150, 140), 0.6)]

    def fuzz(self, share: float, radii: tuple[float, float], colour: _Colour, count: int) -> None:
        """Add hairs all over an ellipse around a point of the spine."""
        heading = self.heading(share)
        turns = self.rng.uniform(0, 2 * np.pi, count)
        reach = np.sqrt(self.rng.uniform(0.0, 1.0, count))[:, None]
        spokes = np.stack([np.cos(turns), np.sin(turns)], axis=-1) * radii
        spokes = spokes @ np.stack([_unit(heading), _unit(heading + math.pi / 2)])
        thick = spokes[:, ::-1] * (-0.045, 0.045)
        roots = self.spine(share) + reach * spokes
        hairs = np.stack([roots - thick, roots + thick, roots + 0.22 * spokes], axis=1)
        tones = self.rng.uniform(0.6, 1.3, count)
        self.patches += [
            _Patch(hair, _lit(colour, tone), 0.85) for hair, tone in zip(hairs, tones, strict=True)
        ]

    def wings(self, sweep: float, alpha: float) -> None:
        """Add clear wings with veins, ``sweep`` radians away from the abdomen."""
        back = self.heading(0.28) + math.pi
        for side in (1, -1):
            turn = -1 if self.from_side else side
            lean = sweep + (0.12 * side if self.from_side else 0.0)
            root = self.beside(0.28, 0.07 * turn)
            self._wing(root, back - turn * lean * 0.7, 0.45, alpha)
            self._wing(root, back - turn * (lean + 0.15), 0.66, alpha)

    def _wing(self, root: _Points, angle: float, length: float, alpha: float) -> None:
        share = (1 - np.cos(np.linspace(0, np.pi, 16))) / 2
        line = root + np.outer(share * length, _unit(angle))
        blade = _ribbon(line, 0.17 * length * _ovoid(share, 1.5) + 0.004)
        self.patches.append(_Patch(blade, (226, 228, 226), alpha))
        rim = _ribbon(np.vstack([blade, blade[:1]]), np.full(33, 0.003))
        self.patches.append(_Patch(rim, (60, 46, 36), 0.6))
        for lean in (-0.16, -0.05, 0.07):
            vein = root + np.outer(share[:13] * length, _unit(angle + lean))
            self.patches.append(_Patch(_ribbon(vein, np.full(13, 0.0025)), (60, 46, 36), 0.5))


def _ant(figure: _Figure) -> None:
    rng = figure.rng
    head, thorax, gaster = _ANT_COATS[rng.integers(len(_ANT_COATS))]
    limbs = _lit(thorax, 0.85)
    stout = rng.uniform(0.85, 1.15)
    length = rng.uniform(0.5, 0.72)
    figure.legs((0.30, 0.38, 0.46), length, limbs, behind=True)
    figure.antennae(rng.uniform(0.14, 0.2), rng.uniform(0.2, 0.3), limbs)
    for side in (1, -1):  # mandibles
        jaw = figure.beside(-0.02, 0.03 * side)
        figure.limb([figure.spine(0.06), jaw, figure.spine(-0.04)], 0.014, limbs)
    sheen = _lit(gaster, rng.uniform(1.0, 1.5))
    figure.segment((0.64, 1.0), 0.135 * stout, [gaster, sheen, gaster, sheen, gaster], 0.8)
    figure.segment((0.55, 0.67), 0.035, [thorax])
    figure.segment((0.57, 0.63), 0.055, [thorax])  # the petiole's node
    figure.segment((0.36, 0.57), 0.06 * stout, [thorax], 0.8)
    figure.segment((0.2, 0.43), 0.08 * stout, [thorax])
    figure.segment((0.0, 0.22), 0.1 * stout, [head], 1.2)
    figure.legs((0.30, 0.38, 0.46), length, limbs, behind=False)
    figure.eyes(0.1, 0.075, (0.024, 0.017))
    figure.gloss(0.8, 0.08, 0.05)
    figure.gloss(0.1, 0.04, 0.03)


def _bee(figure: _Figure) -> None:
    rng = figure.rng
    fur, light, dark = _BEE_COATS[rng.integers(len(_BEE_COATS))]
    light = _mixed(light, dark, rng.uniform(0.0, 0.6))
    limbs: _Colour = (46, 34, 28)
    stout = rng.uniform(0.85, 1.15)
    length = rng.uniform(0.4, 0.55)
    figure.legs((0.24, 0.32, 0.42), length, limbs, behind=True)
    figure.antennae(0.08, 0.13, limbs)
    figure.segment((0.42, 1.0), 0.165 * stout, [dark, *[light, dark] * 4], 0.8)
    figure.fuzz(0.58, (0.16, 0.14 * stout), light, 50)
    figure.segment((0.0, 0.18), 0.105 * stout, [dark])
    figure.segment((0.14, 0.46), 0.14 * stout, [_lit(fur, 0.8)])
    figure.fuzz(0.31, (0.15, 0.145 * stout), fur, 180)
    figure.fuzz(0.1, (0.06, 0.07), fur, 40)
    figure.eyes(0.09, 0.075, (0.05, 0.03))
    figure.legs((0.24, 0.32, 0.42), length, limbs, behind=False)
    figure.wings(rng.uniform(0.15, 1.1), rng.uniform(0.25, 0.6))


_DRAWERS = {"ants": _ant, "bees": _bee}


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
    rng: np.random.Generator, colour: _Colour, half_width: float, length: float
) -> list[_Patch]:
    """A leaf, petal or stalk somewhere in the unit square."""
    share = np.linspace(0, 1, 14)
    angle = rng.uniform(0, 2 * np.pi)
    bend = angle + rng.uniform(-0.7, 0.7) * share
    steps = np.stack([np.cos(bend), np.sin(bend)], axis=-1) * length / 14
    line = rng.uniform(0, 1, 2) - length / 2 * _unit(angle) + np.cumsum(steps, axis=0)
    width = half_width * _ovoid(share, rng.uniform(0.7, 1.4))
    normal = _unit(angle + np.pi / 2) * half_width * 0.45
    return [
        _Patch(_ribbon(line, width), colour),
        _Patch(_ribbon(line + normal, width * 0.5), _lit(colour, 1.12), 0.7),
        _Patch(_ribbon(line, width * 0.06 + 0.001), _lit(colour, 0.75), 0.8),
    ]


def _pebble(rng: np.random.Generator, colour: _Colour) -> list[_Patch]:
    """A rounded stone somewhere in the unit square."""
    centre, radius, angle = rng.uniform(0, 1, 2), rng.uniform(0.01, 0.06), rng.uniform(0, np.pi)
    patches = []
    for layer in (1.0, 0.75, 0.5, 0.25):  # smaller and brighter towards the light
        lifted = centre - (0, 0.2 * radius * (1 - layer))
        shape = _ellipse(lifted, (radius * layer, 0.7 * radius * layer), angle)
        patches.append(_Patch(shape, _lit(colour, 1.3 - layer / 2)))
    return patches


def _clutter(rng: np.random.Generator, backdrop: _Backdrop) -> list[_Patch]:
    """What lies about behind the insects, in the unit square."""
    patches: list[_Patch] = []
    tone = _mixed(*backdrop.tones, rng.uniform(0.2, 0.9))
    for _ in range(rng.integers(4, 16)):
        shade = _lit(tone, rng.uniform(0.6, 1.3))
        match backdrop.clutter:
            case "pebbles":
                patches += _pebble(rng, shade)
            case "petals":
                patches += _blade(rng, shade, rng.uniform(0.08, 0.2), rng.uniform(0.5, 1.0))
            case "veins":
                patches += _blade(rng, _lit(shade, 1.2), 0.006, rng.uniform(0.5, 1.4))
            case "blades":
                patches += _blade(rng, shade, rng.uniform(0.008, 0.03), rng.uniform(0.4, 1.4))
            case "bokeh":
                disc = _ellipse(rng.uniform(0, 1, 2), (rng.uniform(0.03, 0.15),) * 2)
                patches.append(_Patch(disc, shade, 0.3))
    return patches


def _occluders(rng: np.random.Generator) -> list[_Patch]:
    """Leaves, blades of grass and petals in front of the insects, in the unit square."""
    patches: list[_Patch] = []
    for _ in range(rng.choice([0, 1, 2, 4], p=[0.3, 0.3, 0.25, 0.15])):
        colour = _lit(_FOLIAGE[rng.integers(len(_FOLIAGE))], rng.uniform(0.75, 1.2))
        patches += _blade(rng, colour, rng.choice([0.015, 0.03, 0.08]), rng.uniform(0.3, 1.2))
    return patches


def _placed(rng: np.random.Generator, patches: list[_Patch], length: float) -> list[_Patch]:
    """Turn, shorten, mirror and move an insect into the unit square."""
    turn = rng.uniform(0, 2 * np.pi)
    mirror = rng.choice([-1.0, 1.0])
    scale = np.array([length * rng.uniform(0.8, 1.0), length * mirror])
    rotation = np.stack([_unit(turn), _unit(turn + np.pi / 2)])
    margin = min(0.45, 0.3 * length + 0.08)
    place = rng.uniform(margin, 1 - margin, 2)
    return [_Patch((p.points * scale) @ rotation + place, p.colour, p.alpha) for p in patches]


def _paint(canvas: Image.Image, patches: list[_Patch]) -> None:
    pen = ImageDraw.Draw(canvas, "RGBA")
    for patch in patches:
        red, green, blue = (int(channel) for channel in patch.colour)
        points = (patch.points * canvas.width).ravel().tolist()
        pen.polygon(points, fill=(red, green, blue, int(255 * patch.alpha)))


def _cast_shadow(canvas: Image.Image, patches: list[_Patch], rng: np.random.Generator) -> None:
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


def _photographed(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """Add what a camera adds: defocus, contrast, a cast of light and sensor noise."""
    if rng.random() < 0.6:
        radius = image.width / 256 * rng.uniform(0.3, 2.6)
        image = image.filter(ImageFilter.GaussianBlur(radius))
    image = ImageEnhance.Color(image).enhance(rng.uniform(0.4, 1.15))
    image = ImageEnhance.Contrast(image).enhance(rng.uniform(0.45, 1.15))
    cast = rng.uniform(0.87, 1.13, 3) * rng.uniform(0.65, 1.2)
    image = image.point([level * gain for gain in cast for level in range(256)])
    noise = rng.standard_normal((image.height, image.width, 3), dtype=np.float32)
    noise *= np.float32(rng.uniform(1, 14))
    return Image.fromarray(np.clip(noise + np.asarray(image), 0, 255).astype(np.uint8))


def draw(class_name: str, split: str, index: int, *, seed: int = 0, size: int = 256) -> Image.Image:
    """Draw one image; the same arguments always give the same pixels.

    Returns:
        An RGB image of ``size`` by ``size`` pixels.

    Raises:
        ValueError: ``class_name`` or ``split`` is unknown, or a number is negative.
    """
    rng = _generator(class_name, split, index, seed)
    backdrop = _BACKDROPS[rng.integers(len(_BACKDROPS))]
    large = size * _OVERSAMPLING
    canvas = _ground(rng, size, backdrop).resize((large, large), Image.Resampling.BILINEAR)
    _paint(canvas, _clutter(rng, backdrop))
    count = rng.choice([1, 2, 3], p=[0.75, 0.17, 0.08])
    length = rng.uniform(0.22, 0.8) / count**0.5
    for _ in range(count):
        curl = rng.choice([-1, 1]) * rng.uniform(0.05, 1.0)
        figure = _Figure(rng, curl, bool(rng.random() < 0.35))
        _DRAWERS[class_name](figure)
        patches = _placed(rng, figure.patches, length)
        _cast_shadow(canvas, patches, rng)
        _paint(canvas, patches)
    _paint(canvas, _occluders(rng))
    return _photographed(rng, canvas.reduce(_OVERSAMPLING))


def write(
    folder: Path, *, seed: int = 0, size: int = 256, counts: Mapping[str, int] = COUNTS
) -> None:
    """Write the set as ``folder/split/class/0000.jpg``, unless ``folder`` already exists.

    The folder appears whole or not at all.

    Args:
        counts: split -> images a class.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        draft = Path(temporary) / folder.name
        for split, count in counts.items():
            for class_name in CLASSES:
                (draft / split / class_name).mkdir(parents=True)
                for index in range(count):
                    image = draw(class_name, split, index, seed=seed, size=size)
                    path = draft / split / class_name / f"{index:04d}.jpg"
                    image.save(path, quality=_JPEG_QUALITY)
        try:
            os.replace(draft, folder)
        except OSError:
            if not folder.exists():  # another process may have published the same set first
                raise
