"""Text that must fit: in a box, which of several wordings at which size; beside each other, how far apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def spread(places: Iterable[float], *, gap: float) -> list[float]:
    """Places in ascending order, moved apart where they are closer than `gap`, each as little as their order allows."""
    apart: list[list[float]] = []
    for place in places:
        apart.append([place])
        # A group of places that touch is centred on their mean; it may then touch the group before it.
        while len(apart) > 1 and _middle(apart[-1]) - _middle(apart[-2]) < gap * (len(apart[-1]) + len(apart[-2])) / 2:
            apart[-2:] = [apart[-2] + apart[-1]]
    return [_middle(group) + gap * (rank - (len(group) - 1) / 2) for group in apart for rank in range(len(group))]


def _middle(group: Sequence[float]) -> float:
    return sum(group) / len(group)
