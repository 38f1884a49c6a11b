"""Lines over time, with a band around them where there is an interval, and none into a partial month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lgs_assets.charts import style
from lgs_assets.dashboard.figures.axis import MARGIN, Axis
from lgs_assets.dashboard.figures.shapes import Area, Dot, Drawing, Shape, Text, polyline, target

_ACROSS, _TALL = 3, 76.0
"""Small lines beside one another, and the pixels of each with its name and last value, which stand above it."""
_BETWEEN = 3.0
"""Percents of the width from one to the next."""
_EDGE = 1.0
"""Of them, for the half of the last dot: what is beyond the edge of a figure that can be scrolled is cut."""


@dataclass(frozen=True)
class Point:
    """A value at a place in time; None where it is not known."""

    value: float | None
    low: float | None = None
    high: float | None = None
    label: str = ""
    title: str = ""
    link: str = ""
    is_partial: bool = False


@dataclass(frozen=True)
class Series:
    """A line. `start` is the place of its first point."""

    name: str
    points: Sequence[Point]
    colour: str = style.BLUE
    dash: str = ""
    start: int = 0
    opacity: float = 0.18
    """Of its band."""


@dataclass(frozen=True)
class Spark:
    """One of many small lines: its name, its values, the last of them in words, and where a click leads."""

    name: str
    values: Sequence[float]
    last: str
    link: str
    is_partial: bool = False
    """Whether the last value is of a month that is not over."""


def lines(label: str, series: Sequence[Series], written: Callable[[float], str], *, height: float = 230) -> Drawing:
    """The series, over places of equal width. Points of partial months stand alone, as rings."""
    values = [v for one in series for p in one.points for v in (p.value, p.low, p.high) if v is not None]
    axis = Axis.over(values, top=22, bottom=height - 26)
    shapes: list[Shape] = axis.shapes(written)
    count = max(one.start + len(one.points) for one in series)

    def across(place: int) -> float:
        return 100 * (place + 0.5) / count

    for one in series:
        for place, point in enumerate(one.points):
            if point.label:
                shapes.append(Text(across(one.start + place), height - 8, point.label, fill=style.INK))
        at = [(across(one.start + place), point) for place, point in enumerate(one.points)]
        band = [(x, point.low, point.high) for x, point in at if point.low is not None and point.high is not None]
        if band:
            edge = [(x, axis.at(high)) for x, _, high in band] + [(x, axis.at(low)) for x, low, _ in reversed(band)]
            shapes.append(Area(tuple(edge), one.colour, one.opacity))
        whole = [(x, axis.at(p.value)) for x, p in at if p.value is not None and not p.is_partial]
        shapes += polyline(whole, stroke=one.colour, dash=one.dash)
        for x, p in at:
            if p.value is not None:
                fill, stroke = ("white", one.colour) if p.is_partial else (one.colour, "white")
                shapes.append(Dot(x, axis.at(p.value), 3.5, fill, stroke, "" if p.link else p.title))
            if p.link:
                shapes.append(target(x - 50 / count, axis.top, 100 / count, axis.bottom - axis.top, p.title, p.link))
    return Drawing(label, height, shapes, margin=MARGIN)


def sparks(label: str, small: Sequence[Spark]) -> Drawing:
    """The lines without axes, three beside one another, each on its own scale, with its last value in words."""
    shapes: list[Shape] = []
    wide = (100 + _BETWEEN) / _ACROSS - _BETWEEN
    for place, one in enumerate(small):
        left, top = (wide + _BETWEEN) * (place % _ACROSS), _TALL * (place // _ACROSS)
        low, high = min(one.values), max(one.values)
        axis = Axis(low, high if high > low else low + 1, top + 40, top + 60, 1)
        step = (wide - _EDGE) / max(len(one.values) - 1, 1)
        at = [(left + step * number, axis.at(value)) for number, value in enumerate(one.values)]
        shapes.append(Text(left, top + 14, one.name, "start", style.INK, is_bold=True))
        shapes.append(Text(left, top + 30, one.last, "start"))
        shapes += polyline(at[:-1] if one.is_partial else at, width=1.5)
        fill, stroke = ("white", style.BLUE) if one.is_partial else (style.BLUE, "white")
        shapes.append(Dot(*at[-1], 3, fill, stroke))
        shapes.append(target(left, top, wide, _TALL - 8, f"{one.name}: {one.last}", one.link))
    return Drawing(label, _TALL * -(-len(small) // _ACROSS), shapes, is_wide=True)
