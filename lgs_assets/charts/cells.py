"""Numbers in a grid of cells, each shaded by a share: who moved where, who is still there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lgs_assets.charts import style
from lgs_assets.charts.scales import Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PALE: Final = 0.9
"""How far the shades go from white to the darkest colour."""


def draw_cells(
    axes: Axes,
    shares: Values,
    texts: Sequence[Sequence[str]],
    *,
    size: float = style.SMALL,
    is_pale: NDArray[np.bool_] | None = None,
) -> None:
    """Draws a grid with the first row at the top: each cell shaded by its share from 0 to 1, with its text in it.

    NaN leaves a cell white. `is_pale` marks cells that are not comparable: outlined, not shaded.
    """
    import matplotlib
    from matplotlib.collections import PolyCollection

    colormap = matplotlib.colormaps["YlGnBu"]
    squares, colours, edges = [], [], []
    for row, column in np.argwhere(~np.isnan(shares)).tolist():
        apart = is_pale is not None and bool(is_pale[row, column])
        colour = "#ffffff" if apart else matplotlib.colors.to_hex(colormap(_PALE * min(shares[row, column], 1.0)))
        squares.append([(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)])
        colours.append(colour)
        edges.append(style.GRID if apart else "#ffffff")
        if text := texts[row][column]:
            ink = style.MUTED if apart else style.ink_on(colour)
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", size=size, color=ink)
    axes.add_collection(PolyCollection(squares, facecolors=colours, edgecolors=edges, linewidths=0.8), autolim=False)
    rows, columns = shares.shape
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
