"""CSV dumps, as the programs that people use write them."""

import csv
import io
import time
import tracemalloc
from contextlib import suppress
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.errors import DumpError
from lgs_assets.sources import CANONICAL_COLUMNS, csv_dump, open_dump
from lgs_assets_tests.sources.reading import CSV_GOOD, HEADER, LANTERN, Values, endless, or_none, read, refusal, typed

CHUNK_SIZES = [1, 2, 3, 4, 5, 7, 64, 1000]


def record_with(field: str) -> str:
    return CSV_GOOD.replace("LANTERN", field)


def descriptions(content: str | bytes) -> list[str | None]:
    found = read(content)
    assert not found.rejects
    return [line[2] for line in found.good.values()]


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
        ",".join(CANONICAL_COLUMNS) + "\n",
        '"Invoice No", stock_code ,DESCRIPTION,quantity,"Invoice Date",Unit_Price,customerid,COUNTRY\n',
        "\ufeff" + HEADER,
        "\ufeff" + HEADER.replace("Invoice,", '"Invoice",'),
        HEADER.replace("\n", "\r\n"),
        "Invoice-No,Stock\u00a0Code,Description,Quantity (units),Invoice  Date,Price (GBP),Customer-ID,Country\n",
        "invoice.no,stock-code,description,QUANTITY,invoice_date,Unit_Price_GBP,Customer\u202fID,country\n",
        "Invoice No.,StockCode,Description,Quantity,InvoiceDate,Price £,Customer ID,Country\n",
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Unit price [in GBP],Customer ID,Country\n",
        "Invoice,StockCode,Description,Quantity (no. of items),InvoiceDate,PriceGbp,Customer ID,Country\n",
        "Invoice ID,StockCode,Description,Qty,InvoiceDateTime,UnitPriceGBP,Customer No,Country\n",
        "InvoiceID,StockCode,Description,Quantity pcs,Invoice Date/Time,Price in £,Customer Number,Country\n",
        "Invoice,StockCode,Description,Quantity_units,InvoiceDate,Price in pounds,CustomerNo.,Country\n",
        "Invoice,StockCode,Description,Qty (pcs),InvoiceDate,Price sterling,Customer ID,Country\n",
        "Invoice,StockCode,Description,Quantity,InvoiceDate,GBP Price,Customer ID,Country\n",
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price (pounds,Customer ID,Country\n",
        "Invoice,StockCode,Description,Quantity,InvoiceDate,£ Unit Price (pounds sterling),Customer ID,Country\n",
        '="Invoice",="StockCode",="Description",="Quantity",="InvoiceDate",="Price",="Customer ID",="Country"\n',
    ],
)
def test_headers_in_use_mean_the_canonical_columns(header: str) -> None:
    """Each of the names that the retailer's files have used, whatever the case, blanks, quotes and line breaks."""
    assert read(header + CSV_GOOD).good == {2: LANTERN}


@pytest.mark.parametrize(
    "above",
    [
        "sep=,\n",
        "\n",
        "Sales report\n\n",
        '"Sales, by line",,,,,,,\n',
        "Country: all\nPrice\n",
        "x\n" * 19,
        "\ufeffsep=,\n",
    ],
)
@pytest.mark.parametrize("size", [1, csv_dump.CHUNK_BYTES])
def test_lines_above_the_header_are_told(above: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A title, notes, blank lines, a hint to Excel about the delimiter: the lines below keep their numbers."""
    monkeypatch.setattr(csv_dump, "CHUNK_BYTES", size)
    found = read(above + HEADER + CSV_GOOD)
    assert (list(found.good.values()), list(found.good)) == ([LANTERN], [above.count("\n") + 2])
    told = [line for line in above.lstrip("\ufeff").split("\n") if line]
    assert found.facts.get("lines above the header", "") == ", ".join(told)


def test_a_header_further_down_is_none() -> None:
    """The error says what the file begins with."""
    assert ", line 1: no column invoice_no" in refusal("x\n" * 20 + HEADER + CSV_GOOD)


def test_the_bare_name_of_a_column_comes_before_one_with_a_unit() -> None:
    """What else has the name, with a unit, is another column."""
    found = read(HEADER.replace("\n", ",Price (EUR)\n") + CSV_GOOD.replace("\n", ",9.99\n"))
    assert (found.good, found.facts["columns left out"]) == ({2: LANTERN}, "Price (EUR)")


@pytest.mark.parametrize("other", ["Invoice ID", "Qty", "Customer Number", "GBP price", "Price €"])
def test_a_second_name_counts_only_alone(other: str) -> None:
    """Beside the number of an invoice, its id is something else."""
    found = read(HEADER.replace("\n", f",{other}\n") + CSV_GOOD.replace("\n", ",9\n"))
    assert (found.good, found.facts["columns left out"]) == ({2: LANTERN}, other)


@pytest.mark.parametrize(
    "price",
    [
        "Price (pence)", "Price (in p)", "Price in pence", "Price [000s]", "Price (GBX)", "Unit Price (GBp)",
        "PriceGBp", "unit_price GBp", "Price (¢)", "Price ¢", "Price (each) ¢", "Price ￠", "Price %", "Price (pp)",
        "Price (ct)", "Price (c)", "Price (£1000)", "Price (£'000)", "Price (1000s)", "Price (hundreds)", "Price (m)",
        "Price (£m)", "Price (per 100)", "Price (per dozen)", "Price (pence) (excl. VAT)", "Price (net; pence)",
        "Price (tenths)", "Price (discount)", "Price (VAT)", "Price (AUD)", "Price A$", "Price (£/€)",
        "Price GBP (EUR)", "Price ［pence］",
    ],
)  # fmt: skip
def test_a_price_in_other_units_is_none(price: str) -> None:
    """Pence read as pounds would be a hundred times too much. The error says what to do with the column."""
    said = refusal(HEADER.replace("Price", price) + CSV_GOOD)
    assert f"no column unit_price. {price}: expected pounds; convert the values or rename the column. Found:" in said


@pytest.mark.parametrize(
    "note",
    [
        "pounds and pence", "pounds & pence", "£.p", "£p", "pre-tax, p.a.", "each", "£ per item", "£/unit",
        "incl. VAT", "excl. 20% VAT", "inc. VAT (20%)", "VAT included", "net", "gross, in GBP", "£, before discounts",
        "GBP) (ex VAT", "list", "",
    ],
)  # fmt: skip
def test_a_note_on_a_price_may_say_what_does_not_change_it(note: str) -> None:
    """The price is in pounds all the same."""
    found = read(HEADER.replace("Price", f'"Unit Price ({note})"') + CSV_GOOD)
    assert (found.good, found.facts["numbers"]) == ({2: LANTERN}, "decimal point")


@pytest.mark.parametrize("quantity", ["Quantity (dozens)", "Qty (boxes of 6)", "Quantity (x100)", "Quantity %"])
def test_a_quantity_of_more_than_items_is_none(quantity: str) -> None:
    """As for prices."""
    said = refusal(HEADER.replace("Quantity", quantity) + CSV_GOOD)
    assert f"no column quantity. {quantity}: expected single items; convert the values or rename the column." in said


@pytest.mark.parametrize("note", ["UTC", "GMT", "in UTC", "UTC+1", "CET", "+01:00", "Z"])
def test_a_date_in_another_time_zone_is_none(note: str) -> None:
    """It would be taken for London time. What else a note says does no harm."""
    assert "expected London time" in refusal(HEADER.replace("Date", f"Date ({note})") + CSV_GOOD)
    for other in ("local", "dd/mm/yyyy hh:mm", "London", "of sale"):
        assert read(HEADER.replace("Date", f"Date ({other})") + CSV_GOOD).lines == 1


def test_of_several_names_that_may_be_meant_none_is_blamed() -> None:
    """Nor one that is too long to be a name."""
    for price in ("Price (pence),Price (cents)", "Price (pence" + "x" * 100):
        assert "no column unit_price. Found:" in refusal(HEADER.replace("Price", price) + CSV_GOOD)


@pytest.mark.parametrize(
    ("price", "currency"),
    [("Price (USD)", "$"), ("Price $", "$"), ("Price US$", "$"), ("Unit_Price_EUR", "€"),
     ("Price (€, net of VAT)", "€"), ("PRICE (Euro)", "€"), ("Price U S D", "$")],
)  # fmt: skip
def test_the_currency_of_a_header_is_that_of_all_prices(price: str, currency: str) -> None:
    """It is reported like one beside each price, and another beside a price is rejected."""
    header = HEADER.replace("Price", f'"{price}"')
    found = read(
        header + CSV_GOOD + CSV_GOOD.replace("2.55", f"{currency}2.55") + CSV_GOOD.replace("2.55", "£2.55") * 2
    )
    assert (found.good, found.facts["numbers"]) == ({2: LANTERN, 3: LANTERN}, f"decimal point, in {currency}")
    assert [reject.reason[:21] for reject in found.rejects] == [f"expected a price in {currency}"] * 2


def test_a_text_formula_is_its_text() -> None:
    """In any column, quoted or not: a copy of the line by Excel is no other line."""
    fields = [f'="{value}"' for value in LANTERN]
    quoted = ['"' + field.replace('"', '""') + '"' for field in fields]
    found = read(HEADER + CSV_GOOD + ",".join(fields) + "\n" + ",".join(quoted) + "\n")
    assert [typed(line) for line in found.good.values()] == [typed(LANTERN)] * 3
    dated = [field.replace("2010-12-01", "13/12/2010") for field in fields]
    assert read(HEADER + ",".join(dated) + "\n").facts["dates"] == "day first"


def test_columns_come_in_any_order_and_others_are_not_kept() -> None:
    """Columns left out are stated."""
    found = read(
        "Country,row,Customer ID,Price,InvoiceDate,Quantity,Description,,StockCode,Invoice\n"
        'United Kingdom,1,17850,2.55,2010-12-01 08:26:00,6,LANTERN,"a,\\\nb",85123A,536365\n'
    )
    assert found.good == {2: LANTERN}
    assert found.facts["columns left out"] == "row, "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CSV_GOOD, ", line 1: no column invoice_no, .*, country. Found: 536365, 85123A, "),
        (HEADER.replace("Price,", ""), r", line 1: no column unit_price. Found: Invoice, .*, Country\."),
        (
            HEADER.replace("Country", "Country,UnitPrice"),
            "line 1: more than one column for unit_price. Found: Invoice,",
        ),
        (HEADER.replace("\n", "\r") + CSV_GOOD, "its lines end in a bare carriage return"),
        ("x" * 100_000, ", line 1: no column"),
        (bytes(range(256)) * 10, ": this is not text, nor any format the platform reads"),
    ],
)
def test_a_file_without_the_columns_is_refused(text: str | bytes, said: str) -> None:
    """The error says which columns are missing or there twice, and what the first line holds instead."""
    with pytest.raises(DumpError, match=said) as caught:
        read(text)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_any_dialect_says_the_same(
    delimiter: str, quoting: int, line_break: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delimiters, quotes and line breaks, also within a value, however the file is cut in chunks."""
    own_line_breaks = ["one\rline", "dos\r\nlines"] if line_break == "\r\n" else []
    texts = ["LANTERN", 'HEART, "WHITE"', "a;b|c\td,e", "C:\\N\\", "\\N", "\\.", "two\nlines", "three\n\n lines", " x ",
             "it's", "é £", "\x01\x02", '"', '""', "NULL value", ",", *own_line_breaks]  # fmt: skip
    rows = [(*LANTERN[:2], text, *LANTERN[3:]) for text in [*texts, ""]]
    file = io.StringIO(newline="")
    # The stubs know quoting only as the four constants, not as their type.
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=line_break)  # type: ignore[arg-type]
    writer.writerow(HEADER.strip().split(","))
    writer.writerows(rows)
    for size in [csv_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(csv_dump, "CHUNK_BYTES", size)
        assert descriptions(file.getvalue()) == [*map(or_none, texts), None], size


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_any_encoding_says_the_same(encoding: str, named: str) -> None:
    """It is seen by its mark, or by the first characters beyond ASCII, and stated."""
    content = HEADER + CSV_GOOD * 10_000 + record_with("CAFÉ £5") + record_with("“quotes”")
    found = read(content.encode(encoding))
    assert [found.good[10_002][2], found.good[10_003][2]] == ["CAFÉ £5", "“quotes”"]
    assert found.facts["encoding"] == named


def test_bytes_of_another_encoding_are_rejects() -> None:
    """A file is in one encoding."""
    content = (
        (HEADER + record_with("café") * 3).encode() + record_with("café").encode("cp1252") + b"\n" + CSV_GOOD.encode()
    )
    found = read(content)
    assert [reject.line for reject in found.rejects] == [5]
    assert "caf\\xe9" in found.rejects[0].text
    undefined = read(HEADER.encode() + record_with("caf%e").encode().replace(b"%", b"\xe9\x81"))
    assert undefined.rejects[0].reason == "byte 0x81 is not valid text"


@pytest.mark.parametrize("missing", ["", '""', "NULL"])
def test_an_empty_value_is_none(missing: str) -> None:
    """Also in quotes, and as SQL Server's tools write it; in the first field, the last and the next to another."""
    record = f"{missing},2,{missing},{missing},2011-01-01,1,{missing},{missing}\n"
    ((reject),) = read(HEADER + record).rejects
    assert reject.column == "invoice_no"
    assert reject.reason.startswith("expected a value, found")
    found = read(HEADER + f"1,2,{missing},3,2011-01-01,1,{missing},NULLARBOR\n")
    expected = ("1", "2", None, "3", "2011-01-01", "1", None, "NULLARBOR")
    assert [typed(line) for line in found.good.values()] == [typed(expected)]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n\n", "\r\n\r\n", "\n\r\n"])
def test_blank_lines_are_no_records(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end and between; the numbers are those of the file."""
    for size in [csv_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(csv_dump, "CHUNK_BYTES", size)
        found = read(f"{HEADER}\n{CSV_GOOD}\n\r\n{CSV_GOOD.rstrip()}{end}")
        assert (found.good, found.rejects) == ({3: LANTERN, 6: LANTERN}, [])


@pytest.mark.parametrize(
    ("lines", "rejected", "good"),
    [
        ([record_with('5" disc')], [], [2]),
        ([record_with('"never ends'), CSV_GOOD, CSV_GOOD], [2], [3, 4]),
        ([record_with('"ends" early'), CSV_GOOD], [2], [3]),
        ([record_with('"one'), record_with('two"'), CSV_GOOD], [2], [3, 4]),
        ([record_with('"one'), record_with('of "" these'), record_with('two"'), CSV_GOOD], [2], [3, 4, 5]),
        ([record_with('"one'), record_with('one, two"'), CSV_GOOD], [2, 3], [4]),
        ([record_with('"one, 1'), record_with('two"'), CSV_GOOD], [2], [3, 4]),
        ([CSV_GOOD.replace("United", '"United'), CSV_GOOD.replace("dom", 'dom"'), CSV_GOOD], [2, 3], [4]),
        ([f'"{CSV_GOOD}', CSV_GOOD.replace("65,", '65",'), CSV_GOOD], [2, 3], [4]),
        ([record_with('"one\nred, green and blue"'), CSV_GOOD], [], [2, 4]),
        ([CSV_GOOD.replace("536365,", '"536\n365",'), CSV_GOOD], [], [2, 4]),
        ([record_with('"one\nred, green, blue"'), CSV_GOOD], [], [2, 4]),
        ([record_with('"one'), CSV_GOOD, record_with('two"'), CSV_GOOD], [2], [3, 4, 5]),
        ([record_with('"one'), record_with('"two'), CSV_GOOD], [2, 3], [4]),
        ([record_with('"one\ntwo"'), CSV_GOOD], [], [2, 4]),
        ([record_with('"one\ntwo",more'), CSV_GOOD], [2, 3], [4]),
        ([record_with('"' + "line\n" * 98 + '"'), CSV_GOOD], [], [2, 101]),
        ([record_with('"' + "line\n" * 100 + '"'), CSV_GOOD], list(range(2, 103)), [103]),
        (["1,2,3\n", CSV_GOOD.rstrip() + ",more\n", CSV_GOOD], [2, 3], [4]),
        ([record_with("a\0b"), record_with("a\rb"), CSV_GOOD], [2, 3], [4]),
        ([record_with('"a\0b"'), record_with('"a\0\nb"'), CSV_GOOD], [2, 3], [5]),
        ([CSV_GOOD, record_with('"cut off')[:40]], [3], [2]),
    ],
)  # fmt: skip
def test_a_broken_record_takes_no_other_with_it(
    lines: list[str], rejected: list[int], good: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a quotation goes wrong, only the line in which it begins is given up, with any delimiter."""
    for size in [csv_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(csv_dump, "CHUNK_BYTES", size)
        for delimiter in ",;":
            found = read((HEADER + "".join(lines)).replace(",", delimiter))
            assert ([reject.line for reject in found.rejects], list(found.good)) == (rejected, good), size


@pytest.mark.parametrize("blank", [" ", "  ", "\t", " \t "])
def test_blanks_before_quotes_are_no_part_of_a_value(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As R's write.table(sep = ", ") leaves them. What stands in quotes stays as it is, and the form is stated."""
    texts = ["LANTERN", ' 12" RULER, RED ', 'a, "b", c', "C:\\t", "x, "]
    lines = []
    for text in texts:
        quoted = text.replace('"', '""')
        lines.append(f'536365,{blank}"85123A",{blank}"{quoted}" ,{blank}6,{blank}2010-12-01,{blank}2.55,{blank}17850,')
    if "\t" not in blank:
        texts.append("two\nlines")
        lines.append(lines[0].replace('LANTERN" ', 'two\nlines"'))
    content = HEADER + "".join(f'{line}{blank}"United Kingdom"\r\n' for line in lines)
    for size in [csv_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(csv_dump, "CHUNK_BYTES", size)
        found = read(content)
        assert ([line[2] for line in found.good.values()], found.rejects) == (texts, []), size
        assert {(line[1], line[7]) for line in found.good.values()} == {("85123A", "United Kingdom")}
        assert found.facts["quotes"] == "after blanks"


@pytest.mark.parametrize("run", [" ", "\t", ' "', ", ", '"" '])
def test_blanks_take_no_longer_the_more_of_them_there_are(run: str) -> None:
    """A line of nothing else is read in a time that grows with its length, and no faster."""
    padded = ", ".join(f'"{field}"' for field in LANTERN) + "\n"
    seconds = []
    for count in (20_000, 80_000):
        began = time.process_time()
        assert len(read(HEADER + padded + padded.replace("LANTERN", f"x{run * count}x")).good) >= 1
        seconds.append(time.process_time() - began)
    assert seconds[1] < 12 * seconds[0] + 0.5


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_apostrophes_around_values_are_no_part_of_them(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where those around countries show that they quote. Inside a quotation, two of them are one."""
    texts = ["LANTERN", "CHILD'S MUG", 'a "b" c', "a,b;c|d", "\\", "'TIS"]
    lines = []
    for text in texts:
        fields = ("536365", "85123A", text, 6, "2010-12-01", 2.55, 17850, "Cote d'Ivoire")
        lines.append(
            [f"""'{field.replace("'", "''")}'""" if isinstance(field, str) else f"{field}" for field in fields]
        )
    content = "\n".join(map(mark.join, [HEADER.rstrip().split(","), *lines]))
    for size in [csv_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(csv_dump, "CHUNK_BYTES", size)
        found = read(content)
        assert ([line[2] for line in found.good.values()], found.rejects) == (texts, []), size
        assert {(line[0], line[1], line[7]) for line in found.good.values()} == {("536365", "85123A", "Cote d'Ivoire")}
        assert found.facts["quotes"] == "apostrophes"


@pytest.mark.parametrize("text", ["'TIS A MUG", "'MUG'", 'RED, "MUG"', 'MUG "XL"', '"MUG"', "MUG '"])
def test_quotes_within_a_description_stay(text: str) -> None:
    """Where the lines show no other form than the usual one, also if each begins with an apostrophe."""
    quoted = text.replace('"', '""')
    assert descriptions(HEADER + record_with(f'"{quoted}"') * 3) == [text] * 3
    assert "quotes" not in read(HEADER + record_with(f'"{quoted}"')).facts


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ([' "LANTERN"'], None), (['\t"LANTERN"'], None), (["'85123A'"], "stock_code"), (["“85123A”"], "stock_code"),
        (["'United Kingdom'"], "country"), (['"""United Kingdom"""'], "country"), (["'536365'"], "invoice_no"),
    ],
)  # fmt: skip
def test_a_value_that_has_kept_its_quotes_is_rejected(fields: list[str], column: str | None) -> None:
    """Unlike the first lines: whoever wrote it meant the text within."""
    ((field),) = fields
    place = {"stock_code": "85123A", "country": "United Kingdom", "invoice_no": "536365"}.get(column or "", "LANTERN")
    found = read(HEADER + CSV_GOOD.replace("LANTERN", '"LANTERN"') * 200 + CSV_GOOD.replace(place, field))
    assert [(reject.line, reject.column) for reject in found.rejects] == [(202, column)]
    assert "quot" in found.rejects[0].reason


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("title", ["", "Sales, all\n", '12" rulers\n', '"Sales\n'])
def test_the_names_of_a_header_may_have_line_breaks(title: str, end: str) -> None:
    """As a spreadsheet writes a name on two lines; lines are numbered as they are in the file."""
    header = HEADER.replace("Customer ID", '"Customer\nID"').replace("StockCode", '"Stock\nCode"')
    found = read((title + header + CSV_GOOD * 2).replace("\n", end))
    first = 4 + bool(title)
    assert found.good == {first: LANTERN, first + 1: LANTERN}


def test_a_reject_is_shown_as_it_stands_in_the_file() -> None:
    """Not as it looks after half the work on it."""
    line = CSV_GOOD.replace("LANTERN", '"a, ""b""\t\\"').replace(",6,", ",six,").rstrip()
    (reject, other) = read(f"{HEADER}{line}\r\n{line.replace('a,', 'a,' + chr(10))}").rejects
    assert (reject.line, reject.text, reject.column) == (2, line, "quantity")
    assert (other.line, other.text) == (3, line.replace("a,", "a,\n"))


def test_what_pandas_writes_is_read() -> None:
    """With its own index, floats for customers and its way to write a missing value."""
    frame = pd.DataFrame([LANTERN, LANTERN], columns=HEADER.strip().split(","))
    frame = frame.astype({"Quantity": int, "Price": float, "Customer ID": float})
    frame["InvoiceDate"] = pd.to_datetime(frame["InvoiceDate"])
    frame.loc[1, ["Customer ID", "Description"]] = None
    written: list[dict[str, Any]] = [
        {},
        {"sep": ";"},
        {"quoting": csv.QUOTE_NONNUMERIC},
        {"date_format": "%d/%m/%Y %H:%M"},
    ]
    for options in written:
        found = read(str(frame.to_csv(**options)), dates="day first")
        first, second = map(typed, found.good.values())
        assert (first[2:6], second[2:6]) == (typed(LANTERN)[2:6], (None, *typed(LANTERN)[3:6]))
        assert (first[6], second[6]) == (17850, None)


TEXTS = st.text(st.sampled_from('ab",;|\t\\N\r\n.é\x01\x02 '), max_size=8)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(
    st.lists(TEXTS, min_size=1, max_size=30),
    st.sampled_from([*CHUNK_SIZES, csv_dump.CHUNK_BYTES]),
    st.sampled_from(",;|\t"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_whatever_is_written_comes_back_equal(texts: list[str], size: int, delimiter: str, quoting: int) -> None:
    """Every text, in every dialect."""
    file = io.StringIO(newline="")
    # The stubs know quoting only as the four constants, not as their type.
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(HEADER.strip().split(","))
    writer.writerows((*LANTERN[:2], text, *LANTERN[3:]) for text in texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_dump, "CHUNK_BYTES", size)
        assert descriptions(file.getvalue()) == [or_none(text) for text in texts]


def by_pythons_module(content: str, delimiter: str) -> list[Values] | None:
    """The records as Python's own module reads them; None if it refuses any."""
    try:
        rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return [tuple(or_none(field) for field in row) for row in rows[1:] if row]


@settings(derandomize=True, deadline=None, max_examples=1500)
@given(
    st.lists(st.sampled_from([*'",a\n\\\t', '""', "NULL", CSV_GOOD, "LANTERN,", ',"', '",']), max_size=12).map("".join),
    st.sampled_from([1, 7, csv_dump.CHUNK_BYTES]),
)  # fmt: skip
def test_any_quotes_are_read_as_pythons_module_reads_them(text: str, size: int) -> None:
    """What it reads whole is read alike; whatever it is, each line that is not blank is good, rejected or inside."""
    content = f"{HEADER}{CSV_GOOD}{text}\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_dump, "CHUNK_BYTES", size)
        found = read(content)
    expected = by_pythons_module(content, ",")
    if expected is not None and all(len(row) == len(CANONICAL_COLUMNS) for row in expected):
        assert found.lines == len(expected)
        assert all(row in expected for row in found.good.values())
    inside = sum(value.count("\n") for line in found.good.values() for value in line if value)
    inside += sum(reject.text.count("\n") for reject in found.rejects)
    filled = sum(bool(line) for line in content.split("\n")[1:])
    assert filled <= found.lines + inside <= content.count("\n") - 1


@pytest.mark.parametrize("piece", [b"x", b".", b"\n", b"\\.", b"\r\n", b'"', b'""', CSV_GOOD.encode()])
def test_memory_does_not_grow_with_the_file(piece: bytes) -> None:
    """Neither records nor blank lines are collected, nor what follows a quote; a line has a limit."""
    length = (1 if b"\n" in piece else 48) << 19
    path = endless(HEADER.encode() + CSV_GOOD.encode(), piece, length=length, end=b"\n")
    tracemalloc.start()
    try:
        with open_dump(path) as dump, suppress(DumpError):
            for _ in dump.pieces:
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


def test_a_line_without_end_is_refused() -> None:
    """No invoice line is that long, and it must not fill the memory."""
    path = endless(HEADER.encode() + CSV_GOOD.encode(), b"x", length=24 << 20, end=b"\n")
    assert refusal(path) == "a dump: a line is longer than 16,777,216 bytes."


@pytest.mark.parametrize("line", ['"\n', '","\n', 'x","\n', '"x\n', 'x"\n', '""x,"\n', ",\n", '"' * 50 + "\n"])
def test_time_grows_with_the_number_of_bad_lines_and_no_faster(line: str) -> None:
    """Not even where each line looks as if it began a quotation that goes on."""
    began = time.process_time()
    assert read(HEADER + CSV_GOOD + line * 30_000).lines > 10_000
    assert time.process_time() - began < 10


def test_a_stray_byte_does_not_turn_the_rest_of_the_file() -> None:
    """A pound sign of Windows in the first lines, text in UTF-8 far behind: each is read as what it is."""
    first = record_with("POUND").encode("cp1252").replace(b"POUND", b"\xa3")
    rest = (CSV_GOOD * 10_000 + record_with("caf\u00e9")).encode()
    found = read(HEADER.encode() + first + rest)
    assert not found.rejects
    assert [found.good[number][2] for number in (2, 10_003)] == ["\u00a3", "caf\u00e9"]
