"""Columns side by side: months, or bins of a distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lgs_assets.charts import style
from lgs_assets.dashboard.figures.axis import MARGIN, Axis
from lgs_assets.dashboard.figures.shapes import PALE, RAMP, Drawing, Line, Rect, Shape, Text, target

_HATCH = 5.0
"""Pixels from one line of the hatching to the next."""


@dataclass(frozen=True)
class Column:
    """One column: its label below, or none, and what a pointer over it says."""

    value: float
    label: str = ""
    title: str = ""
    link: str = ""
    pale: float = 0
    """The part of the value at its end that does not compare, in paler colour."""
    below: float = 0
    """What went away meanwhile, drawn below zero."""
    is_partial: bool = False
    is_chosen: bool = False
    is_typical: bool = False
    """Marked by a line of dashes, which a low column does not hide."""
    mark: str = ""
    """Words at the top, that end above the column."""


def columns(
    label: str, bars: Sequence[Column], written: Callable[[float], str], *, height: float = 230, gap: float = 0.22
) -> Drawing:
    """Columns of equal width, those of partial months hatched and pale, the chosen one darker."""
    axis = Axis.over([end for bar in bars for end in (bar.value, -bar.below)], top=22, bottom=height - 26)
    shapes = axis.shapes(written)
    width = 100 / max(len(bars), 1)
    for place, bar in enumerate(bars):
        left = width * (place + gap / 2)
        whole = bar.value - bar.pale
        zero, top = axis.at(0), axis.at(whole)
        fill = PALE if bar.is_partial else RAMP[0] if bar.is_chosen else style.BLUE
        shapes.append(_rect(left, zero, top, width * (1 - gap), fill))
        if bar.is_partial:
            shapes += _hatching(left, zero, top, width * (1 - gap))
        if bar.pale:
            shapes.append(_rect(left, top, axis.at(bar.value), width * (1 - gap), PALE))
        if bar.below:
            shapes.append(_rect(left, zero, axis.at(-bar.below), width * (1 - gap), style.ORANGE))
        middle = left + width * (1 - gap) / 2
        if bar.is_typical:
            shapes.append(Line(middle, axis.top, middle, zero, style.INK, 1.5, "3 3"))
        if bar.mark:
            shapes.append(Text(middle, 13, bar.mark, "end", style.INK))
        if bar.label:
            shapes.append(Text(middle, height - 8, bar.label, fill=style.INK))
        shapes.append(target(width * place, axis.top, width, axis.bottom - axis.top, bar.title, bar.link))
    return Drawing(label, height, shapes, margin=MARGIN)


def _rect(left: float, start: float, end: float, width: float, fill: str) -> Shape:
    stroke = style.BLUE if fill == PALE else "none"
    low, high = min(start, end), max(start, end)
    return Rect(left, low, width, max(high - low, 0.5), fill, stroke)


def _hatching(left: float, start: float, end: float, width: float) -> list[Shape]:
    low, high = min(start, end), max(start, end)
    return [
        Line(left, low + _HATCH * place, left + width, low + _HATCH * place, style.BLUE)
        for place in range(1, int((high - low) / _HATCH) + 1)
    ]
