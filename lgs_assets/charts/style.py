"""How every chart looks: the sheet, its type, its colours, its legend. Nothing about what is drawn on it.

Functions here and in `scales` import matplotlib when they draw: it takes half a second that readers of the
declarations need not spend.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lgs_assets.configuration import default_variable

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec
    from matplotlib.typing import RcKeyType

WIDTH: Final = 10.0
HEIGHT: Final = 5.6
"""Inches; at DPI, 1600 by 896 pixels."""
DPI: Final = 160

INK: Final = "#1a1a1a"
MUTED: Final = "#555555"
GRID: Final = "#d9d9d9"
BAND: Final = "#f0f0f0"

# Okabe and Ito (2008), Color Universal Design: distinct to any colour vision. Blue and orange, and blue and sky,
# also differ in grey; two series on one chart use only such a pair.
BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
SKY: Final = "#56B4E9"

UNCROSSED: Final = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
"""The background of text that grid lines must not cross."""

TITLE: Final = 15.0
TEXT: Final = 9.5
SMALL: Final = 8.0

MARGIN: Final = 0.022
"""Between the edge of the sheet and its title and footer, as a fraction of its width."""

_SETTINGS: Final[dict[RcKeyType, Any]] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": TEXT,
    "text.color": INK,
    "text.hinting": "none",  # at this resolution nobody sees it, and it takes a third of the time of a PNG
    "text.parse_math": False,  # a $ in a segment's name is a dollar sign
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT + 1,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid.axis": "y",
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": SMALL + 0.5,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": SMALL + 0.5,
    "ytick.major.size": 0,
    "legend.fontsize": TEXT - 0.5,
    "legend.frameon": False,
    "hatch.linewidth": 0.8,
    "svg.fonttype": "path",  # looks the same where the font is not installed
    "svg.hashsalt": "lgs-assets",  # otherwise ids differ from run to run
}


def load_matplotlib(cache: Path) -> None:
    """Imports matplotlib so that it caches its list of fonts in `cache`, not in the user's home.

    Matplotlib takes the folder from the environment alone, at import: the variable is set for just that long.
    """
    if "matplotlib" not in sys.modules:
        with default_variable("MPLCONFIGDIR", str(cache)):
            import_module("matplotlib.font_manager")


@contextmanager
def style() -> Iterator[None]:
    """Within a `with` block, matplotlib draws in this style, whatever the machine's own settings."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def sheet(subtitle: str) -> Figure:
    """An empty sheet with its subtitle; the report adds the title and the footer."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI)
    figure.text(MARGIN, 0.89, subtitle, va="center", color=MUTED)
    return figure


def head_and_foot(figure: Figure, title: str, footer: str) -> None:
    """Writes the title and the footer on a sheet."""
    figure.suptitle(title, x=MARGIN, y=0.945, ha="left", va="center", size=TITLE, weight="bold")
    figure.text(MARGIN, 0.03, footer, va="center", size=SMALL, color=MUTED)


def grid(
    figure: Figure,
    rows: int = 1,
    columns: int = 1,
    *,
    left: float = 0.085,
    right: float = 0.975,
    top: float = 0.815,
    bottom: float = 0.16,
    **options: Any,
) -> GridSpec:
    """The part of a sheet where axes go, below the subtitle and above the footer."""
    return figure.add_gridspec(rows, columns, left=left, right=right, top=top, bottom=bottom, **options)


def legend(axes: Axes, handles: Sequence[Artist]) -> None:
    """A legend in one row above the axes, where it hides no data."""
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        borderpad=0,
        ncols=len(handles),
        columnspacing=1.6,
    )


def swatch(colour: str, label: str, *, edge: str | None = None) -> Artist:
    """A filled box in a legend."""
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, edgecolor=edge or colour, label=label)


def stroke(**look: Any) -> Artist:
    """A line in a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **look)


def note(figure: Figure, text: str) -> None:
    """A line just above the footer: how to read the chart."""
    figure.text(MARGIN, 0.068, text, va="center", size=SMALL, color=MUTED)


def message(text: str) -> Figure:
    """A sheet that says why nothing is drawn."""
    figure = sheet("")
    figure.text(0.5, 0.5, text, ha="center", va="center", size=TITLE, color=MUTED)
    return figure


def lighter(colour: str) -> tuple[float, float, float]:
    """The colour at a quarter of its strength: the fill of a partial month, under hatching."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - (1 - part) / 4 for part in to_rgb(colour))
    return red, green, blue


def ramp(shades: int) -> list[str]:
    """As many colours as asked for, from dark to light: in order even in grey, and with any colour vision."""
    import matplotlib

    colormap = matplotlib.colormaps["YlGnBu_r"]
    return [matplotlib.colors.to_hex(colormap(0.02 + 0.88 * shade / max(shades - 1, 1))) for shade in range(shades)]


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on the colour, such as `#1f78b4`."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))  # the pages do without matplotlib
    # The relative luminance of WCAG 2; at 0.179 black and white contrast equally with the colour.
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "white"
