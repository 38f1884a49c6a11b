"""What is printed: two sheets of A4 on a segment, and one on the whole shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from lgs_assets.dashboard.bar import narrowing
from lgs_assets.dashboard.content import Figure, Table
from lgs_assets.dashboard.pages import overview, segments
from lgs_assets.dashboard.pages.page import Page, Shown, View

FIRST_CUSTOMERS: Final = 25
HEIGHT: Final = 230
"""Of the curve of a segment, so that all that is on its first sheet has room there."""
_SAID_ABOVE: Final = ("segment", "segment_before", "first_sale_at")
"""Columns that would take the room of others."""
_LONGEST: Final = 12
"""Rows of a table beside another, so that two sheets are two."""


def show_shop(view: View) -> Shown:
    """The whole shop on a sheet."""
    shown = overview.show(view)
    return Shown("London Gift Shop", {"sheets": [sheet(view, shown, "shop")]})


def show_segment(view: View) -> Shown:
    """A segment on two sheets."""
    view = replace(view, filters=replace(view.filters, page=1, search=None))  # the first, of all
    shown = segments.show_one(view, height=HEIGHT)
    return Shown(shown.title, {"sheets": [sheet(view, shown, "segment")]})


def sheet(view: View, shown: Shown, kind: str) -> dict[str, Any]:
    """The content of a page as it is printed: long tables cut, and said so by the number of all."""
    content = dict(shown.content)
    for name, part in content.items():
        if isinstance(part, Figure) and name in ("countries", "products", "came_from", "went_to"):
            content[name] = replace(part, table=_first(part.table, _LONGEST))
        elif isinstance(part, Table):
            content[name] = _without(_first(part, FIRST_CUSTOMERS), _SAID_ABOVE if kind == "segment" else ())
    only = narrowing(view.filters, SHOP.honours if kind == "shop" else SEGMENT.honours)
    return content | {"kind": kind, "title": shown.title, "view": view, "only": only}


def _without(table: Table, names: Sequence[str]) -> Table:
    kept = [place for place, column in enumerate(table.columns) if column.name not in names]
    rows = [[row[place] for place in kept] for row in table.rows]
    return replace(table, columns=tuple(table.columns[place] for place in kept), rows=rows)


def _first(table: Table, most: int) -> Table:
    return replace(table, rows=table.rows[:most])


SHOP = Page("/report", "report.html", overview.PAGE.tables, show_shop)
SEGMENT = Page(
    "/report/{item}",
    "report.html",
    segments.ONE.tables,
    show_segment,
    wished=segments.ONE.wished,
    honours=segments.ONE.honours - {"customer"},
    refusal=segments.ONE.refusal,
)
