"""What an invoice line looks like: the sieve that lets good lines through and keeps back the others with the reason.

Whatever the format of a dump, its lines come here in one shape: COPY's text format, in UTF-8, `\\N` for what is
missing. Nearly all of them are ordinary and pass as they are, thousands at a glance. Each of the others is read: it
passes, written in the ordinary way, or it is rejected.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Literal, NamedTuple

from lgs_assets.sources.copy_text import NULL, escaped, fields_of, unescaped

DateOrder = Literal["year first", "day first", "month first"]

LINE_NUMBER = "line_number"

SHOWN_CHARACTERS = 60
MOST_AT_ONCE = 100  # Python's `re` remembers each repetition of a group until the whole has matched
INTEGER_LIMIT = 2**31
PRICE_LIMIT = Decimal(10**8)
PRICE_DECIMALS = 6
MONTHS = 12


class Lines(NamedTuple):
    """Lines as a source found them, each with its line break."""

    columns: tuple[str | None, ...]
    """The canonical column of each field, None for a field that is not kept.

    Before them stands LINE_NUMBER if the lines are not consecutive: then each begins with its number.
    """
    first_line: int
    """Number of the first line in the dump."""
    data: bytes
    originals: Sequence[bytes] | None = None
    """How each line stands in the dump, where that differs."""


class Batch(NamedTuple):
    """Good lines in COPY's text format, the year of dates first."""

    columns: tuple[str, ...]
    """The canonical columns and no others; before them LINE_NUMBER if the lines are not consecutive."""
    first_line: int
    lines: int
    data: bytes


class Reject(NamedTuple):
    """A line that cannot be an invoice line."""

    line: int
    text: str
    """The line as it stands in the dump; bytes that are no text as `\\xNN`."""
    column: str | None
    """The canonical column at fault, None if it is the line as a whole."""
    reason: str


class _UnfitError(Exception):
    """Why a line is rejected."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        self.reason = reason
        self.column = column


_YEAR = rb"[12]\d{3}"
_ORDINARY_DATES: dict[DateOrder, bytes] = {
    "year first": _YEAR
    + rb"-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12]\d|30)|(?:0[13578]|1[02])-31|02-(?:0[1-9]|1\d|2[0-8]))",
    "day first": rb"(?:(?:0?[1-9]|[12]\d|30)/(?:0?[13-9]|1[0-2])|31/(?:0?[13578]|1[02])|(?:0?[1-9]|1\d|2[0-8])/0?2)/"
    + _YEAR,
    "month first": rb"(?:(?:0?[13-9]|1[0-2])/(?:0?[1-9]|[12]\d|30)|(?:0?[13578]|1[02])/31|0?2/(?:0?[1-9]|1\d|2[0-8]))/"
    + _YEAR,
}
_ORDINARY_TIME = rb"(?:[ T](?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)?"
# No pattern matches a line in two ways, which keeps the time linear whatever a line holds.
_WORDS = rb"[^\t\n\r\\\0]+"
_WORDS_OR_NOTHING = rb"(?:\\N|[^\t\n\r\\\0]*)"
_ORDINARY = {
    LINE_NUMBER: rb"\d+",
    "invoice_no": _WORDS,
    "stock_code": _WORDS,
    "description": _WORDS_OR_NOTHING,
    "quantity": rb"-?\d{1,9}",
    "unit_price": rb"-?\d{1,8}(?:\.\d{1,6})?",
    "customer_id": rb"(?:\\N|[1-9]\d{0,8}(?:\.0)?)",
    "country": _WORDS,
}


class Sieve:
    """Sifts the lines of one layout: these columns, this order of day, month and year."""

    def __init__(self, columns: tuple[str | None, ...], dates: DateOrder) -> None:
        self._columns = columns
        self._kept = tuple(column for column in columns if column)
        self._readers = _READERS | {"invoice_date": partial(_date, order=dates)}
        patterns = _ORDINARY | {"invoice_date": _ORDINARY_DATES[dates] + _ORDINARY_TIME}
        line = rb"\t".join(patterns[column] if column else _WORDS_OR_NOTHING for column in columns) + rb"\n"
        self._ordinary = re.compile(rb"(?:%b){0,%d}" % (line, MOST_AT_ONCE))
        as_they_are = self._kept == columns and dates == "year first"
        self._rewritten = None if as_they_are else _rewriting(columns, dates)

    def sift(self, lines: Lines) -> Iterator[Batch | Reject]:
        """Hands out every line in its order: in a batch with its good neighbours, or rejected."""
        data, at, end_of_ordinary = lines.data, 0, 0
        good: list[bytes] = []
        before = count = 0  # the lines before those in `good`, and how many these are
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
        """How many bytes the number takes that a line begins with, if it does."""
        return line.index(b"\t") + 1 if self._kept[0] == LINE_NUMBER else 0

    def _end_of_ordinary(self, data: bytes, at: int) -> int:
        """The end of the lines from here on that look ordinary, if they are text."""
        while (match := self._ordinary.match(data, at)) and match.end() > at:
            at = match.end()
        return at

    def _read(self, line: bytes) -> bytes:
        """The line in the ordinary way. Raises _UnfitError if there is none."""
        if b"\r" in line:
            raise _UnfitError("a carriage return in the middle of the line")
        if (fields := fields_of(line)) is None:
            raise _UnfitError("a backslash at the end of the line")
        if len(fields) != len(self._columns):
            raise _UnfitError(f"expected {len(self._columns)} fields, found {len(fields)}")
        values = [self._value(column, field) for column, field in zip(self._columns, fields, strict=True) if column]
        return "\t".join(map(escaped, values)).encode() + b"\n"

    def _value(self, column: str, field: bytes) -> str | None:
        if field == NULL:
            if column in ("description", "customer_id"):
                return None
            raise _UnfitError("expected a value, found none", column)
        try:
            text = unescaped(field).decode()
        except UnicodeDecodeError as error:
            raise _UnfitError(f"the byte 0x{error.object[error.start]:02x} is no part of a text", column) from error
        if "\0" in text:
            raise _UnfitError("a NUL character, which no text may hold", column)
        try:
            return self._readers[column](text)
        except ValueError as error:
            shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
            raise _UnfitError(f"expected {error}, found {shown!r}", column) from error


def _rewriting(columns: tuple[str | None, ...], dates: DateOrder) -> Callable[[bytes], bytes]:
    """What leaves out of ordinary lines the fields that are not kept, and puts the year of a date first."""
    fields: list[bytes] = []
    template: list[bytes] = []
    for column in columns:
        group = sum(field.count(b"(") for field in fields) + 1
        if column is None:
            fields.append(rb"[^\t\n]*")
        elif column == "invoice_date" and dates != "year first":
            fields.append(rb"(\d+)/(\d+)/(\d+)([^\t\n]*)")
            day, month = (group, group + 1) if dates == "day first" else (group + 1, group)
            template.append(rb"\g<%d>-\g<%d>-\g<%d>\g<%d>" % (group + 2, month, day, group + 3))
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
    """A line as text that can be stored and shown: NUL, and bytes that are no text, as `\\xNN`."""
    return line.rstrip(b"\r\n").decode(errors="backslashreplace").replace("\0", "\\x00")


# ------------------------------------------------------------------------------------------------------ single values

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?", re.I | re.A)
_DATE = re.compile(
    r"""
    (?: (?P<year_first>\d{4}) [-/.] (?P<second>\d{1,2}) [-/.] (?P<third>\d{1,2})
      | (?P<one>\d{1,2}) [-/.] (?P<two>\d{1,2}) [-/.] (?P<year_last>\d{4}) )
    (?: (?:[ ]+|T) (?P<hour>\d{1,2}) : (?P<minute>\d{2}) (?: : (?P<seconds>\d{2}(?:\.\d{1,6})?) \d* )?
        [ ]* (?P<half>[AP]M)? )?
    """,
    re.VERBOSE | re.I | re.A,
)


def date_order(text: str) -> DateOrder | Literal["ambiguous"] | None:
    """The order of day, month and year that a date shows. None if it is no date."""
    if not (match := _DATE.fullmatch(text.strip())):
        return None
    if match["year_first"]:
        return "year first"
    if int(match["one"]) > MONTHS:
        return "day first"
    return "month first" if int(match["two"]) > MONTHS else "ambiguous"


def _name(text: str) -> str:
    if not text:
        raise ValueError("a value")
    return text


def _integer(text: str) -> str:
    number = Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None
    if number is None or not -INTEGER_LIMIT <= number < INTEGER_LIMIT or number != int(number):
        raise ValueError(f"a whole number from {-INTEGER_LIMIT:,} to {INTEGER_LIMIT - 1:,}")
    return str(int(number))


def _customer(text: str) -> str | None:
    if not text.strip():
        return None
    number = _integer(text)
    if int(number) < 1:
        raise ValueError("the number of a customer, from 1 on")
    return number


def _price(text: str) -> str:
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError("a price: digits, with a point before the pence")
    price = Decimal(text.strip())
    if len(price.as_tuple().digits) > sys.float_info.dig:
        # The full print of a binary number: 2.5499999999999998 is what some programs make of 2.55.
        price = Decimal(repr(float(price)))
    if abs(price) >= PRICE_LIMIT or price != round(price, PRICE_DECIMALS):
        raise ValueError(f"a price below {PRICE_LIMIT:,} with {PRICE_DECIMALS} decimals at most")
    return format(price.normalize(), "f")  # 2.5500000000 is 2.55


def _date(text: str, *, order: DateOrder) -> str:
    match = _DATE.fullmatch(text.strip())
    if not match or (match["year_first"] is not None) != (order == "year first"):
        raise ValueError(f"a date and time, {order}")
    pieces = {
        "year first": ("year_first", "second", "third"),
        "day first": ("year_last", "two", "one"),
        "month first": ("year_last", "one", "two"),
    }
    date = "-".join(match.group(*pieces[order]))
    time = f"{match['hour'] or 0}:{match['minute'] or 0}:{match['seconds'] or '0'}" + (match["half"] or "")
    clock = ("%I:%M:%S" if match["half"] else "%H:%M:%S") + (".%f" if "." in time else "")
    try:
        moment = datetime.strptime(f"{date} {time}", f"%Y-%m-%d {clock}" + ("%p" if match["half"] else ""))
    except ValueError as error:
        raise ValueError(f"a date and time that there is, {order}") from error
    return moment.isoformat(" ")


def year_first(text: str) -> str:
    """A date and time of a batch in ISO 8601: such texts compare like what they mean."""
    return _date(text, order="year first")


_READERS: dict[str, Callable[[str], str | None]] = {
    LINE_NUMBER: str,
    "invoice_no": _name,
    "stock_code": _name,
    "description": str,
    "quantity": _integer,
    "unit_price": _price,
    "customer_id": _customer,
    "country": str,
}
