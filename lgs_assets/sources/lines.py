"""What an invoice line looks like: the sieve that lets good lines through and holds back the rest, with the reason.

Whatever the format of a dump, its lines come here in one shape: COPY's text format, in UTF-8, `\\N` for missing values.
Nearly all of them are ordinary and pass as they are, thousands at a time. Each of the others is read: it passes,
rewritten in the ordinary way, or it is rejected.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from lgs_assets.sources.copy_text import NULL, escaped, fields_of, unescaped
from lgs_assets.sources.dates import DateFormat
from lgs_assets.sources.identity import country, stock_code, trimmed, unwrapped
from lgs_assets.sources.missing import FIRST_OF_A_VALUE, FIRST_OF_AN_ERROR, is_missing, shows_error
from lgs_assets.sources.numbers import NumberFormat

LINE_NUMBER = "line_number"

LENGTH_LIMITS = {"invoice_no": 100, "stock_code": 100, "description": 500, "country": 100}
"""In characters. PostgreSQL does not index a key of more than 2,700 bytes."""

READ_CHARACTERS = 1_000
"""No value is longer. The patterns of numbers and dates see no longer text, as their time may grow with its square."""

SHOWN_CHARACTERS = 60
KEPT_CHARACTERS = 10_000
"""Of a rejected line: no invoice line is as long."""
READINGS_IN_MEMORY = 1 << 13
MATCHED_LINES = 512
"""Lines in one match: for each, the engine keeps two kilobytes for backtracking."""

_MAY_BE_MISSING = ("description", "customer_id")
_IDENTITIES = ("invoice_no", "stock_code", "country")


class Lines(NamedTuple):
    """Lines as a source found them, each with its line break."""

    columns: tuple[str | None, ...]
    """The canonical column of each field, None for a field that is not kept.

    LINE_NUMBER comes first if the lines are not consecutive: then each begins with its number.
    """
    first_line: int
    """Number of the first line in the dump."""
    data: bytes
    originals: Sequence[bytes] | None = None
    """Each line as it is in the dump, if that differs."""
    parts: "tuple[Part, ...]" = ()
    """Where the lines are: in which sheet, if it is not the first, and in which file, if there are several."""


class Batch(NamedTuple):
    """Good lines in COPY's text format, the year of dates first."""

    columns: tuple[str, ...]
    """The canonical columns and no others, after LINE_NUMBER if the lines are not consecutive."""
    first_line: int
    lines: int
    data: bytes


class Reject(NamedTuple):
    """A line that cannot be an invoice line."""

    line: int
    text: str
    """The line as it is in the dump, or its beginning; bytes that are not text as `\\xNN`."""
    column: str | None
    """The canonical column at fault, None if it is the whole line."""
    reason: str

    def cut(self) -> "Reject":
        """The same with a text that may be kept: one bad line may be as large as a dump."""
        if (length := len(self.text)) <= KEPT_CHARACTERS:
            return self
        reason = f"{self.reason} (cut: the first {KEPT_CHARACTERS:,} of {length:,} characters are kept)"
        return self._replace(text=self.text[:KEPT_CHARACTERS], reason=reason)


class Part(NamedTuple):
    """A file of an archive or a sheet of a workbook: the lines of a dump are numbered across its parts."""

    label: str
    """What comes before a number that counts in this part alone, such as `2010.csv, line`."""
    lines_before: int
    """The number in the dump of the last line before this part."""

    def located(self, reject: Reject) -> Reject:
        """The same, with its place in this part in the reason."""
        return reject._replace(reason=f"{self.label} {reject.line - self.lines_before}: {reject.reason}")


class _UnfitError(Exception):
    """Why a line is rejected."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        self.reason = reason
        self.column = column


_TEXT = rb"[^\t\n\r\\\0]"
_LETTER = rb"[!#-&(-\[\]-_a-~\x80-\xbf\xc3-\xd7]"  # no blank, no quote, no invisible character
_OF_A_CODE = rb"[ !#-&(-*\-/-9;-\[\]-_a-~\x80-\xbf\xc3-\xd7]"  # also a blank, but no mark of 8,51E+04 and 10:00
# A word for a missing value, and nothing that is seen after it.
_MISSING_WITH_N = rb"(?!(?:[Uu][Ll][Ll]|[Oo][Nn][Ee]|[Aa][NnTt]?|/[Aa])[^!-~\t\n]*[\t\n])"
# The first character of a text that evidently neither stands for a missing value nor shows an error.
_FIRST = rb"(?:[%b]|[Nn]%b|[%b](?![^\t\n:]{0,7}:))" % (FIRST_OF_A_VALUE, _MISSING_WITH_N, FIRST_OF_AN_ERROR)

# Lines that pass unread. Any other line is read, and may still turn out to be an invoice line.
_ORDINARY = {
    LINE_NUMBER: rb"\d+",
    "invoice_no": rb"(?:[0-9ABD-MO-Z]|C[0-9A-Z])[0-9A-Z/_-]{0,%d}" % (LENGTH_LIMITS["invoice_no"] - 2),
    "stock_code": rb"%b%b{0,%d}" % (_FIRST, _OF_A_CODE, LENGTH_LIMITS["stock_code"] - 1),
    "description": rb"(?:%b%b{0,%d}|\\N)" % (_FIRST, _TEXT, LENGTH_LIMITS["description"] - 1),
    "quantity": rb"-?\d{1,9}",
    "customer_id": rb"(?:\\N|[1-9]\d{0,8}(?:\.0)?)",
    "country": rb"%b%b{0,29}(?: %b{1,29}(?: %b{1,29}|)|)" % (_FIRST, *[_LETTER] * 3),  # up to three words
}
_ORDINARY_PRICE = {".": rb"-?\d{1,8}(?:\.\d{1,6})?", ",": rb"-?\d{1,8},\d{1,6}"}
_LEFT_OUT = rb"(?:\\N|%b*)" % _TEXT


class Sieve:
    """Sifts the lines of one layout: these columns, dates and numbers written like this."""

    def __init__(self, columns: tuple[str | None, ...], *, dates: DateFormat, numbers: NumberFormat) -> None:
        self.mended: Counter[str] = Counter()
        """How many good lines had their invoice number or country respelt, or an error as description, by column."""
        self._columns = columns
        self._kept = tuple(column for column in columns if column)
        meanings: dict[str, Callable[[str], str]] = {
            "invoice_no": numbers.invoice,
            "stock_code": stock_code,
            "quantity": numbers.quantity,
            "invoice_date": dates.read,
            "unit_price": numbers.price,
            "customer_id": numbers.customer,
            "country": country,
        }
        self._readers = [
            column and (column, lru_cache(READINGS_IN_MEMORY)(partial(_reading, column, meanings.get(column, str))))
            for column in columns
        ]
        patterns = _ORDINARY | {
            "invoice_date": dates.ordinary(),
            "unit_price": _ORDINARY_PRICE[numbers.decimal_mark],
        }
        line = rb"\t".join(patterns[column] if column else _LEFT_OUT for column in columns) + rb"\n"
        self._ordinary = re.compile(rb"(?:%b){0,%d}" % (line, MATCHED_LINES))
        as_they_are = self._kept == columns and dates.form == "year first" and numbers.decimal_mark == "."
        self._rewritten = None if as_they_are else _rewriting(columns, dates, numbers)

    def sift(self, lines: Lines) -> Iterator[Batch | Reject]:
        """Yields every line in order: in a batch with its good neighbours, or rejected."""
        data, at, end_of_ordinary = lines.data, 0, 0
        good: list[bytes] = []
        before = count = 0  # the number of lines before those in `good`, and in it
        while at < len(data):
            if at >= end_of_ordinary:
                end_of_ordinary = self._end_of_ordinary(data, at)
            if (end := _end_of_text(data, at, end_of_ordinary)) > at:
                ordinary = data[at:end]
                good.append(self._rewritten(ordinary) if self._rewritten else ordinary)
                count += ordinary.count(b"\n")
                at = end
                continue
            end = data.index(b"\n", at)
            try:
                good.append(self._read(data[at:end]))
                count += 1
            except _UnfitError as unfit:
                if count:
                    yield self._batch(lines, before, count, good)
                index = before + count
                line = data[at:end]
                original = lines.originals[index] if lines.originals else line[self._prefix(line) :]
                yield Reject(self._number(lines, index, line), legible(original), unfit.column, unfit.reason)
                good, before, count = [], index + 1, 0
            at = end + 1
        if count:
            yield self._batch(lines, before, count, good)

    def _batch(self, lines: Lines, before: int, count: int, good: list[bytes]) -> Batch:
        return Batch(self._kept, self._number(lines, before, good[0]), count, b"".join(good))

    def _number(self, lines: Lines, index: int, line: bytes) -> int:
        return int(line[: self._prefix(line)]) if self._kept[0] == LINE_NUMBER else lines.first_line + index

    def _prefix(self, line: bytes) -> int:
        """The length in bytes of the number that a line begins with, if it does."""
        return line.index(b"\t") + 1 if self._kept[0] == LINE_NUMBER else 0

    def _end_of_ordinary(self, data: bytes, at: int) -> int:
        """The end of the lines from here on that look ordinary, if they are text."""
        match = self._ordinary.match(data, at)
        return match.end() if match else at

    def _read(self, line: bytes) -> bytes:
        """The line, written in the ordinary way. Raises _UnfitError if it cannot be."""
        if b"\r" in line:
            raise _UnfitError("a carriage return in the middle of the line")
        if (fields := fields_of(line)) is None:
            raise _UnfitError("a backslash at the end of the line")
        if len(fields) != len(self._columns):
            raise _UnfitError(f"expected {len(self._columns)} fields, found {len(fields)}")
        good: list[bytes] = []
        mended: list[str] = []
        for reader, field in zip(self._readers, fields, strict=True):
            if reader:
                column, reading = reader
                value, is_mended = reading(field)
                good.append(value)
                if is_mended:
                    mended.append(column)
        self.mended.update(mended)
        return b"\t".join(good) + b"\n"


def _reading(column: str, meaning: Callable[[str], str], field: bytes) -> tuple[bytes, bool]:
    """A field as in an ordinary line, and whether it had to be corrected: an identity respelt, an error left out.

    Raises _UnfitError if it does not belong in one.
    """
    written = None if field == NULL else _text(column, field)
    text = None if written is None else unwrapped(written)
    if text is None or is_missing(text):
        if column in _MAY_BE_MISSING:
            return NULL, False
        raise _UnfitError(f"expected a value, found {'none' if text is None else _shown(text)}", column)
    if shows_error(text, is_description=column == "description"):
        if column == "description":  # Excel takes "- RED BOX" for a formula that fails
            return NULL, True
        raise _UnfitError(f"expected a value, found the error {_shown(text)}", column)
    try:
        value = meaning(text) if len(trimmed(text)) <= READ_CHARACTERS else text
        if len(value) > (limit := LENGTH_LIMITS.get(column, READ_CHARACTERS)):
            raise ValueError(f"at most {limit:,} characters, not {len(value):,}")
    except ValueError as error:
        raise _UnfitError(f"expected {error}, found {_shown(text)}", column) from error
    return escaped(value).encode(), column in _IDENTITIES and value != written


def _text(column: str, field: bytes) -> str:
    try:
        text = unescaped(field).decode()
    except UnicodeDecodeError as error:
        raise _UnfitError(f"byte 0x{error.object[error.start]:02x} is not valid text", column) from error
    if "\0" in text:
        raise _UnfitError("a NUL character, which text cannot hold", column)
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")


def _rewriting(columns: tuple[str | None, ...], dates: DateFormat, numbers: NumberFormat) -> Callable[[bytes], bytes]:
    """What turns ordinary lines into those of a batch: without the fields that are not kept, with the year first in
    dates and a decimal point in prices."""
    fields: list[bytes] = []
    template: list[bytes] = []
    for column in columns:
        group = sum(field.count(b"(") for field in fields) + 1
        if column is None:
            fields.append(rb"[^\t\n]*")
        elif column == "invoice_date" and dates.form in ("day first", "month first"):
            fields.append(rb"(\d+)[-/.](\d+)[-/.](\d+)([^\t\n]*)")
            day, month = (group, group + 1) if dates.form == "day first" else (group + 1, group)
            template.append(rb"\g<%d>-\g<%d>-\g<%d>\g<%d>" % (group + 2, month, day, group + 3))
        elif column == "unit_price" and numbers.decimal_mark == ",":
            fields.append(rb"(-?\d+),(\d+)")
            template.append(rb"\g<%d>.\g<%d>" % (group, group + 1))
        else:
            fields.append(rb"([^\t\n]*)")
            template.append(rb"\g<%d>" % group)
    return partial(re.compile(rb"\t".join(fields)).sub, rb"\t".join(template))


def _end_of_text(data: bytes, at: int, end: int) -> int:
    """The end of the lines from here on that are UTF-8."""
    try:
        str(memoryview(data)[at:end], "utf-8")
    except UnicodeDecodeError as error:
        return data.rfind(b"\n", at, at + error.start) + 1 or at
    return end


def legible(line: bytes) -> str:
    """A line as text that can be stored and shown: NUL, and bytes that are not text, as `\\xNN`."""
    return line.rstrip(b"\r\n").decode(errors="backslashreplace").replace("\0", "\\x00")
