"""Workbooks: the rows below the header of every visible sheet, one sheet after the other, are the lines of the dump."""

from collections.abc import Collection, Generator, Iterator
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError
from lgs_assets.sources import ods, xlsb, xlsx
from lgs_assets.sources.columns import (
    HEADER_WITHIN_LINES,
    SHOWN_CHARACTERS,
    canonical,
    described,
    header_among,
    names_few,
    shown,
)
from lgs_assets.sources.compression import seekable
from lgs_assets.sources.copy_text import NULL, unescaped
from lgs_assets.sources.lines import LINE_NUMBER, Lines, Part, Reject
from lgs_assets.sources.missing import ANY_ERROR
from lgs_assets.sources.office import ERROR_SHOWN, RANGE, SHEETS_LIMIT, Measured, Package, Row, column_of, moment

BATCH_CHARACTERS = 1 << 18
SHOWN_AREAS = 3

_MISSING = NULL.decode()


def parse(path: Path | str, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    """The rows of the sheets, numbered across them; memory does not grow with their number.

    Hidden sheets, sheets without a header, and rows with nothing in the columns of an invoice line are left out.
    Raises DumpError if a header lacks a column, if no sheet has one, if cells of several lines are merged, or if the
    file is not a workbook.
    """
    taken: list[str] = []
    left_out: list[str] = []
    above: list[str] = []
    with seekable(stream) as file:
        package = Package(path, file)
        reader = ods if package.has(ods.CONTENT) else xlsb if package.has(xlsb.WORKBOOK) else xlsx
        facts["format"] = reader.FORMAT
        rows_before = 0
        for count, sheet in enumerate(reader.sheets(package)):
            if count == SHEETS_LIMIT:
                raise DumpError(f"{path}: more than {SHEETS_LIMIT:,} sheets.")
            name = shown(sheet.name[:SHOWN_CHARACTERS])
            if sheet.hidden:
                left_out.append(f"{name} (hidden)")
                continue
            first = list(islice(sheet.rows, HEADER_WITHIN_LINES))
            names = [_names(row) for row in first]
            at = header_among(names)
            if not first or names_few(names[at]):
                left_out.append(name)
                continue
            columns = canonical(names[at], where=f"{path}, sheet {name}, row {first[at].number}")
            facts |= described(names[at], columns)
            taken.append(name)
            above += [shown(" ".join(row))[:SHOWN_CHARACTERS] for row in names[:at]]
            places = {place: column for place, column in zip(sorted(first[at].cells), columns, strict=True) if column}
            parts = (Part(f"sheet {name}, row", rows_before),) if len(taken) > 1 else ()
            rows = chain(first[at + 1 :], sheet.rows)
            rows_before = yield from _lines(places, rows, sheet.epoch, rows_before, parts)
            _check_merged(sheet.merged, places, first[at].number, where=f"{path}, sheet {name}")
    if not taken:
        sheets = ", ".join(left_out)[:SHOWN_CHARACTERS] or "none"
        raise DumpError(
            f"{path}: no sheet names the columns in one of its first {HEADER_WITHIN_LINES} rows. Sheets: {sheets}."
        )
    facts["sheets"] = ", ".join(taken)
    if left_out:
        facts["sheets left out"] = ", ".join(left_out)
    if above:
        facts["lines above the header"] = ", ".join(above)


def _names(row: Row) -> list[str]:
    return [unescaped(row.cells[place].encode()).decode() for place in sorted(row.cells)]


def _check_merged(areas: list[str], places: Collection[int], header: int, *, where: str) -> None:
    """Raises DumpError if lines share merged cells: only the first line has the value, the others would lack it.

    Cells merged across the whole table are a note.
    """
    hiding = []
    for area in areas:
        if (match := RANGE.fullmatch(area)) and header < int(match[2]) < int(match[4]):
            covered = {place for place in places if column_of(match[1]) <= place <= column_of(match[3])}
            hiding += [area] if covered and covered != set(places) else []
    if hiding:
        more = f" and {len(hiding) - SHOWN_AREAS:,} more" if len(hiding) > SHOWN_AREAS else ""
        raise DumpError(
            f"{where}: the cells {', '.join(hiding[:SHOWN_AREAS])}{more} are merged, and only the first row of each "
            "has the value. Unmerge them, fill the value down, and save the workbook again."
        )


def _lines(
    places: dict[int, str], rows: Iterator[Row], epoch: datetime, rows_before: int, parts: tuple[Part, ...]
) -> Generator[Lines | Reject, None, int]:
    """The rows as lines; those with a cell whose value cannot be used as rejects. Returns the last row's number."""
    columns = (LINE_NUMBER, *places.values())
    date_at, description_at, price_at = (
        columns.index(name) - 1 for name in ("invoice_date", "description", "unit_price")
    )
    description = list(places)[description_at]
    batch: list[str] = []
    number, first, size = rows_before, 0, 0
    for row in rows:
        fields = [row.cells.get(place, _MISSING) for place in places]
        if fields.count(_MISSING) == len(fields):
            continue
        number = rows_before + row.number
        faults = [place for place in places if place in row.faults] if row.faults else []
        shows_error = description in faults and row.faults[description].startswith(ERROR_SHOWN)
        fault = next((place for place in faults if not (shows_error and place == description)), None)
        if batch and (fault is not None or size > BATCH_CHARACTERS):
            yield Lines(columns, first, "".join(batch).encode(), parts=parts)
            batch, size = [], 0
        if fault is not None:
            reject = Reject(number, "\t".join(fields), places[fault], row.faults[fault])
            yield parts[0].located(reject) if parts else reject
            continue
        if shows_error:  # the sieve leaves it out
            fields[description_at] = ANY_ERROR
        for at, field in enumerate(fields):
            if isinstance(field, Measured) and at != price_at:
                fields[at] = field.number
        if "-" not in fields[date_at]:  # a number here is a date that has lost its format
            fields[date_at] = moment(fields[date_at], epoch) or fields[date_at]
        first = first if batch else number
        batch.append("\t".join([str(number), *fields]) + "\n")
        size += len(batch[-1])
    if batch:
        yield Lines(columns, first, "".join(batch).encode(), parts=parts)
    return number
