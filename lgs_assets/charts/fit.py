"""Text that must fit a box: which of several wordings, at which size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

Box = tuple[float, float, float, float]
"""Left, bottom, width and height, in the units of the axes."""

_LARGEST: Final = 12.0
_COMFORTABLE: Final = 10.5
_SMALLEST: Final = 7.0

# The fraction of a box that text may fill.
_FILL: Final = 0.9


def write_in(axes: Axes, box: Box, wordings: Sequence[str], **options: Any) -> Text | None:
    """Writes the first wording that fits the box at a comfortable size, or else the one that fits at the largest size.

    Returns None, and writes nothing, if no wording fits at a legible size.
    """
    x, y, width, height = box
    corners = axes.transData.transform([(x, y), (x + width, y + height)])
    room = abs(corners[1] - corners[0]) * _FILL
    text = axes.text(x + width / 2, y + height / 2, "", size=_LARGEST, ha="center", va="center", **options)
    best, chosen = 0.0, ""
    for wording in wordings:
        text.set_text(wording)
        extent = text.get_window_extent()
        size = _LARGEST * min(1.0, room[0] / extent.width, room[1] / extent.height)
        if size > best:
            best, chosen = size, wording
        if size >= _COMFORTABLE:
            break
    if best < _SMALLEST:
        text.remove()
        return None
    text.set(text=chosen, fontsize=best)
    return text
