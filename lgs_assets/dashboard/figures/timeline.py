"""A customer's orders over time, above a strip of the segment at each month's end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from lgs_assets import wording
from lgs_assets.charts import style
from lgs_assets.dashboard.figures.shapes import LETTER, OUTLINE, Drawing, Line, Rect, Shape, Text

_ZERO = 110.0
_TALLEST = 96.0
_STRIP = 18.0
_LABEL = 10.0
"""Percents of the width that the name of a year takes."""
_WIDTH = 350.0
"""Pixels for which the names in the strip are measured: a phone's, for the drawing is as wide as the screen."""
_WIDEST, _NARROWEST = 0.7, 0.2
"""Percents of the width that a column takes: less where there are many."""


@dataclass(frozen=True)
class Event:
    """An invoice: its amount, below zero if it cancels."""

    at: datetime
    amount: float
    title: str
    link: str


@dataclass(frozen=True)
class Stretch:
    """A time in one segment, and the number of the segment in the key."""

    until: date
    """Its last day."""
    name: str
    fill: str
    number: int


def timeline(label: str, stretches: Sequence[Stretch], events: Sequence[Event]) -> Drawing:
    """Upwards what was bought, downwards what was cancelled, by the square root of the amount.

    The keyboard passes the invoices over: they are hundreds, and the table below has the same links, page by page.
    """
    start = min(event.at for event in events).replace(day=1, hour=0, minute=0)
    ends = [datetime.combine(stretch.until, time.max) for stretch in stretches]
    end = max(ends + [event.at for event in events])
    span = (end - start).total_seconds() or 1.0
    most = max((abs(event.amount) for event in events), default=1.0) or 1.0
    deepest = max((-event.amount for event in events), default=0.0)
    floor = _ZERO + (math.sqrt(max(deepest, 0) / most) * _TALLEST if deepest > 0 else 0) + 12

    def across(moment: datetime) -> float:
        return max(0.0, min(1.0, (moment - start).total_seconds() / span)) * 100

    shapes: list[Shape] = []
    since = start
    for stretch, until in zip(stretches, ends, strict=True):
        left, right = across(since), across(until)
        wide = max(right - left, 0.1)
        title, ink = f"{stretch.name} until {wording.day(stretch.until)}", style.ink_on(stretch.fill)
        shapes.append(Rect(left, floor, wide, _STRIP, stretch.fill, ink, title=title, stroke_width=OUTLINE))
        for said in (stretch.name, str(stretch.number)):
            if (len(said) + 1) * LETTER <= wide / 100 * _WIDTH:
                shapes.append(Text(left + wide / 2, floor + 13, said, fill=ink))
                break
        since = until
    for year in range(start.year, end.year + 1):
        at = across(datetime(year, 1, 1)) if year > start.year else 0.0
        shapes.append(Line(at, 8, at, floor, stroke=style.GRID))
        following = across(datetime(year + 1, 1, 1)) if year < end.year else 100.0
        if following - at > _LABEL:
            shapes.append(Text(at, floor + _STRIP + 18, str(year), "start", style.INK))
    width = min(_WIDEST, max(_NARROWEST, 50 / len(events)))
    for event in events:
        tall = max(math.sqrt(abs(event.amount) / most) * _TALLEST, 2)
        top = _ZERO - tall if event.amount >= 0 else _ZERO
        fill = style.BLUE if event.amount >= 0 else style.ORANGE
        left = min(max(across(event.at) - width / 2, 0), 100 - width)
        shapes.append(Rect(left, top, width, tall, fill, title=event.title, link=event.link, is_passed_over=True))
    shapes.append(Line(0, _ZERO, 100, _ZERO, stroke=style.MUTED))
    return Drawing(label, floor + _STRIP + 26, shapes)
