"""Boxes whose areas are values; those too small for a name have the number of a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import squarify

from lgs_assets.charts import style
from lgs_assets.dashboard.figures.shapes import LETTER, OUTLINE, Drawing, Rect, Shape, Text

_WIDTH = 620.0
"""Pixels for which names are measured: a figure is seldom narrower, and where it is, it can be scrolled."""


@dataclass(frozen=True)
class Box:
    """A box: a name, a line below it, and a value above zero."""

    name: str
    detail: str
    value: float
    fill: str
    link: str
    number: int


def treemap(label: str, boxes: Sequence[Box], *, height: float = 300) -> Drawing:
    """The boxes, largest first, and below them the key of those that are too small for their names."""
    shown = sorted((box for box in boxes if box.value > 0), key=lambda box: -box.value)
    sizes = squarify.normalize_sizes([box.value for box in shown], _WIDTH, height)
    shapes: list[Shape] = []
    for box, place in zip(shown, squarify.squarify(sizes, 0, 0, _WIDTH, height), strict=True):
        x, y, width, tall = place["x"], place["y"], place["dx"], place["dy"]
        ink = style.ink_on(box.fill)
        shapes.append(
            Rect(
                x / _WIDTH * 100,
                y,
                width / _WIDTH * 100,
                tall,
                box.fill,
                ink,
                title=f"{box.name}: {box.detail}",
                link=box.link,
                stroke_width=OUTLINE,
            )
        )
        left, room = x / _WIDTH * 100, width - 18
        said = next((lines for lines in _wordings(box.name) if _fits(lines, room) and tall >= 10 + 18 * len(lines)), [])
        for place, line in enumerate(said):
            shapes.append(Text(left, y + 20 + 17 * place, line, "start", ink, 13, is_bold=True, dx=9))
        below = y + 21 + 17 * len(said)
        if said and below + 8 <= y + tall and _fits([box.detail], room):
            shapes.append(Text(left, below, box.detail, "start", ink, 12, dx=9))
        if not said and width >= 14 and tall >= 16:
            middle = (x + width / 2) / _WIDTH * 100
            shapes.append(Text(middle, y + tall / 2 + 4, str(box.number), "middle", ink, 12, is_bold=True))
    return Drawing(label, height, shapes, is_wide=True)


def _wordings(name: str) -> list[list[str]]:
    """A name in one line, and one word a line."""
    return [[name], name.split()]


def _fits(lines: list[str], room: float) -> bool:
    return max(len(line) for line in lines) * LETTER <= room
