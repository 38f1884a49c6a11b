"""Dates as people and programs write them, in one of five forms that one file does not mix.

A file's dates show which form it has: 2011-04-13, 13/04/2011, 04/13/2011, 13 Apr 2011, or 40646, Excel's number for
that day. A two-digit year is the latest one with that ending, up to the year of arrival. A time with a zone is
converted to London time, the retailer's.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from lgs_assets.places import in_shop
from lgs_assets.sources.identity import visible

DateOrder = Literal["year first", "day first", "month first"]
DateForm = Literal[DateOrder, "month by name", "Excel serial number"]
_Order = Literal["year first", "year last", "month by name"]
EitherOrder = Literal["day or month first"]
EITHER_ORDER: EitherOrder = "day or month first"

EARLIEST = date(1990, 1, 1)
"""An earlier date means that there is none: many databases write 0001-01-01, 1900-01-01 or 1970-01-01 for that."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EXCEL_DAY_ZERO = datetime(1899, 12, 30)
_SECONDS_A_DAY = 86_400
_NO_BREAK_SPACES = str.maketrans("\u00a0\u202f", "  ")

_DAY = r"(?P<second>\d{1,2})(?:st|nd|rd|th)?"
_MONTH = (
    r"(?P<first>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?[ ]*)?"
_YEAR = r"(?P<year>\d{4}|\d\d)"
_GAP = r"[-/.,\ ]{0,3}"
_TIME = r"""
    (?: (?:,?[ ]+|T) (?=\d{1,2}[:.]|\d{4}(?:\d\d)?(?!\d)) (?P<hour>\d{1,2}) (?P<mark>[:.]?) (?P<minute>\d\d)
        (?: (?P=mark) (?P<seconds>\d\d(?:[.,]\d{1,6})?) \d* )?
        (?: [ ]* (?P<half>[AP])\.?M\.? )? (?: [ ]* (?P<zone>Z|UTC|GMT|[-+]\d\d(?::?\d\d)?) )? )?
"""
# Each with the groups year, first and second: the other two parts in their order, unless the month has a name.
_PATTERNS: tuple[tuple[_Order, str], ...] = (
    ("year first", r"(?P<year>\d{4})[-/.](?P<first>\d{1,2})[-/.](?P<second>\d{1,2})"),
    ("year first", r"(?P<year>\d{4})(?P<first>\d\d)(?P<second>\d\d)"),
    ("year last", rf"(?P<first>\d{{1,2}})[-/.](?P<second>\d{{1,2}})[-/.]{_YEAR}"),
    ("month by name", rf"{_WEEKDAY}{_DAY}{_GAP}{_MONTH}{_GAP}{_YEAR}"),
    ("month by name", rf"{_WEEKDAY}{_MONTH}{_GAP}{_DAY}[-/.,\ ]{{1,3}}{_YEAR}"),
    ("month by name", rf"(?P<year>\d{{4}}){_GAP}{_MONTH}{_GAP}{_DAY}"),
)
_WRITTEN = tuple((form, re.compile(f"(?:{date}){_TIME}", re.VERBOSE | re.I | re.A)) for form, date in _PATTERNS)
_SHORT = re.compile(r"(\d\d)-(\d\d)-(\d\d)(?!\d)", re.A)
_SERIAL = re.compile(r"\d{5}(?:[.,]\d{1,15})?", re.A)

_MONTH_AND_DAY = rb"(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12]\d|30)|(?:0[13578]|1[02])-31|02-(?:0[1-9]|1\d|2[0-8]))"
_DAY_THEN_MONTH = rb"(?:(?:0?[1-9]|[12]\d|30)/(?:0?[13-9]|1[0-2])|31/(?:0?[13578]|1[02])|(?:0?[1-9]|1\d|2[0-8])/0?2)"
_MONTH_THEN_DAY = rb"(?:(?:0?[13-9]|1[0-2])/(?:0?[1-9]|[12]\d|30)|(?:0?[13578]|1[02])/31|0?2/(?:0?[1-9]|1\d|2[0-8]))"
_ORDINARY_TIME = rb"(?:[ T](?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)?"


def form_of(text: str) -> DateForm | EitherOrder | None:
    """The form that a date shows. None if it is not a date."""
    text = _plain(text)
    if _SERIAL.fullmatch(text):
        return "Excel serial number"
    if not (written := _written(text)):
        return None
    form, parts = written
    if form != "year last":
        return form
    could_be_month = [1 <= int(part) <= len(_MONTHS) for part in parts.group("first", "second")]
    if all(could_be_month):
        return EITHER_ORDER
    if not any(could_be_month):
        return None
    return "month first" if could_be_month[0] else "day first"


def may_begin_with_year(text: str, latest: date) -> bool | None:
    """Whether a date like 13-01-31, with hyphens and two digits each, may begin with the year. None for any other."""
    if not (match := _SHORT.match(_plain(text))):
        return None
    year, month, day = match.groups()
    try:
        return date(_year(year, latest), int(month), int(day)) >= EARLIEST
    except ValueError:
        return False


class DateFormat(NamedTuple):
    """How the dates of a dump are written, and which of them are possible."""

    form: DateForm
    latest: date
    """The day on which the dump arrived: an invoice has no later date."""
    has_short_years: bool = False
    """Whether a year that comes first may have two digits: only a person can say so."""

    def read(self, text: str) -> str:
        """The date and time in ISO 8601, local. Raises ValueError, which says what is expected."""
        try:
            moment = self._moment(_plain(text))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"a real date and time, {self.form}") from error
        if moment is None:
            raise ValueError(f"a date and time, {self.form}")
        if not EARLIEST <= moment.date() <= self.latest:
            raise ValueError(f"a date from {EARLIEST} to {self.latest}, when the dump arrived")
        return moment.isoformat(" ")

    def ordinary(self) -> bytes:
        """A pattern of dates that are evidently real and not in the future; it never matches if the form has none."""
        year = b"%d" % self.latest.year
        months = rb"(?:%b)" % (b"|".join(b"0?%d" % month for month in range(1, self.latest.month)) or rb"(?!)")
        past = b"|".join(_years_before(self.latest.year))
        if self.form == "year first":
            return rb"(?:%b|%b(?=-%b-))-%b" % (past, year, months, _MONTH_AND_DAY) + _ORDINARY_TIME
        if self.form not in ("day first", "month first"):
            return rb"(?!)"
        day_first = self.form == "day first"
        this_year = rb"\d+/%b/%b" % (months, year) if day_first else rb"%b/\d+/%b" % (months, year)
        in_the_past = rb"(?=\d+/\d+/(?:%b)|%b)" % (past, this_year)
        date = (_DAY_THEN_MONTH if day_first else _MONTH_THEN_DAY) + rb"/\d{4}"
        return (in_the_past + date).replace(b"/", b"[-/.]") + _ORDINARY_TIME

    def _moment(self, text: str) -> datetime | None:
        if self.form == "Excel serial number":
            return _of_serial(text) if _SERIAL.fullmatch(text) else None
        if not (written := _written(text)):
            return None
        form, parts = written
        first, second, year = parts.group("first", "second", "year")
        if self.has_short_years and form == "year last" and len(year) == len(first):
            form, year, first, second = "year first", first, second, year
        if form != ("year last" if self.form in ("day first", "month first") else self.form):
            return None
        month, day = (second, first) if self.form == "day first" else (first, second)
        if form == "month by name":
            month = _MONTHS.index(month[:3].lower()) + 1
        hour, half = int(parts["hour"] or 0), (parts["half"] or "").upper()
        if half:
            if not 1 <= hour <= 12:
                raise ValueError(f"there is no {hour} o'clock {half}M")
            hour = hour % 12 + (12 if half == "P" else 0)
        seconds = Decimal((parts["seconds"] or "0").replace(",", "."))
        moment = datetime(
            *(
                _year(year, self.latest),
                int(month),
                int(day),
                hour,
                int(parts["minute"] or 0),
                int(seconds),
                int(seconds % 1 * 10**6),
            )
        )
        if not parts["zone"]:
            return moment
        return in_shop(moment.replace(tzinfo=_zone(parts["zone"])))


def iso(text: str) -> str:
    """A date and time of a batch in ISO 8601: such texts sort in the order of time."""
    return DateFormat("year first", date.max).read(text)


def _plain(text: str) -> str:
    return visible(text).translate(_NO_BREAK_SPACES)


def _year(digits: str, latest: date) -> int:
    """A year; of two digits, the latest one with that ending."""
    return int(digits) if len(digits) == len("2011") else latest.year - (latest.year - int(digits)) % 100


@lru_cache(maxsize=1 << 14)
def _written(text: str) -> tuple[_Order, re.Match[str]] | None:
    return next(((form, match) for form, pattern in _WRITTEN if (match := pattern.fullmatch(text))), None)


def _of_serial(text: str) -> datetime:
    """The moment of an Excel serial number: days since 1900, to the second, which is as precise as its digits are."""
    days = Decimal(text.replace(",", "."))
    return _EXCEL_DAY_ZERO + timedelta(seconds=round(days * _SECONDS_A_DAY))


def _zone(text: str) -> timezone:
    if not text.startswith(("+", "-")):
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    return timezone((1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def _years_before(year: int) -> list[bytes]:
    """Patterns that match the years from EARLIEST on."""
    decade, rest = divmod(year, 10)
    decades = [rb"%d\d" % earlier for earlier in range(EARLIEST.year // 10, decade)]
    return decades[::-1] + ([b"%d[0-%d]" % (decade, rest - 1)] if rest else [])
