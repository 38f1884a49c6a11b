"""Opens a dump: recognises its format by its content, and sifts its lines."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import BinaryIO, NamedTuple

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
_LINE = ", line"
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
        forms = _Forms(path, content, facts, given=dates, arrived=arrived or today)
        pieces = _sifted(path, lines, facts, forms, size=before[0])
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
    part = Part(f"{shown(file)[:SHOWN_CHARACTERS]}{_LINE}", by)
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
    path: Path, lines: Iterator[Lines | Reject], facts: dict[str, str], forms: "_Forms", *, size: int
) -> Iterator[Batch | Reject]:
    expanded = 0
    sieves: dict[tuple[tuple[str | None, ...], _Form], Sieve] = {}
    for piece in lines:
        if isinstance(piece, Reject):
            yield piece.cut()
            continue
        # Compression within a format shows only here: Parquet's dictionaries, the shared texts of a workbook.
        expanded += len(piece.data)
        check_expansion(path, size, expanded)
        form = forms.of(piece)
        facts["dates"], facts["numbers"] = form.dates.form, f"{form.numbers}"
        layout = (piece.columns, form)
        if layout not in sieves:
            sieves[layout] = Sieve(piece.columns, dates=form.dates, numbers=form.numbers)
        for sifted in sieves[layout].sift(piece):
            yield _located(sifted, piece.parts).cut() if isinstance(sifted, Reject) else sifted
    mended = sum((sieve.mended for sieve in sieves.values()), Counter[str]())
    facts |= {_MENDED[column]: f"{count:,}" for column, count in sorted(mended.items())}


def _located(reject: Reject, parts: tuple[Part, ...]) -> Reject:
    return reduce(lambda located, part: part.located(located), parts, reject)


class _Form(NamedTuple):
    """How the dates and numbers of a file are written."""

    dates: DateFormat
    numbers: NumberFormat

    def __str__(self) -> str:
        """The form in words."""
        return f"dates {self.dates.form} and numbers with a {self.numbers}"


class _Forms:
    """The form of each file of a dump. An archive may have several files, which have to agree."""

    def __init__(
        self, path: Path, content: Content, facts: dict[str, str], *, given: DateOrder | None, arrived: date
    ) -> None:
        self._path = path
        self._content = content
        self._facts = facts
        self._given = given
        self._arrived = arrived
        self._all: Survey | None = None
        self._of_files: dict[Part | None, Survey] = {}
        self._file: Part | None = None
        self._form: _Form | None = None

    def of(self, piece: Lines) -> _Form:
        """The form of the file that these lines are from, as all its lines show it.

        Raises DumpError if it is not that of the file before, or if the file leaves it open.
        """
        file, before = self._file_of(piece), self._form
        if self._form is None or file != self._file:
            self._form = self._shown_by(piece)
        stated = self._facts.get(HEADER_CURRENCY, self._form.numbers.currency)
        if stated != self._form.numbers.currency:
            raise DumpError(
                f"{self._path}: expected prices in one currency, found a header that states {stated} after prices in "
                f"{self._form.numbers.currency}."
            )
        if before and f"{before}" != f"{self._form}" and file and self._file:
            raise DumpError(
                f"{self._path}: expected files of one form in an archive, found {before} in {_name(self._file)}, "
                f"{self._form} in {_name(file)}. Load them one by one."
            )
        self._file = file
        return self._form

    def _shown_by(self, first: Lines) -> _Form:
        """The form that a file shows. If its first lines leave that open, all lines of the dump are read."""
        written_by_hand = self._facts.get("format") == csv_dump.FORMAT
        survey = Survey(self._arrived)
        survey.add(first)
        if not survey.is_enough(self._given, written_by_hand=written_by_hand):
            survey = self._surveyed()[self._file_of(first)]
        return _Form(
            DateFormat(
                survey.date_form(self._path, self._given, among=self._all),
                self._arrived,
                has_short_years=self._given == "year first",
            ),
            survey.number_format(
                self._path,
                written_by_hand=written_by_hand,
                currency=self._facts.get(HEADER_CURRENCY),
                among=self._all,
            ),
        )

    def _surveyed(self) -> dict[Part | None, Survey]:
        if self._all is None:
            self._all = Survey(self._arrived)
            with unpacked(self._path) as (content, stream):
                for piece in _parsed(self._path, content, stream, {}):
                    if isinstance(piece, Lines):
                        self._of_files.setdefault(self._file_of(piece), Survey(self._arrived)).add(piece)
                        self._all.add(piece)
        return self._of_files

    def _file_of(self, piece: Lines) -> Part | None:
        return piece.parts[-1] if self._content.files else None


def _name(file: Part) -> str:
    return file.label.removesuffix(_LINE)


def _version(path: Path) -> tuple[int, float]:
    with faults_as_dump_errors(path):
        status = path.stat()
    return status.st_size, status.st_mtime
