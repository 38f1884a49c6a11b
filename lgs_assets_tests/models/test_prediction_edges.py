"""Shops that are odd to predict for: what starts, is small, closed or free of charge, and what is too new."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from lgs_assets.models import churn, forecast, value
from lgs_assets.models.features import learnable
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets_tests.builders import Line, build_tables, built_for, load_lines
from lgs_assets_tests.models.test_foresight import UNTIL, daily

AS_OF = pd.Timestamp("2011-12-05")
BASELINES = {task.name: False for task in forecast.TASKS}


def test_odd_series_are_forecast_with_what_is_known_of_them() -> None:
    """A product that began a month ago, a country of three purchases, a closed month: finite, and never below 0."""
    lines = daily()
    days = pd.date_range("2009-12-07", periods=7 * 104)
    began = pd.DataFrame({"kind": "product", "series": "99999", "day": days[-28:], "amount": 30.0})
    small = pd.DataFrame({
        "kind": "country", "series": "Malta", "day": pd.to_datetime(["2010-03-01", "2010-09-01", "2011-06-01"]),
        "amount": [20.0, 500.0, -30.0],
    })  # fmt: skip
    lines = pd.concat([lines, began, small], ignore_index=True)
    lines = lines[~lines["day"].between("2011-04-01", "2011-04-30")]
    months = forecast.panel_of(lines, "total", "month", UNTIL["month"])
    assert months is not None and months.values.shape == (1, 23)
    assert [f"{start:%Y-%m}" for start in months.starts[:-1][months.values[0] == 0]] == ["2011-04"]
    past = forecast.backtests(lines, UNTIL)
    rows = forecast.predicted(lines, past, UNTIL, as_of=AS_OF, are_choices_used=BASELINES)
    amounts = ["forecast", "low_80", "high_80", "low_95", "high_95", "baseline"]
    assert np.isfinite(rows["forecast"]).all() and (rows[amounts].fillna(0) >= 0).all(axis=None)
    new = rows[(rows["series"] == "99999") & (rows["horizon"] == 4)]
    assert (new["forecast"] > 0).all() and (new["year_before"] == 0).all()
    assert len(rows[rows["series"] == "Malta"]) == 3 + 13


def test_a_short_history_has_forecasts_without_intervals() -> None:
    """Of a shop of 16 months nobody has seen enough errors of a month: it says so, rather than guess."""
    lines = daily(weeks=70)
    until = {"month": pd.Timestamp("2011-04-01"), "week": pd.Timestamp("2011-04-11")}
    past = forecast.backtests(lines, until)
    rows = forecast.predicted(lines, past, until, as_of=pd.Timestamp("2011-04-11"), are_choices_used=BASELINES)
    months = rows[(rows["kind"] == "total") & (rows["grain"] == "month")]
    assert len(months) == 3
    assert months[["low_80", "high_80", "low_95", "high_95"]].isna().all(axis=None)
    assert months["baseline"].equals(months["forecast"])


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
