"""A dump, opened: what it is, by its content, and its lines, sifted."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError
from lgs_assets.sources import csv_dump, sql_dump
from lgs_assets.sources.compression import Content, check_expansion, faults_as_dump_errors, unpacked
from lgs_assets.sources.encoding import without_byte_order_mark
from lgs_assets.sources.lines import Batch, DateOrder, Lines, Reject, Sieve, date_order

_REFUSED = {
    b"PGDMP": "an archive of pg_dump; expected plain SQL. pg_restore --file turns it into that.",
    b"\xd0\xcf\x11\xe0": "a workbook of the old kind (.xls), or a protected one. Save it as .xlsx, without a password.",
    b"%PDF": "a PDF; expected an SQL dump, CSV, an Excel workbook or Parquet.",
}
_WORKBOOK_MAGIC = b"PK\x03\x04"
_PARQUET_MAGIC = b"PAR1"
# How a script begins. A header of column names begins otherwise.
_SQL = re.compile(
    rb"[\s;]*(?:--|/\*|\\|(?:SET|COPY|INSERT|CREATE|DROP|ALTER|USE|BEGIN|START|COMMIT|SELECT|GO|IF|PRINT|DECLARE"
    rb"|TRUNCATE|DELETE|UPDATE|LOCK|GRANT|REVOKE|COMMENT|WITH|DO|PREPARE|EXEC|EXECUTE)\b(?!\s*(?:[,|\t]|;[\w ]+;)))",
    re.I,
)


DAY_AND_MONTH: tuple[DateOrder, DateOrder] = ("day first", "month first")
DATES_THAT_SHOW_THEIR_ORDER = 0.01


@dataclass
class Dump:
    """An open dump."""

    path: Path
    bytes: int
    """Size of the file."""
    content: Content
    """What the file holds, unpacked. When all pieces are read, its hash tells this dump from any other."""
    facts: dict[str, str]
    """What is known of its form: `format`, `packing`, `encoding`, `dates`, `columns`, `columns left out` …"""
    pieces: Iterator[Batch | Reject]
    """Every line in its order, good or rejected. To be read once."""


@contextmanager
def open_dump(path: Path, *, dates: DateOrder | None = None) -> Iterator[Dump]:
    """Opens a dump for the length of a `with` block. Memory does not grow with it.

    A plain SQL dump, T-SQL, CSV, a workbook of Excel or LibreOffice or Parquet, alone or packed by gzip, zip, bzip2, xz
    or zstd.
    `dates` is how to read dates like 03/04/2011 in a file in which none shows it.
    Raises DumpError, also while the pieces are read, if the file is no such dump or changes meanwhile.
    """
    before = _version(path)
    with unpacked(path) as (content, stream):
        facts = {"packing": content.packing} if content.packing else {}
        pieces = _sifted(path, _parsed(path, stream, facts), facts, dates=dates, size=before[0])
        yield Dump(path, before[0], content, facts, _unless_changed(path, pieces, before))


def _unless_changed(
    path: Path, pieces: Iterator[Batch | Reject], before: tuple[int, float]
) -> Iterator[Batch | Reject]:
    fault = None
    try:
        yield from pieces
    except DumpError as error:
        fault = error
    # What else is wrong with a file that is still being written is of no use to anyone.
    if _version(path) != before:
        raise DumpError(f"{path}: the file changed while it was read. It is loaded when it is complete.") from fault
    if fault:
        raise fault


def _parsed(path: Path, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    start = stream.peek()  # type: ignore[attr-defined]
    for magic, what in _REFUSED.items():
        if start.startswith(magic):
            raise DumpError(f"{path}: {what}")
    # Imported where they are needed: Arrow alone takes more memory than all else that reads a dump.
    if start.startswith(_WORKBOOK_MAGIC):
        from lgs_assets.sources import workbook

        return workbook.parse(path, stream, facts)
    if start.startswith(_PARQUET_MAGIC):
        from lgs_assets.sources import parquet_dump

        return parquet_dump.parse(path, stream, facts)
    stream, encoding = without_byte_order_mark(path, stream)
    if encoding:
        facts["encoding"] = encoding
    if _SQL.match(stream.peek()):  # type: ignore[attr-defined]
        return sql_dump.parse(path, stream, facts)
    return csv_dump.parse(path, stream, facts)


def _sifted(
    path: Path,
    lines: Iterator[Lines | Reject],
    facts: dict[str, str],
    *,
    dates: DateOrder | None,
    size: int,
) -> Iterator[Batch | Reject]:
    order: DateOrder | None = None
    expanded = 0
    sieves: dict[tuple[str | None, ...], Sieve] = {}
    for piece in lines:
        if isinstance(piece, Reject):
            yield piece
            continue
        # What is packed within a format is seen only here: a dictionary of Parquet, the shared texts of a workbook.
        expanded += len(piece.data)
        check_expansion(path, size, expanded)
        if order is None:
            facts["dates"] = order = _order_of_dates(path, piece, dates)
        if piece.columns not in sieves:
            sieves[piece.columns] = Sieve(piece.columns, order)
        yield from sieves[piece.columns].sift(piece)


def _order_of_dates(path: Path, first: Lines, given: DateOrder | None) -> DateOrder:
    """The one order of day, month and year in the file: that of its first date if the year comes first there.

    Else all dates are looked at, for one with a day above 12 shows the order: a few may be mistakes, one in a hundred
    is none. Raises DumpError if the file does not show the order and it is not given, or if it shows two.
    """
    if next(filter(None, map(date_order, _dates(first))), None) == "year first":
        return "year first"
    orders: Counter[str | None] = Counter()
    example = None
    with unpacked(path) as (_, stream):
        for piece in _parsed(path, stream, {}):
            if isinstance(piece, Lines):
                orders.update(map(date_order, _dates(piece)))
                example = example or next(filter(date_order, _dates(piece)), None)
    if example is None or not orders["ambiguous"] + sum(orders[order] for order in DAY_AND_MONTH):
        return "year first"  # without any such date, each line is rejected
    enough = sum(orders.values()) * DATES_THAT_SHOW_THEIR_ORDER
    shown = [order for order in DAY_AND_MONTH if orders[order] >= enough]
    if len(shown) > 1:
        counts = " and ".join(f"{orders[order]:,} are {order}" for order in shown)
        raise DumpError(f"{path}: expected dates in one order, but {counts}. Write the year first.")
    if shown:
        return shown[0]
    if given is None:
        raise DumpError(
            f"{path}: dates like {example} can be read day first and month first, and hardly any in the "
            "file shows which. Write the year first, or set LGS_DATE_ORDER to 'day first' or 'month first'."
        )
    return given


def _dates(lines: Lines) -> Iterator[str]:
    fields_before = rb"(?:[^\t\n]*\t){%d}" % lines.columns.index("invoice_date")
    for match in re.finditer(rb"^%b([^\t\n]*)" % fields_before, lines.data, re.M):
        yield match[1].decode(errors="replace")


def _version(path: Path) -> tuple[int, float]:
    with faults_as_dump_errors(path):
        status = path.stat()
    return status.st_size, status.st_mtime
