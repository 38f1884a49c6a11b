"""One SELECT, two engines: every model gives in DuckDB the rows that it gives in PostgreSQL, to the last digit."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lgs_assets.contracts.declaration import in_order
from lgs_assets.contracts.model import Model
from lgs_assets.demo.costs import demo_costs
from lgs_assets.errors import ContractError, LgsError
from lgs_assets.lake.duckdb import DuckDB
from lgs_assets.lake.judgement import judge
from lgs_assets.warehouse.costs import Cost, keep_costs
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_rows
from lgs_assets_tests.builders import (
    MODELS,
    Line,
    MakeDatabase,
    build_tables,
    expect_sales,
    load_lines,
    model,
)
from lgs_assets_tests.warehouse.evidence import exact

OTHER_PARAMETERS: dict[str, Any] = {
    "doubled_invoices": "once", "ties": "together", "chart_cutoff": Decimal("0.5"), "pair_support": 1,
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

COSTS = [
    Cost("22041", date(2011, 1, 1), Decimal("0.333333")),
    Cost("22041", date(2011, 2, 10), Decimal("1.000001")),
]
"""Dearer in the second month; before the first day of these tests, and of other products, none is known."""


def assert_same_lineage(warehouse: Warehouse, given: dict[str, Any]) -> None:
    """From raw_invoices on, each table is built in DuckDB from those that DuckDB built, and is PostgreSQL's."""
    built: dict[str, pa.Table] = {}
    for table in MODELS:
        made = model(table, **given)
        inputs = {
            name: built[name] if name in built else read_rows(warehouse, {name: columns})[name]
            for name, columns in made.reads.items()
        }
        theirs = exact(warehouse, table)
        built[table] = DuckDB().rows(in_order(table, made.select), inputs, made.parameters)
        ours = built[table].cast(theirs.schema)
        assert [name for name in theirs.column_names if not ours[name].equals(theirs[name])] == [], table


def test_every_table_is_the_same_in_both(small_demo: Warehouse, make_database: MakeDatabase) -> None:
    """All rows and columns, in the order of the key, every decimal exactly. With costs, so that something is earned."""
    small_demo.engine.dispose()
    warehouse = Warehouse(make_database(template=small_demo.url))
    keep_costs(warehouse, demo_costs(seed=2009))
    expect_sales(warehouse)
    assert warehouse.rows("select from margins where known_share < 1") and warehouse.rows(
        "select from expected_margins"
    )
    assert_same_lineage(warehouse, {})
    warehouse.engine.dispose()


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    old=st.lists(line, min_size=1, max_size=12),
    new=st.lists(line, min_size=1, max_size=12),
    parameters=st.sampled_from([{}, {"drop_repeats": True}, OTHER_PARAMETERS]),
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
    keep_costs(warehouse, COSTS)
    build_tables(warehouse, **parameters)
    expect_sales(warehouse, **parameters)
    assert_same_lineage(warehouse, parameters)


SCORES = pa.table(
    {
        "customer_id": pa.array([1, 2], pa.int32()),
        "snapshot_date": [datetime(2011, 4, 1)] * 2,
        "last_invoice_at": [datetime(2011, 3, 4)] * 2,
        "recency_days": [28, 28],
        "frequency": [1, 2],
        "monetary": pa.array([Decimal("1.00"), Decimal("2.00")], pa.decimal128(38, 6)),
        "r_score": [1, 1], "f_score": [1, 5], "m_score": [1, 5], "rfm_score": ["111", "155"],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("snapshot_date", [datetime(2011, 3, 3), datetime(2011, 4, 1)],
         r"column last_invoice_at, snapshot_date: 1 row breaks the rule CHECK \(last_invoice_at <= snapshot_date\)"),
        ("monetary", [Decimal(0), Decimal(2)], r"column monetary: 1 row breaks the rule CHECK \(monetary > 0\)"),
        ("rfm_score", ["111", "1551"], r"column rfm_score: 1 row breaks the rule .*customer_id=2"),
        ("frequency", [None, None], "column frequency: 2 rows break the rule NOT NULL"),
        ("customer_id", [None, 2], "column customer_id: 1 row breaks the rule NOT NULL"),
        ("customer_id", [2, 2], r"column customer_id: 1 row breaks the rule UNIQUE \(customer_id\), among them"),
    ],
)  # fmt: skip
def test_the_contract_is_judged(column: str, values: list[Any], said: str) -> None:
    """What PostgreSQL would not publish is not returned here, either; the rule, the column and some rows are named."""
    judge(DuckDB(), "rfm_scores", SCORES)
    place = SCORES.column_names.index(column)
    broken = SCORES.set_column(place, column, pa.array(values, SCORES.schema.field(column).type))
    with pytest.raises(ContractError, match=f"(?s)rfm_scores, {said}"):
        judge(DuckDB(), "rfm_scores", broken)


def test_files_are_written_and_read_in_their_order(tmp_path: Path) -> None:
    """In row groups that a reader of a few rows can skip, whatever the machine's number of threads."""
    target = str(tmp_path / "part")
    select = "select cast(a as bigint) as a, :text as text from numbers order by a desc"
    numbers = pa.table({"a": list(range(400_000))})
    DuckDB().write(select, {"numbers": numbers}, {"text": "it's", "unused": 1}, target)
    ((file),) = (tmp_path / "part").iterdir()
    written = pq.ParquetFile(file)
    assert written.read()["a"].to_pylist() == list(range(399_999, -1, -1))
    assert written.num_row_groups > 2
    (row,) = DuckDB().rows("select count(*) as n, max(text) as t from x", {"x": [str(file)]}, {}).to_pylist()
    assert row == {"n": 400_000, "t": "it's"}


def test_a_quotient_within_a_quotient_is_exact() -> None:
    """Like any other: no double in between."""
    tenth = pa.table({"a": pa.array([Decimal("0.1")], pa.decimal128(38, 6))})
    (row,) = (
        DuckDB()
        .rows("select a / (a / 1000000) as b, avg(a / 100000000) as c from tenth group by a", {"tenth": tenth}, {})
        .to_pylist()
    )
    assert row == {"b": Decimal(1_000_000), "c": Decimal("0.000000001")}


def test_what_does_not_fit_is_an_error() -> None:
    """Money beyond every decimal of DuckDB is not cut to size."""
    totals = pa.table({"invoice_no": ["1"] * 2, "amount": pa.array([Decimal(9 * 10**31)] * 2, pa.decimal128(38, 6))})
    with pytest.raises(LgsError, match=r"DuckDB cannot compute .*: .+"):
        DuckDB().rows(Model("invoice_amounts.sql").select, {"invoice_totals": totals}, {})
