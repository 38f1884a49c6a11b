"""Charts of the customer segments: their sizes, as bars and as a treemap, and their places in the grid of scores."""

from collections.abc import Callable
from textwrap import wrap
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from squarify import normalize_sizes, squarify

from lgs_assets.charts import style
from lgs_assets.charts.fit import Box, write_in
from lgs_assets.charts.scales import in_counts, in_pounds
from lgs_assets.charts.tables import Tables
from lgs_assets.charts.wording import count, counted, percent, short_pounds

_SCORES: Final = range(1, 6)

# Beyond the longest bar, its label needs this part of its length.
_ROOM_FOR_LABEL: Final = 0.38

# Letters of a segment's name that fit beside its bar.
_NAME: Final = 20


def segment_sizes(tables: Tables) -> Figure:
    """Customers and revenue of each segment, as bars with their shares."""
    # Bars are stacked upwards: the largest segment comes last.
    segments = tables.segment_summary.sort_values(["customers", "position"], ascending=[True, False])
    revenue = short_pounds(segments["revenue"].sum())
    figure = style.sheet(f"{_customers(tables)} and {revenue} of revenue; in brackets, the share of all segments")
    panels = style.grid(figure, 1, 2, left=0.155, wspace=0.06)
    people = figure.add_subplot(panels[0])
    money = figure.add_subplot(panels[1], sharey=people)
    colours = [_colours(tables)[segment] for segment in segments["segment"]]
    _draw_sizes(people, segments, "customers", colours, count)
    _draw_sizes(money, segments, "revenue", colours, lambda value: short_pounds(value, 3))
    names = ["\n".join(wrap(name, _NAME, max_lines=2, placeholder="…")) for name in segments["segment"]]
    people.set_yticks(range(len(segments)), names)
    people.margins(y=0.02)
    in_counts(people.xaxis, 5)
    people.set_xlabel("Customers")
    money.tick_params(labelleft=False)
    money.xaxis.set_major_locator(MaxNLocator(5))
    in_pounds(money.xaxis)
    money.set_xlabel("Sum of all orders of these customers, in £")
    return figure


def segment_treemap(tables: Tables) -> Figure:
    """Customers of each segment as areas, with `name, n (pct %)`."""
    figure = style.sheet(f"{_customers(tables)}; the area of a box is in proportion to the customers in it")
    grid = style.grid(figure, left=style.MARGIN, right=1 - style.MARGIN, top=0.855, bottom=0.13)
    axes = figure.add_subplot(grid[0])
    # In inches, so that squares are square.
    width, height = axes.bbox.width / figure.dpi, axes.bbox.height / figure.dpi
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    segments = tables.segment_summary.sort_values(["customers", "position"], ascending=[False, True])
    peopled = segments[segments["customers"] > 0]
    places = squarify(normalize_sizes(peopled["customers"], width, height), 0, 0, width, height)
    boxes = {
        segment: (place["x"], place["y"], place["dx"], place["dy"])
        for segment, place in zip(peopled["segment"], places, strict=True)
    }
    _draw_boxes(figure, axes, boxes, tables, key_at=0.122)
    return figure


def segment_grid(tables: Tables) -> Figure:
    """Which recency and frequency scores make which segment, with its customers."""
    figure = style.sheet(f"{_customers(tables)}; each segment with its customers and their share")
    axes = figure.add_subplot(style.grid(figure, left=0.105, top=0.855, bottom=0.2)[0])
    axes.set(xlim=(0.5, 5.5), ylim=(0.5, 5.5))
    boxes = {
        rule["segment"]: (
            rule["r_min"] - 0.5,
            rule["f_min"] - 0.5,
            rule["r_max"] - rule["r_min"] + 1,
            rule["f_max"] - rule["f_min"] + 1,
        )
        for rule in tables.segment_playbook.to_dict("records")
    }
    _draw_boxes(figure, axes, boxes, tables, key_at=0.08)
    _draw_scores(axes)
    return figure


def _customers(tables: Tables) -> str:
    return counted(tables.segment_summary["customers"].sum(), "customer")


def _colours(tables: Tables) -> dict[str, str]:
    """A colour for each segment, the best customers' darkest: the same on every chart."""
    names = list(tables.segment_summary["segment"])
    return dict(zip(names, style.ramp(len(names)), strict=True))


def _draw_sizes(
    axes: Axes, segments: pd.DataFrame, column: str, colours: list[str], written: Callable[[float], str]
) -> None:
    """A bar for each segment, from bottom to top, with its size and its share."""
    sizes, shares = segments[column], segments[f"{column}_pct"]
    bars = axes.barh(range(len(segments)), sizes, color=colours, edgecolor=style.INK, linewidth=0.6)
    labels = [f"{written(size)} ({percent(share)})" for size, share in zip(sizes, shares, strict=True)]
    axes.bar_label(bars, labels, padding=4, size=style.SMALL + 0.5, bbox=style.UNCROSSED)
    axes.set_xlim(0, max(sizes.max(), 1) * (1 + _ROOM_FOR_LABEL))
    axes.set_title(column.capitalize(), loc="left")
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")


def _draw_scores(axes: Axes) -> None:
    """The scores along both axes, and the cells that segments are made of."""
    for edge in _SCORES[:-1]:
        axes.axvline(edge + 0.5, color="white", linewidth=0.6, alpha=0.6)
        axes.axhline(edge + 0.5, color="white", linewidth=0.6, alpha=0.6)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xticks(_SCORES, ["1\nlongest ago", "2\n", "3\n", "4\n", "5\nmost recent"])
    axes.set_yticks(_SCORES, ["fewest 1", "2", "3", "4", "most 5"])
    axes.set_xlabel("Recency score: fifths by days since the last order", labelpad=0)
    axes.set_ylabel("Frequency score: fifths by orders", labelpad=2)


def _draw_boxes(figure: Figure, axes: Axes, boxes: dict[str, Box], tables: Tables, *, key_at: float) -> None:
    """A box for each segment with its label; where that does not fit, a mark, and the label in a key below."""
    FigureCanvasAgg(figure)  # every text is measured on this canvas: without it, each on 6 MB of its own
    colours = _colours(tables)
    marked: list[Patch] = []
    absent: list[Patch] = []
    for segment in tables.segment_summary.to_dict("records"):
        name, numbers = segment["segment"], f"{count(segment['customers'])} ({percent(segment['customers_pct'])})"
        colour, mark = colours[name], f"{len(marked) + 1}"
        if name not in boxes:
            absent.append(Patch(facecolor=colour, edgecolor=style.INK, label=f"{name}, {numbers}"))
        elif not _fill(axes, boxes[name], colour, _wordings(name, numbers)):
            _fill(axes, boxes[name], colour, [mark])
            marked.append(Patch(facecolor=colour, edgecolor=style.INK, label=f"{mark}: {name}, {numbers}"))
    if key := marked + absent:
        figure.legend(
            handles=key,
            loc="upper right",
            bbox_to_anchor=(1 - style.MARGIN, key_at),
            borderaxespad=0,
            borderpad=0,
            ncols=4,
            fontsize=style.SMALL,
            labelspacing=0.3,
        )


def _wordings(name: str, numbers: str) -> list[str]:
    """The label on one line, and broken at more and more places."""
    lines = ["\n".join(wrap(f"{name},", width, break_long_words=False)) for width in (24, 16, 8)]
    return [
        f"{name}, {numbers}",
        f"{name},\n{numbers}",
        *(f"{broken}\n{numbers}" for broken in lines),
        f"{lines[-1]}\n{numbers.replace(' (', chr(10) + '(')}",
    ]


def _fill(axes: Axes, box: Box, colour: str, wordings: list[str]) -> bool:
    """Fills a box with a colour and the wording that fits best. Returns whether any does."""
    axes.add_patch(Rectangle(box[:2], *box[2:], facecolor=colour, edgecolor="white", linewidth=2.5))
    # Behind the text, the colour hides the lines between the cells.
    behind = {"facecolor": colour, "edgecolor": "none", "pad": 0.5}
    return write_in(axes, box, wordings, color=style.ink_on(colour), bbox=behind) is not None
