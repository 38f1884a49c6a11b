"""Opens a dump: recognises its format by its content, and sifts its lines."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import BinaryIO

from lgs_assets.errors import DumpError
from lgs_assets.places import in_shop
from lgs_assets.sources import csv_dump, sql_dump
from lgs_assets.sources.columns import HEADER_CURRENCY, SHOWN_CHARACTERS, shown
from lgs_assets.sources.compression import BUFFER_BYTES, Content, check_expansion, faults_as_dump_errors, unpacked
from lgs_assets.sources.dates import DateFormat, DateOrder
from lgs_assets.sources.encoding import without_byte_order_mark
from lgs_assets.sources.lines import LINE_NUMBER, Batch, Lines, Part, Reject, Sieve
from lgs_assets.sources.numbers import NumberFormat
from lgs_assets.sources.survey import Survey

_REFUSED = {
    b"PGDMP": "a pg_dump archive; expected plain SQL. Convert it with pg_restore --file.",
    b"\xd0\xcf\x11\xe0": "a workbook in the old format (.xls), or protected. Save it as .xlsx, without a password.",
    b"%PDF": "a PDF; expected an SQL dump, CSV, an Excel workbook or Parquet.",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive. Pack its files as zip.",
    b"Rar!\x1a\x07": "a RAR archive. Pack its files as zip.",
    b"SQLite format 3\0": "a database of SQLite. Write a script of it with its command .dump.",
}
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_WORKBOOK_MAGIC = b"PK\x03\x04"
_PARQUET_MAGIC = b"PAR1"
_MENDED = {
    "invoice_no": "invoice numbers corrected",
    "stock_code": "stock codes corrected",
    "country": "countries corrected",
    "description": "descriptions corrected",
}
# Of the files of an archive, these are all told; of the other facts, those of the last file.
_FACTS_OF_EACH = {"sheets", "sheets left out", "tables left out", "lines above the header"}
_FILES, _FILES_LEFT_OUT = "files", "files left out"
# How a script begins, and no header of column names.
_SQL = re.compile(
    rb"[\s;]*(?:--|/\*|\\|(?:SET|COPY|INSERT|REPLACE|CREATE|DROP|ALTER|USE|BEGIN|START|COMMIT|SELECT|GO|IF|PRINT|DECLARE"
    rb"|TRUNCATE|DELETE|UPDATE|LOCK|PRAGMA|GRANT|REVOKE|COMMENT|WITH|DO|PREPARE|EXEC|EXECUTE)"
    rb"\b(?!\s*(?:[,|\t]|;[\w ]+;)))",
    re.I,
)


@dataclass
class Dump:
    """An open dump."""

    path: Path
    bytes: int
    """Size of the file."""
    content: Content
    """What the file holds, uncompressed. Once all pieces are read, its hash tells this dump from any other."""
    facts: dict[str, str]
    """What is known about its form: `format`, `packing`, `encoding`, `dates`, `numbers`, `columns` …"""
    pieces: Iterator[Batch | Reject]
    """Every line in order, good or rejected. Can be read once."""


@contextmanager
def open_dump(path: Path, *, dates: DateOrder | None = None, arrived: date | None = None) -> Iterator[Dump]:
    """Opens a dump for the length of a `with` block. Memory does not grow with it.

    It may be a plain SQL dump, T-SQL, CSV, a workbook of Excel or LibreOffice, or Parquet; uncompressed, or compressed
    with gzip, zip, bzip2, xz or zstd.
    `dates` says how to read dates like 03/04/2011, whatever the file shows. `arrived` is the day of its arrival, by
    default today in London: lines with a later date are rejected.
    Raises DumpError, also while the pieces are read, if the file is not such a dump or changes meanwhile.
    """
    before = _version(path)
    today = in_shop(datetime.now(UTC)).date()
    with unpacked(path) as (content, stream):
        facts = {"packing": content.packing} if content.packing else {}
        lines = _parsed(path, content, stream, facts)
        pieces = _sifted(path, lines, facts, given=dates, arrived=arrived or today, size=before[0])
        yield Dump(path, before[0], content, facts, _unless_changed(path, pieces, before))


def _unless_changed(
    path: Path, pieces: Iterator[Batch | Reject], before: tuple[int, float]
) -> Iterator[Batch | Reject]:
    fault = None
    try:
        yield from pieces
    except DumpError as error:
        fault = error
    # Other faults of a file that is still being written are of no use to anyone.
    if _version(path) != before:
        raise DumpError(f"{path}: the file changed while it was read. It is loaded when it is complete.") from fault
    if fault:
        raise fault


def _parsed(path: Path, content: Content, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    """The lines of the file; for an archive, those of all its files, numbered across them."""
    if not content.files:
        return _lines(path, stream, facts)
    return _lines_of_files(path, content, stream, facts)


def _lines_of_files(path: Path, content: Content, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    """Files without a table, such as a README, are left out."""
    last = 0
    for name in content.files:
        where, before, of_file = f"{path}, {shown(name)}", last, dict[str, str]()
        try:
            for piece in _lines(where, stream, of_file):
                found = of_file["format"]
                if _kind(facts.setdefault("format", found)) != _kind(found):
                    raise DumpError(
                        f"{where}: expected files of one format in an archive, found {facts['format']} and {found}."
                    )
                if HEADER_CURRENCY in of_file:
                    facts[HEADER_CURRENCY] = of_file[HEADER_CURRENCY]
                moved = _moved(piece, name, by=before)
                yield moved
                last = _last_line(moved)
        except csv_dump.NoTableError as error:
            _add(facts, _FILES_LEFT_OUT, shown(name))
            while stream.read(BUFFER_BYTES):  # the hash of the dump is that of all files
                pass
            if not content.next_file() and _FILES not in facts:
                raise DumpError(f"{path}: no file in the archive names the columns. The last: {error}") from error
            continue
        _add(facts, _FILES, shown(name))
        for fact in _FACTS_OF_EACH & facts.keys() & of_file.keys():
            of_file[fact] = f"{facts[fact]}, {of_file[fact]}"
        facts |= of_file
        content.next_file()


def _add(facts: dict[str, str], fact: str, more: str) -> None:
    facts[fact] = f"{facts[fact]}, {more}" if fact in facts else more


def _kind(format_: str) -> str:
    """The format without its variant: a script may have COPY blocks as well as INSERTs."""
    return format_.partition(" of ")[0]


def _moved(piece: Lines | Reject, file: str, *, by: int) -> Lines | Reject:
    """The same with greater line numbers, as a part of an archive."""
    part = Part(f"{shown(file)[:SHOWN_CHARACTERS]}, line", by)
    if isinstance(piece, Reject):
        return part.located(piece._replace(line=piece.line + by))
    data = piece.data
    if by and piece.columns[0] == LINE_NUMBER:
        data = re.sub(rb"^\d+", lambda number: b"%d" % (int(number[0]) + by), data, flags=re.M)
    sheets = (sheet._replace(lines_before=sheet.lines_before + by) for sheet in piece.parts)
    return piece._replace(first_line=piece.first_line + by, data=data, parts=(*sheets, part))


def _last_line(piece: Lines | Reject) -> int:
    if isinstance(piece, Reject):
        return piece.line
    if piece.columns[0] == LINE_NUMBER:
        return int(piece.data[piece.data.rfind(b"\n", 0, -1) + 1 :].partition(b"\t")[0])
    return piece.first_line + piece.data.count(b"\n") - 1


def _lines(path: Path | str, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    start = stream.peek()  # type: ignore[attr-defined]
    for magic, what in _REFUSED.items():
        if start.startswith(magic):
            raise DumpError(f"{path}: {what}")
    if start.startswith(_TAR_MAGIC, _TAR_MAGIC_AT):
        raise DumpError(f"{path}: a tar archive. Pack its files as zip, or each by itself with gzip.")
    # Imported where they are needed: Arrow alone takes more memory than everything else that reads a dump.
    if start.startswith(_WORKBOOK_MAGIC):
        from lgs_assets.sources import workbook

        return workbook.parse(path, stream, facts)
    if start.startswith(_PARQUET_MAGIC):
        from lgs_assets.sources import parquet_dump

        return parquet_dump.parse(path, stream, facts)
    stream = _text(path, stream, facts)
    if _SQL.match(stream.peek()):  # type: ignore[attr-defined]
        return sql_dump.parse(path, stream, facts)
    return csv_dump.parse(path, stream, facts)


def _text(path: Path | str, stream: BinaryIO, facts: dict[str, str]) -> BinaryIO:
    """The stream after its byte order mark, whose encoding is noted."""
    stream, encoding = without_byte_order_mark(path, stream)
    if encoding:
        facts["encoding"] = encoding
    return stream


def _sifted(
    path: Path,
    lines: Iterator[Lines | Reject],
    facts: dict[str, str],
    *,
    given: DateOrder | None,
    arrived: date,
    size: int,
) -> Iterator[Batch | Reject]:
    form: tuple[DateFormat, NumberFormat] | None = None
    expanded = 0
    sieves: dict[tuple[str | None, ...], Sieve] = {}
    for piece in lines:
        if isinstance(piece, Reject):
            yield piece.cut()
            continue
        # Compression within a format shows only here: Parquet's dictionaries, the shared texts of a workbook.
        expanded += len(piece.data)
        check_expansion(path, size, expanded)
        if form is None:
            form = _form(path, piece, facts, given=given, arrived=arrived)
            facts["dates"], facts["numbers"] = form[0].form, f"{form[1]}"
        if facts.get(HEADER_CURRENCY, form[1].currency) != form[1].currency:
            raise DumpError(
                f"{path}: expected prices in one currency, found a header that states {facts[HEADER_CURRENCY]} after "
                f"prices in {form[1].currency}."
            )
        if piece.columns not in sieves:
            sieves[piece.columns] = Sieve(piece.columns, dates=form[0], numbers=form[1])
        for sifted in sieves[piece.columns].sift(piece):
            yield _located(sifted, piece.parts).cut() if isinstance(sifted, Reject) else sifted
    mended = sum((sieve.mended for sieve in sieves.values()), Counter[str]())
    facts |= {_MENDED[column]: f"{count:,}" for column, count in sorted(mended.items())}


def _located(reject: Reject, parts: tuple[Part, ...]) -> Reject:
    return reduce(lambda located, part: part.located(located), parts, reject)


def _form(
    path: Path, first: Lines, facts: dict[str, str], *, given: DateOrder | None, arrived: date
) -> tuple[DateFormat, NumberFormat]:
    """How all dates and numbers of the file are written. If its first lines leave that open, all lines are read."""
    written_by_hand = facts.get("format") == csv_dump.FORMAT
    survey = Survey(arrived)
    survey.add(first)
    if not survey.is_enough(given, written_by_hand=written_by_hand):
        survey = Survey(arrived)
        with unpacked(path) as (content, stream):
            for piece in _parsed(path, content, stream, {}):
                if isinstance(piece, Lines):
                    survey.add(piece)
    return (
        DateFormat(survey.date_form(path, given), arrived, has_short_years=given == "year first"),
        survey.number_format(path, written_by_hand=written_by_hand, currency=facts.get(HEADER_CURRENCY)),
    )


def _version(path: Path) -> tuple[int, float]:
    with faults_as_dump_errors(path):
        status = path.stat()
    return status.st_size, status.st_mtime
