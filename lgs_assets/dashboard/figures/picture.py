"""A drawing as a picture of its own: with its question, its key and its notes, as it may be pasted anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lgs_assets.charts import style
from lgs_assets.dashboard.figures.grid import wrapped
from lgs_assets.dashboard.figures.shapes import Drawing, Rect, Shape, Text

WIDTH = 776.0
"""Pixels between the edges."""
WARNING = "SYNTHETIC DEMO DATA: these figures mean nothing"
_TITLE_LETTERS, _NOTE_LETTERS = 84, 122
"""Of a line, at 15 and at 11 pixels."""
_LETTER = 6.6
"""Pixels of a letter of the key, on the wide side."""


@dataclass(frozen=True)
class Picture:
    """What stands above the drawing and below it, and how high each part is."""

    above: Drawing
    drawing: Drawing
    below: Drawing

    @property
    def height(self) -> float:
        """Of all of it."""
        return self.above.height + self.drawing.height + self.below.height


def picture(
    drawing: Drawing, *, title: str, key: Sequence[tuple[str, str]], below: Sequence[str], is_synthetic: bool
) -> Picture:
    """The drawing within its words."""
    above: list[Shape] = []
    top = 12.0
    if is_synthetic:
        above += [Rect(0, top, 100, 22, style.VERMILION), Text(50, top + 16, WARNING, fill=style.INK, is_bold=True)]
        top += 30
    for line in wrapped(title, _TITLE_LETTERS):
        top += 18
        above.append(Text(0, top, line, "start", style.INK, 15, is_bold=True))
    top += 8
    left = 0.0
    for place, (name, colour) in enumerate(key):
        room = 34 + _LETTER * len(name)
        if place == 0 or left + room > WIDTH:
            left, top = 0.0, top + 18
        above.append(Rect(left / WIDTH * 100, top - 10, 12 / WIDTH * 100, 12, colour, style.INK))
        above.append(Text(left / WIDTH * 100, top, name, "start", style.INK, 11, dx=17))
        left += room
    notes: list[Shape] = []
    lines = [line for text in below if text for line in wrapped(text, _NOTE_LETTERS)]
    for place, line in enumerate(lines):
        notes.append(Text(0, 18 + 15 * place, line, "start", size=11))
    return Picture(Drawing("", top + 10, above), drawing, Drawing("", 24 + 15 * len(lines), notes))
