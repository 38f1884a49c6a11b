"""Parquet files, as pandas, Spark and Arrow itself write them."""

import io
import re
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lgs_assets.sources import CANONICAL_COLUMNS, parquet_dump
from lgs_assets_tests.sources.reading import HEADER, LANTERN, read, refusal, typed

NAMES = HEADER.strip().split(",")
MOMENT = datetime(2010, 12, 1, 8, 26)
VALUES: list[Any] = ["536365", "85123A", "LANTERN", 6, MOMENT, 2.55, 17850, "United Kingdom"]
ROWS = 3
MEMORY_USED = """
import sys
from pathlib import Path
from lgs_assets.sources.inspection import inspect_dump

print(inspect_dump(Path(sys.argv[1])).first_rejects[0].reason)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) >> 10)
"""


def parquet(types: dict[str, pa.DataType] | None = None, **columns: list[Any]) -> bytes:
    """A file of three equal lines, except for the given columns, in Arrow's own types, except for the given ones."""
    data = {name: columns.get(name.replace(" ", ""), [usual] * ROWS) for name, usual in zip(NAMES, VALUES, strict=True)}
    arrays = {name: pa.array(values, (types or {}).get(name)) for name, values in data.items()}
    return written(pa.table(arrays))


def written(table: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "types",
    [
        {},
        {"Quantity": pa.int64(), "Customer ID": pa.int64(), "Price": pa.float64()},
        {"Quantity": pa.int32(), "Customer ID": pa.float64(), "Price": pa.float32()},
        {"Quantity": pa.float64(), "Customer ID": pa.string()},
        {"InvoiceDate": pa.timestamp("s")},
        {"InvoiceDate": pa.timestamp("ms")},
        {"InvoiceDate": pa.timestamp("us")},
        {"InvoiceDate": pa.timestamp("ns")},
        {"Description": pa.large_string(), "Country": pa.string_view()},
        {"Description": pa.dictionary(pa.int32(), pa.string()), "Country": pa.dictionary(pa.int8(), pa.string())},
        {"Quantity": pa.float16(), "Price": pa.float16()},
        {"Price": pa.decimal128(10, 2)},
        {"Price": pa.decimal128(38, 18)},
        {"Description": pa.binary()},
    ],
    ids=lambda types: " ".join(map(str, types.values())) or "as they come",
)  # fmt: skip
def test_any_type_says_the_same(types: dict[str, pa.DataType]) -> None:
    """Whole numbers or floats, texts or dictionaries of texts, decimals, and moments of every precision."""
    columns: dict[str, list[Any]] = {}
    if "Price" in types and pa.types.is_decimal(types["Price"]):
        columns["Price"] = [Decimal("2.55")] * ROWS
    if types.get("Customer ID") == pa.string():
        columns["CustomerID"] = ["17850.0"] * ROWS
    found = read(parquet(types, **columns))
    assert [typed(line) for line in found.good.values()] == [typed(LANTERN)] * ROWS
    assert list(found.good) == [1, 2, 3]
    assert found.facts["format"] == "Parquet"


def test_missing_values_are_none() -> None:
    """Also where a float is not a number, as some programs say it."""
    for kind, customer in ((pa.float64(), 13085), (pa.float32(), 13085), (pa.float16(), 130)):
        customers = [None, float("nan"), np.float16(customer) if kind == pa.float16() else float(customer)]
        found = read(parquet({"Customer ID": kind}, Description=[None, "", "\\N"], CustomerID=customers))
        assert [typed(line)[2] for line in found.good.values()] == [None, None, None]
        assert [typed(line)[6] for line in found.good.values()] == [None, None, customer]


def test_an_invoice_may_be_a_float() -> None:
    """With all their digits, including those that Arrow prints with an exponent."""
    found = read(parquet(Invoice=[536365.0, 536365000000.0, 1e15]))
    assert [line[0] for line in found.good.values()] == ["536365", "536365000000", "1000000000000000"]


@pytest.mark.parametrize(
    ("kind", "name", "exact", "rounded"),
    [
        (pa.float16(), "Invoice", 2047, 2049),
        (pa.float32(), "Invoice", 2**24 - 1, 2**24 + 1),
        (pa.float64(), "Invoice", 2**53 - 1, 2**53 + 1),
        (pa.float16(), "Customer ID", 2047, 13085),
        (pa.float32(), "Customer ID", 2**24 - 1, 2**24 + 1),
        (pa.float16(), "Quantity", -2047, -2049),
        (pa.float32(), "Quantity", 2**24 - 1, 2**24 + 1),
        (pa.float16(), "Price", 15.99, 41.65),
        (pa.float32(), "Price", 99999.99, 1234567.89),
        (pa.float32(), "InvoiceDate", None, 40513.3513888889),
    ],
)
def test_a_float_that_may_have_lost_digits_is_a_reject(
    kind: pa.DataType, name: str, exact: float | None, rounded: float
) -> None:
    """Two invoices, or two prices, could have become one. Smaller ones are exact."""
    table = pq.read_table(io.BytesIO(parquet()))
    at = table.column_names.index(name)
    numbers = pa.array(np.array([exact or np.nan, rounded, exact or np.nan, rounded], kind.to_pandas_dtype()))
    found = read(written(pa.concat_tables([table, table.slice(0, 1)]).set_column(at, name, numbers)))
    column = CANONICAL_COLUMNS[at]
    lost = [reject for reject in found.rejects if "lost digits" in reject.reason]
    assert [(reject.line, reject.column) for reject in lost] == [(2, column), (4, column)]
    assert [line[at] for line in found.good.values()] == ([str(exact)] * 2 if exact else [])
    assert "LANTERN" in lost[0].text


def test_a_moment_with_a_zone_is_what_the_clock_showed_there() -> None:
    """Also in summer."""
    moments = [datetime(2010, 12, 1, 8, 26), datetime(2011, 7, 1, 8, 26), datetime(2011, 7, 1, 23, 59)]
    local = pd.Series(moments).dt.tz_localize("Europe/London")
    found = read(parquet(InvoiceDate=list(local)))
    assert [typed(line)[4] for line in found.good.values()] == moments


def test_dates_and_parts_of_a_second() -> None:
    """A day begins at midnight; anything finer than a microsecond is cut."""
    found = read(parquet(InvoiceDate=[date(2010, 12, 1)] * ROWS))
    assert typed(found.good[1])[4] == datetime(2010, 12, 1)
    nanoseconds = pa.array([1_291_191_960_123_456_789] * ROWS, pa.timestamp("ns"))
    table = pq.read_table(io.BytesIO(parquet()))
    found = read(written(table.set_column(4, "InvoiceDate", nanoseconds)))
    assert typed(found.good[1])[4] == datetime(2010, 12, 1, 8, 26, 0, 123456)


def test_any_text_comes_back_equal() -> None:
    """What COPY escapes, and what Arrow does not check."""
    texts = ["a\tb\nc\rd\\e\\N", "é £ 👩\u200d🚀", "\\"]
    assert [line[2] for line in read(parquet(Description=texts)).good.values()] == texts
    damaged = parquet(Description=["LANTERN", "QQQQQQ", "LANTERN"]).replace(b"QQQQQQ", b"QQ\xffQQQ")
    found = read(damaged)
    assert (list(found.good), [reject.line for reject in found.rejects]) == ([1, 3], [2])
    assert "\tQQ\\xffQQQ\t" in found.rejects[0].text


def test_a_line_that_cannot_be_read_is_a_reject() -> None:
    """With the number of its row, however many row groups and batches there are."""
    rows = 50_000
    table = pa.table({name: [value] * rows for name, value in zip(NAMES, VALUES, strict=True)})
    quantities = pa.array([2**31 if row == 40_000 else 6 for row in range(rows)])
    content = written(table.set_column(3, "Quantity", quantities), row_group_size=7_000)
    found = read(content)
    assert [(reject.line, reject.column) for reject in found.rejects] == [(40_001, "quantity")]
    assert found.lines == rows


def test_columns_come_in_any_order_and_others_are_not_read() -> None:
    """Whatever is in them."""
    table = pq.read_table(io.BytesIO(parquet())).select(NAMES[::-1])
    for name, values in {"id": [1] * ROWS, "tags": [["a"]] * ROWS, "place": [{"x": 1}] * ROWS}.items():
        table = table.append_column(name, pa.array(values))
    found = read(written(table))
    assert [typed(line) for line in found.good.values()] == [typed(LANTERN)] * ROWS
    assert found.facts["columns left out"] == "id, tags, place"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (parquet()[:-10], ": not a readable Parquet file: "),
        (b"PAR1" + b"\xff" * 500 + b"PAR1", ": not a readable Parquet file: "),
        (b"PAR1", ": not a readable Parquet file: "),
        (written(pa.table({"a": [1]})), ": no column invoice_no, "),
        (parquet(Description=[["a"]] * ROWS), ": not a readable Parquet file: .*list"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # bytes would differ from run to run
)
def test_a_file_without_lines_is_refused(content: bytes, said: str) -> None:
    """The error says what is wrong with it."""
    assert re.match(f"a dump{said}", refusal(content), re.S)


def test_a_long_text_that_repeats_takes_little_memory(tmp_path: Path) -> None:
    """A few bytes could stand for gigabytes. It is cut, and its lines are rejected: they are too long anyway."""
    rows = 20_000
    table = pa.table({name: pa.array([value] * rows) for name, value in zip(NAMES, VALUES, strict=True)})
    long = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * 100_000])
    path = tmp_path / "long texts"
    path.write_bytes(written(table.set_column(2, "Description", long), compression="zstd"))
    assert path.stat().st_size < 20_000
    measured = subprocess.run([sys.executable, "-c", MEMORY_USED, path], capture_output=True, text=True, check=True)
    assert int(measured.stdout.split()[-1]) < 700  # megabytes; the texts alone would be two thousand
    assert "at most 500 characters" in measured.stdout


def test_a_column_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow unpacks a page at once, and only the row groups can be made smaller."""
    monkeypatch.setattr(parquet_dump, "COLUMN_LIMIT_BYTES", 1 << 6)
    assert "MB in one row group" in refusal(parquet({}))
