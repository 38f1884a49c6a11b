"""Charts of how invoice amounts are distributed, with the figures of invoice_amount_statistics.

Each says how many of all invoices count double because their dump holds them twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from lgs_assets.charts import style
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.density import bandwidth, density
from lgs_assets.charts.scales import BOTH_SIDES, LINEAR, LOG, Scale, Values, even_bars, in_counts, label_ticks
from lgs_assets.wording import count, counted, percentile, pounds, short_pounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=1)

_READS: Final[dict[str, Any]] = {
    "invoice_amounts": ("amount",),
    "invoice_amount_statistics": (
        *("population", "is_cut", "invoices", "minimum", "maximum", "mean", "median", "mode"),
        *("cutoff_quantile", "cutoff_amount"),
    ),
    "monthly_metrics": ("doubled_orders",),
}
"""What every chart here shows."""

_BARS: Final = 75

# A few large refunds would squeeze everything else into one bar: a lowest hundredth that takes more than two thirds of
# the width is described in words instead.
_TAIL: Final = 0.01
_TAIL_TAKES: Final = 3

# Dots closer than the width divided by this cannot be told apart in print.
_DOTS: Final = 250

_STATISTICS: Final[dict[str, dict[str, Any]]] = {
    "minimum": {"color": style.MUTED, "linestyle": (0, (1, 1)), "label": "min"},
    "mode": {"color": style.GREEN, "linestyle": (0, (5, 1.5, 1, 1.5)), "label": "mode"},
    "median": {"color": style.INK, "linestyle": "solid", "label": "median"},
    "mean": {"color": style.VERMILION, "linestyle": (0, (4, 2)), "label": "mean"},
    "maximum": {"color": style.MUTED, "linestyle": (0, (1, 3)), "label": "max"},
}


@dataclass(frozen=True)
class _Population:
    """The amounts that a chart shows, and their row of invoice_amount_statistics."""

    amounts: Values
    statistics: dict[str, Any]
    subtitle: str


@FAMILY.chart("Amounts of all invoices", **_READS)
def invoice_amounts_all(
    invoice_amounts: pd.DataFrame, invoice_amount_statistics: pd.DataFrame, monthly_metrics: pd.DataFrame
) -> Figure:
    """Histogram and box of all invoice amounts."""
    return _distribution(invoice_amounts, invoice_amount_statistics, monthly_metrics, population="all", is_cut=False)


@FAMILY.chart("Amounts of positive invoices", **_READS)
def invoice_amounts_positive(
    invoice_amounts: pd.DataFrame, invoice_amount_statistics: pd.DataFrame, monthly_metrics: pd.DataFrame
) -> Figure:
    """Histogram and box of the amounts above £0."""
    return _distribution(
        invoice_amounts, invoice_amount_statistics, monthly_metrics, population="positive", is_cut=False
    )


@FAMILY.chart("Amounts of all but the largest invoices", **_READS)
def invoice_amounts_all_cut(
    invoice_amounts: pd.DataFrame, invoice_amount_statistics: pd.DataFrame, monthly_metrics: pd.DataFrame
) -> Figure:
    """Histogram and box of the amounts up to the cut-off."""
    return _distribution(invoice_amounts, invoice_amount_statistics, monthly_metrics, population="all", is_cut=True)


@FAMILY.chart("Amounts of all but the largest positive invoices", **_READS)
def invoice_amounts_positive_cut(
    invoice_amounts: pd.DataFrame, invoice_amount_statistics: pd.DataFrame, monthly_metrics: pd.DataFrame
) -> Figure:
    """Histogram and box of the amounts above £0, up to their cut-off."""
    return _distribution(
        invoice_amounts, invoice_amount_statistics, monthly_metrics, population="positive", is_cut=True
    )


@FAMILY.chart("Density of the amounts of all but the largest positive invoices", **_READS)
def invoice_amount_density(
    invoice_amounts: pd.DataFrame, invoice_amount_statistics: pd.DataFrame, monthly_metrics: pd.DataFrame
) -> Figure:
    """Density of the amounts above £0, up to their cut-off."""
    shown = _population(invoice_amounts, invoice_amount_statistics, monthly_metrics, "positive", is_cut=True)
    if shown is None:
        return style.message("No such invoices.")
    if bandwidth(shown.amounts) == 0:
        return style.message(f"Every invoice comes to {pounds(shown.amounts[0])}: there is no density to draw.")
    low, high = min(0.0, shown.statistics["minimum"]), shown.statistics["maximum"]
    figure = style.sheet(shown.subtitle)
    axes = figure.add_subplot(style.grid(figure, bottom=0.175)[0])
    edges = even_bars(low, high, _BARS)
    axes.hist(
        shown.amounts, bins=list(edges), density=True, histtype="stepfilled", color=style.BAND, edgecolor=style.GRID
    )
    at, height = density(shown.amounts, low=low, high=high)
    axes.fill_between(at, height, color=style.SKY, alpha=0.35, linewidth=0)
    axes.plot(at, height, color=style.BLUE, linewidth=2)
    LINEAR.lay(axes, edges[0], edges[-1])
    label_ticks(axes.yaxis, lambda value: f"{100 * value:g} %")
    axes.set_ylabel("Share of invoices per £1")
    axes.set_xlabel("Invoice amount in £")
    _draw_statistics(axes, shown.statistics)
    style.note(
        figure,
        f"Curve: Gaussian kernel, bandwidth {pounds(bandwidth(shown.amounts))} by Silverman's rule, folded back at "
        f"both ends. Behind it: histogram per {short_pounds(edges[1] - edges[0])}.",
    )
    return figure


def _distribution(
    amounts: pd.DataFrame, statistics: pd.DataFrame, months: pd.DataFrame, *, population: str, is_cut: bool
) -> Figure:
    shown = _population(amounts, statistics, months, population, is_cut=is_cut)
    if shown is None:
        return style.message("No such invoices.")
    scale = LINEAR if is_cut else LOG if population == "positive" else BOTH_SIDES
    edges = _edges(shown.amounts, scale)
    figure = style.sheet(shown.subtitle)
    rows = style.grid(figure, 2, height_ratios=(6, 1), hspace=0.09, bottom=0.185)
    histogram, box = figure.add_subplot(rows[0]), figure.add_subplot(rows[1])
    for axes in (histogram, box):
        scale.lay(axes, edges[0], edges[-1])
    _draw_histogram(histogram, shown.amounts, edges)
    histogram.set_ylabel(f"Invoices per {short_pounds(edges[1] - edges[0])}" if is_cut else "Invoices per bar")
    _draw_box(box, shown, scale)
    box.set_xlabel("Invoice amount in £" + (f" ({scale.label})" if scale.label else ""))
    _draw_statistics(histogram, shown.statistics)
    style.note(
        figure,
        "Box: the middle half of the invoices, with the median. Whiskers: the farthest invoice within 1.5 lengths of "
        "the box. Dots: invoices beyond, one for all that coincide.",
    )
    return figure


def _population(
    invoice_amounts: pd.DataFrame,
    invoice_amount_statistics: pd.DataFrame,
    months: pd.DataFrame,
    population: str,
    *,
    is_cut: bool,
) -> _Population | None:
    """Returns None if the population has no invoices."""
    every, whole, shown = (
        _row(invoice_amount_statistics, *which) for which in (("all", False), (population, False), (population, is_cut))
    )
    if not (every and whole and shown):
        return None
    amounts = invoice_amounts["amount"].to_numpy(dtype=float)
    if population == "positive":
        amounts = amounts[amounts > 0]
    if is_cut:
        amounts = amounts[amounts <= whole["cutoff_amount"]]
        which = "positive invoice" if population == "positive" else "invoice"
        limit = f"the {percentile(whole['cutoff_quantile'])}, {pounds(whole['cutoff_amount'])}"
        subtitle = f"{count(shown['invoices'])} of {counted(whole['invoices'], which)}: those up to {limit}"
    elif population == "positive":
        subtitle = f"{count(shown['invoices'])} of {counted(every['invoices'], 'invoice')}: those of more than £0"
    else:
        subtitle = f"{counted(shown['invoices'], 'invoice')}, cancellations and invoices of £0 included"
    if doubled := months["doubled_orders"].sum():
        subtitle += f"; of all invoices {count(doubled)} count double, as their dump holds them twice"
    return _Population(amounts, shown, subtitle)


def _row(statistics: pd.DataFrame, population: str, is_cut: bool) -> dict[str, Any] | None:
    chosen = (statistics["population"] == population) & (statistics["is_cut"] == is_cut)
    rows = statistics[chosen].to_dict("records")
    return {str(name): value for name, value in rows[0].items()} if rows else None


def _edges(amounts: Values, scale: Scale) -> Values:
    low, high = float(amounts.min()), float(amounts.max())
    if scale is not LINEAR:
        return scale.bars(low, high, _BARS)
    tail = float(np.quantile(amounts, _TAIL))
    return even_bars(tail if high - low > _TAIL_TAKES * (high - tail) else low, high, _BARS)


def _draw_histogram(axes: Axes, amounts: Values, edges: Values) -> None:
    counts, _ = np.histogram(amounts, bins=edges)
    axes.stairs(counts, edges, fill=True, color=style.SKY)
    axes.stairs(counts, edges, color=style.BLUE, linewidth=0.6)
    axes.set_ylim(0, counts.max() * 1.05)
    in_counts(axes.yaxis)
    axes.tick_params(labelbottom=False)
    below = amounts[amounts < edges[0]]
    if below.size:
        text = f"← not drawn: {count(below.size)} invoices\nbelow {pounds(edges[0])}, down to {pounds(below.min())}"
        axes.text(0.008, 0.97, text, transform=axes.transAxes, va="top", size=style.SMALL, bbox=style.UNCROSSED)


def _draw_box(axes: Axes, shown: _Population, scale: Scale) -> None:
    lower, upper = np.quantile(shown.amounts, (0.25, 0.75))
    reach = 1.5 * (upper - lower)
    within = (shown.amounts >= lower - reach) & (shown.amounts <= upper + reach)
    box = {
        "q1": lower,
        "med": shown.statistics["median"],
        "q3": upper,
        "whislo": shown.amounts[within].min(),
        "whishi": shown.amounts[within].max(),
        "fliers": _thinned(shown.amounts[~within], scale, *axes.get_xlim()),
    }
    axes.bxp(
        [box],
        orientation="horizontal",
        widths=0.6,
        patch_artist=True,
        boxprops={"facecolor": style.SKY, "edgecolor": style.BLUE},
        medianprops={"color": style.INK, "linewidth": 1.6},
        whiskerprops={"color": style.BLUE},
        capprops={"color": style.BLUE},
        flierprops={"marker": ".", "markersize": 3, "markerfacecolor": style.MUTED, "markeredgewidth": 0},
    )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _thinned(values: Values, scale: Scale, low: float, high: float) -> Values:
    """One value for all that would be drawn at the same spot."""
    drawn = values[(values >= low) & (values <= high)]
    start, end = scale.forward(np.array([low, high]))
    _, first = np.unique(np.round(_DOTS * (scale.forward(drawn) - start) / (end - start)), return_index=True)
    return drawn[first]


def _draw_statistics(axes: Axes, statistics: dict[str, Any]) -> None:
    """A line at each of the five statistics, and a legend that gives their names and amounts."""
    low, high = axes.get_xlim()
    lines = []
    for name, look in _STATISTICS.items():
        value = statistics[name]
        if low <= value <= high:
            axes.axvline(value, **look)
        lines.append(style.stroke(**{**look, "label": f"{look['label']} {pounds(value)}"}))
    style.legend(axes, lines)
