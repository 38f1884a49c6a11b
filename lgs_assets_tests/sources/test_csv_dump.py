"""CSV dumps: the header becomes columns, the records go on as they are."""

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.errors import DumpError
from lgs_assets.sources import CANONICAL_COLUMNS, csv_dump

HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
RECORD = '536365,85123A,"LANTERN, ""WHITE""\nlarge",6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n'
CHUNK_SIZES = [1, 2, 3, 4, 5, 7, 64]


def opened(text: str | bytes) -> tuple[tuple[str | None, ...], bytes]:
    """The columns of the dump and its bytes after the header."""
    stream = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    dump = csv_dump.parse(Path("retail.csv"), stream)
    (block,) = dump.blocks
    assert (dump.copy_format, block.encoding, block.first_line) == ("csv", "UTF8", 2)
    return block.columns, b"".join(block.chunks)


def refusal(text: str | bytes) -> str:
    with pytest.raises(DumpError) as caught:
        opened(text)
    return str(caught.value)


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
        HEADER.rstrip("\n"),
    ],
)
def test_headers_in_use_mean_the_canonical_columns(header: str) -> None:
    """Each of the names that the retailer's files have used, whatever the case, blanks, quotes and line breaks."""
    assert opened(header)[0] == CANONICAL_COLUMNS


def test_columns_come_in_any_order_and_others_are_not_kept() -> None:
    """None stands for a field that is no column of an invoice line."""
    columns, _ = opened("Country,row,Customer ID,Price,InvoiceDate,Quantity,Description,,StockCode,Invoice\n")
    assert columns == (
        *("country", None, "customer_id", "unit_price", "invoice_date"),
        *("quantity", "description", None, "stock_code", "invoice_no"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "retail.csv, line 1: no column invoice_no, .*, country. Found: none."),
        (RECORD, "retail.csv, line 1: no column invoice_no, .*, country. Found: 536365, 85123A, "),
        (HEADER.replace(",", ";"), "retail.csv, line 1: no column invoice_no, .* Found: Invoice;StockCode;"),
        (HEADER.replace("Price,", ""), r"retail.csv, line 1: no column unit_price. Found: Invoice, .*, Country\."),
        (
            HEADER.replace("Country", "Country,UnitPrice"),
            "line 1: more than one column for unit_price. Found: Invoice,",
        ),
        (HEADER.encode("utf-16"), "retail.csv, line 1: expected a header of column names, .* in UTF-8: "),
        (
            HEADER.replace("Country", "Größe").encode("latin-1"),
            "line 1: expected a header of column names, .* in UTF-8",
        ),
        (HEADER.replace("\n", "\r") + RECORD, "retail.csv, line 1: expected a header of column names"),
    ],
)
def test_a_file_without_the_columns_is_refused(text: str | bytes, said: str) -> None:
    """The error says which columns are missing or there twice, and what the first line holds instead."""
    with pytest.raises(DumpError, match=said):
        opened(text)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n\n", "\r\n\r\n", "\n\r\n"])
def test_blank_lines_at_the_end_are_left_out(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """COPY would take a blank line for a record without fields. Blank lines elsewhere stay, for COPY to refuse."""
    records = f"{RECORD}\n\n{RECORD}".rstrip("\n")
    for size in [csv_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(csv_dump, "CHUNK_BYTES", size)
        assert opened(HEADER + records + end)[1] == records.encode()


RECORDS = st.lists(
    st.sampled_from(["a", ',"', "é", ".", "\\", "\\.", "\n", "\r", "\n\n\n", "\n\\.", "....", "\n\\.\n"])
)


@settings(derandomize=True, deadline=None, max_examples=1000)
@given(RECORDS.map("".join), st.integers(1, 64), st.sampled_from([4, 5, 1 << 16]))
def test_records_are_handed_out_byte_for_byte(records: str, size: int, held: int) -> None:
    """Whatever the chunks, either all bytes come out but line breaks at the end, or an end mark is refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_dump, "CHUNK_BYTES", size)
        patch.setattr(csv_dump, "HELD_LIMIT_BYTES", held)
        if "\\." in records.replace("\r", "\n").split("\n"):
            assert "the line holds nothing but \\." in refusal(HEADER + records)
        else:
            found = opened(HEADER + records)[1].decode()
            assert records.startswith(found)
            assert found.rstrip("\r\n") == records.rstrip("\r\n")


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 1), (1, 0), (2, 3)])
def test_a_line_that_some_servers_take_for_the_end_is_refused(
    before: int, after: int, line_break: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL 16 and 17 end at such a line and drop what follows without a word."""
    record = RECORD.replace("\n", "", 1)
    text = f"{HEADER}{record * before}\\.\n{record * after}".replace("\n", line_break)
    for size in [csv_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(csv_dump, "CHUNK_BYTES", size)
        said = f"retail.csv, line {before + 2}: the line holds nothing but \\., which some servers take for the end"
        assert refusal(text).startswith(said)
        assert refusal(text.rstrip("\r\n")).startswith(said)


@pytest.mark.parametrize("value", ["a\\.", "\\.b", "\\\\.", ".", "\\", '"\\."', " \\."])
def test_other_lines_with_the_end_mark_are_data(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a line of nothing else is dangerous."""
    for size in [csv_dump.CHUNK_BYTES, *CHUNK_SIZES]:
        monkeypatch.setattr(csv_dump, "CHUNK_BYTES", size)
        assert opened(f"{HEADER}{value}\n{value}")[1] == f"{value}\n{value}".encode()


@pytest.mark.parametrize("piece", [b"x", b".", b"\n", b"\\.", b"\r\n"])
def test_memory_does_not_grow_with_the_file(piece: bytes) -> None:
    """Neither long lines nor many blank ones are collected."""
    stream = io.BytesIO(HEADER.encode() + b"x" + piece * (16 << 20) + b"x")
    tracemalloc.start()
    try:
        (block,) = csv_dump.parse(Path("retail.csv"), stream).blocks
        length = sum(len(chunk) for chunk in block.chunks)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length == len(piece) * (16 << 20) + 2
    assert peak < 4 << 20
