"""The downloads of a page: its tables as CSV and workbook, its figures as pictures that stand alone."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import jinja2
from starlette.responses import Response

from lgs_assets import wording
from lgs_assets.dashboard.bar import narrowing
from lgs_assets.dashboard.content import DOT, Bar, Few, Figure, Kind, Link, Shade, Table, bare, cell, written
from lgs_assets.dashboard.figures.grid import Cell, Head, grid
from lgs_assets.dashboard.figures.picture import picture
from lgs_assets.dashboard.figures.shapes import Drawing
from lgs_assets.dashboard.pages.page import NothingThereError, Page, View

FORMATS: Final = {
    "csv": "text/csv; charset=utf-8",
    "svg": "image/svg+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


BYTE_ORDER_MARK: Final = "\N{BYTE ORDER MARK}"
"""Without it, Excel takes UTF-8 for another encoding."""


_LOOKS: Final[dict[Kind, str]] = {
    "day": "d mmm yyyy",
    "month": "mmm yyyy",
    "moment": "d mmm yyyy hh:mm",
    "count": "#,##0",
    "change_count": "+#,##0;-#,##0;0",
    "pounds": "£#,##0.00",
    "whole_pounds": "£#,##0.00",
    "change_pounds": "+£#,##0.00;-£#,##0.00;£0.00",
    "percent": '0.0" %"',
    "whole_percent": "0",
    "decimal": "#,##0.0",
}
"""How a workbook shows the values of a kind: exactly, as somebody may add them up."""


def response(
    found: Table | Figure, name: str, form: str, *, page: Page, view: View, templates: jinja2.Environment
) -> Response:
    """A table or figure as a file. Its name says of which page and moment, and when invented lines are in it."""
    table = found.table if isinstance(found, Figure) else found
    body: str | bytes
    if form == "csv":
        body = BYTE_ORDER_MARK + table.as_csv()
    elif form == "xlsx":
        body = workbook({name: table})
    elif isinstance(found, Figure):
        framed = picture(
            found.drawing or pictured(found),
            title=found.question,
            key=found.key,
            below=[found.note, _said(page, view)],
            is_synthetic=view.built.is_synthetic,
        )
        body = templates.get_template("figure.svg").render(picture=framed)
    else:
        raise NothingThereError(f"{name} is a table and has no {form}.")
    stem = _stem(page, view, name)
    return Response(
        body, media_type=FORMATS[form], headers={"Content-Disposition": f'attachment; filename="{stem}.{form}"'}
    )


def _stem(page: Page, view: View, name: str) -> str:
    """`segments-champions-trend-2011-11`: whose moment is a day where a month is not over, or not asked for."""
    first = page.path.strip("/").partition("/")[0] or "overview"
    is_day = "as_of" not in page.honours or view.not_over()
    moment = f"{view.choices.until if is_day else view.as_of:{'%Y-%m-%d' if is_day else '%Y-%m'}}"
    item = view.item if view.item.isascii() else ""
    parts = ["SYNTHETIC" if view.built.is_synthetic else "", first, item, name if name != first else "", moment]
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in "-".join(part for part in parts if part))


def _said(page: Page, view: View) -> str:
    """Where a picture is from, when of, and of whom: it may be seen far from its page."""
    when = f"as of {view.end()}" if "as_of" in page.honours else ""
    only = narrowing(view.filters, page.honours)
    said = [
        "London Gift Shop",
        when,
        f"only: {', '.join(only)}" if only else "",
        f"data to {wording.day(view.choices.until)}",
    ]
    return " · ".join(part for part in said if part)


def pictured(figure: Figure) -> Drawing:
    """The table of a figure that has no other drawing, as a picture."""
    table = figure.table
    heads = [
        Head(
            column.label,
            column.is_number,
            diverges=any(isinstance(row[place], Bar) and row[place].diverges for row in table.rows),
        )
        for place, column in enumerate(table.columns)
    ]
    rows = [
        [_pictured(value, written(bare(value), table.columns[place].kind)) for place, value in enumerate(row)]
        for row in table.rows
    ]
    return grid(figure.question, heads, rows)


def _pictured(value: Any, text: str) -> Cell:
    while isinstance(value, Link):
        value = value.value
    if isinstance(value, Bar):
        return Cell(text, bar=value.percent, fill=value.fill)
    if isinstance(value, Few) and value.is_marked:
        return Cell(DOT)
    return Cell(text, shade=value.shade if isinstance(value, Shade) else None)


def workbook(tables: dict[str, Table]) -> bytes:
    """The tables as sheets of a workbook: text stays text, numbers are numbers, dates are dates."""
    import xlsxwriter  # here: most pages need no workbook

    file = io.BytesIO()
    book = xlsxwriter.Workbook(
        file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    head = book.add_format({"bold": True, "bottom": 1})
    looks = {kind: book.add_format({"num_format": look}) for kind, look in _LOOKS.items()}
    for name, table in tables.items():
        sheet = book.add_worksheet("".join(c if c not in "[]:*?/\\'" else " " for c in name)[:31])
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(table.columns):
            sheet.write_string(0, place, column.label or column.name, head)
            sheet.set_column(place, place, max(12, min(len(column.label) + 2, 30)))
        for number, row in enumerate(table.plain(), start=1):
            for place, value in enumerate(row):
                _write(sheet, number, place, value, looks.get(table.columns[place].kind))
    book.close()
    return file.getvalue()


def _write(sheet: Any, row: int, place: int, value: Any, look: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, date)):
        sheet.write_string(row, place, str(cell(str(value))), look)
    elif isinstance(value, date):
        if isinstance(value, datetime):  # a workbook knows no time zones, and would round to the next day
            value = (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None, microsecond=0)
        sheet.write_datetime(row, place, value, look)
    else:
        sheet.write_number(row, place, float(value), look)
