"""A poster for an event without a picture: a drawing by its field, varied by its title, always the same for the same event.

Plain paths on a 300 × 400 ground; the template writes them as SVG and sets the title in type over them.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass

WIDTH, HEIGHT = 300, 400


@dataclass(frozen=True)
class Shape:
    """A path: filled when `stroke` is 0, else a line of that width. `tone` is light (white) or glow (the field's second colour)."""

    d: str
    opacity: float
    stroke: float = 0
    tone: str = "light"


@dataclass(frozen=True)
class Poster:
    shapes: tuple[Shape, ...]
    size: str
    """Of the title's type: large, medium or small, by its length."""


def draw(field: str, title: str) -> Poster:
    """The poster of an event of FIELD called TITLE."""
    chance = random.Random(zlib.crc32(title.encode()))  # noqa: S311 - a drawing, not a secret
    size = "large" if len(title) <= 10 else "medium" if len(title) <= 22 else "small"
    return Poster(tuple(_DRAWINGS.get(field, _other)(chance)), size)


def _circle(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y:.1f}a{r:.1f} {r:.1f} 0 1 0 {2 * r:.1f} 0a{r:.1f} {r:.1f} 0 1 0 {-2 * r:.1f} 0z"


def _polygon(*points: tuple[float, float]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "z"


def _musical(chance: random.Random) -> list[Shape]:
    """Spotlights crossing over a stage."""
    shapes = []
    for x in (30, 110, 190, 270):
        aim = chance.uniform(40, 260)
        shapes.append(Shape(_polygon((x - 5, -10), (x + 5, -10), (aim + 62, 330), (aim - 62, 330)), 0.10))
        shapes.append(Shape(_polygon((x - 2, -10), (x + 2, -10), (aim + 30, 330), (aim - 30, 330)), 0.10, tone="glow"))
        shapes.append(Shape(f"M{aim - 62:.1f} 330a62 13 0 1 0 124 0a62 13 0 1 0 -124 0z", 0.22, tone="glow"))
    shapes += [Shape(_circle(chance.uniform(10, 290), chance.uniform(10, 250), chance.uniform(0.8, 2.2)), 0.7) for _ in range(36)]
    return shapes


def _theatre(chance: random.Random) -> list[Shape]:
    """A curtain, drawn a little to both sides."""
    shapes = [Shape(_circle(150, 215, 96), 0.20, tone="glow"), Shape(_circle(150, 215, 66), 0.25, tone="glow")]
    opening = chance.uniform(34, 56)
    for index in range(7):
        near, far = index * 15.0, (index + 1) * 15.0
        bend = opening * (1 - index / 7)
        for side in (1, -1):
            x1, x2 = (near, far) if side == 1 else (WIDTH - near, WIDTH - far)
            inner = x2 + side * (24 - bend * 0.4)
            d = f"M{x1:.1f} 0L{x2 + side * 26:.1f} 0Q{x2 + side * 10:.1f} 190 {inner:.1f} 400L{x1:.1f} 400z"
            shapes.append(Shape(d, 0.055 + 0.012 * (index % 2)))
    return shapes


def _concert(chance: random.Random) -> list[Shape]:
    """A level meter at full volume."""
    shapes = []
    for column in range(15):
        level = int(4 + 15 * abs(math.sin(column * 0.55 + chance.uniform(0, 0.9))) * chance.uniform(0.7, 1))
        for step in range(level):
            x, y = 10 + column * 19, 330 - step * 15
            shapes.append(Shape(f"M{x} {y}h13v9h-13z", 0.14 + 0.035 * step, tone="glow" if step > 9 else "light"))
    return shapes


def _classical(chance: random.Random) -> list[Shape]:
    """Staves in a swell, with a few notes."""
    shapes = []
    swell = chance.uniform(50, 80)
    for stave in range(3):
        for line in range(5):
            start = 60 + stave * 100 + line * 11
            d = f"M-10 {start}C80 {start - swell:.1f} 190 {start + swell:.1f} 310 {start - 18}"
            shapes.append(Shape(d, 0.30, stroke=1.1))
        for _ in range(4):
            t = chance.uniform(0.1, 0.9)
            x = -10 + 320 * t
            y = 60 + stave * 100 + chance.randrange(5) * 11.0
            y += -3 * swell * t * (1 - t) ** 2 + 3 * swell * t**2 * (1 - t) - 18 * t**3
            shapes.append(Shape(_circle(x, y, 6), 0.75, tone="glow"))
            shapes.append(Shape(f"M{x + 5.5:.1f} {y:.1f}v-34", 0.6, stroke=1.4, tone="glow"))
    return shapes


def _dance(chance: random.Random) -> list[Shape]:
    """One movement, drawn again and again."""
    a, b = chance.uniform(-60, 60), chance.uniform(-60, 60)
    shapes = []
    for step in range(22):
        k = step * 7
        start = f"M{-20 + k * 0.5:.1f} {400 - k * 0.3:.1f}"
        bend = f"C{60 + a + k:.1f} {250 - k:.1f} {120 - b:.1f} {60 + k:.1f}"
        d = f"{start}{bend} {320 - k * 0.2:.1f} {30 + k * 1.2:.1f}"
        shapes.append(Shape(d, 0.12 + step * 0.014, stroke=1.2, tone="glow" if step % 5 == 0 else "light"))
    return shapes


def _festival(chance: random.Random) -> list[Shape]:
    """A low sun, hills and confetti."""
    sun_x = chance.uniform(90, 210)
    shapes = [Shape(_circle(sun_x, 190, r), 0.12, tone="glow") for r in (150, 115, 85, 60)]
    for index, foot in enumerate((235, 275, 315)):
        peak = chance.uniform(40, 70)
        shapes.append(Shape(f"M-10 {foot}Q80 {foot - peak:.1f} 160 {foot}T310 {foot - 10}V410H-10z", 0.10 + 0.04 * index))
    for _ in range(46):
        x, y, turn = chance.uniform(5, 295), chance.uniform(5, 210), chance.uniform(0, math.pi)
        dx, dy = 5 * math.cos(turn), 5 * math.sin(turn)
        shapes.append(Shape(_polygon((x, y), (x + dx, y + dy), (x + dx - dy, y + dy + dx)), chance.uniform(0.35, 0.8)))
    return shapes


def _sports(chance: random.Random) -> list[Shape]:
    """The lanes of a track in a curve."""
    x = chance.uniform(300, 350)
    shapes = [Shape(_circle(x, 300, 100 + lane * 30), 0.34, stroke=2) for lane in range(8)]
    lane = chance.randrange(1, 6)
    shapes.append(Shape(_circle(x, 300, 115 + lane * 30), 0.30, stroke=26, tone="glow"))
    return shapes


def _exhibition(chance: random.Random) -> list[Shape]:
    """Frames on a wall, one of them filled."""
    frames = [(24, 40, 110, 140), (154, 28, 122, 92), (154, 140, 70, 104), (240, 140, 36, 104), (24, 200, 110, 84)]
    chosen = chance.randrange(len(frames))
    shapes = []
    for index, (x, y, w, h) in enumerate(frames):
        shapes.append(Shape(f"M{x} {y}h{w}v{h}h{-w}z", 0.65, stroke=2))
        if index == chosen:
            shapes.append(Shape(f"M{x + 9} {y + 9}h{w - 18}v{h - 18}h{18 - w}z", 0.8, tone="glow"))
        else:
            shapes.append(Shape(f"M{x + 9} {y + 9}h{w - 18}v{h - 18}h{18 - w}z", 0.08 + 0.05 * index))
    return shapes


def _other(chance: random.Random) -> list[Shape]:
    """Points that swell from one corner."""
    cx, cy = chance.choice(((40, 60), (260, 60), (40, 300), (260, 300)))
    shapes = []
    for row in range(11):
        for column in range(9):
            x, y = 18 + column * 33, 18 + row * 33
            r = max(1.5, 13 - math.dist((x, y), (cx, cy)) / 26)
            shapes.append(Shape(_circle(x, y, r), 0.28, tone="glow" if (row + column) % 4 == 0 else "light"))
    return shapes


_DRAWINGS: dict[str, Callable[[random.Random], list[Shape]]] = {
    "musical": _musical,
    "theatre": _theatre,
    "concert": _concert,
    "classical": _classical,
    "dance": _dance,
    "festival": _festival,
    "sports": _sports,
    "exhibition": _exhibition,
}
