"""Excel workbooks, as UCI ships the data: sheets with the same columns, read as one dump."""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
import xlsxwriter

from lgs_assets.sources import compression
from lgs_assets_tests.sources.reading import HEADER, LANTERN, in_memory, read, refusal, typed

NAMES = HEADER.strip().split(",")
ROW = [536365, "85123A", "LANTERN", 6, datetime(2010, 12, 1, 8, 26), 2.55, 17850, "United Kingdom"]


def workbook(sheets: Mapping[str, Iterable[Sequence[Any]]]) -> bytes:
    """A workbook of these rows; a dictionary of cells by their address stands for a sheet of these alone."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "d/m/yy hh:mm"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return file.getvalue()


def with_cell(column: str, cell: Any) -> list[Any]:
    return [cell if name == column else usual for name, usual in zip(NAMES, ROW, strict=True)]


def test_all_sheets_are_one_dump() -> None:
    """In their order, with the numbers of the rows going on. Sheets of other things are left out, which is stated."""
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
    assert list(found.good) == [2, 3, 7]
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


def test_a_sheet_may_begin_anywhere() -> None:
    """Empty columns before the table are none of it."""
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
    [("Quantity", "six"), ("Quantity", 6.5), ("Quantity", True), ("Price", "£2"), ("InvoiceDate", 40513.35),
     ("InvoiceDate", "01/12/2010"), ("Customer ID", 1e300)],
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


def repacked(content: bytes, member: str, old: bytes, new: bytes) -> bytes:
    """The workbook with something replaced in one of the files that it is made of."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            assert name != member or old in data
            target.writestr(name, data.replace(old, new) if name == member else data)
    return packed.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
PLAIN = workbook({"a": [NAMES, ROW]})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (workbook({"a": [["x"]], "b": []}), ": no sheet begins with the names of the columns. Sheets: a, b."),
        (workbook({"a": [NAMES[1:], ROW[1:]]}), ", sheet a: no column invoice_no. Found: StockCode,"),
        (workbook({"a": [[*NAMES, "UnitPrice"], ROW]}), ", sheet a: more than one column for unit_price."),
        (repacked(PLAIN, SHEET, b"</sheetData>", b"<sheetData"), ": no Excel workbook that can be read: "),
        (repacked(PLAIN, "xl/workbook.xml", b"<sheets>", b"<"), ": no Excel workbook that can be read: "),
        (PLAIN[:-200], ": damaged or cut off"),
        (PLAIN[:900] + b"\xff" + PLAIN[901:], ": damaged or cut off"),
        (repacked(PLAIN, SHEET, b'r="H2"', b'r="XFD1048576"'), r": the cell XFD… in xl/worksheets/sheet1.xml lies far"),
        (repacked(PLAIN, SHEET, b'r="H2"', b'r="H99999999"'), r": the cell H9999999… in xl/worksheets/"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), r": an Excel workbook of the old kind \(.xls\), or protected by a password"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # bytes would differ from run to run
)  # fmt: skip
def test_a_workbook_without_lines_is_refused(content: bytes, said: str) -> None:
    """So are a damaged one, and one that would take more memory than there is."""
    assert re.match(f"a dump{said}", refusal(content))


def test_a_workbook_that_expands_beyond_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own files, and a text that is written once and used by every row."""
    monkeypatch.setattr(compression, "RATIO_COUNTS_FROM_BYTES", 1 << 20)
    bomb = repacked(PLAIN, SHEET, b"</sheetData>", b" " * (1 << 24) + b"</sheetData>")
    assert "expected at most 200 times as many" in refusal(bomb)
    shared = workbook({"a": [NAMES, *[with_cell("Description", "x" * 30_000)] * 1000]})
    assert "expected at most 200 times as many" in refusal(shared)
    assert in_memory(shared).stat().st_size < 100_000


def test_a_cell_that_shows_an_error_refuses_the_workbook() -> None:
    """What Excel shows as #N/A is no missing customer: taken for one, the sale would be a guest's."""
    content = repacked(
        workbook({"a": [NAMES, with_cell("Customer ID", 4711)]}),
        "xl/worksheets/sheet1.xml",
        b'<c r="G2"><v>4711</v></c>',
        b'<c r="G2" t="e"><v>#N/A</v></c>',
    )
    assert "a cell of xl/worksheets/sheet1.xml holds an error such as #N/A" in refusal(content)
