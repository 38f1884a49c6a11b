"""Workbooks of Excel and LibreOffice: sheets with the same columns, read as one dump, whatever their XML holds."""

import functools
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from lgs_assets.sources import CANONICAL_COLUMNS, compression, excel
from lgs_assets.sources.office import letters_of
from lgs_assets_tests.sources.reading import HEADER, LANTERN, in_memory, read, refusal, typed

NAMES = HEADER.strip().split(",")
PRICE_AT = NAMES.index("Price")
ROW = [536365, "85123A", "LANTERN", 6, datetime(2010, 12, 1, 8, 26), 2.55, 17850, "United Kingdom"]


def workbook(sheets: Mapping[str, Iterable[Sequence[Any]]], *, price_format: str = "") -> bytes:
    """A workbook of these rows, with numbers in the column of prices in a format."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "d/m/yy hh:mm"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.set_column(PRICE_AT, PRICE_AT, None, book.add_format({"num_format": price_format}))
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return file.getvalue()


def with_cell(column: str, cell: Any) -> list[Any]:
    return [cell if name == column else usual for name, usual in zip(NAMES, ROW, strict=True)]


def test_all_sheets_are_one_dump() -> None:
    """In their order, numbered through. Sheets of other things are left out, which is stated."""
    content = workbook(
        {
            "Year 2009-2010": [NAMES, ROW, ROW],
            "Notes": [["Source: UCI", 1.5], ["Quantity per line"]],
            "Empty": [],
            "Year 2010-2011": [NAMES, ROW],
        }
    )
    found = read(content)
    assert [typed(line) for line in found.good.values()] == [typed(LANTERN)] * 3
    assert list(found.good) == [2, 3, 5]
    assert not found.rejects
    assert found.facts["format"] == "Excel workbook"
    assert found.facts["sheets"] == "Year 2009-2010, Year 2010-2011"
    assert found.facts["sheets left out"] == "Notes, Empty"


def test_blank_rows_are_no_lines() -> None:
    """Above the names, between the lines and below them; the numbers are those of Excel."""
    blank = ["", None, ""]
    found = read(workbook({"a": [[], blank, NAMES, ROW, [], ["", *ROW[1:]], ROW, [], blank]}))
    assert list(found.good) == [4, 7]
    ((reject),) = found.rejects
    assert (reject.line, reject.column, reject.reason) == (6, "invoice_no", "expected a value, found none")


def test_a_reject_names_a_later_sheet_and_its_row() -> None:
    """Its number in the dump is another: lines are numbered across the sheets."""
    bad = with_cell("Quantity", "six")
    found = read(workbook({"2009": [NAMES, ROW, bad], "Notes": [], "2010": [NAMES, bad, ROW]}))
    expected = "expected a whole number"
    assert [reject.line for reject in found.rejects] == [3, 5]
    assert found.rejects[0].reason.startswith(expected)
    assert found.rejects[1].reason.startswith(f"sheet 2010, row 2: {expected}")


def test_the_sheets_of_a_workbook_have_one_currency() -> None:
    """What follows a header in euros is in euros, and one in euros after pounds is a mistake."""
    euros = [name.replace("Price", "Price (EUR)") for name in NAMES]
    found = read(workbook({"a": [euros, ROW], "b": [NAMES, ROW]}))
    assert (len(found.good), found.facts["numbers"]) == (2, "decimal point, in €")
    assert "a header that states € after prices in £" in refusal(workbook({"a": [NAMES, ROW], "b": [euros, ROW]}))


@pytest.mark.parametrize(
    ("number_format", "currency"),
    [('#,##0.00 "€"', "€"), ("#,##0.00 [$€-407]", "€"), ("_-[$€-2]* #,##0.00_-;-[$€-2]* #,##0.00_-", "€"),
     ("[$EUR] #,##0.00", "€"), ("$#,##0.00", "$"), ("[$-409]#,##0.00", None), ("£#,##0.00;[Red]-£#,##0.00", None),
     ("[$£-809]#,##0.00", None), ('0.00 "each"', None), ('"£"#,##0.00', None), ('0.00\\ "GBP"', None),
     ('_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)', None), ('_-"£"* #,##0.00_-;-"£"* #,##0.00_-', None),
     ('"("0.00")"', None), ('0.00;-0.00;"free"', None), ("0.00E+00", None), ('"£"0.00" per unit"', None),
     ("General", None), ("0.00%", None), ("\\€0.00", "€"), ("_-[$USD]\\ * 0.00_k", "$"), ("[Blue]0.00", None)],
)  # fmt: skip
def test_the_format_of_a_price_states_its_currency(number_format: str, currency: str | None) -> None:
    """The value that is stored has none: prices in euros would be loaded as pounds."""
    found = read(workbook({"a": [NAMES, ROW, with_cell("Price", -1e-05)]}, price_format=number_format))
    assert [line[PRICE_AT] for line in found.good.values()] == ["2.55", "-0.00001"]
    assert found.facts["numbers"] == "decimal point" + (f", in {currency}" if currency else "")


@pytest.mark.parametrize("start", ["[$", "[", '"', "\\\\"])
def test_a_number_format_has_255_characters_at_most(start: str) -> None:
    """As in Excel. A longer one is not looked at: half a million brackets would take hours."""
    assert read(workbook({"a": [NAMES, ROW]}, price_format="0" + start * (254 // len(start)))).lines == 1
    assert "a number format of more than 255 characters" in refusal(
        workbook({"a": [NAMES, ROW]}, price_format="0" + start * 100_000)
    )


def test_prices_in_a_currency_that_nobody_knows_are_rejected() -> None:
    """They are not pounds; the reject shows the sign that the workbook shows."""
    found = read(workbook({"a": [NAMES, ROW]}, price_format="[$A$-C09]#,##0.00"))
    assert [(reject.column, reject.text.split("\t")[PRICE_AT]) for reject in found.rejects] == [
        ("unit_price", "A$2.55")
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_workbook_with_two_states_of_a_sheet_is_refused() -> None:
    """Which of them counts is not known: programs differ. Parts that hold no lines may be there twice."""
    with zipfile.ZipFile(packed := io.BytesIO(PLAIN), "a") as archive:
        archive.writestr("docProps/app.xml", archive.read("docProps/app.xml"))
    assert len(read(packed.getvalue()).good) == 1
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(SHEET.replace("/", "\\").upper(), archive.read(SHEET))
    assert refusal(packed.getvalue()).startswith(f"a dump: the workbook has its part /{SHEET} more than once")


@pytest.mark.parametrize(
    ("number_format", "shown"),
    [('#,##0.00\\ "kr"', "kr2.55"), ('"CHF"\\ #,##0.00', "CHF2.55"), ('0"p"', "p2.55"), ("0.00\\ \\k\\r", "kr2.55"),
     ('_-* #,##0.00 "zł"_-;-* #,##0.00 "zł"_-', "zł2.55"), ("#,##0.00 [$kr-41D]", "kr2.55"), ('0.00"%"', "%2.55"),
     ('0.00 "per 100"', "per 1002.55"), ("¥0.00", "¥2.55"), ('"a;b"0.00', "a;b2.55"), ('0.00 "€ / £"', "€ / £2.55")],
)  # fmt: skip
def test_a_price_in_another_unit_is_rejected(number_format: str, shown: str) -> None:
    """Its format says that it is not in pounds, or not the price of one item: the number alone does not."""
    found = read(workbook({"a": [NAMES, ROW]}, price_format=number_format))
    assert [(reject.column, reject.text.split("\t")[PRICE_AT]) for reject in found.rejects] == [("unit_price", shown)]


@pytest.mark.parametrize("column", ["Invoice", "StockCode", "Customer ID", "Quantity", "Price"])
def test_a_number_that_is_shown_as_a_date_is_none(column: str) -> None:
    """Where a date stands for an invoice or a product, it would be another one."""
    (reject,) = read(workbook({"a": [NAMES, with_cell(column, datetime(3368, 7, 6))]})).rejects
    assert reject.column == CANONICAL_COLUMNS[NAMES.index(column)]


def test_a_number_that_is_no_price_may_be_in_any_unit() -> None:
    """Six pieces are six, and a number of a customer is one whatever it is called in the cell."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "d/m/yy hh:mm"}) as book:
        sheet = book.add_worksheet()
        for column, number_format in (("Quantity", '0 "pcs"'), ("Customer ID", '"No. "0'), ("Invoice", "[$€-407]0")):
            sheet.set_column(
                NAMES.index(column), NAMES.index(column), None, book.add_format({"num_format": number_format})
            )
        sheet.write_row(0, 0, NAMES)
        sheet.write_row(1, 0, with_cell("Invoice", 536365))
    assert [typed(line) for line in read(file.getvalue()).good.values()] == [typed(LANTERN)]


def test_a_sheet_may_begin_anywhere() -> None:
    """Empty columns before the table are not part of it."""
    found = read(workbook({"a": [[], ["", "", *NAMES, "more"], ["", "", *ROW, "x\ty\n"]]}))
    assert [typed(line) for line in found.good.values()] == [typed(LANTERN)]
    assert found.facts["columns left out"] == "more"


@pytest.mark.parametrize(
    ("column", "cell", "meaning"),
    [
        ("Invoice", "C536379", "C536379"),
        ("StockCode", 85048, "85048"),
        ("StockCode", "085048", "085048"),
        ("Description", None, None),
        ("Description", "a\tb\\N\n'é\" =", "a\tb\\N\n'é\" ="),
        ("Description", " padded ", " padded "),
        ("Description", 20713, "20713"),
        ("Quantity", "6", 6),
        ("Quantity", -80995.0, -80995),
        ("InvoiceDate", "2010-12-01 08:26", datetime(2010, 12, 1, 8, 26)),
        ("InvoiceDate", datetime(2010, 12, 1), datetime(2010, 12, 1)),
        ("InvoiceDate", 40513.3513888889, datetime(2010, 12, 1, 8, 26)),
        ("InvoiceDate", datetime(2011, 12, 9, 12, 49, 59), datetime(2011, 12, 9, 12, 49, 59)),
        ("Price", 0.001, "0.001"),
        ("Price", 1e-06, "0.000001"),
        ("Price", 2.5499999999999998, "2.55"),
        ("Price", -11062.06, "-11062.06"),
        ("Customer ID", None, None),
        ("Customer ID", "13085.0", 13085),
    ],
)
def test_a_cell_means_what_it_shows(column: str, cell: Any, meaning: Any) -> None:
    """Numbers, dates and texts, each also where the other is usual."""
    found = read(workbook({"a": [NAMES, ROW, with_cell(column, cell)]}))
    value = typed(found.good[3])[NAMES.index(column)]
    assert str(value) == str(meaning)


@pytest.mark.parametrize(
    ("column", "cell"),
    [("Quantity", "six"), ("Quantity", 6.5), ("Quantity", True), ("Price", "two"), ("InvoiceDate", 0.35),
     ("InvoiceDate", 59), ("InvoiceDate", 1e300), ("InvoiceDate", "01/12/2010"), ("Quantity", datetime(2010, 12, 1)),
     ("Customer ID", 1e300)],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_is_a_reject(column: str, cell: Any) -> None:
    """With the number of its row."""
    found = read(workbook({"a": [NAMES, ROW, with_cell(column, cell), ROW]}))
    assert (list(found.good), [reject.line for reject in found.rejects]) == ([2, 4], [3])


def test_a_workbook_may_be_packed_in_an_archive() -> None:
    """As UCI ships it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("online_retail_II.xlsx", workbook({"a": [NAMES, ROW]}))
    found = read(packed.getvalue())
    assert (list(found.good), found.facts["packing"]) == ([2], "zip")


def with_part(content: bytes, part: str, data: bytes) -> bytes:
    """The workbook with one of the files that it is made of as given."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, data if name == part else source.read(name))
    return packed.getvalue()


def repacked(content: bytes, member: str, old: bytes, new: bytes) -> bytes:
    """The workbook with something replaced in one of the files that it is made of."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        data = archive.read(member)
    assert old in data
    return with_part(content, member, data.replace(old, new))


MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet1.xml"
PLAIN = workbook({"a": [NAMES, ROW]})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (workbook({"a": [["x"]], "b": []}), ": no sheet names the columns in one of its first 20 rows. Sheets: a, b."),
        (workbook({"a": [[], NAMES[1:], ROW[1:]]}), ", sheet a, row 2: no column invoice_no. Found: StockCode,"),
        (workbook({"a": [[*NAMES, "UnitPrice"], ROW]}), ", sheet a, row 1: more than one column for unit_price."),
        (repacked(PLAIN, SHEET, b"</sheetData>", b"<sheetData"), f", /{SHEET}: not well-formed XML: "),
        (repacked(PLAIN, "xl/workbook.xml", b"<sheets>", b"<"), ", /xl/workbook.xml: not well-formed XML: "),
        (repacked(PLAIN, "xl/_rels/workbook.xml.rels", b"sheet1.xml", b"x.xml"), ": the workbook lacks its part /xl/"),
        (PLAIN[:-200], ": damaged or cut off"),
        (PLAIN[:900] + b"\xff" + PLAIN[901:], ": damaged or cut off"),
        (repacked(PLAIN, SHEET, b'r="H2"', b'r="H3"'), ", sheet a, after row 1: expected the letters of a column"),
        (repacked(PLAIN, SHEET, b'r="H2"', b'r="XFE2"'), ", sheet a, after row 1: expected a column from A to XFD"),
        (repacked(PLAIN, SHEET, b'r="H2"', b'r="G2"'), ", sheet a, after row 1: two cells in row 2, column 7"),
        (repacked(PLAIN, SHEET, b'<row r="2"', b'<row r="1"'), ", sheet a, after row 1: expected a row from 2"),
        (repacked(PLAIN, SHEET, b'<row r="2"', b'<row r="1048577"'), ", sheet a, after row 1: expected a row from 2"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), r": a workbook in the old format \(.xls\), or protected"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # bytes would differ from run to run
)  # fmt: skip
def test_a_workbook_without_lines_is_refused(content: bytes, said: str) -> None:
    """So are a damaged one, and one that would take more memory than there is."""
    assert re.match(f"a dump{said}", refusal(content))


def test_a_workbook_that_expands_beyond_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own files, and a text that is written once and used by every row."""
    monkeypatch.setattr(compression, "RATIO_COUNTS_FROM_BYTES", 1 << 20)
    bomb = repacked(PLAIN, SHEET, b"</sheetData>", b"<a/>" * (1 << 22) + b"</sheetData>")
    assert "expected at most 200 times as many" in refusal(bomb)
    shared = workbook({"a": [NAMES, *[with_cell("Description", "x" * 30_000)] * 1000]})
    assert "expected at most 200 times as many" in refusal(shared)
    assert in_memory(shared).stat().st_size < 100_000


def test_a_cell_far_out_costs_nothing() -> None:
    """However its place is written, and at the last place that there is."""
    far = (
        b"<c\nr = 'xfd2'><v>1</v></c></row><row><c r='XFD1000000'><v>1</v></c></row><row r='1048576'><c r='A1048576'/>"
    )
    found = read(repacked(PLAIN, SHEET, b"</c></row></sheetData>", b"</c>" + far + b"</row></sheetData>"))
    assert (list(found.good), found.rejects) == ([2], [])


IN_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
from lgs_assets.errors import DumpError
from lgs_assets.sources.inspection import inspect_dump

resource.setrlimit(resource.RLIMIT_AS, (500 << 20, 500 << 20))
for path in Path(sys.argv[1]).iterdir():
    try:
        print(inspect_dump(path).first_rejects)
    except DumpError as error:
        print(error)
"""
BOMBS = {
    "entities": b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>',
    "an entity from elsewhere": b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]><worksheet>&a;</worksheet>',
    "nested elements": b"<worksheet>" + b"<a>" * 5_000_000,
    "nested cells": b"<worksheet xmlns='" + MAIN + b"'><row>" + b"<a>" * 5_000_000,
    "a name for each element": b"<worksheet>" + b"".join(b"<a%d/>" % number for number in range(1_000_000)),
    "a long attribute": b"<worksheet a='" + b"a" * 20_000_000 + b"'/>",
    "a long text": b"<worksheet>" + b"a" * 20_000_000 + b"</worksheet>",
}


def book_of(tab: bytes, count: int) -> bytes:
    return b"<workbook xmlns='" + MAIN + b"'><sheets>" + tab * count + b"</sheets></workbook>"


def merging(area: bytes, count: int) -> bytes:
    """The sheet of one line, with so many areas of merged cells."""
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        return archive.read(SHEET).replace(b"</worksheet>", area * count + b"</worksheet>")


RELATIONS = b"<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
PARTS = {
    "hidden tabs": ("xl/workbook.xml", book_of(b"<sheet state='hidden'/>", 400_000)),
    "tabs of a part": ("xl/workbook.xml", book_of(b"<sheet name='a'/>", 1_000_000)),
    "relations": ("xl/_rels/workbook.xml.rels", RELATIONS + b"<Relationship/>" * 1_000_000 + b"</Relationships>"),
    "merged cells": (SHEET, merging(b"<mergeCell ref='J3:J4'/>", 1_000_000)),
    "styles": ("xl/styles.xml", b"<styleSheet xmlns='" + MAIN + b"'>" + b"<xf/>" * 200_000 + b"</styleSheet>"),
}
"""Small elements by the thousand: each part, and what it holds."""


def test_a_part_that_was_made_to_fill_the_memory_is_refused(tmp_path: Path) -> None:
    """In a process that has 500 MB: its death would be no answer."""
    for name, bomb in BOMBS.items():
        (tmp_path / name).write_bytes(with_part(PLAIN, SHEET, bomb))
    shared = b"<sst xmlns='" + MAIN + b"'><si><t>" + b"x" * 20_000_000 + b"</t></si></sst>"
    for name, (part, bomb) in PARTS.items():
        (tmp_path / name).write_bytes(with_part(PLAIN, part, bomb))
    (tmp_path / "a text").write_bytes(with_part(PLAIN, "xl/sharedStrings.xml", shared))
    spreadsheets = {
        "spaces": ods(ODS_TEXT.format("<text:s text:c='4000000000'/>" * 10_000)),
        "spans": ods("<table:table-cell table:number-rows-spanned='2'/>" * 20_000),
        "tables": ods(more="<table:table table:name='a'><table:table-row/></table:table>" * 20_000),
        "hidden styles": ods(styles="".join(map(ODS_HIDDEN.format, range(20_000)))),
    }
    for name, spreadsheet in spreadsheets.items():
        (tmp_path / name).write_bytes(spreadsheet)
    answers = subprocess.run([sys.executable, "-c", IN_LITTLE_MEMORY, tmp_path], capture_output=True, text=True)
    assert answers.stderr == ""
    assert len(answers.stdout.splitlines()) == len(BOMBS) + len(PARTS) + len(spreadsheets) + 1
    for line in answers.stdout.splitlines():
        assert re.search(r"declaration|bytes|more than|nested|32,767|too many pieces|too large", line), line


ALTERNATIVES = (
    b'<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
    b"<mc:Choice>%b</mc:Choice><mc:Fallback>%b</mc:Fallback></mc:AlternateContent>"
)


def test_nothing_of_a_workbook_is_loaded_twice() -> None:
    """Neither both alternatives of a row or a cell, nor a sheet that has two names. Those of a drawing do no harm."""
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        sheet, book = archive.read(SHEET), archive.read("xl/workbook.xml")
    for pattern in (rb'<row r="2".*</row>', rb'<c r="G2".*?</c>'):
        doubled = re.sub(pattern, lambda found: ALTERNATIVES % (found[0], found[0]), sheet)
        assert "alternatives" in refusal(with_part(PLAIN, SHEET, doubled))
    drawing = sheet.replace(b"</worksheet>", ALTERNATIVES % (b"<control/>", b"") + b"</worksheet>")
    assert list(read(with_part(PLAIN, SHEET, drawing)).good) == [2]
    two_tabs = re.sub(rb"<sheet [^>]*>", lambda found: found[0] + found[0].replace(b'"a"', b'"b"'), book)
    assert "more than one sheet is the part" in refusal(with_part(PLAIN, "xl/workbook.xml", two_tabs))


@pytest.mark.parametrize("value", [b"1_0", b"1_7850.0"])
def test_a_number_has_no_underscores(value: bytes) -> None:
    """Python would read them."""
    (reject,) = read(with_customer(b'<c r="G2"><v>%b</v></c>' % value)).rejects
    assert reject.column == "customer_id"


def test_what_a_part_says_of_its_own_size_is_not_believed() -> None:
    """The number of shared texts, and the dimension of a sheet."""
    content = repacked(PLAIN, "xl/sharedStrings.xml", b"uniqueCount=", b'uniqueCount="4000000000" was=')
    content = repacked(content, SHEET, b'<dimension ref="A1:H2"', b'<dimension ref="A1:XFD1048576"')
    assert list(read(content).good) == [2]


def test_shared_texts_take_a_limited_amount_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each text counts once, however many entries repeat it; each repetition takes a little as well."""
    monkeypatch.setattr(excel, "TEXTS_LIMIT_BYTES", 1 << 17)
    rows = [with_cell("Description", f"LANTERN {number}") for number in range(1000)]
    assert "its texts take more than 0 MB. Save it as CSV." in refusal(workbook({"a": [NAMES, *rows]}))
    entries = b"<si><t>LANTERN</t></si>" * 10_000 + b"</sst>"
    assert len(read(repacked(PLAIN, "xl/sharedStrings.xml", b"</sst>", entries)).good) == 1
    assert "its texts take" in refusal(
        repacked(PLAIN, "xl/sharedStrings.xml", b"</sst>", b"<si/>" * 20_000 + b"</sst>")
    )


CUSTOMER = b'<c r="G2"><v>17850</v></c>'
PREFIXED = ((b"<", b"<x:"), (b"<x:/", b"</x:"), (b"<x:?xml", b"<?xml"), (b"xmlns=", b"xmlns:x="))


def with_customer(cell: bytes, *, book: bytes = b"") -> bytes:
    """A workbook of one line whose customer is written like this; its formulas count as computed."""
    content = repacked(PLAIN, SHEET, CUSTOMER, cell)
    return repacked(content, "xl/workbook.xml", b' fullCalcOnLoad="1"', book)


def respelt(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with its sheets and its shared texts written in another way."""
    for part in (SHEET, "xl/sharedStrings.xml", "xl/workbook.xml"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            data = archive.read(part)
        content = with_part(content, part, change(data))
    return content


SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "prefixes": lambda data: functools.reduce(lambda text, change: text.replace(*change), PREFIXED, data),
    "line breaks": lambda data: re.sub(rb' (r|t|s|state|name)="', rb'\n\t\1 = "', data),
    "single quotes": lambda data: data.replace(b'"', b"'"),
    "order of attributes": lambda data: re.sub(rb'<c (r="\w+") (t="\w+")', rb"<c \2 \1", data),
    "no references": lambda data: re.sub(rb'<(c|row) r="\w+"', rb"<\1", data),
    "strict": lambda data: data.replace(MAIN, b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
    "UTF-16": lambda data: data.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"),
    "white space and comments": lambda data: data.replace(b"><", b">\n <!-- <c t='e'> --> <"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_cell_that_shows_an_error_is_a_reject(spelling: str) -> None:
    """However the XML is written. Taken for a missing customer, the sale would be a guest's."""
    error = with_customer(b'<c r="G2" t="e"><v>#N/A</v></c>')
    (reject,) = read(respelt(error, SPELLINGS[spelling])).rejects
    assert (reject.line, reject.column) == (2, "customer_id")
    assert reject.reason == "expected a value; the cell shows the error #N/A"
    assert "LANTERN" in reject.text and "#N/A" in reject.text
    good = read(respelt(PLAIN, SPELLINGS[spelling]))
    assert [typed(line) for line in good.good.values()] == [typed(LANTERN)]


@pytest.mark.parametrize("error", [b"#NAME?", b"#N/A", b"#GETTING_DATA"])
def test_a_description_that_shows_an_error_is_left_out(error: bytes) -> None:
    """The sale is one all the same. A line that is wrong in another column is shown as it is."""
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        sheet = re.sub(rb'<c r="C2".*?</c>', b'<c r="C2" t="e"><v>%b</v></c>' % error, archive.read(SHEET))
    found = read(with_part(PLAIN, SHEET, sheet))
    assert [line[2] for line in found.good.values()] == [None]
    assert (found.rejects, found.facts["descriptions corrected"]) == ([], "1")
    customer = sheet.replace(CUSTOMER, b'<c r="G2" t="e"><v>#REF!</v></c>')
    (reject,) = read(with_part(PLAIN, SHEET, customer)).rejects
    assert reject.column == "customer_id"
    assert error.decode() in reject.text


NEVER_COMPUTED = [
    b'<c r="G2"><f>17849+1</f></c>',
    b'<c r="G2"><f>17849+1</f><v></v></c>',
    b'<c r="G2" t="n"><v/><f>17849+1</f></c>',
    b'<c r="G2"><f t="shared" si="0"/></c>',
    b'<c r="G2" t="str"><f>17849+1</f></c>',
]


@pytest.mark.parametrize("cell", NEVER_COMPUTED)
def test_a_formula_without_a_value_is_a_reject(cell: bytes) -> None:
    """As written by libraries that do not compute: it is not an empty cell."""
    (reject,) = read(with_customer(cell)).rejects
    assert (reject.line, reject.column) == (2, "customer_id")
    assert reject.reason == "a formula without a value; open and save the workbook once"


@pytest.mark.parametrize(
    ("cell", "meaning"),
    [
        (b'<c r="G2"><f>17849+1</f><v>17850</v></c>', "17850"),
        (b'<c r="G2" t="str"><f>IF(A2,"","x")</f><v></v></c>', None),
        (b'<c r="G2" t="str"><f>"17850"</f><v>17850</v></c>', "17850"),
    ],
)
def test_a_formula_with_a_value_is_a_value(cell: bytes, meaning: str | None) -> None:
    """An empty text is one as well."""
    assert read(with_customer(cell)).good[2][NAMES.index("Customer ID")] == meaning


@pytest.mark.parametrize("column", NAMES)
def test_a_zero_that_nobody_computed_is_a_reject(column: str) -> None:
    """XlsxWriter stores one with each formula, also in each cell of an array, and asks Excel to compute it."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "d/m/yy hh:mm"}) as book:
        sheet, at = book.add_worksheet("a"), NAMES.index(column)
        for number, row in enumerate([NAMES, ROW, ROW, ROW, ROW]):
            sheet.write_row(number, 0, row)
        sheet.write_formula(1, at, "=1+1")
        sheet.write_formula(2, at, "=1+1", None, ROW[at] if isinstance(ROW[at], int | str) else 40513)
        sheet.write_array_formula(3, at, 4, at, "{=1+1}")
    found = read(file.getvalue())
    assert [(reject.line, reject.column) for reject in found.rejects] == [
        (line, CANONICAL_COLUMNS[NAMES.index(column)]) for line in (2, 4, 5)
    ]
    assert list(found.good) == [3]


@pytest.mark.parametrize("told_by", ["calcMode", "Application"])
def test_a_zero_of_a_library_that_does_not_compute_is_a_reject(told_by: str) -> None:
    """XlsxWriter in manual mode and Apache POI do not ask Excel to compute; a zero that is no formula's stays."""
    content = with_customer(b'<c r="G2"><f>17849+1</f><v>0.0</v></c>')
    if told_by == "calcMode":
        content = repacked(content, "xl/workbook.xml", b"<calcPr", b'<calcPr calcMode="manual"')
    else:
        content = repacked(content, "docProps/app.xml", b"Microsoft Excel", b"Apache POI")
    (reject,) = read(content).rejects
    assert reject.reason == "a formula without a value; open and save the workbook once"


def test_array_formulas_without_a_value_fill_a_hundred_columns_at_most() -> None:
    """In all of them together: their columns are looked at in every row of the sheet."""

    def with_arrays(columns: Sequence[str]) -> bytes:
        arrays = "".join(f'<c r="{name}2"><f t="array" ref="{name}2:{name}1048576">A1</f></c>' for name in columns)
        return repacked(PLAIN, SHEET, b"</row></sheetData>", f"{arrays}</row></sheetData>".encode())

    columns = [letters_of(at) for at in range(len(ROW), len(ROW) + 101)]
    assert list(read(with_arrays(columns[:100])).good) == [2]
    assert "array formulas without a value in more than 100 columns" in refusal(with_arrays(columns))


@pytest.mark.parametrize("zero", ["0", "0.0", "0E0", "-0", "0.00E+00", "-0.0", " 0 ", "00"])
def test_a_zero_is_a_zero_however_it_is_written(zero: str) -> None:
    """By a library that leaves it to Excel to compute, also in the cells of an array formula."""
    formula = f'<c r="G2"><f>1+1</f><v>{zero}</v></c>'.encode()
    (reject,) = read(with_customer(formula, book=b' fullCalcOnLoad="1"')).rejects
    assert (reject.column, reject.reason) == (
        "customer_id",
        "a formula without a value; open and save the workbook once",
    )
    lines = workbook({"a": [NAMES, ROW, ROW]})
    array = f'<c r="G2"><f t="array" ref="G2:G3">1+1</f><v>{zero}</v></c>'.encode()
    lines = repacked(lines, SHEET, CUSTOMER, array)
    lines = repacked(lines, SHEET, CUSTOMER.replace(b"G2", b"G3"), f'<c r="G3"><v>{zero}</v></c>'.encode())
    assert [(reject.line, reject.column) for reject in read(lines).rejects] == [(2, "customer_id"), (3, "customer_id")]


def test_cells_that_are_no_part_of_a_line_may_be_wrong() -> None:
    """Errors and formulas in other columns, and sums below the table in columns of their own."""
    other = b'</c><c r="I2" t="e"><v>#REF!</v></c></row><row r="3"><c r="J3"><f>SUM(D:D)</f></c></row></sheetData>'
    found = read(repacked(PLAIN, SHEET, b"</c></row></sheetData>", other))
    assert (list(found.good), found.rejects) == ([2], [])


@pytest.mark.parametrize("state", ["hide", "very_hidden"])
def test_a_hidden_sheet_is_left_out(state: str) -> None:
    """And named: it is often an older copy of the visible one."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "d/m/yy hh:mm"}) as book:
        for name in ("Data", "UK only"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, NAMES)
            sheet.write_row(1, 0, ROW)
        getattr(sheet, state)()
    found = read(file.getvalue())
    assert (list(found.good), found.facts["sheets"]) == ([2], "Data")
    assert found.facts["sheets left out"] == "UK only (hidden)"


def test_a_title_may_stand_above_the_header() -> None:
    """Within the first twenty rows of each sheet, which may differ."""
    title = [["Sales of the shop"], ["Invoice", "all"]]
    found = read(workbook({"a": [*title, NAMES, ROW], "b": [NAMES, ROW]}))
    assert list(found.good) == [4, 6]
    assert found.facts["lines above the header"] == "Sales of the shop, Invoice all"


def test_merged_cells_are_named_once() -> None:
    """Lines that share them would lack the value, a customer even without a word. Titles and notes do not matter."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "d/m/yy hh:mm"}) as book:
        sheet, other = book.add_worksheet("Notes around it"), book.add_worksheet("Data")
        for number, row in enumerate([[], NAMES, *[ROW] * 40]):
            sheet.write_row(number, 0, row)
            other.write_row(number, 0, row)
        for area in ("A1:H1", "J3:K4", "A50:H55"):
            sheet.merge_range(area, "a note")
        for first in range(3, 43, 8):
            other.merge_range(f"G{first}:G{first + 7}", 17850)
    assert refusal(file.getvalue()).startswith(
        "a dump, sheet Data: the cells G3:G10, G11:G18, G19:G26 and 2 more are merged, and only the first row of each "
    )


@pytest.mark.parametrize("since_1904", [False, True])
@pytest.mark.parametrize(
    "pattern", ["d/m/yy hh:mm", "[$-809]dd mmmm yyyy", "yyyy\\-mm\\-dd", "General", "0.00", "[h]:mm"]
)
def test_dates_are_what_they_are_in_any_format(since_1904: bool, pattern: str) -> None:
    """Also where the format got lost, and in workbooks that count the days from 1904."""
    file = io.BytesIO()
    options = {"in_memory": True, "default_date_format": pattern, "date_1904": since_1904}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet("a")
        sheet.write_row(0, 0, NAMES)
        sheet.write_row(1, 0, ROW)
    assert [typed(line) for line in read(file.getvalue()).good.values()] == [typed(LANTERN)]


def test_texts_are_read_as_they_are_written() -> None:
    """In runs of several formats, without phonetic aids, with characters that XML has no place for."""
    text = b"<si><r><rPr><b/></rPr><t>LAN</t></r><r><t xml:space='preserve'>TERN </t></r><rPh><t>x</t></rPh></si>"
    content = repacked(PLAIN, "xl/sharedStrings.xml", b"<si><t>LANTERN</t></si>", text)
    assert read(content).good[2][2] == "LANTERN "
    content = repacked(PLAIN, "xl/sharedStrings.xml", b"<t>LANTERN</t>", b"<t>a_x0009_b_x005F_x0041_</t>")
    assert read(content).good[2][2] == "a\tb_x0041_"


ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
  xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
  xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
  xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
  xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">
<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>
<table:table table:name="Data" table:style-name="ta1"><table:table-column/>{rows}</table:table>
<table:table table:name="Old" table:style-name="ta2">{rows}</table:table>
{more}</office:spreadsheet></office:body></office:document-content>"""
ODS_HIDDEN = '<style:style style:name="ta{}"><style:table-properties table:display="false"/></style:style>'
ODS_TEXT = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
ODS_ROW = """<table:table-row table:number-rows-repeated="{repeated}">
  <table:table-cell office:value-type="float" office:value="536365"><text:p>536,365</text:p></table:table-cell>
  <table:table-cell office:value-type="string"><text:p>85123A</text:p></table:table-cell>
  <table:table-cell office:value-type="string"><office:annotation><text:p>a note</text:p></office:annotation>
    <text:p>LAN<text:span>TERN</text:span></text:p></table:table-cell>
  <table:table-cell office:value-type="float" office:value="6"/>
  <table:table-cell office:value-type="date" office:date-value="2010-12-01T08:26:00"><text:p>1 Dec</text:p>
  </table:table-cell>
  <table:table-cell office:value-type="currency" office:value="2.55"><text:p>£2.55</text:p></table:table-cell>{customer}
  <table:table-cell office:value-type="string"><text:p>United<text:s/>Kingdom</text:p></table:table-cell>
  <table:table-cell table:number-columns-repeated="16376"/></table:table-row>"""
ODS_CUSTOMER = '<table:table-cell office:value-type="float" office:value="17850"/>'


def ods(customer: str = ODS_CUSTOMER, *, repeated: int = 1, styles: str = "", more: str = "") -> bytes:
    """A spreadsheet as LibreOffice writes it, with the same rows in a visible and a hidden sheet."""
    rows = f"<table:table-row>{''.join(map(ODS_TEXT.format, NAMES))}</table:table-row>"
    rows += ODS_ROW.format(customer=customer, repeated=repeated) + ODS_ROW.format(customer=ODS_CUSTOMER, repeated=1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", ODS.format(rows=rows, styles=ODS_HIDDEN.format(2) + styles, more=more))
    return packed.getvalue()


def test_an_opendocument_spreadsheet_is_a_workbook() -> None:
    """Rows that LibreOffice writes once for several equal ones count as often; hidden sheets do not."""
    found = read(ods(repeated=3))
    assert [typed(line) for line in found.good.values()] == [typed(LANTERN)] * 4
    assert (list(found.good), found.rejects) == ([2, 3, 4, 5], [])
    assert (found.facts["format"], found.facts["sheets"]) == ("OpenDocument spreadsheet", "Data")
    assert found.facts["sheets left out"] == "Old (hidden)"


def test_an_opendocument_price_states_its_currency() -> None:
    """The value that is stored has none: prices in euros would be loaded as pounds."""
    found = read(repacked(ods(), "content.xml", b'"currency"', b'"currency" office:currency="EUR"'))
    assert [line[PRICE_AT] for line in found.good.values()] == ["2.55", "2.55"]
    assert found.facts["numbers"] == "decimal point, in €"


@pytest.mark.parametrize(
    ("kind", "shown", "text"),
    [("float", "2,55 kr", "kr2.55"), ("float", "255p", "p2.55"), ('currency" office:currency="SEK', "x", "SEK2.55")],
)
def test_a_price_in_another_unit_is_rejected_in_a_spreadsheet_too(kind: str, shown: str, text: str) -> None:
    """The text of the cell shows it, or the cell names the currency. Pieces do no harm to a quantity."""
    price = f'"{kind}" office:value="2.55"><text:p>{shown}</text:p>'
    packed = repacked(
        ods(), "content.xml", b'"currency" office:value="2.55"><text:p>\xc2\xa32.55</text:p>', price.encode()
    )
    found = read(repacked(packed, "content.xml", b'"6"/>', b'"6"><text:p>6 pcs</text:p></table:table-cell>'))
    assert {(reject.column, reject.text.split("\t")[PRICE_AT]) for reject in found.rejects} == {("unit_price", text)}


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('<table:table-cell table:formula="of:=NA()" office:value-type="string" calcext:value-type="error">'
         '<text:p>#N/A</text:p></table:table-cell>', "expected a value; the cell shows the error #N/A"),
        ('<table:table-cell table:formula="of:=1/0" office:value-type="float" office:value="0">'
         '<text:p>#DIV/0!</text:p></table:table-cell>', "expected a value; the cell shows the error #DIV/0!"),
        ('<table:table-cell table:formula="of:=1+1"/>', "a formula without a value; open and save the workbook once"),
        ('<table:table-cell table:formula="of:=A1" office:value-type="string"></table:table-cell>',
         "a formula without a value; open and save the workbook once"),
    ],
)  # fmt: skip
def test_a_cell_without_a_value_is_a_reject_in_a_spreadsheet_too(cell: str, reason: str) -> None:
    """Errors, as newer and older programs write them, and formulas that were never computed."""
    found = read(ods(cell))
    assert [(reject.line, reject.column, reject.reason) for reject in found.rejects] == [(2, "customer_id", reason)]
    assert list(found.good) == [3]


def test_a_description_that_shows_an_error_is_left_out_of_a_spreadsheet_too() -> None:
    """In each of the rows that LibreOffice writes once, and by LibreOffice's own names."""
    with zipfile.ZipFile(io.BytesIO(ods(repeated=2))) as archive:
        content = archive.read("content.xml").decode()
    error = '<table:table-cell table:formula="of:=-RED" calcext:value-type="error"><text:p>Err:508</text:p>'
    broken = re.sub(
        r'<table:table-cell office:value-type="string"><office:annotation>.*?</table:table-cell>',
        f"{error}</table:table-cell>", content, count=1, flags=re.S,
    )  # fmt: skip
    found = read(with_part(ods(), "content.xml", broken.encode()))
    assert [line[2] for line in found.good.values()] == [None, None, "LANTERN"]
    assert (found.rejects, found.facts["descriptions corrected"]) == ([], "2")


def test_cells_that_are_merged_in_a_spreadsheet_are_named() -> None:
    """By the addresses that the program shows."""
    customer = ODS_CUSTOMER.replace("/>", ' table:number-rows-spanned="2"/>')
    assert refusal(ods(customer)).startswith("a dump, sheet Data: the cells G2:G3 are merged, and only the first row ")
