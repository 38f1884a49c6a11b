"""Shops that are odd to predict for: what starts, is small, closed or free of charge, and what is too new."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lgs_assets.models import churn, forecast, value
from lgs_assets.models.features import learnable
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets_tests.builders import Line, build_tables, built_for, load_lines
from lgs_assets_tests.models.test_foresight import WHOLE, daily

AS_OF = pd.Timestamp("2011-12-05")
BASELINES = {task.name: False for task in forecast.TASKS}


def test_odd_series_are_forecast_with_what_is_known_of_them() -> None:
    """A product that began a month ago sells on; a country of three purchases buys nothing when it never did."""
    lines = daily()
    days = pd.date_range("2009-12-07", periods=7 * 104)
    began = pd.DataFrame({"kind": "product", "series": "99999", "day": days[-28:], "amount": 30.0})
    small = pd.DataFrame({
        "kind": "country", "series": "Malta", "day": pd.to_datetime(["2010-03-01", "2010-09-01", "2011-06-01"]),
        "amount": [20.0, 500.0, -30.0],
    })  # fmt: skip
    lines = pd.concat([lines, began, small], ignore_index=True)
    past = forecast.backtests(lines, WHOLE)
    rows = forecast.predicted(lines, past, WHOLE, as_of=AS_OF, are_choices_used=BASELINES)
    amounts = ["forecast", "low_80", "high_80", "low_95", "high_95", "baseline"]
    assert np.isfinite(rows["forecast"]).all() and (rows[amounts].fillna(0) >= 0).all(axis=None)
    new = rows[(rows["series"] == "99999") & (rows["horizon"] == 4)]
    assert (new["forecast"] == 7 * 30).all() and (new["year_before"] == 0).all()
    malta = rows[rows["series"] == "Malta"]
    assert len(malta) == 3 + 13 and (malta["forecast"] == 0).all()


def test_a_short_history_has_forecasts_without_intervals() -> None:
    """Of a shop of 16 months nobody has seen enough errors of a month: it says so, rather than guess."""
    lines = daily(weeks=70)
    ends = {"month": pd.Timestamp("2011-04-01"), "week": pd.Timestamp("2011-04-11")}
    whole = {grain: (WHOLE[grain][0], end) for grain, end in ends.items()}
    past = forecast.backtests(lines, whole)
    rows = forecast.predicted(lines, past, whole, as_of=pd.Timestamp("2011-04-11"), are_choices_used=BASELINES)
    months = rows[(rows["kind"] == "total") & (rows["grain"] == "month")]
    assert len(months) == 3
    assert months[["low_80", "high_80", "low_95", "high_95"]].isna().all(axis=None)
    assert months["baseline"].equals(months["forecast"])


def test_a_missing_month_is_no_month_without_sales() -> None:
    """Lines of April 2011 are missing: by every method the next April is about what other months are, in weeks as well.

    Nothing is judged by what did not come, and what was not observed is no figure of the year before.
    """
    lines = daily(weeks=121)
    lines = lines[~lines["day"].between("2011-04-01", "2011-04-30")]
    ends = {"month": pd.Timestamp("2012-03-01"), "week": pd.Timestamp("2012-03-19")}
    whole = {grain: (WHOLE[grain][0], end) for grain, end in ends.items()}
    past = forecast.backtests(lines, whole)
    assert len(past) and (past["actual"] > 0).all()
    for is_used in (True, False):
        used = dict.fromkeys(BASELINES, is_used)
        rows = forecast.predicted(lines, past, whole, as_of=ends["week"], are_choices_used=used)
        total = rows[rows["kind"] == "total"]
        months: Any = total[total["grain"] == "month"].set_index("period_start")
        assert months.loc["2012-04-01", "forecast"] > 2500
        weeks = total[total["grain"] == "week"].set_index("period_start")
        assert (weeks["forecast"] > 500).all()
        assert list(months.index[months["year_before"].isna()]) == [pd.Timestamp("2012-04-01")]
        unknown = weeks.index[weeks["year_before"].isna()]
        assert (unknown.min(), unknown.max()) == (pd.Timestamp("2012-03-26"), pd.Timestamp("2012-04-23"))


def test_a_month_in_which_the_shop_closes_is_no_missing_one() -> None:
    """It has no line in two years: so it is forecast to have none."""
    lines = daily(weeks=121)
    lines = lines[lines["day"].dt.month != 4]
    ends = {"month": pd.Timestamp("2012-03-01"), "week": pd.Timestamp("2012-03-19")}
    whole = {grain: (WHOLE[grain][0], end) for grain, end in ends.items()}
    past = forecast.backtests(lines, whole)
    rows = forecast.predicted(lines, past, whole, as_of=whole["week"][1], are_choices_used=BASELINES)
    months: Any = rows[(rows["kind"] == "total") & (rows["grain"] == "month")].set_index("period_start")
    assert months.loc["2012-04-01", "forecast"] == months.loc["2012-04-01", "year_before"] == 0


def test_a_weekend_at_the_beginning_of_a_month_is_no_month_without_lines() -> None:
    """Closed on Sundays, asked on Monday 2 May 2011: that May has no line yet costs no past day, nor the last week."""
    lines = daily(weeks=73)
    lines = lines[lines["day"].dt.day_of_week != 6]
    span = (WHOLE["week"][0], pd.Timestamp("2011-05-02"))
    panel = forecast.panel_of(lines, "total", "week", span)
    assert panel is not None and panel.is_observed.all()
    whole = {"month": (WHOLE["month"][0], pd.Timestamp("2011-05-01")), "week": span}
    past = forecast.backtests(lines, whole)
    quarters = past[(past["kind"] == "total") & (past["horizon"] == 13)]
    assert set(quarters["origin"]) == {pd.Timestamp("2011-01-31")}


READ = ("customer_features", "customer_outcomes", "daily_series")


def sales() -> list[Line]:
    """As many customers as it takes, over a year and a half: 6, 12 … came once, 601 three times on one day."""
    lines = []
    for customer in range(1, 521):
        for order in range(1 + customer % 6):
            day = customer % 200 + order * (20 + customer % 50)
            lines.append(bought(customer, date(2010, 1, 1) + timedelta(days=day), order))
    return [*lines, *(bought(601, date(2010, 9, 9), order) for order in range(3)), bought(602, date(2011, 6, 30), 0)]


def bought(customer: int, day: date, order: int, *, price: str = "5") -> Line:
    return Line(
        f"5{customer:03}{order}",
        quantity=2,
        unit_price=price,
        customer_id=customer,
        invoice_date=f"{day} 1{order}:00:00",
    )


def test_what_costs_nothing_is_no_purchase(warehouse: Warehouse, tmp_path: Path) -> None:
    """Lines of price 0, of customers who buy and of one who never did, change no feature, outcome or series."""
    frames = []
    gifts = [bought(customer, date(2010, 10, 20), 9, price="0") for customer in (1, 6, 601, 700)]
    for lines in (sales(), [*sales(), *gifts]):
        load_lines(warehouse, tmp_path, lines)
        build_tables(warehouse, *built_for(*READ))
        frames.append({table: read_frame(warehouse, table) for table in READ})
    without, beside = frames
    assert len(without["customer_features"]) > 0
    for table in READ:
        pd.testing.assert_frame_equal(beside[table], without[table], check_exact=True)


def test_customers_of_one_purchase_or_one_day_are_predicted(warehouse: Warehouse, tmp_path: Path) -> None:
    """Whatever is too little to fit: figures are finite, risks are probabilities."""
    load_lines(warehouse, tmp_path, sales())
    build_tables(warehouse, *built_for(*READ))
    features, outcomes = read_frame(warehouse, "customer_features"), read_frame(warehouse, "customer_outcomes")
    values = value.predicted(features, discount_pct=0, model_horizons=value.HORIZONS)
    assert {6, 601} <= set(values["customer_id"])
    assert np.isfinite(values[["purchases", "sales"]].to_numpy(float)).all()
    known = churn.active(learnable(features, outcomes, pd.Timestamp("2010-01-01")))
    of_half_a_year = values[values["horizon_days"] == value.JUDGED]
    risks = churn.predicted(known, of_half_a_year, is_model_used=True, is_calibrated=False, is_gap_used=True)
    assert 601 in set(risks["customer_id"]) and risks["probability"].between(0, 1).all()
    assert risks.set_index("customer_id").loc[601, ["expected_next_day", "days_late"]].isna().all()


def test_of_a_long_history_the_last_three_years_are_learnt_from(warehouse: Warehouse, tmp_path: Path) -> None:
    """Each month more costs as much as another, so those of ten years are not all told; what was bought then counts."""
    long_ago = [bought(603, date(2002, 5, 17), 0), bought(603, date(2010, 5, 17), 1)]
    load_lines(warehouse, tmp_path, [*long_ago, *sales()])
    build_tables(warehouse, *built_for("customer_features"))
    known = read_frame(warehouse, "customer_features")
    assert list(known["as_of"].unique()) == list(pd.date_range("2008-07-01", "2011-07-01", freq="MS"))
    (old,) = known[(known["customer_id"] == 603) & (known["as_of"] == "2011-07-01")].itertuples()
    assert (old.first_day, old.purchase_days) == (pd.Timestamp("2002-05-17"), 2)
