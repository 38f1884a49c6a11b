"""The chart of how customers spread over recency, frequency and monetary value, with the cuts between the quintiles."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lgs_assets.charts import style
from lgs_assets.charts.scales import LINEAR, LOG, Scale, Values, even_bars, in_counts
from lgs_assets.charts.tables import Tables
from lgs_assets.charts.wording import count, counted, decimal, short_pounds

_BARS: Final = 36
_QUINTILES: Final = (0.2, 0.4, 0.6, 0.8)

# A digit of the scores' row needs so much of a panel's width.
_DIGIT: Final = 0.028

# Letters of tick labels that fit below a panel.
_LETTERS: Final = 32


def rfm_distributions(tables: Tables) -> Figure:
    """A histogram each of recency, frequency and monetary value."""
    customers = tables.rfm_scores
    number = counted(len(customers), "customer")
    figure = style.sheet(f"{number}. Dashed lines cut them into fifths; the digits above are the scores, 5 best")
    panels = style.grid(figure, 1, 3, wspace=0.22, left=0.075, top=0.75, bottom=0.175)
    recency, frequency, monetary = (figure.add_subplot(panels[place]) for place in range(3))
    _recency(recency, customers["recency_days"].to_numpy(dtype=float))
    _frequency(frequency, customers["frequency"].to_numpy(dtype=float))
    _monetary(monetary, customers["monetary"].to_numpy(dtype=float))
    recency.set_ylabel("Customers per bar")
    return figure


def _recency(axes: Axes, days: Values) -> None:
    cuts = np.quantile(days, _QUINTILES)
    _draw(axes, days, even_bars(0, days.max() + 1, _BARS), cuts, LINEAR, scores="54321")
    axes.set_title("Recency", pad=22)
    axes.set_xlabel(f"Days since the last order\ncut at {_listed(cuts, decimal)}")
    in_counts(axes.xaxis, 5)


def _frequency(axes: Axes, orders: Values) -> None:
    # Each bar ends with a power of two, itself included, as a quintile includes its cut: on a log scale the bars are
    # equally wide, and a cut at 4 lies between the bars of 3 to 4 and of 5 to 8 orders.
    powers = np.arange(np.ceil(np.log2(orders.max())) + 1)
    cuts = np.quantile(orders, _QUINTILES)
    within_bars = 2.0 ** (np.ceil(np.log2(orders)) - 0.5)
    _draw(axes, within_bars, np.array([0.5, *(2.0**powers)]), cuts, LOG, scores="12345")
    axes.set_title("Frequency", pad=22)
    axes.set_xlabel(f"Orders, log scale; a bar includes its right end\ncut at {_listed(cuts, decimal)}")
    names = [count(end) for end in 2.0**powers]
    every = math.ceil(sum(len(name) + 1 for name in names) / _LETTERS)
    axes.set_xticks(2.0 ** powers[::every], names[::every])


def _monetary(axes: Axes, pounds: Values) -> None:
    cuts = np.quantile(pounds, _QUINTILES)
    _draw(axes, pounds, LOG.bars(pounds.min(), pounds.max(), _BARS), cuts, LOG, scores="12345")
    axes.set_title("Monetary value", pad=22)
    axes.set_xlabel(f"Sum of all orders in £, log scale\ncut at {_listed(cuts, lambda cut: short_pounds(cut, 3))}")


def _draw(axes: Axes, values: Values, edges: Values, cuts: Values, scale: Scale, *, scores: str) -> None:
    """The histogram of the values, with the bands of the five scores."""
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
