"""Shops that are odd to predict for: what starts, what is small, what was closed, and what is too new."""

import numpy as np
import pandas as pd

from lgs_assets.models import forecast
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
