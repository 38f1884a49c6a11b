"""Every page on the real data: what is on it adds up to the tables, to the penny, filtered or not.

Needs the UCI data (see `real_data` in conftest.py); skips loudly without.
"""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from benchmarks.dashboard import pages
from lgs_assets import wording
from lgs_assets.dashboard.content import written
from lgs_assets.dashboard.queries import Tables
from lgs_assets.dashboard.report import render
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import values
from lgs_assets_tests.dashboard.conftest import Site, check_budget, serve


@pytest.fixture(scope="module")
def site(real: Warehouse) -> Iterator[Site]:
    tables = Tables(real.url)
    yield from serve(tables)
    tables.engine.dispose()


END, NOVEMBER = "as_of=2011-12", "as_of=2011-11"
"""All that is in the data, and the last whole month."""
OF_FRANCE = "customer_id in (select customer_id from customer_profile where country = 'France')"
SUMS = [
    (f"/overview/sales.csv?{END}", "net_sales", "select sum(line_total) from clean_invoices"),
    (
        f"/overview/sales.csv?{END}&country=France",
        "net_sales",
        f"select sum(line_total) from clean_invoices where {OF_FRANCE}",
    ),
    (f"/overview/sales.csv?{END}", "orders_placed", "select sum(placed_orders) from monthly_metrics"),
    (f"/overview/segments.csv?{END}", "sales_before_returns", "select sum(revenue) from segment_summary"),
    (f"/segments/segments.csv?{END}", "sales_before_returns", "select sum(monetary) from rfm_scores"),
    (f"/segments/segments.csv?{END}", "net_revenue", "select sum(net_revenue) from segments"),
    (
        f"/segments/segments.csv?{NOVEMBER}&country=France",
        "sales_before_returns",
        f"select sum(monetary) from rfm_history where snapshot_date = '2011-12-01' and {OF_FRANCE}",
    ),
    (
        f"/segments/cant-lose/customers.csv?{END}",
        "sales_before_returns",
        "select revenue from segment_summary where segment = 'Can''t Lose'",
    ),
    (f"/customers/customers.csv?{END}", "sales_before_returns", "select sum(monetary) from rfm_scores"),
    (
        "/customers/customers.csv?as_of=2010-11&country=France&segment=At+Risk&segment=Champions",
        "sales_before_returns",
        f"""
        select sum(monetary) from rfm_history
        where snapshot_date = '2010-12-01' and segment in ('At Risk', 'Champions') and {OF_FRANCE}
        """,
    ),
    ("/customers/14911/orders.csv", "amount", "select sum(line_total) from clean_invoices where customer_id = 14911"),
    (
        "/invoices/536365/lines.csv",
        "line_total",
        "select sum(line_total) from clean_invoices where invoice_no = '536365'",
    ),
    (
        f"/products-countries/countries.csv?{NOVEMBER}",
        "net_sales",
        """
        select sum(line_total) from clean_invoices
        where not is_second_copy and invoice_date >= '2010-12-01' and invoice_date < '2011-12-01'
        """,
    ),
    (
        f"/movements/net.csv?{END}",
        "joined",
        """
        select sum(customers) from segment_migrations
        where step = 1 and snapshot_to = '2012-01-01' and segment_from <> segment_to
        """,
    ),
    (
        f"/cohorts/retention.csv?{END}",
        "customers",
        "select sum(customers) from cohort_retention where months_since = 0",
    ),
    (
        f"/cohorts/second.csv?{END}",
        "within_30",
        "select sum(second_purchase_pct) from second_purchases where window_days = 30 and cohort_month < '2011-12-01'",
    ),
    (
        f"/products-countries/products.csv?{NOVEMBER}",
        "sales_before_returns",
        """
        select sum(sales) from (
            select sum(sales_once) as sales from product_months
            where invoice_month >= '2010-12-01' and invoice_month < '2011-12-01'
            group by code order by sales desc, code limit 15
        ) as best
        """,
    ),
    ("/products-countries/rising.csv", "change", "select sum(sales_change) from product_movers where change_rank <= 8"),
    (
        f"/movements/matrix.csv?{END}",
        "Champions",
        """
        select 2 * sum(customers) from segment_migrations  -- its last row is the sum of the others
        where step = 1 and snapshot_to = '2012-01-01' and segment_to = 'Champions'
        """,
    ),
    (
        f"/movements/stake.csv?{END}",
        "went_with",
        """
        select sum(monetary_before) from segment_migrations
        where step = 1 and snapshot_to = '2012-01-01' and segment_from <> segment_to
        """,
    ),
    *(
        (
            f"/segments/champions/{name}.csv?{END}",
            "customers",
            "select customers from segment_summary where segment = 'Champions'",
        )
        for name in ("spent", "orders", "days")
    ),
    ("/outlook/churn.csv", "sales_365", "select sum(sales_365) from churn_risk where band = 'high'"),
    ("/campaigns/audiences.csv", "members", "select count(*) from audience_members"),
    ("/outlook/value.csv", "expected_sales", "select sum(sales) from customer_value where horizon_days = 182"),
    ("/outlook/risk.csv", "customers", "select count(*) from churn_risk"),
    (
        "/outlook/forecast.csv",
        "forecast",
        "select sum(forecast) from forecasts where kind = 'total' and grain = 'month'",
    ),
]


@pytest.mark.parametrize(("file", "column", "query"), SUMS)
def test_a_page_adds_up_to_the_tables(site: Site, real: Warehouse, file: str, column: str, query: str) -> None:
    """By the file of the page's figure, which is the table under it."""
    shown = csv.DictReader(io.StringIO(site.get(file).text))
    ((expected,),) = map(values, real.rows(query))
    assert expected
    assert sum(Decimal(row[column] or 0) for row in shown) == expected


def test_a_country_of_one_customer_says_so(site: Site) -> None:
    """In the year to November 2011 all but all of the Netherlands is one customer, and half of EIRE, of three."""
    told = csv.DictReader(io.StringIO(site.get(f"/products-countries/countries.csv?{NOVEMBER}").text))
    shares = {row["country"]: row["top_customer_pct"] for row in told}
    told_of = [round(float(shares[country]), 1) for country in ("Netherlands", "EIRE", "Singapore")]
    assert told_of == [98.1, 52.9, 100]


def test_a_report_is_two_sheets_a_segment(site: Site) -> None:
    """Also of the one whose customers came from everywhere."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError):
        pytest.skip("NOT PROVEN AS A PDF: install the extra report, and Pango")
    assert len(HTML(string=render(site.tables, ["champions", "hibernating"])).render().pages) == 4


def test_a_printed_report_adds_up_to_the_tables(site: Site, real: Warehouse) -> None:
    """The sizes on the sheet of the shop, and the headline of a segment's."""
    (known,) = real.rows("select sum(revenue) as sales, sum(customers) as customers from segment_summary")
    sheet = site.get(f"/report?{END}").text.partition('<div class="two wide-right">')[2]
    cells = re.findall(r'<td class="n">(?:<a [^>]*>)?(£?)([\d,]+)(?:</a>)?</td>', sheet)
    told = {unit: sum(int(number.replace(",", "")) for kind, number in cells if kind == unit) for unit in ("", "£")}
    assert told[""] == known["customers"]
    assert told["£"] == pytest.approx(known["sales"], abs=5), "each of ten is rounded to the pound"
    (champions,) = real.rows("select customers, revenue from segment_summary where segment = 'Champions'")
    html = site.get(f"/report/champions?{END}").text
    for number in (wording.count(champions["customers"]), written(champions["revenue"], "whole_pounds")):
        assert f"<strong>{number}</strong>" in html


@pytest.mark.parametrize("query", [f"?{END}", f"?{NOVEMBER}&country=United+Kingdom&step=12"])
def test_every_page_keeps_its_budget(site: Site, real: Warehouse, query: str) -> None:
    """Also that of the customer with most orders, and of the invoice with most lines."""
    asked = pages(real)
    assert {"/invoices/{item}", "/customers/{item}", "/campaigns/{item}", "/data/{item}"} < {*asked}
    for path in asked.values():
        check_budget(site, path + query)
