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
from lgs_assets.charts.declaration import EMPTY, REASON, SNAPSHOT, Chart, Family
from lgs_assets.errors import ContractError
from lgs_assets.wording import day, month, span

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


def origin_of(*, is_synthetic: bool) -> str:
    """What the footers say about the data. A picture travels without its table, so invented figures must be marked."""
    return "SYNTHETIC invoice lines, made by lgs demo-dump" if is_synthetic else ORIGIN


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
    needed = {table: _columns_of(tables, table, columns) for table, columns in chart.drawn_from.items()}
    if reason := _reason(chart, needed):
        figure = style.message(fill(reason, _LETTERS))
    else:
        figure = chart.draw(
            **{
                table: needed[table][list(columns)].sort_values(list(columns), ignore_index=True)
                for table, columns in chart.reads.items()
            }
        )
    footer = _source(origin, needed["monthly_metrics"])
    if chart.has_snapshot and not reason:
        (column,) = SNAPSHOT["rfm_scores"]
        footer += f". RFM snapshot: {day(needed['rfm_scores'][column].max())}"
    style.head_and_foot(figure, chart.title, footer)
    return figure


def _reason(chart: Chart, tables: Mapping[str, pd.DataFrame]) -> str | None:
    """Why there is nothing to draw, if so."""
    nothing = "No data yet."
    if tables["monthly_metrics"].empty:
        return nothing
    if chart.is_of_predictions and len(found := tables["prediction_terms"]["unavailable_because"].dropna()):
        return f"Nothing is predicted. {found.iloc[0]}"
    empty = {table for table, frame in tables.items() if frame.empty} - {*chart.may_be_empty, *REASON}
    return next((reason for table, reason in EMPTY.items() if table in empty), nothing if empty else None)


def _source(origin: str, months: pd.DataFrame) -> str:
    """What the data is, and from when to when."""
    if months.empty:
        return f"Source: {origin}"
    first = months["invoice_month"].min()
    is_partial = months.loc[months["invoice_month"] == first, "is_partial"].any()
    begin = month(first) if is_partial else day(first)
    return f"Source: {origin}, {span(begin, day(months['last_invoice_at'].max()))}"


def _columns_of(tables: Mapping[str, pd.DataFrame], table: str, columns: tuple[str, ...]) -> pd.DataFrame:
    frame = tables[table]
    if missing := [column for column in columns if column not in frame]:
        raise ContractError(
            f"Charts need the column {', '.join(sorted(missing))} of {table}; "
            f"the frame has {', '.join(sorted(map(str, frame.columns)))}."
        )
    return frame[list(columns)]
