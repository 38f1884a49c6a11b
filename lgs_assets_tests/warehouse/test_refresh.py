"""Work follows the change: tables refreshed by invoice are what they would be if they were rebuilt."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets.errors import ContractError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.warehouse.loading import DumpFile, forget_dump, load_dump
from lgs_assets_tests.builders import SOURCES, Line, build_tables, load_lines, model

HISTORY = [
    Line(f"{number}", stock_code=stock, customer_id=number % 7 + 1, invoice_date=f"2011-0{number % 5 + 1}-04 10:00")
    for number in range(100)
    for stock in ("A", "A", "B")
]

# Invoices of the history and others, before its end and after it, with repeats, guests and two customers.
line = st.builds(
    Line,
    invoice_no=st.sampled_from(["1", "2", "3", "C4", "new"]),
    stock_code=st.sampled_from(["A", "B"]),
    quantity=st.sampled_from([1, -2]),
    invoice_date=st.sampled_from(["2011-02-04 10:00", "2011-03-01 00:00", "2011-06-01 10:00"]),
    customer_id=st.sampled_from([1, 2, None]),
)
age = st.sampled_from(["2011-07-01", "2011-07-02", "2011-07-03", None])
change = st.tuples(st.sampled_from(["a.sql", "b.sql", "c.sql"]), st.lists(line, max_size=6), age)


def oids(warehouse: Warehouse) -> dict[str, int]:
    """Tells a table from one that has taken its place."""
    (row,) = warehouse.rows(f"select {', '.join(f'to_regclass({table!r})::oid::int as {table}' for table in SOURCES)}")
    return dict(row)


def contents(warehouse: Warehouse) -> set[tuple[str, str]]:
    return {(dump.dump, dump.sha256) for dump in loaded_dumps(warehouse)}


def rebuilt_rows(warehouse: Warehouse, table: str, **parameters: Any) -> list[tuple[Any, ...]]:
    made = model(table, **parameters)
    return sorted((tuple(row.values()) for row in warehouse.rows(made.select, **made.parameters)), key=str)


def rows(warehouse: Warehouse, table: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row.values()) for row in warehouse.rows(f"select * from {table}")), key=str)


def assert_as_rebuilt(warehouse: Warehouse, **parameters: Any) -> None:
    for table in SOURCES:
        assert rows(warehouse, table) == rebuilt_rows(warehouse, table, **parameters)
        (counted,) = warehouse.rows(
            f"select row_count, (select count(*) from {table}) as rows from publications where table_name = :table",
            table=table,
        )
        assert counted.row_count == counted.rows


@pytest.fixture
def history(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """A warehouse with a dump that is long beside all others."""
    load_lines(warehouse, tmp_path, HISTORY, name="history.sql")
    build_tables(warehouse, *SOURCES)
    return warehouse


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(change, min_size=1, max_size=5),
    rules=st.sampled_from([{}, {"drop_repeats": True}, {"doubled_invoices": "once"}]),
)
def test_after_any_changes_the_tables_are_as_if_rebuilt(
    history: Warehouse, tmp_path: Path, changes: list[tuple[str, list[Line], str | None]], rules: dict[str, Any]
) -> None:
    """Small dumps of any age arrive, are replaced and forgotten, win invoices and lose them. No table is rebuilt."""
    for dump in loaded_dumps(history):
        if dump.dump != "history.sql":
            forget_dump(history, dump.dump)
    build_tables(history, *SOURCES, **rules)
    before, ledger = oids(history), contents(history)
    for name, lines, written_at in changes:
        if lines:
            load_lines(history, tmp_path, lines, name=name, written_at=written_at)
        elif name in {dump.dump for dump in loaded_dumps(history)}:
            forget_dump(history, name)
        if contents(history) != ledger:
            ledger = contents(history)
            build_tables(history, *SOURCES, **rules)
            assert_as_rebuilt(history, **rules)
    assert oids(history) == before


def test_rows_of_other_invoices_are_not_touched(history: Warehouse, tmp_path: Path) -> None:
    """A new dump writes the rows of its own invoices, and no others."""
    versions = "select xmin::text as version, count(*) as rows from {} group by 1 order by 2"
    load_lines(history, tmp_path, [Line("1", invoice_date="2011-06-01 10:00")], name="june.sql")
    build_tables(history, *SOURCES)
    assert [row.rows for row in history.rows(versions.format("clean_invoices"))] == [1, 297]
    assert [row.rows for row in history.rows(versions.format("invoice_totals"))] == [1, 99]


def test_totals_of_rebuilt_lines_are_rebuilt(history: Warehouse, tmp_path: Path) -> None:
    """Whatever else has changed: the rules for lines, say, or lines that were not trusted."""
    with history.transaction() as connection:
        connection.execute(
            sa.text("update clean_invoices set invoice_month = '2012-01-01', invoice_date = '2012-01-01'")
        )
    build_tables(history, "invoice_totals")
    build_tables(history, "clean_invoices")
    load_lines(history, tmp_path, [Line("1", invoice_date="2011-06-01 10:00")], name="june.sql")
    build_tables(history, *SOURCES)
    assert_as_rebuilt(history)


def test_a_dump_read_in_another_order_of_dates_has_changed(history: Warehouse, tmp_path: Path) -> None:
    """The same content, and other lines."""
    path = tmp_path / "days.csv"
    path.write_text(
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
        "days,A,LANTERN,1,01/02/2011 10:00,1.00,1,United Kingdom\n"
    )
    months = []
    for dates in ("day first", "month first"):
        load_dump(history, DumpFile(path, "days.csv", dates=dates))
        build_tables(history, *SOURCES)
        assert_as_rebuilt(history)
        months += history.rows("select invoice_month from invoice_totals where invoice_no = 'days'")
    assert [str(row.invoice_month) for row in months] == ["2011-02-01", "2011-01-01"]


def test_a_table_that_is_gone_is_rebuilt(history: Warehouse, tmp_path: Path) -> None:
    """Although what it was made from is on record."""
    with history.transaction() as connection:
        connection.execute(sa.text("drop table invoice_totals"))
    load_lines(history, tmp_path, [Line("1", invoice_date="2011-06-01 10:00")], name="june.sql")
    build_tables(history, *SOURCES)
    assert_as_rebuilt(history)


@pytest.mark.parametrize(
    ("lines", "parameters"),
    [
        pytest.param([], {}, id="nothing has changed"),
        pytest.param([], {"drop_repeats": True}, id="other rules"),
        pytest.param(HISTORY[:60], {}, id="much has changed"),
    ],
)
def test_else_the_tables_are_rebuilt(
    history: Warehouse, tmp_path: Path, lines: list[Line], parameters: dict[str, Any]
) -> None:
    """Also when nothing has changed: who asks for it then does not trust the table, and here is right."""
    with history.transaction() as connection:
        connection.execute(sa.text("delete from clean_invoices where invoice_no = '50'"))
    before = oids(history)
    if lines:
        load_lines(history, tmp_path, lines, name="much.sql")
    build_tables(history, *SOURCES, **parameters)
    after = oids(history)
    assert all(after[table] != before[table] for table in SOURCES)
    assert {row.invoice_no for row in history.rows("select invoice_no from invoice_totals")} >= {"50"}


def test_a_line_that_breaks_the_contract_is_explained(history: Warehouse, tmp_path: Path) -> None:
    """As when the table is rebuilt; and nothing has changed."""
    before = rows(history, "clean_invoices")
    load_lines(history, tmp_path, [Line("1", invoice_date="2011-06-01 10:00")], name="june.sql")
    with history.transaction() as connection:
        connection.execute(sa.text("alter table raw_invoices drop constraint raw_invoices_customer_id_check"))
        connection.execute(sa.text("update raw_invoices set customer_id = 3000000000 where dump = 'june.sql'"))
    with pytest.raises(ContractError, match="clean_invoices: integer out of range"):
        build_tables(history, *SOURCES)
    assert rows(history, "clean_invoices") == before
