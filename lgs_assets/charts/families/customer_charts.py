"""Charts of the customers: how they spread over recency, frequency and monetary value, and their segments."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from squarify import normalize_sizes, squarify

from lgs_assets.charts import style
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.fit import Box, write_in
from lgs_assets.charts.scales import LINEAR, LOG, Scale, Values, at_round_numbers, even_bars, in_counts, in_pounds
from lgs_assets.charts.wording import count, counted, decimal, percent, short_pounds
from lgs_assets.errors import ContractError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=3)

_SUMMARY: Final = ("position", "segment", "customers", "customers_pct", "revenue", "revenue_pct")

_BARS: Final = 36
_QUINTILES: Final = (0.2, 0.4, 0.6, 0.8)

# The fraction of a panel's width that a score's digit needs.
_DIGIT: Final = 0.028

# Letters of tick labels that fit below a panel.
_LETTERS: Final = 32

_SCORES: Final = range(1, 6)

# The label beyond the longest bar needs this fraction of the bar's length.
_ROOM_FOR_LABEL: Final = 0.38

# Letters of a segment's name that fit beside its bar.
_NAME: Final = 20


@FAMILY.chart(
    "Recency, frequency and monetary value of customers",
    rfm_scores=("recency_days", "frequency", "monetary"),
    has_snapshot=True,
)
def rfm_distributions(rfm_scores: pd.DataFrame) -> Figure:
    """Histograms of recency, frequency and monetary value, side by side, with the cuts between the quintiles."""
    number = counted(len(rfm_scores), "customer")
    figure = style.sheet(f"{number}. Dashed lines cut them into fifths; the digits above are the scores, 5 best")
    panels = style.grid(figure, 1, 3, wspace=0.22, left=0.075, top=0.75, bottom=0.175)
    recency, frequency, monetary = (figure.add_subplot(panels[place]) for place in range(3))
    _recency(recency, rfm_scores["recency_days"].to_numpy(dtype=float))
    _frequency(frequency, rfm_scores["frequency"].to_numpy(dtype=float))
    _monetary(monetary, rfm_scores["monetary"].to_numpy(dtype=float))
    recency.set_ylabel("Customers per bar")
    return figure


@FAMILY.chart("Customers and revenue of each segment", segment_summary=_SUMMARY, has_snapshot=True)
def segment_sizes(segment_summary: pd.DataFrame) -> Figure:
    """Customers and revenue of each segment, as bars with their shares."""
    # Bars are stacked upwards: the largest segment comes last.
    segments = segment_summary.sort_values(["customers", "position"], ascending=[True, False])
    revenue = short_pounds(segments["revenue"].sum())
    subtitle = f"{_customers(segment_summary)} and {revenue} of revenue; in brackets, the share of all segments"
    figure = style.sheet(subtitle)
    panels = style.grid(figure, 1, 2, left=0.155, wspace=0.06)
    people = figure.add_subplot(panels[0])
    money = figure.add_subplot(panels[1], sharey=people)
    colours = [_colours(segment_summary)[segment] for segment in segments["segment"]]
    _draw_sizes(people, segments, "customers", colours, count)
    _draw_sizes(money, segments, "revenue", colours, lambda value: short_pounds(value, 3))
    names = ["\n".join(wrap(name, _NAME, max_lines=2, placeholder="…")) for name in segments["segment"]]
    people.set_yticks(range(len(segments)), names)
    people.margins(y=0.02)
    in_counts(people.xaxis, 5)
    people.set_xlabel("Customers")
    money.tick_params(labelleft=False)
    at_round_numbers(money.xaxis, 5)
    in_pounds(money.xaxis)
    money.set_xlabel("Sum of all orders of these customers, in £")
    return figure


@FAMILY.chart("Segments in proportion to their customers", segment_summary=_SUMMARY, has_snapshot=True)
def segment_treemap(segment_summary: pd.DataFrame) -> Figure:
    """Customers of each segment as areas, labelled `name, n (pct %)`."""
    figure = style.sheet(f"{_customers(segment_summary)}; the area of a box is in proportion to the customers in it")
    grid = style.grid(figure, left=style.MARGIN, right=1 - style.MARGIN, top=0.855, bottom=0.13)
    axes = figure.add_subplot(grid[0])
    # In inches, so that squares are square.
    width, height = axes.bbox.width / figure.dpi, axes.bbox.height / figure.dpi
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    segments = segment_summary.sort_values(["customers", "position"], ascending=[False, True])
    peopled = segments[segments["customers"] > 0]
    places = squarify(normalize_sizes(peopled["customers"], width, height), 0, 0, width, height)
    boxes = {
        segment: (place["x"], place["y"], place["dx"], place["dy"])
        for segment, place in zip(peopled["segment"], places, strict=True)
    }
    _draw_boxes(figure, axes, boxes, segment_summary, key_at=0.122)
    return figure


@FAMILY.chart(
    "Segments by recency and frequency",
    segment_summary=_SUMMARY,
    segment_playbook=("position", "segment", "r_min", "r_max", "f_min", "f_max"),
    has_snapshot=True,
)
def segment_grid(segment_summary: pd.DataFrame, segment_playbook: pd.DataFrame) -> Figure:
    """Which recency and frequency scores make up which segment, with its customers.

    Raises ContractError if the two tables name different segments.
    """
    _expect_same_segments(segment_playbook, segment_summary)
    figure = style.sheet(f"{_customers(segment_summary)}; each segment with its customers and their share")
    axes = figure.add_subplot(style.grid(figure, left=0.105, top=0.855, bottom=0.2)[0])
    axes.set(xlim=(0.5, 5.5), ylim=(0.5, 5.5))
    boxes = {
        rule["segment"]: (
            rule["r_min"] - 0.5,
            rule["f_min"] - 0.5,
            rule["r_max"] - rule["r_min"] + 1,
            rule["f_max"] - rule["f_min"] + 1,
        )
        for rule in segment_playbook.to_dict("records")
    }
    _draw_boxes(figure, axes, boxes, segment_summary, key_at=0.08)
    _draw_scores(axes)
    return figure


def _recency(axes: Axes, days: Values) -> None:
    cuts = np.quantile(days, _QUINTILES)
    _draw_histogram(axes, days, even_bars(0, days.max() + 1, _BARS), cuts, LINEAR, scores="54321")
    axes.set_title("Recency", pad=22)
    axes.set_xlabel(f"Days since the last order\ncut at {_listed(cuts, decimal)}")
    in_counts(axes.xaxis, 5)


def _frequency(axes: Axes, orders: Values) -> None:
    # Each bar ends with a power of two, itself included, as a quintile includes its cut: on a log scale the bars are
    # equally wide, and a cut at 4 lies between the bars of 3 to 4 and of 5 to 8 orders.
    powers = np.arange(np.ceil(np.log2(orders.max())) + 1)
    cuts = np.quantile(orders, _QUINTILES)
    within_bars = 2.0 ** (np.ceil(np.log2(orders)) - 0.5)
    _draw_histogram(axes, within_bars, np.array([0.5, *(2.0**powers)]), cuts, LOG, scores="12345")
    axes.set_title("Frequency", pad=22)
    axes.set_xlabel(f"Orders, log scale; a bar includes its right end\ncut at {_listed(cuts, decimal)}")
    names = [count(end) for end in 2.0**powers]
    every = math.ceil(sum(len(name) + 1 for name in names) / _LETTERS)
    axes.set_xticks(2.0 ** powers[::every], names[::every])


def _monetary(axes: Axes, pounds: Values) -> None:
    cuts = np.quantile(pounds, _QUINTILES)
    _draw_histogram(axes, pounds, LOG.bars(pounds.min(), pounds.max(), _BARS), cuts, LOG, scores="12345")
    axes.set_title("Monetary value", pad=22)
    axes.set_xlabel(f"Sum of all orders in £, log scale\ncut at {_listed(cuts, lambda cut: short_pounds(cut, 3))}")


def _draw_histogram(axes: Axes, values: Values, edges: Values, cuts: Values, scale: Scale, *, scores: str) -> None:
    """The histogram of the values, divided into the bands of the five scores."""
    counts, _ = np.histogram(values, bins=edges)
    scale.lay(axes, edges[0], edges[-1])
    axes.stairs(counts, edges, fill=True, color=style.SKY)
    axes.stairs(counts, edges, color=style.BLUE, linewidth=0.8)
    axes.set_ylim(0, counts.max() * 1.05)
    in_counts(axes.yaxis)
    for cut in cuts:
        axes.axvline(cut, color=style.INK, linewidth=1, linestyle=(0, (3, 2)))
    bounds = scale.forward(np.array([edges[0], *cuts, edges[-1]]))
    bounds = (bounds - bounds[0]) / (bounds[-1] - bounds[0])
    for score, (left, right) in zip(scores, pairwise(bounds), strict=True):
        if right - left > _DIGIT:
            axes.text((left + right) / 2, 1.025, score, transform=axes.transAxes, ha="center", size=style.TEXT)


def _listed(cuts: Values, written: Callable[[float], str]) -> str:
    return ", ".join(written(cut) for cut in cuts)


def _customers(summary: pd.DataFrame) -> str:
    return counted(summary["customers"].sum(), "customer")


def _colours(summary: pd.DataFrame) -> dict[str, str]:
    """A colour for each segment, the best customers' darkest: the same on every chart."""
    names = list(summary["segment"])
    return dict(zip(names, style.ramp(len(names)), strict=True))


def _expect_same_segments(playbook: pd.DataFrame, summary: pd.DataFrame) -> None:
    planned, counted = set(playbook["segment"]), set(summary["segment"])
    if planned != counted:
        raise ContractError(
            f"Only in segment_playbook: {', '.join(sorted(planned - counted)) or 'none'}. Only in segment_summary: "
            f"{', '.join(sorted(counted - planned)) or 'none'}. Materialize segment_playbook and everything downstream."
        )


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


def _draw_boxes(figure: Figure, axes: Axes, boxes: dict[str, Box], summary: pd.DataFrame, *, key_at: float) -> None:
    """A labelled box for each segment; where the label does not fit, a mark, with the label in a key below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)  # measures all text; without it, each piece would allocate 6 MB of its own
    colours = _colours(summary)
    marked: list[Artist] = []
    absent: list[Artist] = []
    for segment in summary.to_dict("records"):
        name, numbers = segment["segment"], f"{count(segment['customers'])} ({percent(segment['customers_pct'])})"
        colour, mark = colours[name], f"{len(marked) + 1}"
        if name not in boxes:
            absent.append(style.swatch(colour, f"{name}, {numbers}", edge=style.INK))
        elif not _fill(axes, boxes[name], colour, _wordings(name, numbers)):
            _fill(axes, boxes[name], colour, [mark])
            marked.append(style.swatch(colour, f"{mark}: {name}, {numbers}", edge=style.INK))
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
    """The label on one line, then broken in more and more places."""
    lines = ["\n".join(wrap(f"{name},", width, break_long_words=False)) for width in (24, 16, 8)]
    return [
        f"{name}, {numbers}",
        f"{name},\n{numbers}",
        *(f"{broken}\n{numbers}" for broken in lines),
        f"{lines[-1]}\n{numbers.replace(' (', chr(10) + '(')}",
    ]


def _fill(axes: Axes, box: Box, colour: str, wordings: list[str]) -> bool:
    """Fills a box with a colour and the wording that fits best. Returns whether any fits."""
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(box[:2], *box[2:], facecolor=colour, edgecolor="white", linewidth=2.5))
    # Behind the text, the colour hides the lines between the cells.
    behind = {"facecolor": colour, "edgecolor": "none", "pad": 0.5}
    return write_in(axes, box, wordings, color=style.ink_on(colour), bbox=behind) is not None
