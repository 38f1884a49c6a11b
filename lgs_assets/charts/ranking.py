"""Rows of names, best first, with what is said of each beside its bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lgs_assets.charts import style

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def ranking(figure: Figure, names: Sequence[str], *, what: str, left: float = 0.29) -> Axes:
    """Axes with a row for each name, the first at the top."""
    axes = figure.add_subplot(style.grid(figure, left=left, top=0.855, bottom=0.175)[0])
    name_rows(axes, names)
    axes.set_ylabel(what, labelpad=8)
    return axes


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Makes of axes a row for each name, the first at the top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", labelsize=style.SMALL - 0.5)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")


def write_beside(axes: Axes, ends: np.ndarray, labels: Iterable[str]) -> None:
    """Writes a label beside the end of each row's bar, or beside zero."""
    for place, (end, text) in enumerate(zip(ends, labels, strict=True)):
        axes.annotate(
            text, (max(end, 0), place), xytext=(4, 0), textcoords="offset points", va="center",
            size=style.SMALL - 0.5, bbox=style.UNCROSSED,
        )  # fmt: skip
