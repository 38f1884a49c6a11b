"""Excel workbooks (.xlsx): each sheet begins with a row of column names, and all sheets together are the dump."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import python_calamine

from lgs_assets.errors import DumpError
from lgs_assets.sources.columns import canonical, described, names_few
from lgs_assets.sources.compression import BUFFER_BYTES, check_expansion, explained, seekable
from lgs_assets.sources.copy_text import escaped
from lgs_assets.sources.lines import LINE_NUMBER, Lines, legible

BATCH_ROWS = 4096

# A sheet is in memory as a rectangle, with every empty cell: one cell far out makes it larger than any memory.
# Too far is beyond column AZ, or beyond the last row that Excel knows.
_FAR_CELL = re.compile(rb""" r=["'](?:[A-Z]{3}|[B-Z][A-Z]|[A-Z]*+(?:1[1-9]\d{5}|[2-9]\d{6}|\d{8}))""")
# What Excel shows as #N/A or #REF!: calamine takes such a cell for an empty one.
_ERROR_CELL = re.compile(rb"""<c [^>]*\bt=["']e["']""")
_CELL_BYTES = 128

_Cell = int | float | str | bool | time | date | datetime | timedelta


def parse(path: Path, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines]:
    """The rows of every sheet, numbered through the sheets. One sheet at a time is in memory.

    Empty rows are passed over, and sheets that name no column of an invoice line.
    Raises DumpError if a sheet names some of the columns but not all, or if no sheet names any.
    """
    sheets: list[str] = []
    with seekable(stream) as file:
        _check(path, file)
        try:
            book = python_calamine.load_workbook(file)
            rows_before = 0
            for name in book.sheet_names:
                sheet = book.get_sheet_by_name(name)
                rows = enumerate(sheet.iter_rows(), rows_before + 1)
                rows_before += sheet.end[0] + 1 if sheet.end else 0
                filled = (numbered for numbered in rows if any(cell != "" for cell in numbered[1]))
                _, first = next(filled, (0, []))
                header = [_text(cell) or "" for cell in first]
                if not names_few(header):
                    columns = canonical(header, where=f"{path}, sheet {name}")
                    facts |= described(header, columns)
                    sheets.append(name)
                    yield from _lines(columns, filled)
        except python_calamine.CalamineError as error:
            raise DumpError(f"{path}: no Excel workbook that can be read: {error}. Save it as .xlsx again.") from error
        if not sheets:
            names = ", ".join(book.sheet_names)
            raise DumpError(f"{path}: no sheet begins with the names of the columns. Sheets: {names}.")
        facts |= {"format": "Excel workbook", "sheets": ", ".join(sheets)}
        if left_out := [name for name in book.sheet_names if name not in sheets]:
            facts["sheets left out"] = ", ".join(left_out)


def _check(path: Path, file: BinaryIO) -> None:
    """Raises DumpError if the archive is damaged, holds more than memory does, or cells that hold no value."""
    size, expanded = file.seek(0, io.SEEK_END), 0
    with explained(path), zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            with archive.open(member) as content:
                before = b""
                while chunk := content.read(BUFFER_BYTES):
                    expanded += len(chunk)
                    check_expansion(path, size, expanded)
                    if far := _FAR_CELL.search(before + chunk):
                        cell = far[0][len(' r="') :].decode()
                        raise DumpError(
                            f"{path}: the cell {cell}… in {member.filename} lies far from any table, "
                            "which ends at column AZ or before. Delete its row or column, and save the workbook again."
                        )
                    if error := _ERROR_CELL.search(before + chunk):
                        raise DumpError(
                            f"{path}: a cell of {member.filename} holds an error such as #N/A: {legible(error[0])}. "
                            "Mend or clear it, and save the workbook again."
                        )
                    before = chunk[-_CELL_BYTES:]
    file.seek(0)


def _lines(columns: tuple[str | None, ...], rows: Iterator[tuple[int, list[_Cell]]]) -> Iterator[Lines]:
    while batch := list(islice(rows, BATCH_ROWS)):
        data = "".join(
            "\t".join([str(number), *(escaped(_text(cell)) for cell in row)]) + "\n" for number, row in batch
        )
        yield Lines((LINE_NUMBER, *columns), batch[0][0], data.encode())


def _text(cell: _Cell) -> str | None:
    """What a cell says; None if it is empty. A number is the shortest text that means it."""
    if isinstance(cell, str):
        return cell or None
    return repr(cell).removesuffix(".0") if isinstance(cell, float) else str(cell)
