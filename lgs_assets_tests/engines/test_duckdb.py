"""One SELECT, two engines: every model gives in DuckDB the rows that it gives in PostgreSQL, to the last digit."""

import io
import sys
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from lgs_assets.demo import write_demo_dump
from lgs_assets.engines.duckdb import compute
from lgs_assets.errors import ContractError, LgsError
from lgs_assets.warehouse.contract import primary_key
from lgs_assets.warehouse.database import SCHEMA, Warehouse, driver_cursor
from lgs_assets.warehouse.declaration import arrow_schema
from lgs_assets.warehouse.dumps import load_dump
from lgs_assets.warehouse.model import Model
from lgs_assets_tests.builders import PARAMETERS, Line, build_tables, load_lines

OTHER_PARAMETERS: dict[str, Any] = {
    "drop_repeats": True, "ties": "together", "chart_cutoff": Decimal("0.5"),
    "snapshot_date": datetime(2012, 2, 29, 17, 30),
}  # fmt: skip

moments = st.datetimes(datetime(2011, 1, 1), datetime(2011, 6, 30)).map(lambda at: at.replace(microsecond=0))
prices = st.decimals(-9_999, 99_999, places=6) | st.sampled_from([Decimal(0), Decimal("0.000001"), Decimal("1.25")])
line = st.builds(
    Line,
    invoice_no=st.sampled_from(["1", "2", "3", "C4", "c5", "A6", "É7"]),
    stock_code=st.sampled_from(["22041", "POST"]),
    description=st.sampled_from([None, "", "FELT  ROBIN"]),
    quantity=st.integers(-2, 3) | st.integers(-80_000, 80_000),
    invoice_date=st.one_of(moments, st.just(datetime(2011, 3, 31, 23, 59, 59))).map(str),
    unit_price=prices.map(lambda price: f"{price:f}"),
    customer_id=st.none() | st.integers(1, 9) | st.just("2147483647.0"),
)


def exact(warehouse: Warehouse, table: str, columns: Iterable[str] | None = None, *, scale: int = 6) -> pa.Table:
    """A table of PostgreSQL in the order of its key, by way of its text: no number is ever a float."""
    wanted = arrow_schema(table).names if columns is None else sorted(columns)
    types = {
        field.name: pa.decimal128(38, scale) if pa.types.is_decimal(field.type) else field.type
        for field in arrow_schema(table)
    }
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        key = primary_key(cursor, SCHEMA, table)
        query = sql.SQL(
            "copy (select {} from {} order by {}) to stdout (format csv, header, null '\\N', force_quote *)"
        ).format(*(sql.SQL(", ").join(map(sql.Identifier, names)) for names in (wanted, [table], key)))
        with cursor.copy(query) as copy:
            text = io.BytesIO(b"".join(copy))
    return pa.csv.read_csv(
        text,
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=types, null_values=["\\N"], strings_can_be_null=True, quoted_strings_can_be_null=False,
            true_values=["t"], false_values=["f"],
        ),
    )  # fmt: skip


def assert_same_lineage(warehouse: Warehouse, given: dict[str, Any]) -> None:
    """From raw_invoices on, each table is built in DuckDB from those that DuckDB built, and is PostgreSQL's."""
    built: dict[str, pa.Table] = {}
    for table, defaults in PARAMETERS.items():
        model = Model(f"{table}.sql", **{name: given.get(name, default) for name, default in defaults.items()})
        inputs = {
            name: built[name] if name in built else exact(warehouse, name, columns)
            for name, columns in model.reads.items()
        }
        ours, theirs = compute(table, model, inputs), exact(warehouse, table, scale=15)
        assert ours.schema.types == theirs.schema.types
        assert [name for name in theirs.column_names if not ours[name].equals(theirs[name])] == [], table
        built[table] = ours


@pytest.mark.parametrize("data", ["demo", "real"])
def test_every_table_is_the_same_in_both(
    warehouse: Warehouse, tmp_path: Path, data: str, request: pytest.FixtureRequest
) -> None:
    """All rows and columns, in the order of the key, every decimal exactly."""
    if data == "real":
        dump = request.getfixturevalue("real_data") / "retail.sql.gz"
    else:
        dump = write_demo_dump(tmp_path / "retail.sql.gz", lines=20_000).path
    load_dump(warehouse, dump, name="retail.sql.gz")
    build_tables(warehouse)
    assert_same_lineage(warehouse, {})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    old=st.lists(line, min_size=1, max_size=12),
    new=st.lists(line, min_size=1, max_size=12),
    parameters=st.sampled_from([{}, OTHER_PARAMETERS]),
)
# Ten digits before the point and a mean that needs six behind it: more than a double holds.
@example(
    old=[Line("1", quantity=80_000, unit_price="99999.123457"), Line("2", customer_id=2, unit_price="0.000002")],
    new=[Line("3", customer_id=3, quantity=79_999, unit_price="99999.123459"), Line("3", invoice_date="2011-04-01")],
    parameters={},
)
def test_any_small_tables_give_the_same_in_both(
    warehouse: Warehouse, tmp_path: Path, old: list[Line], new: list[Line], parameters: dict[str, Any]
) -> None:
    """Ties, NULLs, repeats, overlapping dumps, missing months, odd letters, great and tiny sums; other settings."""
    load_lines(warehouse, tmp_path, old, name="old.sql")
    load_lines(warehouse, tmp_path, new, name="new.sql")
    build_tables(warehouse, **parameters)
    assert_same_lineage(warehouse, parameters)


def test_the_contract_holds(warehouse: Warehouse, tmp_path: Path) -> None:
    """What PostgreSQL would not publish is no result here either."""
    load_lines(warehouse, tmp_path, [Line()])
    build_tables(warehouse)
    totals = {"invoice_totals": exact(warehouse, "invoice_totals")}
    model = Model("rfm_scores.sql", snapshot_date=datetime(2011, 3, 4), ties="together")
    with pytest.raises(ContractError, match=r"rfm_scores: .*last_invoice_at <= snapshot_date"):
        compute("rfm_scores", model, totals)


def test_what_does_not_fit_is_an_error() -> None:
    """Money beyond every decimal of DuckDB is not cut to size."""
    totals = pa.table({"invoice_no": ["1"] * 2, "amount": pa.array([Decimal(9 * 10**31)] * 2, pa.decimal128(38, 6))})
    with pytest.raises(LgsError, match=r"invoice_amounts cannot be computed by DuckDB: .+"):
        compute("invoice_amounts", Model("invoice_amounts.sql"), {"invoice_totals": totals})


def test_without_duckdb_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB is an extra."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(LgsError, match=r'pip install "lgs-assets\[duckdb\]"'):
        compute("invoice_amounts", Model("invoice_amounts.sql"), {})
