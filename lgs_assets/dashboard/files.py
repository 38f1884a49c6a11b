"""What can be taken away from a page: its tables as CSV and workbook, its figures as SVG."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any, Final

import jinja2
from starlette.responses import Response

from lgs_assets.dashboard.content import Bar, Figure, Link, Shade, Table, bare, cell, written
from lgs_assets.dashboard.figures.grid import Cell, Head, grid
from lgs_assets.dashboard.figures.shapes import Drawing
from lgs_assets.dashboard.pages.page import NothingThereError, View

FORMATS: Final = {
    "csv": "text/csv; charset=utf-8",
    "svg": "image/svg+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


BYTE_ORDER_MARK: Final = "\N{BYTE ORDER MARK}"
"""Without it, Excel takes UTF-8 for another encoding."""


def response(found: Table | Figure, name: str, form: str, *, view: View, templates: jinja2.Environment) -> Response:
    """A table or figure as a file. Its name says when invented lines are in it."""
    table = found.table if isinstance(found, Figure) else found
    body: str | bytes
    if form == "csv":
        body = BYTE_ORDER_MARK + table.as_csv()
    elif form == "xlsx":
        body = workbook({name: table})
    elif isinstance(found, Figure):
        drawing = found.drawing or pictured(found)
        body = templates.get_template("figure.svg").render(drawing=drawing, figure=found)
    else:
        raise NothingThereError(f"{name} is a table and has no {form}.")
    mark = "SYNTHETIC-" if view.built.is_synthetic else ""
    stem = f"{mark}{view.item + '-' if view.item and view.item.isascii() else ''}{name}-{view.as_of:%Y-%m}"
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)
    return Response(
        body, media_type=FORMATS[form], headers={"Content-Disposition": f'attachment; filename="{safe}.{form}"'}
    )


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
    return Cell(text, shade=value.shade if isinstance(value, Shade) else None)


def workbook(tables: dict[str, Table]) -> bytes:
    """The tables as sheets of a workbook: text stays text, numbers are numbers, dates are dates."""
    import xlsxwriter  # here: most pages need no workbook

    file = io.BytesIO()
    book = xlsxwriter.Workbook(
        file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    head = book.add_format({"bold": True, "bottom": 1})
    formats = {
        "pounds": book.add_format({"num_format": "£#,##0.00"}),
        "whole_pounds": book.add_format({"num_format": "£#,##0.00"}),
        "day": book.add_format({"num_format": "d mmm yyyy"}),
        "month": book.add_format({"num_format": "mmm yyyy"}),
    }
    for name, table in tables.items():
        sheet = book.add_worksheet("".join(c if c not in "[]:*?/\\'" else " " for c in name)[:31])
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(table.columns):
            sheet.write_string(0, place, column.label or column.name, head)
            sheet.set_column(place, place, max(12, min(len(column.label) + 2, 30)))
        for number, row in enumerate(table.plain(), start=1):
            for place, value in enumerate(row):
                _write(sheet, number, place, value, formats.get(table.columns[place].kind))
    book.close()
    return file.getvalue()


def _write(sheet: Any, row: int, place: int, value: Any, look: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, date)):
        sheet.write_string(row, place, str(cell(str(value))), look)
    elif isinstance(value, date):
        sheet.write_datetime(row, place, value, look)
    else:
        sheet.write_number(row, place, float(value), look)
