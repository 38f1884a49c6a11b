"""What changed sales: countries, drivers, gain and loss, trend and season."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lgs_assets.models.trend import METHODS, seasonal_parts, trends
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import Line, build_tables, built_for, load_lines, values

APRIL = "2011-04-04 10:00"


def test_a_country_may_be_one_customer(warehouse: Warehouse, tmp_path: Path) -> None:
    """Sales by the line's country, and the share of the largest customer."""
    lines = [Line("1", unit_price="3"), Line("2", customer_id=2, country="EIRE"), Line("3", customer_id=None)]
    load_lines(warehouse, tmp_path, [*lines, Line("4", customer_id=3)])
    build_tables(warehouse, *built_for("countries", "country_months"))
    eire, home = warehouse.rows("select * from countries order by country")
    assert (eire.sales, eire.top_customer_share, eire.net_sales_share) == (1, 1, Decimal("0.166667"))
    assert (home.sales, home.net_sales, home.customers, home.top_customer_share) == (4, 5, 2, Decimal("0.75"))
    rows = warehouse.rows("select new_customers from country_months where country = 'EIRE'")
    assert [row.new_customers for row in rows] == [1]


def test_a_customer_is_new_where_they_first_bought(warehouse: Warehouse, tmp_path: Path) -> None:
    """Not in the country of a later month; in each of two in the first month; and not by a return alone."""
    lines = [Line("1"), Line("2", country="EIRE", invoice_date=APRIL), Line("3", customer_id=2, country="EIRE")]
    lines += [Line("4", customer_id=2, country="Spain"), Line("C5", customer_id=3, quantity=-1, country="Spain")]
    load_lines(warehouse, tmp_path, lines)
    build_tables(warehouse, *built_for("countries", "country_months"))
    rows = warehouse.rows("select country, sale_customers, new_customers from countries order by 1")
    assert [values(row) for row in rows] == [("EIRE", 2, 1), ("Spain", 1, 1), ("United Kingdom", 1, 1)]
    by_month = warehouse.rows("select country, sum(new_customers) as new from country_months group by 1 order by 1")
    assert [row.new for row in by_month] == [row.new_customers for row in rows]


def test_a_change_is_split_to_the_penny(warehouse: Warehouse, tmp_path: Path) -> None:
    """Twice the customers, with the same orders, items and price: all of it is theirs. Guests and returns are apart."""
    march = [Line("1", quantity=2, unit_price="5")]
    april = [Line(f"a{c}", quantity=2, unit_price="5", customer_id=c, invoice_date=APRIL) for c in (1, 2)]
    april += [Line("g", customer_id=None, invoice_date=APRIL), Line("Cx", quantity=-1, invoice_date=APRIL)]
    load_lines(warehouse, tmp_path, march + april)
    build_tables(warehouse, *built_for("sales_drivers"))
    (row,) = warehouse.rows("select * from sales_drivers")
    assert (row.comparison, row.change) == ("month before", 10)
    assert (row.customers_effect, row.orders_effect, row.items_effect, row.price_effect) == (10, 0, 0, 0)
    assert (row.guests_effect, row.returns_effect) == (1, -1)


def months(values: np.ndarray, *, partial: bool = True) -> pd.DataFrame:
    """A series by month from December 2009 on, its last month partial."""
    moments = pd.date_range("2009-12-01", periods=len(values), freq="MS")
    is_partial = [False] * (len(values) - 1) + [partial]
    return pd.DataFrame({"series": "s", "invoice_month": moments, "is_partial": is_partial, "value": values})


def test_a_trend_beneath_a_season_is_found() -> None:
    """A slope of 3 a month, under a season that hides it from the plain line; the partial month is not a fall."""
    time = np.arange(25)
    values = 1000 + 3 * time + 400 * np.sin(2 * np.pi * time / 12) + np.resize([1, -1], 25)
    values[-1] = 5
    found = trends(months(values)).set_index("method")
    assert set(found.index) == set(METHODS) and set(found["months"]) == {24}
    assert found.loc["level, by month", "slope_per_month"] == pytest.approx(3, abs=0.2)
    assert found["p_value"]["level, by month"] < 0.001 < found["p_value"]["level"]
    parts = seasonal_parts(months(values))
    assert len(parts) == 24
    assert np.allclose(parts["trend"] + parts["season"] + parts["remainder"], parts["value"])


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (months(np.ones(24)), "needs 24 whole months; there are 23"),
        (months(np.arange(30.0)).drop(3), "months are missing"),
    ],
)
def test_too_little_history_gives_the_reason(frame: pd.DataFrame, reason: str) -> None:
    """No figure is computed from it."""
    found = trends(frame)
    assert set(found["reason"]) == {reason} and found["slope_per_month"].isna().all()
    assert seasonal_parts(frame).empty


def test_a_zero_has_no_logarithm() -> None:
    """The line through the values stays; those through logarithms say why there are none."""
    found = trends(months(np.arange(26.0))).set_index("method")["reason"]
    assert found.notna().to_dict() == {method: "log" in method or "year" in method for method in METHODS}


def test_a_series_that_never_changes_is_no_error() -> None:
    """Nothing to divide by, and no traceback."""
    found = trends(months(np.full(25, 7.0)))
    assert (found["slope_per_month"].abs() < 1e-9).all()
