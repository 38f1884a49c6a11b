"""Which form the dates and numbers of a dump have: one form for the whole dump, shown by its lines.

A few lines may be mistakes, but not one in a hundred: a dump that shows two forms is refused, and so is one that does
not show which of two it has.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

from lgs_assets.errors import DumpError
from lgs_assets.sources.dates import EITHER_ORDER, DateForm, DateOrder, EitherOrder, form_of, may_begin_with_year
from lgs_assets.sources.identity import DecimalMark, unwrapped
from lgs_assets.sources.lines import READ_CHARACTERS, Lines
from lgs_assets.sources.numbers import MARKS, POUND, NumberFormat, currency_of, decimal_mark_of, name_of

SHARE_THAT_SHOWS = 0.01

_OF_BARE_NUMBERS = "0123456789.,-"
_DAY_AND_MONTH: tuple[DateOrder, DateOrder] = ("day first", "month first")


class Survey:
    """Counts what the dates, the quantities and the prices of lines show."""

    def __init__(self, latest: date) -> None:
        """`latest` is the day on which the dump arrived."""
        self._latest = latest
        self._dates: Counter[DateForm | EitherOrder | None] = Counter()
        self._may_begin_with_year: Counter[bool | None] = Counter()
        self._marks: Counter[DecimalMark | Literal["either"] | None] = Counter()
        self._currencies: Counter[str] = Counter()
        self._has_plain_quantities = False
        self._ambiguous_date = self._short_date = self._ambiguous_number = ""

    def add(self, lines: Lines) -> None:
        """Looks at more lines."""
        for text in _fields(lines, "invoice_date"):
            form = form_of(text)
            self._dates[form] += 1
            if form == EITHER_ORDER:
                self._ambiguous_date = self._ambiguous_date or text
            if form in (EITHER_ORDER, "day first"):
                may_begin = may_begin_with_year(text, self._latest)
                self._may_begin_with_year[may_begin] += 1
                self._short_date = self._short_date or (text if may_begin else "")
        for column in ("quantity", "unit_price"):
            for number in _fields(lines, column):
                mark = decimal_mark_of(number)
                self._marks[mark] += 1
                if mark == "either":
                    self._ambiguous_number = self._ambiguous_number or number
                elif mark is None and column == "quantity":
                    self._has_plain_quantities = True
                if column == "unit_price":
                    self._currencies[(number.strip(_OF_BARE_NUMBERS) and currency_of(number)) or POUND] += 1

    def is_enough(self, given: DateOrder | None, *, written_by_hand: bool) -> bool:
        """Whether these first lines settle the form of all: no later ones can show it better."""
        main = self._main_form()
        shows_dates = main is not None and (main != EITHER_ORDER or given is not None)
        return shows_dates and (not written_by_hand or len(self._shown_marks()) == 1)

    def date_form(self, path: Path, given: DateOrder | None, *, among: "Survey | None" = None) -> DateForm:
        """The form of the dates. If day and month come before the year, a given order decides.

        Dates that show no order are in that of the files `among` which they are packed.

        Raises DumpError, naming the file, if the lines show two orders, or none and none is given.
        """
        main = self._main_form()
        if main is None:  # without any date, every line is rejected
            return among.date_form(path, given) if among else "year first"
        if main != EITHER_ORDER:
            return main
        if given is not None:
            return given
        enough = self._dates.total() * SHARE_THAT_SHOWS
        shown = [order for order in _DAY_AND_MONTH if self._dates[order] >= enough]
        if len(shown) > 1:
            counts = " and ".join(f"{self._dates[order]:,} {order}" for order in shown)
            raise DumpError(
                f"{path}: expected dates in one order, found {counts}. Write the year first, or set LGS_DATE_ORDER to "
                "the right one: lines in the other are rejected."
            )
        if not shown and among:
            return among.date_form(path, given)
        if not shown:
            raise DumpError(
                f"{path}: dates like {self._ambiguous_date} can be read day first or month first, and hardly any date "
                "in the file shows which. Write the year first, or set LGS_DATE_ORDER to 'day first' or 'month first'."
            )
        if shown == ["day first"] and self._may_begin_with_year[True] and self._may_begin_with_year[False] < enough:
            raise DumpError(
                f"{path}: dates like {self._short_date} can be read day first or year first, and hardly any date in "
                "the file shows which. Write the year with four digits, or set LGS_DATE_ORDER to 'day first' or 'year "
                "first'."
            )
        return shown[0]

    def number_format(
        self, path: Path, *, written_by_hand: bool, currency: str | None = None, among: "Survey | None" = None
    ) -> NumberFormat:
        """How the numbers are written; with a decimal point unless they show a comma.

        Numbers that show neither are written as in the files `among` which they are packed.
        A `currency` that the header states is that of all prices. Otherwise it is the one that most of them show, and
        those without any are in pounds.
        `written_by_hand` says that the format of the file leaves open how numbers are written, as CSV does.
        Raises DumpError, naming the file, if the lines show both marks, or numbers that may mean two things.
        """
        shown = self._shown_marks()
        if len(shown) > 1:
            counts = " and ".join(f"{self._marks[mark]:,} with a {name_of(mark)}" for mark in shown)
            raise DumpError(f"{path}: expected numbers in one format, found {counts}. Write all with a decimal point.")
        if not shown and written_by_hand and self._ambiguous_number:
            raise DumpError(
                f"{path}: numbers like {self._ambiguous_number} can be read with a decimal point or with a decimal "
                "comma, and hardly any number in the file shows which. Write them without thousands separators, and "
                "prices with two decimals."
            )
        if not shown and among and not self._ambiguous_number:
            shown = among._shown_marks()[:1]
        prices = self._currencies.total()
        currency = currency or next((of for of, count in self._currencies.items() if 2 * count > prices), POUND)
        doubtful = written_by_hand and self._has_plain_quantities
        return NumberFormat(shown[0] if shown else ".", currency, quantities_have_decimals=not doubtful)

    def _main_form(self) -> DateForm | EitherOrder | None:
        """The most common form, with day first and month first counted together; None without dates."""
        forms: Counter[DateForm | EitherOrder] = Counter()
        for form, count in self._dates.items():
            if form is not None:
                forms[EITHER_ORDER if form in _DAY_AND_MONTH else form] += count
        return next((form for form, _ in forms.most_common(1)), None)

    def _shown_marks(self) -> list[DecimalMark]:
        enough = (self._marks.total() - self._marks[None]) * SHARE_THAT_SHOWS
        return [mark for mark in MARKS if self._marks[mark] and self._marks[mark] >= enough]


def _fields(lines: Lines, column: str) -> Iterator[str]:
    fields_before = rb"(?:[^\t\n]*\t){%d}" % lines.columns.index(column)
    for match in re.finditer(rb"^%b([^\t\n]*)" % fields_before, lines.data, re.M):
        yield unwrapped(match[1][:READ_CHARACTERS].decode(errors="replace"))
