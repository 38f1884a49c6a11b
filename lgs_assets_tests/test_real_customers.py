"""The customers over time on the real data: every figure of the reference tables, to the last digit that they show.

Needs the UCI data and the reference figures beside it (see `real_data` in conftest.py); skips loudly without.
"""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.contracts.check import CHECKS
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import in_group

TABLES = in_group("history", "retention", "customers")

NEW = "(not yet a customer)"
CAUSES = {
    "stayed": "stayed",
    "stayed: boundary offset the change": "boundary offset the change",
    "moved: purchase": "purchase",
    "moved: ageing": "ageing",
    "moved: boundary only": "boundary",
    "moved: purchase and boundary": "purchase and boundary",
    "moved: ageing and boundary": "ageing and boundary",
}


def reference(real_data: Path, name: str) -> pd.DataFrame:
    found = pd.read_csv(real_data / "reference" / "history" / name, dtype=str, keep_default_na=False)
    assert len(found)
    return found


def same(ours: object, shown: str) -> bool:
    """Whether a figure is the one that is shown, at its digits: the reference divided in floats."""
    expected = Decimal(shown)
    exponent = expected.as_tuple().exponent
    assert isinstance(exponent, int)
    return Decimal(str(ours)).quantize(Decimal(1).scaleb(exponent)) == expected


def test_each_snapshot_has_the_segments_of_the_reference(real: Warehouse, real_data: Path) -> None:
    """25 snapshots, 98,557 rows; of each segment the customers, their share, sales, mean recency and frequency."""
    ours = {
        (row.month, row.segment): row
        for row in real.rows(
            """
            select to_char(snapshot_date - interval '1 day', 'YYYY-MM') as month, snapshot_date, segment,
                count(*) as customers, sum(monetary) as monetary,
                round(count(*) / sum(count(*)) over (partition by snapshot_date), 6) as share,
                round(avg(recency_days), 6) as recency_mean, round(avg(frequency), 6) as frequency_mean
            from rfm_history
            group by snapshot_date, segment
            """
        )
    }
    assert len({row.snapshot_date for row in ours.values()}) == 25
    assert sum(row.customers for row in ours.values()) == 98_557
    for theirs in reference(real_data, "rfm_segment_history.csv").to_dict("records"):
        row = ours[theirs["month"], theirs["segment"]]
        assert str(row.snapshot_date.date()) == theirs["snapshot"]
        for column in ("customers", "monetary", "share", "recency_mean", "frequency_mean"):
            assert same(row[column], theirs[column]), (theirs, column, row[column])


def test_scores_are_the_last_snapshot(real: Warehouse) -> None:
    """And their segments are those of its history; the published rows are proven in test_real_data.py."""
    counted = real.rows(
        """
        select count(*) as customers, count(case when segments.segment = rfm_history.segment then 1 end) as same
        from rfm_history
        inner join rfm_scores using (customer_id, snapshot_date, recency_days, frequency, monetary)
        inner join segments using (customer_id)
        """
    )
    assert counted == [{"customers": 5878, "same": 5878}]


def test_edges_are_those_of_the_reference(real: Warehouse, real_data: Path) -> None:
    """The range of recency and frequency of each score, and its customers."""
    ours = {
        (row.month, str(row.score)): row
        for row in real.rows("select *, to_char(snapshot_date - interval '1 day', 'YYYY-MM') as month from rfm_edges")
    }
    edges = reference(real_data, "rfm_edges_history.csv")
    for theirs in edges.to_dict("records"):
        row = ours[theirs["month"], theirs["score"]]
        assert {name: str(row[name]) for name in edges.columns} == theirs


@pytest.mark.parametrize("by_cause", [False, True])
def test_migrations_are_those_of_the_reference(real: Warehouse, real_data: Path, by_cause: bool) -> None:
    """Customers and money from each segment to each, and by cause, a month and a quarter apart."""
    name = "segment_migration_causes.csv" if by_cause else "segment_migration.csv"
    cause = "cause" if by_cause else "''"
    ours = {
        (row.month_from, row.month_to, row.segment_from, row.segment_to, row.cause): row
        for row in real.rows(
            f"""
            select to_char(snapshot_from - interval '1 day', 'YYYY-MM') as month_from,
                to_char(snapshot_to - interval '1 day', 'YYYY-MM') as month_to,
                segment_from, segment_to, {cause} as cause, sum(customers) as customers,
                sum(monetary_before) as monetary_before, sum(sales_between) as sales_between
            from segment_migrations
            group by 1, 2, 3, 4, 5
            """
        )
    }
    for theirs in reference(real_data, name).to_dict("records"):
        known = CAUSES[theirs["cause"]] if by_cause and theirs["from"] != NEW else "first purchase" if by_cause else ""
        row = ours[theirs["month_from"], theirs["month_to"], theirs["from"], theirs["to"], known]
        for column in ("customers", "monetary_before", "sales_between"):
            assert same(row[column], theirs[column]), (theirs, column, row[column])


def test_why_customers_moved_in_autumn(real: Warehouse) -> None:
    """From the end of August 2011 to that of November: who moved, why, and which loyal ones fell by others' doing."""
    moved: Counter[str] = Counter()
    fallen: Counter[str] = Counter()
    customers = 0
    for row in real.rows(
        """
        select segment_from, segment_to, cause, customers
        from segment_migrations
        where snapshot_from = '2011-09-01' and snapshot_to = '2011-12-01' and cause <> 'first purchase'
        """
    ):
        customers += row.customers
        if row.segment_from != row.segment_to:
            moved[row.cause] += row.customers
            if row.segment_from == "Loyal Customers" and row.segment_to in ("At Risk", "Can't Lose"):
                fallen[row.cause] += row.customers
    assert customers == 5249
    assert moved == {
        "purchase": 999, "ageing": 714, "boundary": 648, "purchase and boundary": 214, "ageing and boundary": 74
    }  # fmt: skip
    assert (moved.total(), fallen.total(), fallen["boundary"]) == (2649, 200, 118)


def test_retention_is_that_of_the_reference(real: Warehouse, real_data: Path) -> None:
    """Each cohort in each month: who came back, invoices, sales, both rates and both marks."""
    ours = {
        (str(row.cohort_month)[:7], str(row.months_since)): row for row in real.rows("select * from cohort_retention")
    }
    assert len(ours) == 25 * 26 // 2
    for theirs in reference(real_data, "cohort_retention.csv").to_dict("records"):
        row = ours[theirs["cohort"], theirs["k"]]
        assert str(row.invoice_month)[:7] == theirs["month"]
        for column, name in (
            ("customers", "cohort_size"), ("active", "active"), ("invoices", "invoices"), ("sales", "sales")
        ):  # fmt: skip
            assert same(row[column], theirs[name]), (theirs, column, row[column])
        assert same(row.retention_pct / 100, theirs["retention"])
        assert same(row.revenue_retention_pct / 100, theirs["revenue_retention"])
        marks = (str(row.is_left_censored), str(row.is_partial))
        assert marks == (theirs["cohort_is_left_censored"], theirs["month_is_partial"])


def test_pooled_retention_is_that_of_the_reference(real: Warehouse, real_data: Path) -> None:
    """The curve with and without the first cohort; of new customers 21.0, 20.9, 18.3 and 18.4 % stay."""
    ours = {
        ("all" if row.with_left_censored else "without_2009_12", str(row.months_since)): row
        for row in real.rows("select * from cohort_retention_pooled")
    }
    for theirs in reference(real_data, "cohort_retention_pooled.csv").to_dict("records"):
        row = ours[theirs["basis"], theirs["k"]]
        for column in ("customers", "active", "base_sales", "sales"):
            assert same(row[column], theirs[column]), (theirs, column, row[column])
        assert same(row.retention_pct / 100, theirs["retention"])
        assert same(row.revenue_retention_pct / 100, theirs["revenue_retention"])
    curve = [round(ours["without_2009_12", str(k)].retention_pct, 1) for k in (1, 3, 6, 12)]
    assert curve == [Decimal(text) for text in ("21.0", "20.9", "18.3", "18.4")]


def test_what_customers_keep(real: Warehouse) -> None:
    """£17.74m of sales are £16.71m net; two customers gave everything back."""
    (total,) = real.rows(
        "select count(*) as customers, sum(sales) as sales, sum(net_revenue) as net from customer_profile"
    )
    assert (total.customers, total.sales) == (5878, Decimal("17743429.178"))
    assert round(total.net / 1_000_000, 2) == Decimal("16.71")
    kept = real.rows("select customer_id, kept_pct from customer_profile where customer_id in (16446, 12346)")
    assert sorted(row.customer_id for row in kept if row.kept_pct < 0.01) == [12346, 16446]


def test_the_checks_hold(real: Warehouse) -> None:
    """For every table of customers."""
    failed = [
        f"{check.table}.{check.name}"
        for check in CHECKS
        if check.table in TABLES and not evaluate(check, PostgresTables(real)).passed
    ]
    assert failed == []
