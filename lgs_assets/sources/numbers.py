"""Numbers as people and programs write them: with a decimal point or a decimal comma, which one file does not mix.

The content of a file shows which of the two it has: 2.55 has a decimal point, whoever wrote it, and 1.234,50 a decimal
comma; 1.234 does not show which it has.
"""

import re
import sys
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from lgs_assets.sources.identity import DIGITS_LOST, DecimalMark, identifier, invoice_number, visible

INTEGER_LIMIT = 2**31
PRICE_LIMIT = Decimal(10**8)
PRICE_DECIMALS = 6
POUND = "£"

MARKS: tuple[DecimalMark, DecimalMark] = (".", ",")
_CURRENCY_CODES = {"GBP": "£", "EUR": "€", "USD": "$"}
_CURRENCY = rf"[{''.join(_CURRENCY_CODES.values())}]|{'|'.join(_CURRENCY_CODES)}"
# The typographic minus, hyphens and dashes; the blanks that separate thousands; apostrophes; currencies in full width.
_LOOK_ALIKES = str.maketrans(
    dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d", "-")
    | dict.fromkeys("\u00a0\u2007\u2009\u202f", " ")
    | {"\u2019": "'", "\uffe1": "£", "\uff04": "$"}
)
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?", re.I | re.A)
_WRITTEN = re.compile(
    rf"""
    (?: (?P<currency_outside>{_CURRENCY}) [ ]* )? (?: (?P<opening>\() [ ]* )? (?: (?P<sign>[-+]) [ ]* )?
    (?: (?P<currency>{_CURRENCY}) [ ]* )? (?: (?P<inner_sign>[-+]) [ ]* )?
    (?P<digits>[\d.,](?:[\d.,' ]*[\d.,])?) (?P<exponent>e[-+]?\d{{1,3}})?
    (?: [ ]* (?P<currency_behind>{_CURRENCY}) )? (?: [ ]* (?P<sign_behind>-) )? (?: [ ]* (?P<closing>\)) )?
    (?: [ ]* (?P<currency_after>{_CURRENCY}) )?
    """,
    re.VERBOSE | re.I | re.A,
)
_CURRENCY_PLACES = ("currency_outside", "currency", "currency_behind", "currency_after")
_UNGROUPED = {mark: re.compile(rf"\d+\{mark}?\d*|\{mark}\d+", re.A) for mark in MARKS}
_GROUPED = {
    mark: re.compile(rf"[1-9]\d{{0,2}}([{other}' ])\d{{3}}(?:\1\d{{3}})*(?:\{mark}\d*)?", re.A)
    for mark, other in zip(MARKS, reversed(MARKS), strict=True)
}
_GROUPING = {mark: str.maketrans({other: "", "'": "", " ": "", mark: "."}) for mark, other in ((".", ","), (",", "."))}


class NumberFormat(NamedTuple):
    """How the numbers of a dump are written."""

    decimal_mark: DecimalMark = "."
    currency: str = POUND
    """The only currency sign that a price may have."""
    quantities_have_decimals: bool = True
    """Whether 1.000 is a quantity of one. Among others without decimals it may just as well be a thousand."""

    def __str__(self) -> str:
        """The format in words."""
        return name_of(self.decimal_mark) + (f", in {self.currency}" if self.currency != POUND else "")

    def whole(self, text: str) -> str:
        """A whole number in digits. Raises ValueError, which says what is expected."""
        number = self._number(text)
        if number is None or not -INTEGER_LIMIT <= number < INTEGER_LIMIT or number != int(number):
            raise ValueError(f"a whole number from {-INTEGER_LIMIT:,} to {INTEGER_LIMIT - 1:,}")
        return str(int(number))

    def quantity(self, text: str) -> str:
        """A whole number in digits. Raises ValueError, which says what is expected."""
        if not self.quantities_have_decimals and self.decimal_mark in text and decimal_mark_of(text) == "either":
            raise ValueError("a whole number that cannot also mean one a thousand times as large")
        return self.whole(text)

    def invoice(self, text: str) -> str:
        """The one spelling of an invoice number, whose thousands may be apart. Raises ValueError."""
        return invoice_number(text, self.decimal_mark)

    def customer(self, text: str) -> str:
        """A customer number, an identifier that some programs write with decimals: 13085.0."""
        number = self.whole(identifier(text))
        if int(number) < 1:
            raise ValueError("a customer number of at least 1")
        return number

    def price(self, text: str) -> str:
        """A price in digits, with a point before its decimals. Raises ValueError, which says what is expected."""
        if (price := self._number(text)) is None:
            among = f" in {self.currency}" if currency_of(text) not in (None, self.currency) else ""
            raise ValueError(f"a price{among}: digits, with a {name_of(self.decimal_mark)[8:]} before the pence")
        if len(price.as_tuple().digits) > sys.float_info.dig:
            # All digits of a binary number: some programs turn 2.55 into 2.5499999999999998.
            price = Decimal(repr(float(price)))
        if abs(price) >= PRICE_LIMIT or price != round(price, PRICE_DECIMALS):
            raise ValueError(f"a price below {PRICE_LIMIT:,} with at most {PRICE_DECIMALS} decimals")
        return format(price.normalize(), "f")  # 2.5500000000 is 2.55

    def _number(self, text: str) -> Decimal | None:
        """The value of a number, None if it is not one. Raises ValueError for 8.1E+04, which may have been 81,234."""
        if self.decimal_mark == "." and _PLAIN.fullmatch(text):
            value: Decimal | None = Decimal(text)
        elif (written := _written(text)) and written.currency in (None, self.currency):
            value = _value(written, self.decimal_mark)
        else:
            return None
        if value is not None and len(value.as_tuple().digits) > 1 and int(value.as_tuple().exponent) > 0:
            raise ValueError(DIGITS_LOST)
        return value


@lru_cache(maxsize=1 << 14)
def decimal_mark_of(text: str) -> DecimalMark | Literal["either"] | None:
    """The decimal mark that a number shows: the only one with which it can be read.

    `either` if it can be read with both, with different meanings. None if it has no such mark, or is not a number.
    """
    if text.isdecimal() or (written := _written(text)) is None:
        return None
    values = {mark: value for mark in MARKS if (value := _value(written, mark)) is not None}
    if len(values) == 1:
        return next(iter(values))
    return "either" if len(set(values.values())) > 1 else None


def currency_of(text: str) -> str | None:
    """The currency sign beside a number, None if there is none."""
    return written.currency if (written := _written(text)) else None


class _Written(NamedTuple):
    """The parts of a number."""

    is_negative: bool
    digits: str
    exponent: str
    currency: str | None


def _written(text: str) -> _Written | None:
    match = _WRITTEN.fullmatch(visible(text).translate(_LOOK_ALIKES))
    if not match or bool(match["opening"]) != bool(match["closing"]):
        return None
    signs = [sign for sign in match.group("sign", "inner_sign", "sign_behind") if sign]
    currencies = [match[place].upper() for place in _CURRENCY_PLACES if match[place]]
    if len(signs) > 1 or len(currencies) > 1 or (match["opening"] and signs == ["+"]):
        return None
    currency = _CURRENCY_CODES.get(currencies[0], currencies[0]) if currencies else None
    return _Written(bool(match["opening"]) or signs == ["-"], match["digits"], match["exponent"] or "", currency)


def _value(written: _Written, mark: DecimalMark) -> Decimal | None:
    digits = written.digits
    if not (_UNGROUPED[mark].fullmatch(digits) or _GROUPED[mark].fullmatch(digits)):
        return None
    value = Decimal(digits.translate(_GROUPING[mark]) + written.exponent)
    return -value if written.is_negative else value


def name_of(mark: DecimalMark) -> str:
    """A decimal mark in words."""
    return "decimal point" if mark == "." else "decimal comma"
