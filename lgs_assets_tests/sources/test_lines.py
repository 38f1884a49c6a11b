"""The sieve: what an invoice line may look like, and why others are rejected."""

import random
import time
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.sources import CANONICAL_COLUMNS, open_dump
from lgs_assets.sources.lines import Lines, Reject, Sieve
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.sources.reading import COPY, GOOD, HEADER, LANTERN, in_memory, read, refusal, typed, value

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
        ("description", "", ""),
        ("description", "\\N", None),
        ("description", "\\\\N", "\\N"),
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
        ("unit_price", ".5", Decimal("0.5")),
        ("customer_id", "13085.0", 13085),
        ("customer_id", "1.3085e+04", 13085),
        ("customer_id", "2147483647", 2**31 - 1),
        ("customer_id", " ", None),
        ("customer_id", "\\N", None),
        ("country", "", ""),
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
        ("0001-01-01 00:00:00", "0001-01-01 00:00:00"),
        ("9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"),
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
        (with_field("quantity", ""), "quantity", "a whole number"),
        (with_field("unit_price", "£2.55"), "unit_price", "a price: digits, with a point before the pence"),
        (with_field("unit_price", "2,55"), "unit_price", "a price"),
        (with_field("unit_price", "NaN"), "unit_price", "a price"),
        (with_field("unit_price", "-Infinity"), "unit_price", "a price"),
        (with_field("unit_price", "100000000"), "unit_price", "a price below 100,000,000 with 6 decimals at most"),
        (with_field("unit_price", "0.0000001"), "unit_price", "6 decimals at most"),
        (with_field("unit_price", "1e999"), "unit_price", "a price below"),
        (with_field("unit_price", "9" * 5000), "unit_price", "a price below"),
        (with_field("invoice_date", "2011-02-30"), "invoice_date", "a date and time that there is, year first"),
        (with_field("invoice_date", "2011-02-29 00:00"), "invoice_date", "a date and time that there is"),
        (with_field("invoice_date", "2011-01-01 24:00"), "invoice_date", "a date and time that there is"),
        (with_field("invoice_date", "2011-01-01 13:00 PM"), "invoice_date", "a date and time that there is"),
        (with_field("invoice_date", "0000-01-01"), "invoice_date", "a date and time that there is"),
        (with_field("invoice_date", "infinity"), "invoice_date", "a date and time, year first, found 'infinity'"),
        (with_field("invoice_date", "2011-01-01 10:00+00"), "invoice_date", "a date and time, year first"),
        (with_field("invoice_date", "31/01/2011"), "invoice_date", "a date and time, year first"),
        (with_field("customer_id", "0"), "customer_id", "the number of a customer, from 1 on"),
        (with_field("customer_id", "-1"), "customer_id", "the number of a customer, from 1 on"),
        (with_field("customer_id", "12.5"), "customer_id", "a whole number"),
        (with_field("customer_id", "ana"), "customer_id", "a whole number"),
        (with_field("description", "a\0b"), "description", "a NUL character"),
        (with_field("description", "a\\000b"), "description", "a NUL character"),
        (with_field("description", "\\351"), "description", "the byte 0xe9 is no part of a text"),
        (with_field("country", "UK\\"), None, "a backslash at the end of the line"),
        (with_field("description", "a\rb"), None, "a carriage return in the middle of the line"),
        ("", None, "expected 8 fields, found 1"),
        ("1\t2\t3", None, "expected 8 fields, found 3"),
        (GOOD.rstrip("\n") + "\tmore", None, "expected 8 fields, found 9"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_rejected_and_no_other(line: str, column: str | None, reason: str) -> None:
    """It comes back as it stands in the dump, with its number, the column at fault and the reason."""
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
        "the byte 0xa3 is no part of a text",
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
    """A slip of the pen neither turns the dates of a file, nor what is said of them."""
    content = csv_of(*["03/04/2011"] * 300, "04/13/2011")
    assert "dates like 03/04/2011 can be read day first and month first" in refusal(content)
    found = read(content, dates="day first")
    assert {typed(line)[AT["invoice_date"]].month for line in found.good.values()} == {4}
    assert [reject.line for reject in found.rejects] == [302]


def test_dates_that_nothing_tells_apart_are_refused_unless_it_is_said() -> None:
    """The error shows such a date and what to do."""
    content = csv_of("never", "03/04/2011", "05/06/2011 10:00")
    assert "dates like never can be read" not in refusal(content)
    assert "dates like 03/04/2011 can be read day first and month first" in refusal(content)
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
    """One order a file: what the file shows counts, even against what is said. A file that shows two is refused."""
    found = read(csv_of(*["13/02/2011"] * 200, "02/13/2011", "2011-02-13"), dates="month first")
    assert [reject.line for reject in found.rejects] == [202, 203]
    assert found.facts["dates"] == "day first"
    assert "1 are day first and 1 are month first" in refusal(csv_of("13/02/2011", "02/13/2011"))


# The fast way and the slow one.

FIELDS = [
    ["536365", "C1", "", " x ", "\\N", "a\\tb", "é"],
    ["85123A", "", "\\\\", "x"],
    ["LANTERN", "\\N", "", "a\\\tb", "\\351", "\\x41", "a\rb", "\0", "£", "\\"],
    ["6", "-1", "six", "1.0", "999999999", "9999999999", "", "007", "+5"],
    ["2010-12-01 08:26:00", "2010-12-31", "2010-02-29", "2012-02-29 7:05", "2010-04-31", "31/12/2010", "1/2/2010 0:00",
     "12/31/2010 23:59:59.5", "2010-1-1", "9/30/2010", "30/9/2010 24:00", "29/2/2011", "29/2/2012"],
    ["2.55", "-1", "0", "99999999.999999", "1e3", "2.5499999999999998", "NaN", "0.0000001", "2.5500000000"],
    ["17850", "\\N", "", "17850.0", "0", "x", "2147483648"],
    ["United Kingdom", "", "\\N", "EIRE\t", "Réunion"],
]  # fmt: skip
ORDERS = ["year first", "day first", "month first"]


def random_lines(seed: int, count: int) -> list[bytes]:
    """Lines of which about one in three has something odd, among them bytes that are no text."""
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


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("extra", [False, True])
def test_ordinary_lines_pass_as_if_each_were_read(order: str, extra: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The glance that lets thousands through changes nothing but the time."""
    lines = random_lines(7, 20_000)
    columns: tuple[str | None, ...] = CANONICAL_COLUMNS
    if extra:
        lines = [b"x\\ty\t" + line for line in lines[::2]] + [b"\t" + line for line in lines[1::2]]
        columns = (None, *columns)
    sieve = Sieve(columns, order)  # type: ignore[arg-type]
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


@pytest.mark.parametrize("order", ORDERS)
def test_postgresql_takes_all_that_passes(order: str, contract: psycopg.Connection) -> None:
    """Every good line keeps to the contract of raw_invoices, and means there what it means here."""
    sieve = Sieve(CANONICAL_COLUMNS, order)  # type: ignore[arg-type]
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
    """Whatever stands in a field, the line passes or is rejected."""
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
