"""Workbooks: the rows below the header of every visible sheet, one sheet after the other, are the lines of the dump."""

from collections.abc import Generator, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError
from lgs_assets.sources import ods, xlsx
from lgs_assets.sources.columns import HEADER_WITHIN_LINES, canonical, described, header_among, names_few, shown
from lgs_assets.sources.compression import seekable
from lgs_assets.sources.copy_text import NULL, unescaped
from lgs_assets.sources.lines import LINE_NUMBER, Lines, Reject
from lgs_assets.sources.office import Package, Row, Sheet, moment

BATCH_ROWS = 4096
SHOWN_RANGES = 3

_MISSING = NULL.decode()


def parse(path: Path, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    """The rows of the sheets, numbered through them; memory does not grow with their number.

    Left out are hidden sheets, sheets without a header, and rows with nothing in the columns of an invoice line.
    Raises DumpError if a header lacks a column, if no sheet has one, or if the file is no workbook.
    """
    taken: list[str] = []
    left_out: list[str] = []
    above: list[str] = []
    merged: list[str] = []
    with seekable(stream) as file:
        package = Package(path, file)
        reader = ods if ods.CONTENT in package else xlsx
        facts["format"] = reader.FORMAT
        rows_before = 0
        for sheet in reader.sheets(package):
            name = shown(sheet.name)
            if sheet.hidden:
                left_out.append(f"{name} (hidden)")
                continue
            rows = sheet.rows()
            first = list(islice(rows, HEADER_WITHIN_LINES))
            names = [_names(row) for row in first]
            at = header_among(names)
            if names_few(names[at]) if names else True:
                left_out.append(name)
                continue
            columns = canonical(names[at], where=f"{path}, sheet {name}, row {first[at].number}")
            facts |= described(names[at], columns)
            taken.append(name)
            above += [f"{name}: {shown(' '.join(row))}" for row in names[:at]]
            places = {place: column for place, column in zip(sorted(first[at].cells), columns, strict=True) if column}
            rows_before = yield from _lines(places, chain(first[at + 1 :], rows), sheet, rows_before)
            merged += [f"{name}!{range_}" for range_ in sheet.merged]
    if not taken:
        raise DumpError(f"{path}: no sheet has a row with the names of the columns. Sheets: {', '.join(left_out)}.")
    facts["sheets"] = ", ".join(taken)
    if left_out:
        facts["sheets left out"] = ", ".join(left_out)


def _names(row: Row) -> list[str]:
    return [unescaped(row.cells[place].encode()).decode() for place in sorted(row.cells)]


def _lines(
    places: dict[int, str], rows: Iterator[Row], sheet: Sheet, rows_before: int
) -> Generator[Lines | Reject, None, int]:
    """The rows as lines, and those with a cell whose value cannot be taken as rejects. Returns the last one's number."""
    columns = (LINE_NUMBER, *places.values())
    date_at = columns.index("invoice_date") - 1
    number = rows_before
    batch: list[str] = []
    first = 0
    for row in rows:
        fields = [row.cells.get(place, _MISSING) for place in places]
        if fields.count(_MISSING) == len(fields):
            continue
        number = rows_before + row.number
        fault = next((place for place in places if place in row.faults), None) if row.faults else None
        if batch and (fault is not None or len(batch) == BATCH_ROWS):
            yield Lines(columns, first, "".join(batch).encode())
            batch = []
        if fault is not None:
            yield Reject(number, "\t".join(fields), places[fault], row.faults[fault])
            continue
        if "-" not in fields[date_at]:  # a number there is a date whose format got lost
            fields[date_at] = moment(fields[date_at], sheet.epoch) or fields[date_at]
        first = first if batch else number
        batch.append("\t".join([str(number), *fields]) + "\n")
    if batch:
        yield Lines(columns, first, "".join(batch).encode())
    return number
