"""Excel workbooks (.xlsx): each sheet begins with a row of column names, and all sheets together are the dump."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO

import python_calamine

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import canonical, described, names_none
from lgs_assets.sources.compression import seekable
from lgs_assets.sources.copy_text import escaped
from lgs_assets.sources.lines import Lines

BATCH_ROWS = 4096

_Cell = int | float | str | bool | time | date | datetime | timedelta


def parse(path: Path, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines]:
    """The rows of every sheet, numbered through the sheets. One sheet at a time is in memory.

    A sheet that is empty, or that names no column of an invoice line, is passed over.
    Raises DumpError if a sheet names some of the columns but not all, or if no sheet names any.
    """
    sheets: list[str] = []
    rows_before = 0
    with seekable(stream) as file:
        try:
            book = python_calamine.load_workbook(file)
        except python_calamine.CalamineError as error:
            raise DumpError(f"{path}: no Excel workbook that can be read: {error}. Save it as .xlsx again.") from error
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            rows = sheet.iter_rows()
            header = [_text(cell) or "" for cell in next(rows, [])]
            if not names_none(header):
                columns = canonical(header, where=f"{path}, sheet {name}")
                facts |= described(header, columns)
                sheets.append(name)
                yield from _lines(columns, rows_before + (sheet.start or (0, 0))[0] + 2, rows)
            rows_before += sheet.total_height
    if not sheets:
        raise DumpError(
            f"{path}: no sheet begins with the names of the columns. Sheets: {', '.join(book.sheet_names)}."
        )
    facts |= {"format": "Excel workbook", "sheets": ", ".join(sheets)}


def _lines(columns: tuple[str | None, ...], first_line: int, rows: Iterator[list[_Cell]]) -> Iterator[Lines]:
    while batch := list(islice(rows, BATCH_ROWS)):
        for empty, group in groupby(batch, key=_is_empty):
            run = list(group)
            if not empty:
                data = "".join("\t".join([escaped(_text(cell)) for cell in row]) + "\n" for row in run)
                yield Lines(columns, first_line, data.encode())
            first_line += len(run)


def _is_empty(row: list[_Cell]) -> bool:
    return not any(cell != "" for cell in row)


def _text(cell: _Cell) -> str | None:
    """What a cell says; None if it is empty. A number is the shortest text that means it."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell) if cell != "" else None
