"""What happened, on the real data: the reference figures of products, countries and trend, to the digits they show.

Needs the UCI data and the reference figures beside it (see `real_data` in conftest.py); skips loudly without.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lgs_assets.models.trend import trends
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import values

MISSING = Decimal(0)
"""What the reference writes as nothing."""


def reference(real_data: Path, name: str) -> list[dict[str, Any]]:
    frame = pd.read_csv(real_data / "reference" / "history" / name, dtype=str, keep_default_na=False)
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def shown(value: object, like: str) -> Decimal:
    """A value to as many places as the reference shows."""
    exponent = min(0, int(Decimal(like or 0).as_tuple().exponent))
    return round(MISSING if value is None else Decimal(str(value)), -exponent)


def assert_equal(ours: Any, theirs: dict[str, Any], names: dict[str, str]) -> None:
    for name, column in names.items():
        assert shown(ours[column], theirs[name]) == Decimal(theirs[name] or 0), (dict(ours), name)


def test_products(real: Warehouse, real_data: Path) -> None:
    """Units, sales, returns and rates of each; ranks except for ties, which the reference leaves in any order."""
    products = {row.code: row for row in real.rows("select * from products")}
    same = (
        *("invoices", "customers", "units_sold", "sales", "units_returned", "returned", "return_lines"),
        *("units_returned_matched", "returned_matched", "return_rate_units", "return_rate_sales_matched"),
    )
    sold_alike = real.rows("select sales from products where sales > 0 group by sales having count(*) > 1")
    ties = {row.sales for row in sold_alike}
    for theirs in reference(real_data, "products.csv"):
        ours = products[theirs["stock"]]
        assert_equal(ours, theirs, {name: name for name in same} | {"share": "sales_share"})
        assert (ours.description, ours.abc_class) == (theirs["description"], theirs["abc"])
        if ours.sales not in ties:
            assert_equal(ours, theirs, {"rank": "sales_rank", "cum_share": "cumulative_share"})


def test_classes(real: Warehouse, real_data: Path) -> None:
    """1,025 of the 4,707 products that were sold are A."""
    rows = real.rows("select abc_class, count(*), sum(sales) from products where sales > 0 group by 1 order by 1")
    assert [values(row) for row in rows] == [
        (theirs["abc"], int(theirs["products"]), Decimal(theirs["sales"]))
        for theirs in reference(real_data, "products_abc.csv")
    ]


def test_returns(real: Warehouse, real_data: Path) -> None:
    """Lines, money, units and median days of each kind of match, over products and charges."""
    kinds = ("whole line", "part of a line", "several lines", "another price", "only a part", "no sale")
    rows = real.rows(
        """
        select
            match, count(*) as lines, sum(amount) as amount, sum(units) as units,
            percentile_cont(0.5) within group (order by extract(epoch from returned_at - sold_at)) / 86400
                as median_days
        from returns
        group by match
        """
    )
    ours = {row.match: row for row in rows}
    for kind, theirs in zip(kinds, reference(real_data, "returns_match_rules.csv"), strict=True):
        assert_equal(ours[kind], theirs, {name: name for name in ("lines", "amount", "units", "median_days")})
    (share,) = real.rows(
        "select avg((units_matched > 0)::int) as lines, "
        "sum(amount) filter (where units_matched > 0) / sum(amount) as amount from returns where is_product"
    )
    assert (share.lines > Decimal("0.9"), share.amount > Decimal("0.95")) == (True, True)


def test_pairs(real: Warehouse, real_data: Path) -> None:
    """28,762 pairs in 100 baskets, 519 in 400, of 39,516."""
    pairs = {(row.code, row.other_code): row for row in real.rows("select * from product_pairs")}
    assert len(pairs) == 28_762
    assert sum(pair.baskets >= 400 for pair in pairs.values()) == 519
    assert {pair.all_baskets for pair in pairs.values()} == {39_516}
    names = {
        "both_": "baskets", "ca": "baskets_of_code", "cz": "baskets_of_other", "support": "support",
        "conf_az": "confidence", "conf_za": "confidence_back", "lift": "lift", "kulczynski": "kulczynski",
    }  # fmt: skip
    for theirs in reference(real_data, "pairs_min400.csv"):
        assert_equal(pairs[theirs["a"], theirs["z"]], theirs, names)


def test_countries(real: Warehouse, real_data: Path) -> None:
    """All of each, and the two years of it by its months."""
    rows = real.rows(
        """
        select
            countries.*,
            sum(months.net_sales) filter (where invoice_month < '2010-12-01') as first_year,
            sum(months.net_sales) filter (where invoice_month between '2010-12-01' and '2011-11-01') as second_year
        from countries
        inner join country_months as months on countries.country = months.country
        group by countries.country
        """
    )
    countries = {row.country: row for row in rows}
    same = ("lines", "invoices", "customers", "net_sales", "sale_customers", "sales", "sale_invoices", "returned")
    names = {name: name for name in (*same, "sales_per_invoice", "top_customer_share")} | {
        "share_net": "net_sales_share", "net_sales_2009_12_to_2010_11": "first_year",
        "net_sales_2010_12_to_2011_11": "second_year",
    }  # fmt: skip
    for theirs in reference(real_data, "countries.csv"):
        assert_equal(countries[theirs["country"]], theirs, names)


ONCE = {
    "sales, doubled week once": "sales, doubled invoices once",
    "sales per active customer, is_sale once": "sales per buying customer",
}
"""The series in which the reference leaves out other lines: each repeat of the doubled week, of whatever invoice."""
AS_THEY_COUNT = """
with months as (
    select
        invoice_month, is_partial, sum(line_total) as sales,
        sum(line_total) filter (where is_sale) / count(distinct customer_id) filter (where is_sale) as sales_per_buyer
    from clean_invoices
    inner join monthly_metrics using (invoice_month)
    where not (is_repeat and invoice_date >= '2010-12-01' and invoice_date < '2010-12-10')
    group by invoice_month, is_partial
)

select 'sales, doubled week once' as series, invoice_month, is_partial, sales as value from months
union all
select 'sales per active customer, is_sale once', invoice_month, is_partial, sales_per_buyer from months
"""
"""Their two series, by their rule."""


def test_trend(real: Warehouse, real_data: Path) -> None:
    """Each figure to three digits. Of ONCE, those of their own series, and near them those of ours."""
    rows: list[Any] = [*real.rows("select * from trend_statistics")]
    series = pd.DataFrame(map(dict, real.rows(AS_THEY_COUNT))).astype({"value": float})
    rows += trends(series).itertuples()
    found = {(row.series, row.method): row for row in rows}
    for theirs in reference(real_data, "trend.csv"):
        yearly = theirs["scale"].startswith("year")
        scale = "log" if theirs["scale"] == "log" else "level"
        by_month = ", by month" if theirs["month_dummies"] == "True" else ""
        method = "year on year" if yearly else scale + by_month
        ours = found[theirs["series"].removesuffix(", as is"), method]
        if theirs["slope_per_month"] == "inf":
            assert ours.reason == "logarithms need values above zero"
            continue
        if theirs["series"] in ONCE:
            assert found[ONCE[theirs["series"]], method].p_value == pytest.approx(ours.p_value, abs=0.01)
        names = {"slope_per_month": "slope_per_month", "hac_p": "p_value", "ols_p": "plain_p_value"}
        if not yearly:
            names |= {"hac_se": "standard_error", "r2": "r_squared", "dw": "durbin_watson", "ci_lo": "ci_low"}
        else:
            ends = (100 * float(theirs["ci_lo"]), 100 * float(theirs["ci_hi"]))
            assert (ours.change_low_pct, ours.change_high_pct) == pytest.approx(ends, rel=1e-3, abs=1e-4)
        for name, column in names.items():
            assert getattr(ours, column) == pytest.approx(float(theirs[name]), rel=1e-3, abs=1e-6), (theirs, name)


def test_sales_have_no_trend(real: Warehouse) -> None:
    """Counted once, 1.7 % more in the second year is chance; fewer orders would not survive Holm's correction."""
    rows = real.rows("select * from trend_statistics where method = 'year on year'")
    by_series = {row.series: row for row in rows}
    sales, orders = by_series["sales, doubled invoices once"], by_series["placed orders"]
    assert (round(sales.change_pct, 1), round(sales.p_value, 2)) == (1.7, 0.85)
    assert round(orders.change_pct, 1) == -7.0
    assert orders.p_value < 0.05 < orders.holm_p
