"""The monthly figures and the invoice amounts."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets_tests.builders import Line, build_tables, built_for, load_lines


def test_a_month_counts_invoices_cancellations_and_refunds(warehouse: Warehouse, tmp_path: Path) -> None:
    """Orders are distinct invoices, a cancellation takes its original away, sales include what was given back."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("1", unit_price="10"), Line("1", unit_price="5"), Line("2", unit_price="100"),
            Line("C3", quantity=-1, unit_price="10"), Line("C3", quantity=-1, unit_price="5"),
            Line("4", invoice_date="2011-04-01 00:00:00", unit_price="50"),
            Line("5", invoice_date="2011-04-19 23:59:59", unit_price="0"),
        ],
    )  # fmt: skip
    build_tables(warehouse, "clean_invoices", "invoice_totals", "monthly_metrics")
    march, april = warehouse.rows("select * from monthly_metrics order by invoice_month")
    assert (march.total_orders, march.canceled_orders, march.placed_orders, march.sales) == (3, 1, 1, Decimal(100))
    assert march.sales_growth_pct is None
    assert not march.is_partial
    assert april.sales_growth_pct == Decimal(-50)
    assert april.is_partial


@pytest.mark.parametrize(
    ("closed", "first", "last", "partial"),
    [
        pytest.param("", "2011-03-01", "2011-05-31", "", id="from the first day to the last"),
        pytest.param("", "2011-03-02", "2011-05-30", "", id="the days at the edges may be holidays"),
        pytest.param("", "2011-03-01", "2011-05-29", "May", id="two days are missing at the end"),
        pytest.param("", "2011-03-03", "2011-05-31", "Mar", id="and at the beginning"),
        pytest.param("", "2011-03-03", "2011-05-29", "Mar May", id="and at both"),
        pytest.param("Sat Sun", "2010-02-01", "2010-02-26", "", id="closed at weekends, as in its only month"),
        pytest.param("Sat Sun", "2011-10-03", "2011-11-30", "", id="it begins after a weekend"),
        pytest.param("Sat Sun", "2011-10-04", "2011-11-29", "", id="and one holiday beside it"),
        pytest.param("Sat Sun", "2011-10-05", "2011-11-28", "Oct Nov", id="closed at weekends, two days are missing"),
        pytest.param("Sat Sun", "2010-01-04", "2010-01-28", "", id="and one holiday before a weekend"),
        pytest.param("Sat Sun", "2010-01-04", "2010-01-27", "Jan", id="two days before a weekend"),
        pytest.param("", "2011-10-03", "2011-11-30", "Oct", id="a weekend is missing that the shop works on"),
        pytest.param("Sat Sun", "2009-12-01", "2009-12-23", "", id="closed at Christmas, the first that is seen"),
        pytest.param("Sat Sun", "2009-12-01", "2009-12-22", "Dec", id="before Christmas"),
        pytest.param("", "2009-12-01", "2010-12-24", "Dec", id="open at Christmas, as it was before"),
        pytest.param("", "2009-12-01", "2009-12-27", "Dec", id="open at Christmas, for the first time"),
        pytest.param("", "2010-01-04", "2010-03-31", "", id="closed at New Year, the first that is seen, and a day"),
        pytest.param("", "2010-01-05", "2010-03-31", "Jan", id="and two"),
        pytest.param("", "2010-01-03", "2011-01-31", "Jan", id="closed at the New Year in which it opened"),
        pytest.param("Tue Wed Thu Fri Sat Sun", "2011-01-03", "2011-03-21", "", id="open on Mondays only"),
        pytest.param("Tue Wed Thu Fri Sat Sun", "2011-01-17", "2011-03-14", "Jan Mar", id="two Mondays are missing"),
        pytest.param("", "2011-03-10", "2011-03-10", "Mar", id="a day's data knows no rhythm"),
        pytest.param("", "2011-03-28", "2011-04-10", "Mar Apr", id="two weeks within two months"),
        pytest.param("Sun Mon Tue Wed", "2011-03-31", "2011-04-09", "Mar Apr", id="less knows no rhythm"),
        pytest.param("Sun Mon Tue Wed", "2011-02-17", "2011-02-26", "Feb", id="though no usual day seems to follow"),
    ],
)
def test_a_month_at_an_edge_of_the_data_is_whole_when_no_usual_day_is_missing(
    warehouse: Warehouse, tmp_path: Path, closed: str, first: str, last: str, partial: str
) -> None:
    """Except one, which may be a holiday. Usual days are learnt from the days that have had invoices."""
    days = [day for day in pd.date_range(first, last) if f"{day:%a}" not in closed]
    load_lines(warehouse, tmp_path, [Line(f"{day:%y%m%d}", invoice_date=f"{day:%Y-%m-%d} 10:00:00") for day in days])
    build_tables(warehouse, "clean_invoices", "invoice_totals", "monthly_metrics")
    months = read_frame(warehouse, "monthly_metrics").set_index("invoice_month").is_partial
    found = [(f"{month:%b}", month) for month in months.index[months]]
    assert " ".join(name for name, _ in found) == partial
    assert {month for _, month in found} <= {months.index[0], months.index[-1]}


def test_growth_after_a_partial_month_is_unknown(warehouse: Warehouse, tmp_path: Path) -> None:
    """Most of it would be the missing days; the last month's is given, and the month marked."""
    days = pd.date_range("2011-03-21", "2011-06-10")
    load_lines(warehouse, tmp_path, [Line(f"{day:%y%m%d}", invoice_date=f"{day:%Y-%m-%d} 10:00:00") for day in days])
    compared_by_month = ("sales_drivers", "customer_gain_loss")
    build_tables(warehouse, *built_for("monthly_metrics", *compared_by_month, "cohort_retention", "customer_flow"))
    months = warehouse.rows("select is_partial, sales_growth_pct from monthly_metrics order by invoice_month")
    assert [row.is_partial for row in months] == [True, False, False, True]
    assert [row.sales_growth_pct is None for row in months] == [True, True, False, False]
    for table in compared_by_month:
        compared = warehouse.rows(f"select distinct invoice_month, is_partial from {table} order by 1")
        assert [row.is_partial for row in compared] == [True, False, True]
    assert warehouse.rows("select 1 from cohort_retention where not is_partial") == []  # its one cohort is of March
    flows = warehouse.rows("select is_partial from customer_flow order by invoice_month")
    assert [row.is_partial for row in flows] == [True, False, False, True]


@pytest.mark.parametrize(
    ("before", "growth"), [("0", None), ("-100", None), ("-0.01", None), ("0.01", Decimal(499900)), ("100", -50)]
)
def test_growth_is_known_after_sales_above_zero_only(
    warehouse: Warehouse, tmp_path: Path, before: str, growth: Decimal | None
) -> None:
    """From nothing or less, no percentage says what happened: −100 to +50 is not a fall of 150 %."""
    lines = [Line(unit_price=before), Line("2", invoice_date="2011-04-01 10:00:00", unit_price="50")]
    load_lines(warehouse, tmp_path, lines)
    build_tables(warehouse, "clean_invoices", "invoice_totals", "monthly_metrics")
    months = warehouse.rows("select sales_growth_pct from monthly_metrics order by invoice_month")
    assert [month.sales_growth_pct for month in months] == [None, growth]


def test_growth_over_a_missing_month_is_unknown(warehouse: Warehouse, tmp_path: Path) -> None:
    """The month before is the one before in the calendar: where it is missing, there is nothing to compare with."""
    load_lines(warehouse, tmp_path, [Line(), Line("2", invoice_date="2011-05-01 10:00:00", unit_price="5")])
    build_tables(warehouse, "clean_invoices", "invoice_totals", "monthly_metrics")
    assert read_frame(warehouse, "monthly_metrics").sales_growth_pct.isna().all()


def test_a_customer_is_new_once(warehouse: Warehouse, tmp_path: Path) -> None:
    """The first line of any kind makes a customer, even a cancellation; guests do not count."""
    load_lines(
        warehouse,
        tmp_path,
        [
            Line("C1", customer_id=1, quantity=-1),
            Line("2", customer_id=1, invoice_date="2011-04-04 10:00:00"),
            Line("3", customer_id=2, invoice_date="2011-04-04 10:00:00"),
            Line("4", customer_id=None, invoice_date="2011-04-04 10:00:00"),
        ],
    )
    build_tables(warehouse, "clean_invoices", "invoice_totals", "user_activity")
    rows = read_frame(warehouse, "user_activity", ["active_users", "new_users", "existing_users"])
    assert rows.values.tolist() == [[1, 1, 0], [2, 1, 1]]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pence=st.lists(st.integers(-3000, 3000), min_size=1, max_size=25).filter(lambda values: max(values) > 0),
    cutoff=st.sampled_from(["0.85", "0.5", "0.1", "0.999"]),
)
def test_statistics_are_those_of_pandas(warehouse: Warehouse, tmp_path: Path, pence: list[int], cutoff: str) -> None:
    """Every statistic of every population equals pandas' own, for any amounts, ties and sizes."""
    load_lines(
        warehouse, tmp_path, [Line(str(i), unit_price=str(Decimal(value) / 100)) for i, value in enumerate(pence)]
    )
    tables = ("clean_invoices", "invoice_totals", "invoice_amounts", "invoice_amount_statistics")
    build_tables(warehouse, *tables, chart_cutoff=cutoff)
    statistics = read_frame(warehouse, "invoice_amount_statistics").set_index(["population", "is_cut"])
    amounts = pd.Series(pence, dtype=float) / 100
    for population, whole in (("all", amounts), ("positive", amounts[amounts > 0])):
        cut = whole[whole <= whole.quantile(float(cutoff)) + 1e-9]
        for is_cut, values in ((False, whole), (True, cut)):
            row: Any = statistics.loc[(population, is_cut)]
            expected = {
                "invoices": len(values), "minimum": values.min(), "maximum": values.max(), "mean": values.mean(),
                "median": values.median(), "mode": values.mode().min(),
                "cutoff_amount": values.quantile(float(cutoff)),
            }  # fmt: skip
            assert row[list(expected)].astype(float).to_dict() == pytest.approx(expected, abs=1e-6)
