"""The report: which charts it has, in which order, and how they are rendered together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from lgs_assets.charts import style
from lgs_assets.charts.amounts import density_curve, distribution
from lgs_assets.charts.image import png_of, svg_of
from lgs_assets.charts.months import active_users, new_and_existing_users, orders, sales, sales_growth
from lgs_assets.charts.rfm import rfm_distributions
from lgs_assets.charts.segments import segment_grid, segment_sizes, segment_treemap
from lgs_assets.charts.tables import Tables, prepare
from lgs_assets.errors import LgsError

_AMOUNTS: Final = ("invoice_amounts", "invoice_amount_statistics")
_USERS: Final = ("monthly_metrics", "user_activity")
_SEGMENTS: Final = ("rfm_scores", "segment_playbook", "segment_summary")


@dataclass(frozen=True)
class Chart:
    """A chart of the report."""

    name: str
    title: str
    draw: Callable[[Tables], Figure]
    tables: tuple[str, ...]
    """The tables that it needs rows of."""


CHARTS: Final = (
    Chart(
        "invoice_amounts_all",
        "Amounts of all invoices",
        partial(distribution, population="all", is_cut=False),
        _AMOUNTS,
    ),
    Chart(
        "invoice_amounts_positive",
        "Amounts of positive invoices",
        partial(distribution, population="positive", is_cut=False),
        _AMOUNTS,
    ),
    Chart(
        "invoice_amounts_all_cut",
        "Amounts of all but the largest invoices",
        partial(distribution, population="all", is_cut=True),
        _AMOUNTS,
    ),
    Chart(
        "invoice_amounts_positive_cut",
        "Amounts of all but the largest positive invoices",
        partial(distribution, population="positive", is_cut=True),
        _AMOUNTS,
    ),
    Chart(
        "invoice_amount_density",
        "Density of the amounts of all but the largest positive invoices",
        partial(density_curve, population="positive"),
        _AMOUNTS,
    ),
    Chart("monthly_orders", "Orders placed and canceled each month", orders, _USERS),
    Chart("monthly_sales", "Sales each month", sales, _USERS),
    Chart("monthly_sales_growth", "Growth of sales from month to month", sales_growth, _USERS),
    Chart("monthly_active_users", "Customers active each month", active_users, _USERS),
    Chart("new_and_existing_users", "New and existing customers each month", new_and_existing_users, _USERS),
    Chart(
        "rfm_distributions", "Recency, frequency and monetary value of customers", rfm_distributions, ("rfm_scores",)
    ),
    Chart("segment_sizes", "Customers and revenue of each segment", segment_sizes, _SEGMENTS),
    Chart("segment_treemap", "Segments in proportion to their customers", segment_treemap, _SEGMENTS),
    Chart("segment_grid", "Segments by recency and frequency", segment_grid, _SEGMENTS),
)
"""Every chart, in the order of the report."""


def render_all(
    *,
    invoice_amounts: pd.DataFrame,
    invoice_amount_statistics: pd.DataFrame,
    monthly_metrics: pd.DataFrame,
    user_activity: pd.DataFrame,
    rfm_scores: pd.DataFrame,
    segment_playbook: pd.DataFrame,
    segment_summary: pd.DataFrame,
    origin: str = Tables.origin,
    names: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Every chart of the report, or only those named: a row each of name, position, title, png and svg.

    `origin` says in the footers what the data is. Each frame has the columns of its table's contract, in any order of
    rows; the same rows make the same bytes.
    Raises ContractError if a column is missing or the tables of segments disagree, LgsError if there is no such chart.
    """
    tables = prepare(
        invoice_amounts=invoice_amounts,
        invoice_amount_statistics=invoice_amount_statistics,
        monthly_metrics=monthly_metrics,
        user_activity=user_activity,
        rfm_scores=rfm_scores,
        segment_playbook=segment_playbook,
        segment_summary=segment_summary,
        origin=origin,
    )
    wanted = {chart.name for chart in CHARTS} if names is None else set(names)
    if unknown := wanted - {chart.name for chart in CHARTS}:
        raise LgsError(
            f"There is no chart {', '.join(sorted(unknown))}; there are {', '.join(chart.name for chart in CHARTS)}."
        )
    rows = [_row(chart, position, tables) for position, chart in enumerate(CHARTS, start=1) if chart.name in wanted]
    return pd.DataFrame(rows, columns=["name", "position", "title", "png", "svg"])


def figure_of(chart: Chart, tables: Tables) -> Figure:
    """The chart on its sheet, with title and footer. To be called, and the figure saved, within `style.style()`."""
    figure = style.message("No data yet.") if tables.empty(*chart.tables) else chart.draw(tables)
    scored = "rfm_scores" in chart.tables and not tables.empty("rfm_scores")
    style.head_and_foot(figure, chart.title, f"{tables.source()}. {tables.snapshot()}" if scored else tables.source())
    return figure


def _row(chart: Chart, position: int, tables: Tables) -> tuple[str, int, str, bytes, str]:
    with style.style():
        figure = figure_of(chart, tables)
        return chart.name, position, chart.title, png_of(figure, chart.title), svg_of(figure, chart.title)
