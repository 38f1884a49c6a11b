"""Rows under columns as a picture, values on shades or with bars: a table of the pages, for a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from lgs_assets.charts import style
from lgs_assets.dashboard.figures.shapes import RAMP, Anchor, Drawing, Line, Rect, Shape, Text
from lgs_assets.wording import short

_LETTERS = 122
"""At 11 pixels, of a picture as wide as a page."""
_BAR = 14
"""Letters of room for a bar."""
_LEAST, _MOST = 3, 40
"""Letters of a column."""
_KEPT = 21
"""Letters of a text that are kept, however little room there is."""
_ROW, _LINE = 22.0, 13.0
"""Pixels of a row, and of a line of a heading."""


@dataclass(frozen=True)
class Cell:
    """A value as it is written; its shade, 0 to 9; its bar, in percent of the longest."""

    text: str
    shade: int | None = None
    bar: float | None = None
    fill: str = ""


@dataclass(frozen=True)
class Head:
    """A column: its heading, whether its values are numbers, and whether its bars go to both sides."""

    text: str
    is_number: bool
    diverges: bool = False


def grid(label: str, heads: Sequence[Head], rows: Sequence[Sequence[Cell]]) -> Drawing:
    """The table, each column as wide as its longest value; where there is no room, texts are cut, never numbers."""
    barred = [any(row[place].bar is not None for row in rows) for place in range(len(heads))]
    letters = [_letters(head.text.split() + [row[place].text for row in rows]) for place, head in enumerate(heads)]
    fixed = sum(wide for head, wide in zip(heads, letters, strict=True) if head.is_number) + _BAR * sum(barred)
    scale = min(1.0, max(_LETTERS - fixed, 0) / max(sum(letters) + _BAR * sum(barred) - fixed, 1))
    letters = [
        wide if head.is_number else max(min(wide, _KEPT), int(wide * scale))
        for head, wide in zip(heads, letters, strict=True)
    ]
    unit = 100 / max(sum(letters) + _BAR * sum(barred), _LETTERS * 0.6)
    lines = [wrapped(head.text, wide) for head, wide in zip(heads, letters, strict=True)]
    top = 8 + _LINE * max((len(found) for found in lines), default=1)
    shapes: list[Shape] = [Line(0, top, 100, top, style.MUTED)]
    left = 0.0
    for place, head in enumerate(heads):
        wide, bar = letters[place] * unit, _BAR * unit if barred[place] else 0
        at = left + (wide if head.is_number else 0)
        anchor: Anchor = "end" if head.is_number else "start"
        for number, line in enumerate(lines[place]):
            height = top - 6 - _LINE * (len(lines[place]) - 1 - number)
            shapes.append(Text(at, height, line, anchor, style.MUTED, 11, dx=-6 if head.is_number else 4))
        for number, row in enumerate(rows):
            cell, y = row[place], top + number * _ROW
            fill = "white" if cell.shade is None else RAMP[9 - cell.shade]
            if cell.shade is not None:
                shapes.append(Rect(left, y + 1, wide, _ROW - 2, fill))
            text = cell.text if head.is_number else short(cell.text, letters[place] - 1)
            ink = style.INK if cell.shade is None else style.ink_on(fill)
            shapes.append(Text(at, y + 15, text, anchor, ink, 11, dx=-6 if head.is_number else 4))
            if cell.bar is not None:
                shapes += _bar(cell, head, left + wide, bar * 0.95, y + 5)
        left += wide + bar
    return Drawing(label, top + _ROW * len(rows) + 8, shapes)


def _letters(words: Sequence[str]) -> int:
    return min(max([_LEAST, *(len(word) for word in words)]), _MOST) + 2


def _bar(cell: Cell, head: Head, left: float, room: float, top: float) -> list[Shape]:
    value = cell.bar or 0
    long = room * abs(value) / (200 if head.diverges else 100)
    if not head.diverges:
        return [Rect(left, top, long, 12, cell.fill or style.BLUE, style.INK)]
    zero = left + room / 2
    fill = style.ORANGE if value < 0 else style.BLUE
    return [
        Rect(zero - (long if value < 0 else 0), top, long, 12, fill, style.INK),
        Line(zero, top - 5, zero, top + 17),
    ]


def wrapped(text: str, letters: int) -> list[str]:
    """The words of a text, in lines of so many letters; at least one line."""
    return wrap(text, letters, break_long_words=False, break_on_hyphens=False) or [""]
