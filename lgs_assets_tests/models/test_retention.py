"""Whether customers come back: profiles, cohorts, flows and second purchases, on figures checked by hand."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import Line, build_tables, built_for, in_group, load_lines, values

TABLES = built_for(*in_group("retention"), "segment_migrations")

# Customer 1 buys in January, February and May, 2 in January, 3 in February and March; nobody buys in April. A guest
# makes January whole.
LINES = [
    Line("0", customer_id=None, invoice_date="2011-01-03 10:00"),
    Line("1", customer_id=1, invoice_date="2011-01-10 10:00", unit_price="10"),
    Line("2", customer_id=2, invoice_date="2011-01-12 10:00", unit_price="20"),
    Line("3", customer_id=1, invoice_date="2011-02-10 10:00", unit_price="5.005"),
    Line("4", customer_id=3, invoice_date="2011-02-11 10:00", unit_price="8"),
    Line("5", customer_id=3, invoice_date="2011-03-31 10:00", unit_price="4"),
    Line("C6", customer_id=3, quantity=-1, invoice_date="2011-04-02 10:00", unit_price="4"),
    Line("7", customer_id=1, invoice_date="2011-05-12 10:00", unit_price="1"),
]


@pytest.fixture
def shop(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    load_lines(warehouse, tmp_path, LINES)
    build_tables(warehouse, *TABLES)
    return warehouse


def test_a_cohort_is_followed_through_every_month(shop: Warehouse) -> None:
    """Also through those in which nobody buys; the first is left-censored and the last partial."""
    cohort = shop.rows("select * from cohort_retention where cohort_month = '2011-02-01' order by months_since")
    assert [(row.invoice_month, row.months_since, row.active, row.sales) for row in cohort] == [
        (date(2011, 2, 1), 0, 1, 8),
        (date(2011, 3, 1), 1, 1, 4),
        (date(2011, 4, 1), 2, 0, 0),
        (date(2011, 5, 1), 3, 0, 0),
    ]
    assert [row.revenue_retention_pct for row in cohort] == [100, 50, 0, 0]
    marks = shop.rows("select distinct cohort_month from cohort_retention where is_left_censored")
    assert marks == [{"cohort_month": date(2011, 1, 1)}]
    assert shop.rows("select distinct invoice_month from cohort_retention where is_partial") == [
        {"invoice_month": date(2011, 5, 1)}
    ]


def test_pooled_figures_leave_out_partial_months(shop: Warehouse) -> None:
    """And the first cohort, unless it is asked for; a cohort that bought nothing counts in the denominator."""
    pooled = shop.rows("select * from cohort_retention_pooled order by with_left_censored, months_since")
    assert [(row.with_left_censored, row.months_since, row.customers, row.active) for row in pooled] == [
        (False, 0, 1, 1), (False, 1, 1, 1), (False, 2, 1, 0),
        (True, 0, 3, 3), (True, 1, 3, 2), (True, 2, 3, 0), (True, 3, 2, 0),
    ]  # fmt: skip
    assert pooled[4].revenue_retention_pct == Decimal("23.697368")  # 9.005 of 38


def test_flows_name_everybody_once(shop: Warehouse) -> None:
    """New, retained, reactivated and lapsed, month by month, April without a sale included."""
    flows = shop.rows(
        "select active_customers, new_customers, retained_customers, reactivated_customers, lapsed_customers, "
        "sales, lapsed_sales from customer_flow order by invoice_month"
    )
    assert [values(row) for row in flows] == [
        (2, 2, 0, 0, 0, 30, 0),
        (2, 1, 1, 0, 1, Decimal("13.005"), 20),
        (1, 0, 1, 0, 1, 4, Decimal("5.005")),
        (0, 0, 0, 0, 1, 0, 4),
        (1, 0, 0, 1, 0, 1, 0),
    ]


def test_a_window_counts_once_it_is_over(shop: Warehouse) -> None:
    """On 12 May, 30, 60 and 90 days are over for January's customers, 30 and 60 for February's; the day is included."""
    found = shop.rows("select * from second_purchases order by cohort_month, window_days")
    assert [(row.cohort_month.month, row.window_days, row.customers, row.second_purchases) for row in found] == [
        (1, 30, 2, 0), (1, 60, 2, 1), (1, 90, 2, 1),
        (2, 30, 1, 0), (2, 60, 1, 1),
    ]  # fmt: skip


def test_months_are_of_all_lines_of_a_customer_and_of_a_cohort(shop: Warehouse) -> None:
    """A cancellation counts as in monthly_metrics: it takes back an order, and is what its month comes to."""
    of_customers = shop.rows("select * from customer_months where customer_id in (1, 3) order by 1, 2")
    assert [(row.customer_id, row.invoice_month.month, row.placed_orders, row.net_sales) for row in of_customers] == [
        (1, 1, 1, 10), (1, 2, 1, Decimal("5.005")), (1, 5, 1, 1),
        (3, 2, 1, 8), (3, 3, 1, 4), (3, 4, -1, -4),
    ]  # fmt: skip
    of_cohorts = shop.rows("select * from cohort_months order by cohort_month, invoice_month")
    assert [
        (row.cohort_month.month, row.invoice_month.month, row.active_customers, row.placed_orders, row.net_sales)
        for row in of_cohorts
    ] == [
        (1, 1, 2, 2, 30), (1, 2, 1, 1, Decimal("5.005")), (1, 5, 1, 1, 1),
        (2, 2, 1, 1, 8), (2, 3, 1, 1, 4), (2, 4, 1, -1, -4),
    ]  # fmt: skip


def test_a_profile_tells_what_a_customer_did(warehouse: Warehouse, tmp_path: Path) -> None:
    """Medians of orders and gaps, the country with the most sales, returns, and what remained."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("0", customer_id=8, invoice_date="2010-12-31 10:00", country="EIRE"),
            Line("1", invoice_date="2011-01-10 10:00", unit_price="10", country="France", customer_id=7),
            Line("2", invoice_date="2011-01-10 17:00", unit_price="1", customer_id=7),
            Line("3", invoice_date="2011-01-20 10:00", unit_price="4", customer_id=7),
            Line("4", invoice_date="2011-02-03 10:00", unit_price="4", customer_id=7),
            Line("C5", quantity=-1, invoice_date="2011-03-01 10:00", unit_price="6", customer_id=7),
        ],
    )
    build_tables(warehouse, *TABLES)
    (row,) = warehouse.rows("select * from customer_profile where customer_id = 7")
    assert (row.first_sale_at, row.last_sale_at) == (datetime(2011, 1, 10, 10), datetime(2011, 2, 3, 10))
    assert (row.cohort_month, row.is_first_seen) == (date(2011, 1, 1), False)
    assert row.country == "France"
    assert (row.orders, row.purchase_days, row.second_purchase_day) == (4, 3, date(2011, 1, 20))
    assert (row.sales, row.returns, row.net_revenue, row.kept_pct) == (19, 6, 13, Decimal("68.421053"))
    assert (row.typical_order, row.typical_gap_days) == (4, 12)
    (first,) = warehouse.rows("select * from customer_profile where customer_id = 8")
    assert first.is_first_seen
    assert (first.second_purchase_day, first.typical_gap_days) == (None, None)


def test_an_invoice_of_two_days_is_one_order(warehouse: Warehouse, tmp_path: Path) -> None:
    """On two purchase days, the second of which is the first of another invoice, too."""
    moments = [("1", "2011-01-10 23:59:59"), ("1", "2011-01-11 00:00:00"), ("2", "2011-01-11 09:00:00")]
    load_lines(warehouse, tmp_path, [Line(number, invoice_date=moment) for number, moment in moments])
    build_tables(warehouse, *built_for("customer_profile"))
    (row,) = warehouse.rows("select * from customer_profile")
    assert (row.first_sale_at, row.last_sale_at) == (datetime(2011, 1, 10, 23, 59, 59), datetime(2011, 1, 11, 9))
    assert (row.orders, row.purchase_days, row.second_purchase_day) == (2, 2, date(2011, 1, 11))
    assert (row.typical_order, row.typical_gap_days) == (Decimal("1.5"), 1)
    parts = warehouse.rows("select invoice_no, part, invoice_day from invoice_totals order by 1, 2")
    assert [values(part) for part in parts] == [
        ("1", 1, date(2011, 1, 10)), ("1", 2, date(2011, 1, 11)), ("2", 1, date(2011, 1, 11))
    ]  # fmt: skip


def test_of_two_countries_with_equal_sales_the_latest_counts(warehouse: Warehouse, tmp_path: Path) -> None:
    """Whichever comes first in the alphabet."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("1", customer_id=1, invoice_date="2011-01-10 10:00", country="Austria"),
            Line("2", customer_id=1, invoice_date="2011-01-11 10:00", country="Spain"),
            Line("3", customer_id=2, invoice_date="2011-01-10 10:00", country="Spain"),
            Line("4", customer_id=2, invoice_date="2011-01-11 10:00", country="Austria"),
        ],
    )
    build_tables(warehouse, *TABLES)
    found = warehouse.rows("select country from customer_profile order by customer_id")
    assert [row.country for row in found] == ["Spain", "Austria"]


def test_a_doubled_invoice_counts_twice_and_beside_it_once(warehouse: Warehouse, tmp_path: Path) -> None:
    """In each table of sales over time: £7 of the second month stand there twice."""
    doubled = [Line("3", customer_id=1, invoice_date="2011-02-10 10:00", unit_price="7")] * 2
    load_lines(warehouse, tmp_path, [*LINES[:3], *doubled, *LINES[4:]])
    build_tables(warehouse, *TABLES)
    for table, month, columns, found in [
        ("cohort_retention", "invoice_month", "sales, sales_once", (14, 7)),
        (
            "cohort_retention",
            "invoice_month",
            "revenue_retention_pct, revenue_retention_once_pct",
            (a_share(14), a_share(7)),
        ),
        ("customer_flow", "invoice_month", "retained_sales, retained_sales_once", (14, 7)),
        ("customer_flow", "invoice_month", "sales, sales_once", (22, 15)),
        ("cohort_months", "invoice_month", "doubled_orders, net_sales, net_sales_once", (1, 14, 7)),
    ]:
        where = "and cohort_month = '2011-01-01'" if table.startswith("cohort_") else ""
        (row,) = warehouse.rows(f"select {columns} from {table} where {month} = '2011-02-01' {where}")
        assert values(row) == found, table
    (march,) = warehouse.rows(
        "select lapsed_sales, lapsed_sales_once from customer_flow where invoice_month = '2011-03-01'"
    )
    assert values(march) == (14, 7)
    (pooled,) = warehouse.rows(
        "select sales, sales_once, revenue_retention_pct, revenue_retention_once_pct "
        "from cohort_retention_pooled where with_left_censored and months_since = 1"
    )
    assert values(pooled) == (18, 11, Decimal("47.368421"), Decimal("28.947368"))
    (step,) = warehouse.rows(
        "select sum(sales_between) as sales, sum(sales_between_once) as once from segment_migrations "
        "where step = 1 and snapshot_to = '2011-03-01'"
    )
    assert values(step) == (22, 15)


def a_share(sales: int) -> Decimal:
    """In percent of the £30 of the cohort's first month."""
    return round(100 * Decimal(sales) / 30, 6)
