"""Draws one ant or one bee, in a pose of its own, as coloured patches."""

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from antsbees.data.synthetic.shapes import (
    Colour,
    Patch,
    Points,
    ellipse,
    lit,
    mixed,
    ovoid,
    ribbon,
    unit,
)

_ANT_COATS: tuple[tuple[Colour, Colour, Colour], ...] = (  # head, thorax, gaster
    ((38, 32, 32), (36, 30, 30), (30, 26, 28)),
    ((66, 42, 30), (72, 46, 32), (48, 32, 26)),
    ((128, 58, 32), (138, 66, 36), (92, 42, 28)),
    ((58, 36, 28), (146, 72, 38), (44, 32, 28)),
    ((178, 118, 58), (186, 126, 64), (150, 96, 48)),
)
_BEE_COATS: tuple[tuple[Colour, Colour, Colour], ...] = (  # fur, light band, dark band
    ((168, 122, 62), (206, 142, 56), (52, 36, 26)),
    ((120, 92, 58), (150, 104, 56), (44, 34, 28)),
    ((214, 172, 60), (226, 184, 66), (32, 28, 28)),
    ((74, 60, 48), (96, 76, 56), (40, 34, 32)),
    ((150, 84, 40), (172, 128, 84), (58, 42, 34)),
)


@dataclass
class Figure:
    """An insect one unit long, head towards +x, gathered patch by patch from back to front."""

    rng: np.random.Generator
    curl: float
    from_side: bool
    patches: list[Patch] = field(default_factory=list)

    def spine(self, share: Points | float) -> Points:
        """Points at shares of the body's length, 0 the front and 1 the tip."""
        bend = self.curl * (0.5 - np.asarray(share, dtype=np.float64))
        return np.stack([np.sin(bend), 1 - np.cos(bend)], axis=-1) / self.curl

    def heading(self, share: float) -> float:
        return self.curl * (0.5 - share)

    def beside(self, share: float, offset: float) -> Points:
        """The point ``offset`` to the side of the spine, or below it when seen from the side."""
        return self.spine(share) + offset * unit(self.heading(share) + math.pi / 2)

    def segment(
        self, ends: tuple[float, float], half_width: float, bands: list[Colour], skew: float = 1.0
    ) -> None:
        """Add a rounded part of the body, its bands of colour from front to back."""
        edges = np.linspace(0, np.pi, len(bands) + 1)
        shares = [(1 - np.cos(np.linspace(*pair, 6))) / 2 for pair in pairwise(edges)]
        lines = [self.spine(ends[0] + share * (ends[1] - ends[0])) for share in shares]
        widths = [half_width * ovoid(share, skew) for share in shares]
        for layer in np.linspace(0, 1, 5):  # narrower and brighter towards the light
            lift = (0, 0.25 * half_width * layer)
            for line, width, colour in zip(lines, widths, bands, strict=True):
                outline = ribbon(line - lift, width * (1 - 0.85 * layer))
                self.patches.append(Patch(outline, lit(colour, 0.6 + 0.65 * layer)))

    def gloss(self, share: float, length: float, lift: float) -> None:
        for scale, alpha in ((1.0, 0.12), (0.6, 0.18)):
            radii = (length * scale, length * scale * 0.45)
            shape = ellipse(self.spine(share) - (0, lift), radii, self.heading(share))
            self.patches.append(Patch(shape, (255, 250, 240), alpha))

    def limb(self, joints: list[Points], half_width: float, colour: Colour) -> None:
        """Add a jointed leg or antenna that thins towards its end."""
        thin = np.linspace(half_width, 0.4 * half_width, len(joints))
        for i, (start, stop) in enumerate(pairwise(joints)):
            swell = np.array([0.8, 1.15, 1.1, 0.7]) * np.linspace(thin[i], thin[i + 1], 4)
            outline = ribbon(np.linspace(start, stop, 4), swell)
            self.patches.append(Patch(outline, lit(colour, 1.1 - 0.12 * i)))

    def legs(
        self, roots: tuple[float, float, float], length: float, colour: Colour, *, behind: bool
    ) -> None:
        """Add the legs that lie behind the body, or those before it (none, seen from above)."""
        far_sides, near_sides = ((1,), (-1,)) if self.from_side else ((1, -1), ())
        for side in far_sides if behind else near_sides:
            tone = lit(colour, 0.7) if self.from_side and behind else colour
            for root, spread in zip(roots, (0.75, 1.6, 2.35), strict=True):
                joints = [self.beside(root, 0.03 if self.from_side else 0.0)]
                for step in self._steps(root, spread + self.rng.uniform(-0.3, 0.3), side):
                    joints.append(joints[-1] + length * step)
                self.limb(joints, 0.036 * length, tone)

    def _steps(self, root: float, spread: float, side: int) -> list[Points]:
        """Femur, tibia and tarsus of a leg ``spread`` radians away from straight ahead."""
        if self.from_side:
            reach = math.cos(spread)
            return [
                np.array([along * reach, down])
                for along, down in ((0.5, -0.16), (0.32, 0.52), (0.24, 0.08))
            ]
        toward = 1 if spread > math.pi / 2 else -1
        return [
            part * unit(self.heading(root) + side * (spread + toward * bend))
            for part, bend in ((0.42, -0.3), (0.36, 0.35), (0.24, 0.1))
        ]

    def antennae(self, scape: float, lash: float, colour: Colour) -> None:
        """Add two elbowed antennae: a scape outwards, then a lash forwards."""
        for side in (1, -1):
            turn = -1 if self.from_side else side
            angle = self.heading(0) + turn * self.rng.uniform(0.4, 1.1)
            joints = [self.beside(0.05, 0.03 * turn)]
            for length, bend in ((scape, 0.0), (lash / 2, 0.8), (lash / 2, 0.5)):
                angle -= turn * bend * self.rng.uniform(0.5, 1.5)
                joints.append(joints[-1] + length * unit(angle))
            self.limb(joints, 0.013, colour)

    def eyes(self, share: float, offset: float, radii: tuple[float, float]) -> None:
        for place in (-0.3 * offset,) if self.from_side else (-offset, offset):
            centre = self.beside(share, place)
            eye = ellipse(centre, radii, self.heading(share))
            shine = ellipse(centre - (0, radii[1] / 3), (radii[0] / 3, radii[1] / 3))
            self.patches += [Patch(eye, (20, 15, 15)), Patch(shine, (160, 150, 140), 0.6)]

    def fuzz(self, share: float, radii: tuple[float, float], colour: Colour, count: int) -> None:
        """Add hairs all over an ellipse around a point of the spine."""
        heading = self.heading(share)
        turns = self.rng.uniform(0, 2 * np.pi, count)
        reach = np.sqrt(self.rng.uniform(0.0, 1.0, count))[:, None]
        spokes = np.stack([np.cos(turns), np.sin(turns)], axis=-1) * radii
        spokes = spokes @ np.stack([unit(heading), unit(heading + math.pi / 2)])
        thick = spokes[:, ::-1] * (-0.045, 0.045)
        roots = self.spine(share) + reach * spokes
        hairs = np.stack([roots - thick, roots + thick, roots + 0.22 * spokes], axis=1)
        tones = self.rng.uniform(0.6, 1.3, count)
        self.patches += [
            Patch(hair, lit(colour, tone), 0.85) for hair, tone in zip(hairs, tones, strict=True)
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

    def _wing(self, root: Points, angle: float, length: float, alpha: float) -> None:
        share = (1 - np.cos(np.linspace(0, np.pi, 16))) / 2
        line = root + np.outer(share * length, unit(angle))
        blade = ribbon(line, 0.17 * length * ovoid(share, 1.5) + 0.004)
        self.patches.append(Patch(blade, (226, 228, 226), alpha))
        rim = ribbon(np.vstack([blade, blade[:1]]), np.full(33, 0.003))
        self.patches.append(Patch(rim, (60, 46, 36), 0.6))
        for lean in (-0.16, -0.05, 0.07):
            vein = root + np.outer(share[:13] * length, unit(angle + lean))
            self.patches.append(Patch(ribbon(vein, np.full(13, 0.0025)), (60, 46, 36), 0.5))


def draw_ant(figure: Figure) -> None:
    """Make the figure an ant."""
    rng = figure.rng
    head, thorax, gaster = _ANT_COATS[rng.integers(len(_ANT_COATS))]
    limbs = lit(thorax, 0.85)
    stout = rng.uniform(0.85, 1.15)
    length = rng.uniform(0.5, 0.72)
    figure.legs((0.30, 0.38, 0.46), length, limbs, behind=True)
    figure.antennae(rng.uniform(0.14, 0.2), rng.uniform(0.2, 0.3), limbs)
    for side in (1, -1):  # mandibles
        jaw = figure.beside(-0.02, 0.03 * side)
        figure.limb([figure.spine(0.06), jaw, figure.spine(-0.04)], 0.014, limbs)
    sheen = lit(gaster, rng.uniform(1.0, 1.5))
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


def draw_bee(figure: Figure) -> None:
    """Make the figure a bee."""
    rng = figure.rng
    fur, light, dark = _BEE_COATS[rng.integers(len(_BEE_COATS))]
    light = mixed(light, dark, rng.uniform(0.0, 0.6))
    limbs: Colour = (46, 34, 28)
    stout = rng.uniform(0.85, 1.15)
    length = rng.uniform(0.4, 0.55)
    figure.legs((0.24, 0.32, 0.42), length, limbs, behind=True)
    figure.antennae(0.08, 0.13, limbs)
    figure.segment((0.42, 1.0), 0.165 * stout, [dark, *[light, dark] * 4], 0.8)
    figure.fuzz(0.58, (0.16, 0.14 * stout), light, 50)
    figure.segment((0.0, 0.18), 0.105 * stout, [dark])
    figure.segment((0.14, 0.46), 0.14 * stout, [lit(fur, 0.8)])
    figure.fuzz(0.31, (0.15, 0.145 * stout), fur, 180)
    figure.fuzz(0.1, (0.06, 0.07), fur, 40)
    figure.eyes(0.09, 0.075, (0.05, 0.03))
    figure.legs((0.24, 0.32, 0.42), length, limbs, behind=False)
    figure.wings(rng.uniform(0.15, 1.1), rng.uniform(0.25, 0.6))
