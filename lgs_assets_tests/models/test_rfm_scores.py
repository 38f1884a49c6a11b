"""The scores: the published rule, in every shape of data."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.contracts.check import CHECKS
from lgs_assets.errors import ContractError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import Line, build_tables, load_lines, values

LAST_DAY = datetime(2011, 11, 30, 12)

# Few distinct values, so that ties are the rule: (days before the last day, invoices, pounds an invoice).
customer = st.tuples(st.integers(0, 9), st.integers(1, 4), st.integers(1, 6))


def lines_of(customers: list[tuple[int, int, int]]) -> list[Line]:
    return [
        Line(
            invoice_no=f"{customer_id}-{number}",
            customer_id=customer_id,
            invoice_date=str(LAST_DAY - timedelta(days=days)),
            unit_price=str(pounds),
        )
        for customer_id, (days, invoices, pounds) in enumerate(customers, start=101)
        for number in range(invoices)
    ]


def quintiles(values: pd.Series) -> list[int]:
    """pandas.qcut by its own edges: the retailer's published rule, also where equal values leave bins empty."""
    if len(values) == 1:
        return [1]
    edges = [values.quantile(k / 5) for k in range(1, 5)]
    return [1 + sum(bool(value > edge) for edge in edges) for value in values]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customers=st.lists(customer, min_size=1, max_size=40))
def test_scores_are_those_of_qcut(warehouse: Warehouse, tmp_path: Path, customers: list[tuple[int, int, int]]) -> None:
    """Whatever the ties: value cuts for R and M, and for F rank cuts (published rule) or value cuts (together)."""
    load_lines(warehouse, tmp_path, lines_of(customers))
    build_tables(warehouse, "clean_invoices", "invoice_totals", "rfm_history", "rfm_scores")
    scores = read_frame(warehouse, "rfm_scores")
    assert scores.r_score.tolist() == [6 - score for score in quintiles(scores.recency_days)]
    assert scores.f_score.tolist() == quintiles(scores.frequency.rank(method="first"))
    assert scores.m_score.tolist() == quintiles(scores.monetary)
    build_tables(warehouse, "rfm_history", "rfm_scores", ties="together")
    together = read_frame(warehouse, "rfm_scores")
    assert together.f_score.tolist() == quintiles(together.frequency)
    assert together.groupby("frequency").f_score.nunique().max() == 1


def test_recency_is_whole_days_to_the_first_of_the_next_month(warehouse: Warehouse, tmp_path: Path) -> None:
    """The default snapshot date follows the last invoice of all lines, a guest's included; days are floored."""
    load_lines(
        warehouse,
        tmp_path,
        [Line(invoice_date="2011-10-30 00:00:01"), Line(customer_id=None, invoice_date="2011-11-02 09:00:00")],
    )
    build_tables(warehouse, "clean_invoices", "invoice_totals", "rfm_history", "rfm_scores")
    (score,) = read_frame(warehouse, "rfm_scores").itertuples()
    assert score.snapshot_date == datetime(2011, 12, 1)
    assert score.recency_days == 31


def test_only_sales_count(warehouse: Warehouse, tmp_path: Path) -> None:
    """Cancellations, gifts, lines without a description and guests do not affect the scores."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line(invoice_no="1", quantity=3, unit_price="0.335"),
            Line(invoice_no="C2", quantity=-1, invoice_date="2011-03-20 10:00:00"),
            Line(invoice_no="3", unit_price="0"),
            Line(invoice_no="4", description=None),
            Line(invoice_no="5", customer_id=None),
            Line(invoice_no="C6", customer_id=99),
        ],
    )
    build_tables(warehouse, "clean_invoices", "invoice_totals", "rfm_history", "rfm_scores")
    rows = warehouse.rows("select customer_id, frequency, monetary from rfm_scores order by customer_id")
    assert [values(row) for row in rows] == [(99, 1, Decimal("1.00")), (17001, 1, Decimal("1.005"))]


@pytest.mark.parametrize("snapshot", [datetime(2011, 1, 1), datetime(2011, 3, 4, 9, 59, 59), datetime(2011, 3, 4, 10)])
def test_a_snapshot_before_the_last_sale_is_refused(warehouse: Warehouse, tmp_path: Path, snapshot: datetime) -> None:
    """Sales after the snapshot, or at it, are not left out in silence: the contract stops them, and says whose."""
    load_lines(warehouse, tmp_path, [Line()])
    with pytest.raises(ContractError, match=r"(?s)rfm_history, column .*last_invoice_at.*: 1 row .*customer_id=17001"):
        build_tables(warehouse, "clean_invoices", "invoice_totals", "rfm_history", "rfm_scores", snapshot_date=snapshot)


def test_what_comes_back_after_the_snapshot_is_no_part_of_it(warehouse: Warehouse, tmp_path: Path) -> None:
    """The net revenue is that of the snapshot's moment: to a line of an invoice that goes on after it."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("1", unit_price="10"),
            Line("2", customer_id=99, unit_price="5"),
            Line("C3", quantity=-1, unit_price="1", invoice_date="2011-03-09 23:59:59"),
            Line("C3", quantity=-1, unit_price="2", invoice_date="2011-03-10 00:00:00"),
            Line("C4", quantity=-1, unit_price="4", invoice_date="2011-04-01 10:00:00"),
        ],
    )
    tables = ("clean_invoices", "invoice_totals", "rfm_history", "rfm_scores", "segments")
    for snapshot, net_revenue, kept in [(datetime(2011, 3, 10), 9, 90), (None, 3, 30)]:
        build_tables(warehouse, *tables, snapshot_date=snapshot)
        found = warehouse.rows("select net_revenue, kept_pct from segments order by customer_id")
        assert [values(row) for row in found] == [(5, 100), (net_revenue, kept)]
        check = next(check for check in CHECKS if (check.table, check.name) == ("segments", "reconcile_with_lines"))
        assert evaluate(check, PostgresTables(warehouse)).passed
