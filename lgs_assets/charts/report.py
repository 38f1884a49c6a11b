"""The report: its families of charts in order, how a family is rendered, and how the parts make the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from textwrap import fill
from typing import TYPE_CHECKING, Final

import pandas as pd

from lgs_assets.charts import families as modules
from lgs_assets.charts import style
from lgs_assets.charts.declaration import SNAPSHOT, SPAN, Chart, Family
from lgs_assets.charts.wording import day, span
from lgs_assets.errors import ContractError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORIGIN: Final = "invoice lines of the London Gift Shop warehouse"
"""What the data is, for the footer."""

_LETTERS: Final = 60
"""Letters of a message in a line."""
_COLUMNS: Final = ["name", "position", "title", "png", "svg"]


@cache
def families() -> tuple[Family, ...]:
    """Every family, in the order of the report."""
    found: list[Family] = [
        import_module(f"{modules.__name__}.{module.name}").FAMILY for module in iter_modules(modules.__path__)
    ]
    return tuple(sorted(found, key=lambda family: family.part))


def render(charts: Iterable[Chart], tables: Mapping[str, pd.DataFrame], *, origin: str = ORIGIN) -> pd.DataFrame:
    """The charts as files: one row each of name, position (from 1), title, PNG and SVG.

    Each table has at least the columns that the charts read, its rows in any order; the same rows make the same bytes.
    `origin` says in the footers what the data is.
    Raises ContractError if a column is missing or tables disagree.
    """
    from lgs_assets.charts.image import png_of, svg_of

    rows = []
    with style.style():
        for position, chart in enumerate(charts, start=1):
            figure = figure_of(chart, tables, origin=origin)
            rows.append((chart.name, position, chart.title, png_of(figure, chart.title), svg_of(figure, chart.title)))
    return pd.DataFrame(rows, columns=_COLUMNS)


def compose(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The whole report from the rendered families, by table: their charts in order, numbered from 1."""
    ordered = [parts[family.table].sort_values("position") for family in families()]
    return pd.concat(ordered, ignore_index=True).assign(position=lambda charts: charts.index + 1)


def figure_of(chart: Chart, tables: Mapping[str, pd.DataFrame], *, origin: str = ORIGIN) -> Figure:
    """The chart on its sheet, with title and footer. To be called, and the figure saved, within `style.style()`."""
    needed = {table: _ordered(tables, table, columns) for table, columns in chart.needs.items()}
    empty = sorted(table for table, frame in needed.items() if frame.empty)
    reason = _reason(tables) if chart.is_of_predictions else None
    can_be_drawn = not empty and not reason
    given = {table: needed[table][list(columns)] for table, columns in chart.reads.items()}
    months = _ordered(tables, "monthly_metrics", SPAN["monthly_metrics"])
    if can_be_drawn:
        figure = chart.draw(**given)
    else:
        too_little = fill(reason or f"Too little data yet for {', '.join(empty)}.", _LETTERS)
        figure = style.message("No data yet." if months.empty else too_little)
    footer = _source(origin, months)
    if chart.has_snapshot and can_be_drawn:
        (column,) = SNAPSHOT["rfm_scores"]
        footer += f". RFM snapshot: {day(needed['rfm_scores'][column].max())}"
    style.head_and_foot(figure, chart.title, footer)
    return figure


def _reason(tables: Mapping[str, pd.DataFrame]) -> str | None:
    """Why nothing is predicted, if so."""
    found = tables["prediction_terms"]["unavailable_because"].dropna()
    return f"Nothing is predicted. {found.iloc[0]}" if len(found) else None


def _source(origin: str, months: pd.DataFrame) -> str:
    """What the data is, and from when to when."""
    if months.empty:
        return f"Source: {origin}"
    return f"Source: {origin}, {span(day(months['invoice_month'].min()), day(months['last_invoice_at'].max()))}"


def _ordered(tables: Mapping[str, pd.DataFrame], table: str, columns: tuple[str, ...]) -> pd.DataFrame:
    frame = tables[table]
    if missing := [column for column in columns if column not in frame]:
        raise ContractError(
            f"Charts need the column {', '.join(sorted(missing))} of {table}; "
            f"the frame has {', '.join(sorted(map(str, frame.columns)))}."
        )
    return frame[list(columns)].sort_values(list(columns), ignore_index=True)
