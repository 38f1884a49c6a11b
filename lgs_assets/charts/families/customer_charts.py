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
from lgs_assets.errors import ContractError
from lgs_assets.wording import count, counted, decimal, percent, short_pounds, span

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=3)

_SUMMARY: Final = ("position", "segment", "customers", "customers_pct")
_MONEY: Final = ("revenue", "revenue_pct", "net_revenue", "kept_pct")

_BARS: Final = 36
_QUINTILES: Final = (0.2, 0.4, 0.6, 0.8)

# The fraction of a panel's width that a score's digit needs.
_DIGIT: Final = 0.028

# Letters of tick labels that fit below a panel.
_LETTERS: Final = 32

_SCORES: Final = range(1, 6)

# The label beyond the longest bar needs this fraction of the bar's length; a longer one, with what was kept, more.
_ROOM_FOR_LABEL: Final = 0.38
_ROOM_FOR_LONG_LABEL: Final = 0.85

# Letters of a segment's name that fit beside its bar.
_NAME: Final = 20


@FAMILY.chart(
    "Recency, frequency and monetary value of customers",
    rfm_scores=("recency_days", "frequency", "monetary", "f_score"),
    has_snapshot=True,
)
def rfm_distributions(rfm_scores: pd.DataFrame) -> Figure:
    """Histograms of recency, frequency and monetary value, side by side, with the cuts between the quintiles.

    Frequency has none where customers with equally many orders have different scores: the chart says so instead.
    """
    number = counted(len(rfm_scores), "customer")
    figure = style.sheet(f"{number}. Dashed lines cut them into fifths; the digits above are the scores, 5 best")
    panels = style.grid(figure, 1, 3, wspace=0.22, left=0.075, top=0.75, bottom=0.205)
    recency, frequency, monetary = (figure.add_subplot(panels[place]) for place in range(3))
    _recency(recency, rfm_scores["recency_days"].to_numpy(dtype=float))
    orders = rfm_scores.groupby("f_score")["frequency"].agg(["min", "max"])
    shares_scores = bool((orders["min"].iloc[1:].to_numpy() > orders["max"].iloc[:-1].to_numpy()).all())
    _frequency(frequency, rfm_scores["frequency"].to_numpy(dtype=float), is_cut=shares_scores)
    style.note(figure, _rule_of_ties(orders, shares_scores=shares_scores))
    _monetary(monetary, rfm_scores["monetary"].to_numpy(dtype=float))
    recency.set_ylabel("Customers per bar")
    return figure


@FAMILY.chart("Customers and sales of each segment", segment_summary=(*_SUMMARY, *_MONEY), has_snapshot=True)
def segment_sizes(segment_summary: pd.DataFrame) -> Figure:
    """Customers and sales before returns of each segment, as bars with their shares and what was kept."""
    # Bars are stacked upwards: the largest segment comes last.
    segments = segment_summary.sort_values(["customers", "position"], ascending=[True, False])
    before, after = (short_pounds(segments[column].sum()) for column in ("revenue", "net_revenue"))
    figure = style.sheet(
        f"{_customers(segment_summary)}, {before} of sales before returns, {after} kept after "
        "cancellations and refunds; in brackets, the share of all segments"
    )
    panels = style.grid(figure, 1, 2, left=0.155, wspace=0.06)
    people = figure.add_subplot(panels[0])
    money = figure.add_subplot(panels[1], sharey=people)
    colours = [_colours(segment_summary)[segment] for segment in segments["segment"]]
    _draw_sizes(people, segments, "customers", colours, _shares(segments, "customers", count))
    sales = _shares(segments, "revenue", lambda value: short_pounds(value, 3))
    kept = ["" if np.isnan(pct) else f", {percent(pct)} kept" for pct in segments["kept_pct"].astype(float)]
    _draw_sizes(money, segments, "revenue", colours, list(map("".join, zip(sales, kept, strict=True))))
    people.set_title("Customers", loc="left")
    money.set_title("Sales before returns", loc="left")
    people.set_xlim(0, max(segments["customers"].max(), 1) * (1 + _ROOM_FOR_LABEL))
    money.set_xlim(0, max(segments["revenue"].max(), 1) * (1 + _ROOM_FOR_LONG_LABEL))
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
    edges = even_bars(0, days.max() + 1, _BARS)
    _draw_histogram(axes, days, edges, LINEAR)
    _draw_cuts(axes, edges, cuts, LINEAR, scores="54321")
    axes.set_title("Recency", pad=22)
    axes.set_xlabel(f"Days since the last order\ncut at {_listed(cuts, decimal)}")
    in_counts(axes.xaxis, 5)


def _rule_of_ties(orders: pd.DataFrame, *, shares_scores: bool) -> str:
    """How equal frequencies were scored, as the least and the most orders of each score show."""
    if shares_scores:
        return "Customers with equally many orders have the same frequency score."
    ranges = [
        f"{score}: {count(least) if least == most else span(count(least), count(most))}"
        for score, least, most in orders.itertuples()
    ]
    return (
        "Frequency has no cuts: it is scored by rank, and equally many orders are ranked by customer_id. "
        f"Orders by score: {', '.join(ranges)}."
    )


def _frequency(axes: Axes, orders: Values, *, is_cut: bool) -> None:
    # Each bar ends with a power of two, itself included, as a quintile includes its cut: on a log scale the bars are
    # equally wide, and a cut at 4 lies between the bars of 3 to 4 and of 5 to 8 orders.
    powers = np.arange(np.ceil(np.log2(orders.max())) + 1)
    edges = np.array([0.5, *(2.0**powers)])
    _draw_histogram(axes, 2.0 ** (np.ceil(np.log2(orders)) - 0.5), edges, LOG)
    cuts = np.quantile(orders, _QUINTILES)
    if is_cut:
        _draw_cuts(axes, edges, cuts, LOG, scores="12345")
    axes.set_title("Frequency", pad=22)
    cut = f"cut at {_listed(cuts, decimal)}" if is_cut else "scored by rank"
    axes.set_xlabel(f"Orders, log scale; a bar includes its right end\n{cut}")
    names = [count(end) for end in 2.0**powers]
    every = math.ceil(sum(len(name) + 1 for name in names) / _LETTERS)
    axes.set_xticks(2.0 ** powers[::every], names[::every])


def _monetary(axes: Axes, pounds: Values) -> None:
    cuts = np.quantile(pounds, _QUINTILES)
    edges = LOG.bars(pounds.min(), pounds.max(), _BARS)
    _draw_histogram(axes, pounds, edges, LOG)
    _draw_cuts(axes, edges, cuts, LOG, scores="12345")
    axes.set_title("Monetary value", pad=22)
    axes.set_xlabel(f"Sales before returns in £, log scale\ncut at {_listed(cuts, lambda cut: short_pounds(cut, 3))}")


def _draw_histogram(axes: Axes, values: Values, edges: Values, scale: Scale) -> None:
    """The histogram of the values."""
    counts, _ = np.histogram(values, bins=edges)
    scale.lay(axes, edges[0], edges[-1])
    axes.stairs(counts, edges, fill=True, color=style.SKY)
    axes.stairs(counts, edges, color=style.BLUE, linewidth=0.8)
    axes.set_ylim(0, counts.max() * 1.05)
    in_counts(axes.yaxis)


def _draw_cuts(axes: Axes, edges: Values, cuts: Values, scale: Scale, *, scores: str) -> None:
    """Divides a histogram into the bands of the five scores."""
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


def _shares(segments: pd.DataFrame, column: str, written: Callable[[float], str]) -> list[str]:
    """`852 (14.5 %)` of each segment."""
    sizes = zip(segments[column], segments[f"{column}_pct"], strict=True)
    return [f"{written(size)} ({percent(share)})" for size, share in sizes]


def _draw_sizes(axes: Axes, segments: pd.DataFrame, column: str, colours: list[str], labels: list[str]) -> None:
    """A bar for each segment, from bottom to top, with its label."""
    bars = axes.barh(range(len(segments)), segments[column], color=colours, edgecolor=style.INK, linewidth=0.6)
    axes.bar_label(bars, labels, padding=4, size=style.SMALL + 0.5, bbox=style.UNCROSSED)
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
