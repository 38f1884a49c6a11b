"""Estimates with their intervals, one below the other, on either side of zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lgs_assets.charts import style
from lgs_assets.dashboard.figures.axis import Axis
from lgs_assets.dashboard.figures.shapes import Dot, Drawing, Line, Shape, Text

_ROW = 46.0
"""Pixels from one estimate to the next: its name, and its line below."""
_EDGE = 4.0
"""Percents of the width left free at both sides, for the labels of the outer ticks."""


@dataclass(frozen=True)
class Whisker:
    """An estimate, and what it may as well be; None for an end that is not bounded."""

    name: str
    estimate: float
    low: float | None
    high: float | None
    title: str
    is_bold: bool = False


def whiskers(label: str, rows: Sequence[Whisker], written: Callable[[float], str]) -> Drawing:
    """The estimates as dots on the lines of their intervals. An end that is not bounded runs to the edge."""
    ends = [end for row in rows for end in (row.estimate, row.low, row.high) if end is not None]
    axis = Axis.over(ends, top=0, bottom=1)
    bottom = len(rows) * _ROW + 8

    def across(value: float) -> float:
        return _EDGE + (100 - 2 * _EDGE) * (value - axis.low) / (axis.high - axis.low)

    shapes: list[Shape] = []
    for number in range(round((axis.high - axis.low) / axis.step) + 1):
        value = axis.low + number * axis.step
        is_zero = abs(value) < axis.step / 1e6
        shapes.append(Line(across(value), 0, across(value), bottom, style.MUTED if is_zero else style.GRID))
        shapes.append(Text(across(value), bottom + 18, written(0 if is_zero else value), fill=style.INK))
    for place, row in enumerate(rows):
        top = place * _ROW
        low = 0.0 if row.low is None else across(row.low)
        high = 100.0 if row.high is None else across(row.high)
        shapes.append(Text(0, top + 16, row.name, "start", style.INK, is_bold=row.is_bold))
        shapes.append(Line(low, top + 30, high, top + 30, style.BLUE, 3))
        shapes += [
            Line(at, top + 24, at, top + 36, style.BLUE, 2)
            for at, end in ((low, row.low), (high, row.high))
            if end is not None
        ]
        shapes.append(Dot(across(row.estimate), top + 30, 5.5, style.BLUE, "white", row.title))
    return Drawing(label, bottom + 26, shapes)
