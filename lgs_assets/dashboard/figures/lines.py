"""Lines over time, with a band around them where there is an interval, and none into a partial month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lgs_assets.charts import style
from lgs_assets.dashboard.figures.axis import MARGIN, Axis
from lgs_assets.dashboard.figures.shapes import Area, Dot, Drawing, Shape, Text, polyline


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
                shapes.append(Dot(x, axis.at(p.value), 3.5, fill, stroke, p.title, p.link))
    return Drawing(label, height, shapes, margin=MARGIN)


def spark(values: Sequence[float], label: str, *, is_partial: bool = False) -> Drawing:
    """A small line without axes, its last point marked: as a ring without a line to it, if its month is not over."""
    low, high = min(values, default=0), max(values, default=1)
    axis = Axis(low, high if high > low else low + 1, 4, 22, 1)
    step = 96 / max(len(values) - 1, 1)
    at = tuple((2 + place * step, axis.at(value)) for place, value in enumerate(values))
    fill, stroke = ("white", style.BLUE) if is_partial else (style.BLUE, "white")
    last = [Dot(*at[-1], 2.5, fill, stroke)] if at else []
    return Drawing(label, 26, [*polyline(at[:-1] if is_partial else at, width=1.5), *last])
