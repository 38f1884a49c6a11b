"""What customers did next by themselves, on figures checked by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.contracts.check import CHECKS
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import Line, build_tables, built_for, load_lines, values

TABLES = built_for("natural_return")
(AGREES,) = (check for check in CHECKS if (check.table, check.name) == ("natural_return", "agrees_with_the_history"))


def test_returns_of_their_own_accord(warehouse: Warehouse, tmp_path: Path) -> None:
    """Known before the start, counted only in whole windows; a later return counts against what they bought."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("1", customer_id=1, invoice_date="2011-01-03 10:00", unit_price="10"),
            Line("2", customer_id=2, invoice_date="2011-01-31 10:00", unit_price="20"),
            Line("3", customer_id=1, invoice_date="2011-03-01 00:00", unit_price="5.005"),
            Line("4", customer_id=3, invoice_date="2011-04-05 10:00", unit_price="8"),
            Line("C5", customer_id=1, quantity=-1, invoice_date="2011-04-30 23:59", unit_price="1"),
            Line("6", customer_id=2, invoice_date="2011-05-01 00:00", unit_price="4"),
            Line("7", customer_id=2, invoice_date="2011-06-02 10:00", unit_price="4"),
        ],
    )
    build_tables(warehouse, *TABLES)
    rows = warehouse.rows(
        """
        select
            snapshot_date, months, sum(customers) as customers, sum(came_back) as came_back,
            sum(sales_after) as sales_after, sum(net_after) as net_after, sum(net_before) as net_before
        from natural_return
        group by snapshot_date, months
        order by snapshot_date
        """
    )
    assert [values(row) for row in rows] == [
        (datetime(2011, 2, 1), 3, 2, 1, Decimal("5.005"), Decimal("4.005"), None),
        (datetime(2011, 3, 1), 3, 2, 2, Decimal("9.005"), Decimal("8.005"), None),
    ]


def test_a_doubled_invoice_counts_once_beside(warehouse: Warehouse, tmp_path: Path) -> None:
    """Invoice 2 stands twice in full: what is compared over time counts it once."""
    first, last = Line("1", invoice_date="2011-01-03 10:00"), Line("3", invoice_date="2011-05-31 10:00")
    doubled = [Line("2", code, invoice_date="2011-03-05 10:00", unit_price="8") for code in ("22041", "22423")]
    load_lines(warehouse, tmp_path, [first, *doubled, *doubled, last])
    build_tables(warehouse, *TABLES)
    rows = warehouse.rows("select * from natural_return where snapshot_date = '2011-02-01'")
    assert [(row.sales_after, row.sales_after_once, row.net_after, row.net_after_once) for row in rows] == [
        (32, 16, 32, 16)
    ]


def test_a_snapshot_date_after_the_last_sale_is_no_fault(warehouse: Warehouse, tmp_path: Path) -> None:
    """The last month is whole, though the last snapshot lies in it: its windows agree with what was bought in them."""
    days = [date(2011, 1, 3) + timedelta(days=day) for day in range(148)]  # to 30 May
    load_lines(
        warehouse,
        tmp_path,
        [Line(f"{number}", customer_id=number % 3 + 1, invoice_date=f"{day} 10:00") for number, day in enumerate(days)],
    )
    build_tables(warehouse, *TABLES, snapshot_date=datetime(2011, 5, 31))
    windows = warehouse.rows("select distinct snapshot_date, months from natural_return order by snapshot_date")
    assert [values(row) for row in windows] == [(datetime(2011, month, 1), 3) for month in (2, 3)]
    assert evaluate(AGREES, PostgresTables(warehouse)).passed
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("update natural_return set sales_after = sales_after + 0.01")
    assert not evaluate(AGREES, PostgresTables(warehouse)).passed


def test_every_figure_is_checked(warehouse: Warehouse, tmp_path: Path) -> None:
    """Eight months, so that the windows before are covered as well: a penny in any column is found."""
    days = [date(2011, 1, 3) + timedelta(days=day) for day in range(240)]  # to 30 August
    load_lines(
        warehouse,
        tmp_path,
        [Line(f"{number}", customer_id=number % 3 + 1, invoice_date=f"{day} 10:00") for number, day in enumerate(days)],
    )
    build_tables(warehouse, *TABLES)
    assert evaluate(AGREES, PostgresTables(warehouse)).passed
    net = ("net_after", "net_before", "net_after_once", "net_before_once")
    faults = {"sales_after": "0.01", "sales_after_once": "-0.01"} | dict.fromkeys(net, "0.01")
    for column, penny in faults.items():
        for sign in "+-":
            with warehouse.transaction() as connection:
                connection.exec_driver_sql(f"update natural_return set {column} = {column} {sign} ({penny})")
            assert evaluate(AGREES, PostgresTables(warehouse)).passed == (sign == "-"), column
