"""The sieve: what an invoice line may look like, and why others are rejected."""

import random
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.sources import CANONICAL_COLUMNS, open_dump
from lgs_assets.sources.dates import DateFormat
from lgs_assets.sources.identity import invoice_number, unwrapped
from lgs_assets.sources.lines import Lines, Reject, Sieve
from lgs_assets.sources.numbers import NumberFormat
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.sources.reading import (
    COPY,
    CSV_GOOD,
    GOOD,
    HEADER,
    INSERT,
    LANTERN,
    ROW,
    in_memory,
    read,
    refusal,
    typed,
    value,
)

AT = {name: index for index, name in enumerate(CANONICAL_COLUMNS)}


def copy_of(*lines: str) -> str:
    return COPY + "".join(f"{line}\n" for line in lines) + "\\.\n"


def with_field(column: str, field: str) -> str:
    fields = GOOD.rstrip("\n").split("\t")
    fields[AT[column]] = field
    return "\t".join(fields)


@pytest.mark.parametrize(
    ("column", "field", "meaning"),
    [
        ("invoice_no", "C536379", "C536379"),
        ("stock_code", " 8 ", " 8 "),
        ("description", "", None),
        ("description", "\\N", None),
        ("description", "\\\\N", None),
        ("description", r"a\tb\n\r\\\b\f\v\101\x41\x4g\q\N\.", "a\tb\n\r\\\b\f\vAA\x04gqN."),
        ("description", "a\\\tb", "a\tb"),
        ("description", "\\303\\251", "é"),
        ("description", "é £ 👩\u200d🚀 \x01\x7f", "é £ 👩\u200d🚀 \x01\x7f"),
        ("quantity", "-2147483648", -(2**31)),
        ("quantity", "2147483647", 2**31 - 1),
        ("quantity", " +12 ", 12),
        ("quantity", "6.0", 6),
        ("quantity", "1e3", 1000),
        ("unit_price", "0", Decimal(0)),
        ("unit_price", "-11062.06", Decimal("-11062.06")),
        ("unit_price", "99999999.999999", Decimal("99999999.999999")),
        ("unit_price", "2.5500000000", Decimal("2.55")),
        ("unit_price", "0.000000000000000000", Decimal(0)),
        ("unit_price", "2.5499999999999998", Decimal("2.55")),
        ("unit_price", "1e-06", Decimal("0.000001")),
        ("unit_price", "1E+06", Decimal(1000000)),
        ("unit_price", "1.25E+01", Decimal("12.5")),
        ("quantity", "8.1234E+04", 81234),
        ("stock_code", "8.5123E+04", "85123"),
        ("stock_code", "5E11", "5E11"),
        ("unit_price", ".5", Decimal("0.5")),
        ("customer_id", "13085.0", 13085),
        ("customer_id", "1.3085e+04", 13085),
        ("customer_id", "'13085", 13085),
        ("customer_id", "１３０８５", 13085),
        ("stock_code", '="022423"', "022423"),
        ("description", '="17"" LANTERN"', '17" LANTERN'),
        ("description", "#NAME?", None),
        ("description", " #ref! ", None),
        ("country", ' ="EIRE" ', "EIRE"),
        ("customer_id", '="13085"', 13085),
        ("customer_id", '=""', None),
        ("unit_price", '="-2.55"', Decimal("-2.55")),
        ("quantity", '="6"', 6),
        ("customer_id", "2147483647", 2**31 - 1),
        ("customer_id", " ", None),
        ("customer_id", "\\N", None),
        ("country", " United Kingdom\u00a0", "United Kingdom"),
    ],
)  # fmt: skip
def test_a_value_that_can_be_read_is_read(column: str, field: str, meaning: object) -> None:
    """Exactly, in every way that programs write it."""
    ((line),) = read(copy_of(with_field(column, field))).good.values()
    assert typed(line)[AT[column]] == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2010-12-01", "2010-12-01 00:00:00"),
        ("2010-12-01 8:26", "2010-12-01 08:26:00"),
        ("2010-12-01T08:26:00", "2010-12-01 08:26:00"),
        ("2010-12-01T08:26:00.000", "2010-12-01 08:26:00"),
        ("2010-12-01 08:26:00.1234567", "2010-12-01 08:26:00.123456"),
        ("2010/12/1 8:26", "2010-12-01 08:26:00"),
        ("2010-12-01 12:26 AM", "2010-12-01 00:26:00"),
        ("2010-12-01 8:26:01 pm", "2010-12-01 20:26:01"),
        ("2012-02-29", "2012-02-29 00:00:00"),
        ("1990-01-01 00:00:00", "1990-01-01 00:00:00"),
        ("20110704 8:26", "2011-07-04 08:26:00"),
        ("2011-01-04T08:26:00Z", "2011-01-04 08:26:00"),
        ("2011-07-04T08:26:00Z", "2011-07-04 09:26:00"),
        ("2011-07-04 08:26:00+00", "2011-07-04 09:26:00"),
        ("2011-07-04T08:26:00.5-05:30", "2011-07-04 14:56:00.500000"),
        ("20110413T082600", "2011-04-13 08:26:00"),
        ("20110413T0826", "2011-04-13 08:26:00"),
        ("20110413T082600.5Z", "2011-04-13 09:26:00.500000"),
        ("2011-04-13 08:26:00,000", "2011-04-13 08:26:00"),
        ("2011-04-13 8.26", "2011-04-13 08:26:00"),
        ("2011-04-13 08.26.01,5", "2011-04-13 08:26:01.500000"),
        ('="2011-04-13 08:26"', "2011-04-13 08:26:00"),
    ],
)
def test_a_date_that_can_be_read_is_read(text: str, meaning: str) -> None:
    """With or without a time, seconds and fractions, by the clock of 12 hours or of 24."""
    ((line),) = read(copy_of(with_field("invoice_date", text))).good.values()
    assert typed(line)[AT["invoice_date"]].isoformat(" ") == meaning


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (with_field("invoice_no", ""), "invoice_no", "expected a value, found ''"),
        (with_field("stock_code", "\\N"), "stock_code", "expected a value, found none"),
        (with_field("country", "\\N"), "country", "expected a value, found none"),
        (with_field("quantity", "six"), "quantity", "a whole number from -2,147,483,648 to 2,147,483,647, found 'six'"),
        (with_field("quantity", "6.5"), "quantity", "a whole number"),
        (with_field("quantity", "2147483648"), "quantity", "a whole number"),
        (with_field("quantity", "1e999"), "quantity", "a whole number"),
        (with_field("quantity", "٣"), "quantity", "a whole number"),
        (with_field("quantity", "\\N"), "quantity", "expected a value, found none"),
        (with_field("quantity", ""), "quantity", "expected a value, found ''"),
        (with_field("unit_price", "¥2.55"), "unit_price", "a price: digits, with a point before the pence"),
        (with_field("unit_price", "2.55p"), "unit_price", "a price"),
        (with_field("unit_price", "(2.55"), "unit_price", "a price"),
        (with_field("unit_price", "--2.55"), "unit_price", "a price"),
        (with_field("unit_price", "1,23,456.00"), "unit_price", "a price"),
        (with_field("unit_price", "NaN"), "unit_price", "expected a value, found 'NaN'"),
        (with_field("unit_price", "-Infinity"), "unit_price", "a price"),
        (with_field("unit_price", "100000000"), "unit_price", "a price below 100,000,000 with at most 6 decimals"),
        (with_field("unit_price", "0.0000001"), "unit_price", "at most 6 decimals"),
        (with_field("unit_price", "1e999"), "unit_price", "a price below"),
        (with_field("unit_price", "9" * 1000), "unit_price", "a price below"),
        (with_field("unit_price", "9" * 1001), "unit_price", "at most 1,000 characters, not 1,001"),
        (with_field("invoice_date", "2011" * 1001), "invoice_date", "at most 1,000 characters, not 4,004"),
        (with_field("invoice_date", "2011-02-30"), "invoice_date", "a real date and time, year first"),
        (with_field("invoice_date", "2011-02-29 00:00"), "invoice_date", "a real date and time"),
        (with_field("invoice_date", "2011-01-01 24:00"), "invoice_date", "a real date and time"),
        (with_field("invoice_date", "2011-01-01 826"), "invoice_date", "a date and time"),
        (with_field("invoice_date", "2011-01-01 08:26.30"), "invoice_date", "a date and time"),
        (with_field("invoice_date", "NaT"), "invoice_date", "expected a value, found 'NaT'"),
        (with_field("invoice_date", "2011-01-01 13:00 PM"), "invoice_date", "a real date and time"),
        (with_field("invoice_date", "0000-01-01"), "invoice_date", "a real date and time"),
        (with_field("invoice_date", "infinity"), "invoice_date", "a date and time, year first, found 'infinity'"),
        (with_field("invoice_date", "1989-12-31"), "invoice_date", "a date from 1990-01-01 to"),
        (with_field("invoice_date", "0001-01-01"), "invoice_date", "a date from 1990-01-01 to"),
        (with_field("invoice_date", "1900-01-01"), "invoice_date", "a date from 1990-01-01 to"),
        (with_field("invoice_date", "2111-12-09 12:50"), "invoice_date", "when the dump arrived, found '2111-12-09"),
        (with_field("invoice_date", "9999-12-31 23:59:59.999999"), "invoice_date", "a date from 1990-01-01 to"),
        (with_field("invoice_date", "9999-12-31T23:59:59-05"), "invoice_date", "a real date"),
        (with_field("invoice_date", "2011-01-01 10:00+24"), "invoice_date", "a real date"),
        (with_field("invoice_no", "5.36365E+11"), "invoice_no", "as scientific notation has lost some"),
        (with_field("quantity", "8.1E+04"), "quantity", "as scientific notation has lost some, found '8.1E+04'"),
        (with_field("quantity", "-8.12e4"), "quantity", "as scientific notation has lost some"),
        (with_field("unit_price", "1.2E+04"), "unit_price", "as scientific notation has lost some"),
        (with_field("unit_price", "£ 1.20E+04"), "unit_price", "as scientific notation has lost some"),
        (with_field("stock_code", " 8.51E+04"), "stock_code", "as scientific notation has lost some"),
        (with_field("customer_id", "1.3E+04"), "customer_id", "as scientific notation has lost some"),
        (with_field("stock_code", "#REF!"), "stock_code", "expected a value, found the error '#REF!'"),
        (with_field("customer_id", " #value! "), "customer_id", "expected a value, found the error"),
        (with_field("country", "#DIV/0!"), "country", "expected a value, found the error '#DIV/0!'"),
        (with_field("unit_price", "(+2.55)"), "unit_price", "a price"),
        (with_field("unit_price", "£2.55 GBP"), "unit_price", "a price"),
        (with_field("invoice_no", "C" * 101), "invoice_no", "at most 100 characters, not 101, found 'CCC"),
        (with_field("stock_code", "é" * 3000), "stock_code", "at most 100 characters, not 3,000"),
        (with_field("description", "x" * 501), "description", "at most 500 characters, not 501"),
        (with_field("country", "x" * 101), "country", "at most 100 characters, not 101"),
        (with_field("country", ""), "country", "expected a value, found ''"),
        (with_field("country", "nan"), "country", "expected a value, found 'nan'"),
        (with_field("invoice_date", "31/01/2011"), "invoice_date", "a date and time, year first"),
        (with_field("customer_id", "0"), "customer_id", "a customer number of at least 1"),
        (with_field("customer_id", "-1"), "customer_id", "a customer number of at least 1"),
        (with_field("customer_id", "12.5"), "customer_id", "a whole number"),
        (with_field("customer_id", "ana"), "customer_id", "a whole number"),
        (with_field("description", "a\0b"), "description", "a NUL character"),
        (with_field("description", "a\\000b"), "description", "a NUL character"),
        (with_field("description", "\\351"), "description", "byte 0xe9 is not valid text"),
        (with_field("country", "UK\\"), None, "a backslash at the end of the line"),
        (with_field("description", "a\rb"), None, "a carriage return in the middle of the line"),
        ("", None, "expected 8 fields, found 1"),
        ("1\t2\t3", None, "expected 8 fields, found 3"),
        (GOOD.rstrip("\n") + "\tmore", None, "expected 8 fields, found 9"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_rejected_and_no_other(line: str, column: str | None, reason: str) -> None:
    """It comes back as it is in the dump, with its number, the column at fault and the reason."""
    found = read(copy_of(GOOD.rstrip("\n"), line, GOOD.rstrip("\n")))
    assert found.good == {2: LANTERN, 4: LANTERN}
    ((reject),) = found.rejects
    assert (reject.line, reject.column, reject.text) == (3, column, line.replace("\0", "\\x00"))
    assert reason in reject.reason
    assert len(reject.reason) < 250


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    """The line can be stored and looked at all the same."""
    bad = with_field("description", "£").encode("latin-1")
    content = b"SET client_encoding = 'UTF8';\n" + copy_of("%").encode().replace(b"%", bad)
    ((reject),) = read(content).rejects
    assert (reject.line, reject.column, reject.reason) == (
        *(3, "description"),
        "byte 0xa3 is not valid text",
    )
    assert "\t\\xa3\t" in reject.text


# The order of day, month and year.


def csv_of(*dates: str) -> str:
    return HEADER + "".join(f"1,2,x,3,{date},4,5,UK\n" for date in dates)


def dates_in(content: str, **options: object) -> list[str]:
    found = read(content, **options)  # type: ignore[arg-type]
    assert not found.rejects
    return [typed(line)[AT["invoice_date"]].isoformat(" ", "minutes") for line in found.good.values()]


def test_one_date_in_a_hundred_shows_the_order_of_all() -> None:
    """Wherever they stand, be it far behind; the order is stated."""
    few, many = ["1/2/2011 8:26", "13/2/2011"], ["01/02/2011 8:26"] * 19_800
    assert dates_in(csv_of(*few)) == ["2011-02-01 08:26", "2011-02-13 00:00"]
    assert read(csv_of(*few)).facts["dates"] == "day first"
    assert set(dates_in(csv_of(*many, *["2/13/2011"] * 200))) == {"2011-01-02 08:26", "2011-02-13 00:00"}
    assert set(dates_in(csv_of(*many, *["13.2.2011"] * 200))) == {"2011-02-01 08:26", "2011-02-13 00:00"}


def test_fewer_dates_may_be_mistakes() -> None:
    """A slip of the pen changes neither the dates of a file, nor what is said about them."""
    content = csv_of(*["03/04/2011"] * 300, "04/13/2011")
    assert "dates like 03/04/2011 can be read day first or month first" in refusal(content)
    found = read(content, dates="day first")
    assert {typed(line)[AT["invoice_date"]].month for line in found.good.values()} == {4}
    assert [reject.line for reject in found.rejects] == [302]


def test_dates_that_nothing_tells_apart_are_refused_unless_it_is_said() -> None:
    """The error shows such a date and what to do."""
    content = csv_of("never", "03/04/2011", "05/06/2011 10:00")
    assert "dates like never can be read" not in refusal(content)
    assert "dates like 03/04/2011 can be read day first or month first" in refusal(content)
    assert "LGS_DATE_ORDER" in refusal(content)
    for order, month in (("day first", 4), ("month first", 3)):
        found = read(content, dates=order)  # type: ignore[arg-type]
        assert [reject.line for reject in found.rejects] == [2]
        assert typed(found.good[3])[AT["invoice_date"]].month == month


def test_lines_with_too_few_fields_show_no_date() -> None:
    """A first chunk without any date does not keep a later one from being seen, or from being asked about."""
    content = HEADER + "1,2\n" * 100_000 + "1,2,x,3,03/04/2011,4,5,UK\n"
    assert "dates like 03/04/2011" in refusal(content)
    assert read(HEADER + "1,2\n").facts["dates"] == "year first"


def test_dates_of_another_order_are_rejected() -> None:
    """One order a file. A file that shows two is refused."""
    found = read(csv_of(*["13/02/2011"] * 200, "02/13/2011", "2011-02-13"))
    assert [reject.line for reject in found.rejects] == [202, 203]
    assert found.facts["dates"] == "day first"
    assert "1 day first and 1 month first" in refusal(csv_of("13/02/2011", "02/13/2011"))


def test_what_a_person_says_of_dates_outranks_what_they_show() -> None:
    """A slip of the pen in a small file does not turn all its dates; the year first leaves no doubt."""
    content = csv_of(*["12/05/2010 09:00"] * 60, "13/05/2010")
    found = read(content, dates="month first")
    assert [reject.line for reject in found.rejects] == [62]
    assert {typed(line)[AT["invoice_date"]] for line in found.good.values()} == {datetime(2010, 12, 5, 9)}
    assert dates_in(csv_of("2010-12-05"), dates="day first") == ["2010-12-05 00:00"]


@pytest.mark.parametrize(
    ("dates", "form"),
    [
        (["2/12/11 8:26", "2/13/11 8:26"], "month first"),
        (["12.02.11 8:26", "13.02.11 8:26"], "day first"),
        (["12-Feb-2011 8:26", "13-FEB-11 08:26"], "month by name"),
        (["Sat, 12 Feb 2011 08:26:00 GMT", "Feb 13, 2011 8:26 AM"], "month by name"),
        (["12th February 2011 08:26", "Feb 13 2011  8:26AM"], "month by name"),
        (["12-FEB-11 08.26.00.000000000 AM", "13-FEB-11 08.26.00,000000 AM"], "month by name"),
        (["12/02/2011 08.26", "13/02/2011 8.26"], "day first"),
        (["40586.3513888889", "40587.35139"], "Excel serial number"),
        (["2011-02-12 8:26\u202fAM", "\u00a02011-02-13T08:26Z"], "year first"),
    ],
)  # fmt: skip
def test_dates_in_any_form_mean_the_same(dates: list[str], form: str) -> None:
    """As spreadsheets and databases write them; the form is stated."""
    content = HEADER + "".join(f'1,2,x,3,"{date}",4,5,UK\n' for date in dates)
    assert dates_in(content) == ["2011-02-12 08:26", "2011-02-13 08:26"]
    assert read(content).facts["dates"] == form


@pytest.mark.parametrize(("years", "meaning"), [("00", 2000), ("11", 2011), ("90", 1990), ("99", 1999)])
def test_a_year_of_two_digits_is_the_last_one_that_ends_so(years: str, meaning: int) -> None:
    """Up to the year in which the dump arrived."""
    assert dates_in(csv_of(f"13/02/{years}"), arrived=date(2011, 12, 9)) == [f"{meaning}-02-13 00:00"]
    assert read(csv_of("13/02/12"), arrived=date(2011, 12, 9)).rejects


def test_a_year_of_two_digits_at_the_beginning_is_not_taken_for_a_day() -> None:
    """A month of 13-01-31 reads as well with the day first: without a date that shows it, or a word, it is refused."""
    days = [f"13-01-{day:02}" for day in range(1, 27)]
    asked = refusal(csv_of(*days))
    assert "dates like 13-01-01 can be read day first or year first" in asked
    said = {order: dates_in(csv_of(*days), dates=order)[0] for order in ("year first", "day first")}
    assert said == {"year first": "2013-01-01 00:00", "day first": "2001-01-13 00:00"}
    arrived = date(2026, 11, 28)
    assert dates_in(csv_of("13-01-11", "28-01-11"), arrived=arrived) == ["2011-01-13 00:00", "2011-01-28 00:00"]
    assert dates_in(csv_of("13/01/11"), arrived=arrived) == ["2011-01-13 00:00"]
    mixed = read(csv_of(*["2013-01-31"] * 3, "13-01-31"))
    assert [reject.line for reject in mixed.rejects] == [5]


def test_no_line_is_from_after_its_arrival() -> None:
    """To the day, in the quick way and the slow one, for any form."""
    for form in ("%Y-%m-%d %H:%M", "%d/%m/%Y", "%d %b %Y"):
        days = [date(2011, 1, 1) + timedelta(days=day) for day in range(0, 1100, 3)]
        content = csv_of(*[day.strftime(form) for day in days])
        for arrived in (date(2011, 12, 9), date(2012, 1, 1), date(2020, 1, 31)):
            found = read(content, dates="day first", arrived=arrived)
            late = [number for number, day in enumerate(days, 2) if day > arrived]
            assert [reject.line for reject in found.rejects] == late


# Numbers.


def numbers_in(*pairs: tuple[str, str]) -> list[tuple[int, Decimal]]:
    """Quantities and prices of a CSV file that holds these."""
    found = read(HEADER + "".join(f'1,2,x,"{quantity}",2011-02-13,"{price}",5,UK\n' for quantity, price in pairs))
    assert not found.rejects, found.rejects
    lines = map(typed, found.good.values())
    return [(line[AT["quantity"]], line[AT["unit_price"]]) for line in lines]


WRITTEN = {
    "decimal point": ["1,234", "-1,234", "(1,234)", "1,234-", "\u22121,234", "1 234", "1'234", "1\u00a0234", "1234.0"],
    "decimal comma": ["1.234", "-1.234", "(1.234)", "1.234-", "\u22121.234", "1 234", "1'234", "1\u202f234", "1234,0"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "price", "dear"),
    [
        ("decimal point", "£0.25", "£1,234.50"),
        ("decimal point", "0.25", "GBP"),
        ("decimal comma", "0,25", "1.234,50"),
        ("decimal comma", "0,25 €", "€ 1 234,5"),
    ],
)
def test_numbers_in_either_form_mean_the_same(form: str, price: str, dear: str) -> None:
    """Thousands, signs and currencies in all places; the form is stated."""
    dear = price if dear == "GBP" else dear
    for written in WRITTEN[form]:
        expected = -1234 if written.strip("0123456789., '\u00a0\u202f+") else 1234
        found = numbers_in((written, price), ("6", dear))
        assert found == [(expected, Decimal("0.25")), (6, Decimal("0.25") if dear == price else Decimal("1234.5"))]
    content = HEADER + f'1,2,x,6,2011-02-13,"{price}",5,UK\n'
    assert read(content).facts["numbers"].startswith(form)


@pytest.mark.parametrize(
    ("written", "price"),
    [
        *(("2.55 GBP", "2.55"), ("GBP 2.55", "2.55"), ("gbp2.55", "2.55"), ("-2.55GBP", "-2.55"), ("￡2.55", "2.55")),
        *(("£(2,55)", "-2.55"), ("(-2,55)", "-2.55"), ("(2,55) GBP", "-2.55"), ("(£2.55)", "-2.55")),
    ],
)
def test_a_price_may_have_its_currency_anywhere(written: str, price: str) -> None:
    """By its sign or its code; brackets mean the same as a minus, and may have one as well."""
    assert numbers_in(("6", written)) == [(6, Decimal(price))]
    assert read(HEADER + f'1,2,x,6,2011-02-13,"{written}",5,UK\n').facts["numbers"] == (
        "decimal comma" if "," in written else "decimal point"
    )


@pytest.mark.parametrize("code", ["EUR", "usd"])
def test_a_code_is_a_currency_like_its_sign(code: str) -> None:
    """Prices in pounds are then rejected."""
    line = "1,2,x,6,2011-02-13,{},5,UK\n".format
    found = read(HEADER + line(f"2.55 {code}") * 2 + line("£2.55"))
    assert found.facts["numbers"] == f"decimal point, in {'€' if code == 'EUR' else '$'}"
    assert [reject.line for reject in found.rejects] == [4]


@pytest.mark.parametrize("customer", ["13085.00", "13085.0", "1.3085E+4", "13085,0", "13.085"])
def test_a_customer_may_have_a_point_beside_decimal_commas(customer: str) -> None:
    """It is a number only in name: what wrote it did not follow the file."""
    found = read(HEADER + f'1,2,x,6,2011-02-13,"2,55","{customer}",UK\n')
    assert [typed(line)[AT["customer_id"]] for line in found.good.values()] == [13085]


def test_a_number_with_a_decimal_comma_may_not_lose_digits_either() -> None:
    """In scientific notation."""
    found = read(HEADER + '1,2,x,"8,1E+04",2011-02-13,"2,55",5,UK\n1,2,x,"8,1234E+04",2011-02-13,"2,55",5,UK\n')
    assert [(reject.line, reject.column) for reject in found.rejects] == [(2, "quantity")]
    assert typed(found.good[3])[AT["quantity"]] == 81234


def test_numbers_that_may_mean_two_things_are_refused() -> None:
    """Where the file shows its format, a quantity that may be a thousand times as large is rejected."""
    line = '1,2,x,"{}",2011-02-13,"{}",5,UK\n'.format
    assert "numbers like 1.000 can be read with a decimal point or with a" in refusal(HEADER + line("1.000", "2"))
    assert "1 with a decimal point and 1 with a decimal comma" in refusal(HEADER + line("1", "2.5") + line("1", "2,5"))
    found = read(HEADER + line("6", "2.55") + line("1.000", "2.55"))
    assert [(reject.line, reject.column) for reject in found.rejects] == [(3, "quantity")]
    assert numbers_in(("1.000", "2.55"), ("6.000", "0.850")) == [(1, Decimal("2.55")), (6, Decimal("0.85"))]
    assert numbers_in(("6", "2,55"), ("1.000", "2,55"))[1][0] == 1000


def test_prices_have_one_currency() -> None:
    """It is stated unless it is the pound; a price in another is rejected, one without a sign is not."""
    prices = ["€2.55"] * 3 + ["2.55", "£2.55"]
    found = read(HEADER + "".join(f"1,2,x,6,2011-02-13,{price},5,UK\n" for price in prices))
    assert found.facts["numbers"] == "decimal point, in €"
    assert [(reject.line, reject.column) for reject in found.rejects] == [(6, "unit_price")]
    assert found.rejects[0].reason.startswith("expected a price in €: digits")


@pytest.mark.parametrize(("plain", "dollars", "currency"), [(300, 1, ""), (2, 1, ""), (1, 1, ""), (1, 2, ", in $")])
def test_the_currency_of_a_file_is_that_of_most_prices(plain: int, dollars: int, currency: str) -> None:
    """One without a sign is in pounds, unless most are in another currency."""
    prices = ["$2.55"] * dollars + ["2.55"] * plain
    found = read(HEADER + "".join(f"1,2,x,6,2011-02-13,{price},5,UK\n" for price in prices))
    assert found.facts["numbers"] == f"decimal point{currency}"
    assert len(found.rejects) == (0 if currency else dollars)


def test_a_script_has_a_decimal_point_unless_it_shows_a_comma() -> None:
    """SQL has no other: nothing in it is doubtful. Columns of text may hold anything."""
    found = read(copy_of(with_field("quantity", "1.000"), with_field("unit_price", "1.250")))
    assert [typed(line)[AT["quantity"]] for line in found.good.values()] == [1, 6]
    assert read(copy_of(*[with_field("unit_price", "1.250,5")] * 3)).facts["numbers"] == "decimal comma"


# One identity, one meaning.


@pytest.mark.parametrize(
    ("spelt", "number"),
    [
        ("536365.0", "536365"), ("536365,00", "536365"), ("536365.000", "536365"), (" 536365  ", "536365"),
        ("\u00a0536365\u200b", "536365"), ("c536365", "C536365"), (" c536365.0", "C536365"), ("5.36365E+05", "536365"),
        ("5.36365123e8", "536365123"), ("C536365", "C536365"), ("A563185", "A563185"), ("5E11", "5E11"),
        ("0536365", "0536365"), ("536.000", "536.000"), ("cash", "cash"), ("INV-2011/7", "INV-2011/7"),
        ('="536365"', "536365"), (' ="c536365"', "C536365"), ('="536365.0"', "536365"), ("'536365", "536365"),
        ("'C536365", "C536365"), ("'cash", "'cash"), ("c 536365", "C536365"), ("C 536365", "C536365"),
        ("c-536365", "C536365"), ("C-536365", "C536365"), ("C_536365", "C536365"), ("C/536365", "C536365"),
        ("C\u2013\u00a0536365", "C536365"), ("C\u200b536365", "C536365"), ("ｃ536365", "C536365"),
        ("Ｃ５３６３６５", "C536365"), ("５３６３６５", "536365"), ("c - 536365.0", "C536365"), ("C", "C"),
        ("536,365", "536365"), ("C536 365", "C536365"), ("c-1'536'365", "C1536365"), ("536\u202f365", "536365"),
        ("536,36", "536,36"), ("53,636,5", "53,636,5"), ("1,536 365", "1,536 365"), ("0,365", "0,365"),
        ("536,000", "536000"), ("536.365", "536.365"), ("1,536,000", "1536000"), ("536,365.00", "536365"),
        ("c537 000.0", "C537000"),
        ("\u200e536365", "536365"), ("\u202aC536365\u202c", "C536365"), ("536\u00ad365\ufeff", "536365"),
        ("CR-5", "CR-5"), ("٥٣٦٣٦٥", "536365"), ("c\u00a0𝟓𝟑𝟔𝟑𝟔𝟓．０", "C536365"),
    ],
)  # fmt: skip
def test_an_invoice_has_one_spelling(spelt: str, number: str) -> None:
    """Whatever a program turned it into; how many were corrected is stated."""
    found = read(copy_of(with_field("invoice_no", spelt), GOOD.rstrip("\n")))
    assert [line[0] for line in found.good.values()] == [number, "536365"]
    assert found.facts.get("invoice numbers corrected") == (None if spelt == number else "1")


@pytest.mark.parametrize(
    ("spelt", "number"),
    [("536.365", "536365"), ("C536.365", "C536365"), ("536.000", "536000"), ("1.536.365,00", "1536365"),
     ("536365.0", "536365"), ("536,365", "536365"), ("536.36", "536.36"), ("0.365", "0.365")],
)  # fmt: skip
def test_an_invoice_is_written_like_the_numbers_of_its_file(spelt: str, number: str) -> None:
    """Beside decimal commas, a point separates thousands; its customer 17.850 is the number 17850, too."""
    content = copy_of(with_field("unit_price", "2,55")).replace("536365", spelt).replace("17850", "17.850")
    assert [line[0::6] for line in read(content).good.values()] == [(number, "17850")]


@pytest.mark.parametrize(
    "spelt",
    ["United\u00a0Kingdom", "United  Kingdom", "\u200eUnited Kingdom", "United\u200b \u2009Kingdom\ufeff",
     "Uni\u00adted Kingdom", "\u2067United Kingdom\u2069", "United\\tKingdom", "United \u202fKing\u2060dom"],
)  # fmt: skip
def test_a_country_has_one_spelling(spelt: str) -> None:
    """Whatever blanks and invisible marks a program put into it; how many were corrected is stated."""
    found = read(copy_of(with_field("country", spelt), GOOD.rstrip("\n")))
    assert [line[7] for line in found.good.values()] == ["United Kingdom"] * 2
    assert found.facts["countries corrected"] == "1"


@pytest.mark.parametrize("name", ["Côte d'Ivoire", "España", "New Zealand", "Österreich", "St. Kitts & Nevis", "中国"])
def test_any_other_country_is_as_it_is_written(name: str) -> None:
    """In any script."""
    found = read(copy_of(with_field("country", name)))
    assert [line[7] for line in found.good.values()] == [name]
    assert "countries corrected" not in found.facts


@pytest.mark.parametrize("name", ["-", "?", "...", "_", "#YOK", "#HIÁNYZIK"])
def test_a_country_without_a_letter_is_none(name: str) -> None:
    """What people type where they have nothing to say. A description may be a question mark: the shop's own are."""
    found = read(copy_of(with_field("country", name), with_field("description", name)))
    assert [reject.column for reject in found.rejects] == ["country"]
    assert [line[2] for line in found.good.values()] == [name]


def test_a_stock_code_is_as_it_is_written_but_for_invisible_marks() -> None:
    """They would make another product of it. Blanks and letters in another case are somebody else's decision."""
    found = read(
        copy_of(*[with_field("stock_code", code) for code in ("85123A\u200b", "8512\u00ad3A", " 85123a ", "Ä\u00a01")])
    )
    assert [line[1] for line in found.good.values()] == ["85123A", "85123A", " 85123a ", "Ä\u00a01"]
    assert found.facts["stock codes corrected"] == "2"


def test_invisible_marks_hide_no_number_and_no_date() -> None:
    """Windows puts marks for the direction of writing into the dates that it shows."""
    date_of = "\u200e13\u200e/\u200e02\u200e/\u200e2011 \u200f\u200e08:26"
    found = read(HEADER + f"1,2,x,\u200e6,{date_of},2\u00ad.55,\u202a5\u202c,UK\n")
    assert [typed(line)[3:7] for line in found.good.values()] == [(6, datetime(2011, 2, 13, 8, 26), Decimal("2.55"), 5)]


@pytest.mark.parametrize("spelt", ["536365²", "536365①", "536365™", "536365½", "53636㉕", "Ⅷ536365"])
def test_no_identity_is_made_of_what_only_looks_like_one(spelt: str) -> None:
    """A superscript is a mark beside a number, not one more digit of it."""
    found = read(copy_of(with_field("invoice_no", spelt), with_field("customer_id", spelt)))
    assert [line[0] for line in found.good.values()] == [spelt]
    assert "invoice numbers corrected" not in found.facts
    assert [reject.column for reject in found.rejects] == ["customer_id"]


def test_a_description_that_shows_an_error_is_left_out_and_counted() -> None:
    """Excel makes one of "- RED BOX": the sale is a sale all the same."""
    found = read(HEADER + CSV_GOOD.replace("LANTERN", "#NAME?") * 2 + CSV_GOOD.replace("LANTERN", "") + CSV_GOOD)
    assert [line[2] for line in found.good.values()] == [None, None, None, "LANTERN"]
    assert (found.rejects, found.facts["descriptions corrected"]) == ([], "2")


@pytest.mark.parametrize(
    "error",
    ["#WERT!", "#BEZUG!", "#VALEUR!", "#NOM?", "#¡VALOR!", "#¿NOMBRE?", "#RIF!", "#NÚM!", "#WAARDE!", "#DEEL/0!",
     "#ARG!", "#VÄRDEFEL!", "#ZAHL!", "#ЗНАЧ!", "Err:508", "Fehler:502", "Err :508", "Błąd:504", "Fout:508"],
)  # fmt: skip
def test_an_error_is_one_in_any_language(error: str) -> None:
    """It stands for no country and no product; a sale whose description shows it is a sale all the same."""
    fields = ("country", "stock_code", "invoice_no", "customer_id", "description")
    found = read(copy_of(*[with_field(field, error) for field in fields]))
    assert [reject.column for reject in found.rejects] == list(fields[:4])
    assert all("expected a value, found the error" in reject.reason for reject in found.rejects)
    assert [line[2] for line in found.good.values()] == [None]


@pytest.mark.parametrize("error", ["#HIÁNYZIK!", "#PUUTTUU!", "#ERROR!", "#SIMGE?"])
def test_an_error_of_a_language_that_nobody_listed_is_no_country(error: str) -> None:
    """Nor any other value but a description, which may be called anything."""
    found = read(copy_of(with_field("country", error), with_field("description", error)))
    assert [reject.column for reject in found.rejects] == ["country"]
    assert [line[2] for line in found.good.values()] == [error]


@settings(deadline=None)
@given(
    st.integers(1, 10**9),
    st.sampled_from("cCｃＣ"),
    st.text(" -–−_./#\u00a0\u200b\u00ad", max_size=3),
    st.booleans(),
    st.sampled_from(["", ".0", ".00", ",00"]),
    st.sampled_from(["{}", " {} ", "'{}", '="{}"', ' ="{}"\u00a0']),
)
def test_every_spelling_of_a_cancellation_is_one(
    number: int, letter: str, between: str, wide: bool, decimals: str, around: str
) -> None:
    """The same invoice, which begins with a C, as the warehouse tells a cancellation."""
    digits = str(number).translate(str.maketrans("0123456789", "０１２３４５６７８９")) if wide else str(number)
    spelt = invoice_number(unwrapped(around.format(f"{letter}{between}{digits}{decimals}")))
    assert spelt == f"C{number}" == invoice_number(spelt)


@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "\u00a0",
        "NULL",
        "null",
        "nan",
        "NaN",
        "None",
        "\\\\N",
        "#N/A",
        "<NA>",
        "(null)",
        " NULL ",
        "NaT",
        "[NULL]",
        "NULL  ",
        "nan\u200e",
        "#NV",
        "#N/D",
        "#N/B",
        "#N/D!",
        "#SAKNAS!",
        "(blank)",
        "(Leer)",
        "(vide)",
        "(en blanco)",
    ],
)
def test_what_is_missing_is_missing_in_every_format(word: str) -> None:
    """In a script, quoted or not, in CSV, for a description and a customer."""
    text = word.replace("\\\\", "\\")
    scripts = [
        copy_of(with_field("description", word), with_field("customer_id", word)),
        INSERT + ROW.replace("LANTERN", text) + ", " + ROW.replace("17850", f"'{text}'") + ";\n",
        HEADER + CSV_GOOD.replace("LANTERN", text) + CSV_GOOD.replace("17850", text),
        HEADER + CSV_GOOD.replace("LANTERN", f'"{text}"') + CSV_GOOD.replace("17850", f'"{text}"'),
    ]
    for script in scripts:
        first, second = map(typed, read(script).good.values())
        assert (first[2], second[6]) == (None, None)
    assert read(copy_of(with_field("country", word))).rejects[0].column == "country"


@pytest.mark.parametrize(
    "text",
    [
        "NULLARBOR",
        "None of it",
        "nancy",
        "missing",
        "?",
        "N",
        "n",
        "-",
        "#1",
        "native",
        "=x",
        "'1'",
        "NA 5",
        "nan.",
        "#LOVE!",
        "#1 MUM!",
        "#WOW?",
        "BOX: 508",
        "Err: none",
        "E:508",
        "'TIS",
        '"MUG"',
        "(red)",
        "a  b",
    ],
)
def test_other_texts_are_texts(text: str) -> None:
    """A word for a missing value means that only on its own."""
    assert next(iter(read(copy_of(with_field("description", text))).good.values()))[2] == text


# The fast way and the slow one.

FIELDS = [
    ["536365", "C1", "", " x ", "\\N", "a\\tb", "é", "c1", "536365.0", "5.3E+11", "NA", "N1", "x" * 101, "5\u00a0",
     "C-1", "C_1", "CA1", "C", '="5"', "'5", "A" * 100, "C" * 101],
    ["85123A", "", "\\\\", "x", '="5"', "#REF!", "a b", "a\u200b", "\u00ad1", "é", "N 1", "nan ", "Err:502", "'5'",
     "b:5"],
    ["LANTERN", "\\N", "", "nan", "None", "None of it", "N", " ", "x" * 501, "#NAME?",
     "a\\\tb", "\\351", "\\x41", "a\rb", "\0", "£", "\\", "NULL  ", "null\u200e", "nan\u00a0", "Nat", "Err:508",
     "Box: 5", "Err", "#LOVE!", "#NV", "(blank)", "Fehler:502", "Błąd\u00a0:508"],
    ["6", "-1", "six", "1.0", "999999999", "9999999999", "", "007", "+5"],
    ["2010-12-01 08:26:00", "2010-12-31", "2010-02-29", "2012-02-29 7:05", "2010-04-31", "31/12/2010", "1/2/2010 0:00",
     "12/31/2010 23:59:59.5", "2010-1-1", "1989-01-01", "2011-06-15", "2011-06-16", "16/6/2011", "6/16/2011", "1/5/11",
     "31.12.2010", "2011-05-31", "2011-07-01T08:00Z", "2111-01-01", "1 May 2011",
     "9/30/2010", "30/9/2010 24:00", "29/2/2011", "29/2/2012"],
    ["2.55", "2,55", "1,234", "1.234", "(1)", "£3", "€3", "1,234.5", "1.234,5",
     "-1", "0", "99999999.999999", "1e3", "2.5499999999999998", "NaN", "0.0000001", "2.5500000000"],
    ["17850", "\\N", "", "17850.0", "0", "x", "2147483648"],
    ["United Kingdom", "UK ", "\u00a0UK", "UK\u00a0", "Norway", "NULL", "x" * 101, "", "\\N", "EIRE\t", "Réunion",
     "United  Kingdom", "United\u00a0Kingdom", "U\u00adK", "N", "NA ", "Nan B", "New Zealand", "a b c d", "Err:508",
     "x" * 29 + " y", "x" * 30 + " y", "x " + "y" * 30, "Israel\u200e", "Côte d'Ivoire", "-", "A -", "'UK'",
     "中\u3000国"],
]  # fmt: skip
ORDERS = ["year first", "day first", "month first"]


def random_lines(seed: int, count: int) -> list[bytes]:
    """Lines of which about one in three has something odd, including bytes that are not text."""
    chosen = random.Random(seed)
    lines = []
    for _ in range(count):
        fields = [options[0] for options in FIELDS]
        for _ in range(chosen.choice([0, 0, 1, 2])):
            at = chosen.randrange(len(fields))
            fields[at] = chosen.choice(FIELDS[at])
        fields[4] = chosen.choice(FIELDS[4])
        line = "\t".join(fields).encode(chosen.choice(["utf-8", "utf-8", "latin-1"]), "replace")
        lines.append(line + b"\n")
    return lines


def sieve_of(columns: tuple[str | None, ...], order: str, mark: str) -> Sieve:
    return Sieve(columns, dates=DateFormat(order, date(2011, 6, 15)), numbers=NumberFormat(mark))  # type: ignore[arg-type]


def sifted(sieve: Sieve, lines: Lines) -> list[object]:
    """Every line in its order: what it means, or why it is rejected."""
    found: list[object] = []
    for piece in sieve.sift(lines):
        if isinstance(piece, Reject):
            found.append(piece)
        else:
            for line in piece.data.decode().removesuffix("\n").split("\n"):
                fields = dict(zip(piece.columns, map(value, line.split("\t")), strict=True))
                found.append(typed(tuple(fields[name] for name in CANONICAL_COLUMNS)))
    return found


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("extra", [False, True])
def test_ordinary_lines_pass_as_if_each_were_read(
    order: str, mark: str, extra: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The glance that lets thousands through changes nothing but the time."""
    lines = random_lines(7, 20_000)
    columns: tuple[str | None, ...] = CANONICAL_COLUMNS
    if extra:
        lines = [b"x\\ty\t" + line for line in lines[::2]] + [b"\t" + line for line in lines[1::2]]
        columns = (None, *columns)
    sieve = sieve_of(columns, order, mark)
    batch = Lines(columns, 1, b"".join(lines))
    quick = sifted(sieve, batch)
    assert len(quick) == len(lines)
    assert {type(found) for found in quick} == {Reject, tuple}
    monkeypatch.setattr(Sieve, "_end_of_ordinary", lambda self, data, at: at)
    assert sifted(sieve, batch) == quick


@pytest.fixture
def contract(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """A connection on which `taken` has the contract of raw_invoices."""
    with psycopg.connect(warehouse.url, options="-c search_path=lgs") as connection:
        connection.execute("create temp table taken (like raw_invoices including constraints)")
        connection.execute("alter table taken drop dump, drop line_number")
        yield connection


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize("order", ORDERS)
def test_postgresql_takes_all_that_passes(order: str, mark: str, contract: psycopg.Connection) -> None:
    """Every good line keeps to the contract of raw_invoices, and means there what it means here."""
    sieve = sieve_of(CANONICAL_COLUMNS, order, mark)
    batch = Lines(CANONICAL_COLUMNS, 1, b"".join(random_lines(11, 20_000)))
    with contract.cursor() as cursor:
        with cursor.copy(f"copy taken ({', '.join(CANONICAL_COLUMNS)}) from stdin".encode()) as copy:
            for piece in sieve.sift(batch):
                if not isinstance(piece, Reject):
                    copy.write(piece.data)
        taken = cursor.execute(f"select {', '.join(CANONICAL_COLUMNS)} from taken".encode()).fetchall()
    assert taken == [found for found in sifted(sieve, batch) if not isinstance(found, Reject)]


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(st.sampled_from([*"0123456789-+.eE:/ TAPMNaN\t\\£é\r", "20", "12"]), max_size=25).map("".join))
def test_no_text_is_beyond_the_sieve(text: str) -> None:
    """Whatever a field holds, the line passes or is rejected."""
    lines = [with_field(column, text.replace("\t", "")) for column in CANONICAL_COLUMNS]
    assert read(copy_of(*lines)).lines == len(lines)


def test_many_bad_lines_take_no_longer_than_as_many_good_ones() -> None:
    """Not even when each of them looks ordinary but for one byte."""
    bad = with_field("description", "£").encode("latin-1") + b"\n"
    content = b"SET client_encoding = 'UTF8';\n" + COPY.encode() + bad * 100_000 + b"\\.\n"
    began = time.perf_counter()
    with open_dump(in_memory(content)) as dump:
        assert sum(isinstance(piece, Reject) for piece in dump.pieces) == 100_000
    assert time.perf_counter() - began < 15


@pytest.mark.parametrize(
    "text", ["'" * 100_000 + "x", "1 " * 1_000_000, "C-" * 1_000_000, "2011-" * 400_000, "9" * 10**6]
)
def test_a_value_of_any_length_is_rejected_at_once(text: str) -> None:
    """No pattern is tried on it, neither when the file is surveyed nor when its lines are read."""
    columns = [column for column in CANONICAL_COLUMNS if column != "description"]
    began = time.process_time()
    found = read(copy_of(*(with_field(column, text) for column in columns), GOOD.rstrip("\n")))
    assert time.process_time() - began < 3
    assert [(reject.column, list(found.good)) for reject in found.rejects] == [
        (column, [len(columns) + 2]) for column in columns
    ]
