"""What a drawing is made of. The template `drawing.svg` writes it down; nothing else makes SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

from lgs_assets.charts import style

RAMP: Final = (
    "#0d2161", "#233390", "#2352a3", "#1f78b4", "#289cc1", "#46b8c3", "#76cabc", "#aedfb6", "#d7efb3", "#f1faba",
)  # fmt: skip
"""`style.ramp(10)`, without loading matplotlib for it. Best segment first."""
PALE: Final = "#bfdcec"
"""`style.lighter(style.BLUE)`: the part of a bar that does not compare."""

OUTLINE: Final = 0.6
"""Pixels around a box of the ramp, in the ink on it: the light ones would be lost on white, the dark beside others."""
LETTER: Final = 7.2
"""Pixels of a letter at 13 pixels, on the wide side."""

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Rect:
    """A box. `link` makes it one to click; `is_passed_over` by the keyboard, where a table beside it has the link."""

    x: float
    y: float
    width: float
    height: float
    fill: str = style.BLUE
    stroke: str = "none"
    title: str = ""
    link: str = ""
    is_passed_over: bool = False
    stroke_width: float = 1


@dataclass(frozen=True)
class Text:
    """A line of text; `dx` moves it by pixels."""

    x: float
    y: float
    text: str
    anchor: Anchor = "middle"
    fill: str = style.MUTED
    size: float = 12
    is_bold: bool = False
    dx: float = 0


@dataclass(frozen=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str = style.GRID
    width: float = 1
    dash: str = ""


@dataclass(frozen=True)
class Area:
    """What lies within points."""

    points: tuple[tuple[float, float], ...]
    fill: str = style.BLUE
    opacity: float = 0.18


@dataclass(frozen=True)
class Dot:
    """A round mark."""

    x: float
    y: float
    radius: float = 4
    fill: str = style.BLUE
    stroke: str = "white"
    title: str = ""


Shape = Rect | Text | Line | Area | Dot


@dataclass(frozen=True)
class Drawing:
    """A figure, from back to front. `label` says in words what it shows, to those who cannot see it."""

    label: str
    height: float
    shapes: list[Shape] = field(default_factory=list)
    margin: float = 0
    """Pixels left of it that hold labels."""
    is_wide: bool = False
    """Whether a narrow screen has to scroll it, for it cannot be narrower."""


def kind(shape: Shape) -> str:
    """The name of the shape, by which the template chooses."""
    return type(shape).__name__


def points(area: Area) -> str:
    """The points as SVG has them."""
    return " ".join(f"{x:.3f},{y:.2f}" for x, y in area.points)


def target(x: float, y: float, width: float, height: float, title: str, link: str) -> Rect:
    """What a pointer meets, larger than what is drawn there: on a page it shows when it is pointed at."""
    return Rect(x, y, width, height, "none", title=title, link=link)


def polyline(
    at: Sequence[tuple[float, float]], *, stroke: str = style.BLUE, width: float = 2, dash: str = ""
) -> list[Shape]:
    """A line through points, piece by piece: as one path, its width would stretch with the figure."""
    return [Line(*start, *end, stroke, width, dash) for start, end in pairwise(at)]
