"""The platform's own models. Arguments: the folder of the frames, the task."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.peers.common import done
from lgs_assets.models import bgnbd, churn, features, forecast, gamma_gamma, value

Read = Callable[[str], pd.DataFrame]


def cdnow(read: Read) -> pd.DataFrame:
    """Purchases in the 39 weeks to come, and what a purchase brings."""
    known = read("cdnow")
    x, t_x, observed, mean = (known[column].to_numpy(float) for column in ("x", "t_x", "T", "mean"))
    came_back = x > 0
    purchases = bgnbd.fit(x, t_x, observed).expected_purchases(x, t_x, observed, 39)
    amount = gamma_gamma.fit(x[came_back], mean[came_back]).expected_mean(x, mean)
    return known[["as_of", "customer_id"]].assign(purchases=purchases, sales=purchases * amount)


def customer_value(read: Read) -> pd.DataFrame:
    """Purchases and sales in 182 days, with their intervals."""
    known = read("value_features")
    return value.backtests(known, read("value_outcomes"), known["observed_from"].iloc[0])


def churn_risk(read: Read) -> pd.DataFrame:
    """Who will stay away for 90 days."""
    known = read("risk_features")
    learnt = features.learnable(known, read("outcomes"), known["observed_from"].iloc[0])
    return churn.backtests(churn.active(learnt))


def forecasts(read: Read) -> pd.DataFrame:
    """Months and weeks by every method, with the choice among them and the intervals."""
    whole = read("whole_periods")
    past = forecast.backtests(
        read("daily_series"), {grain: (whole[grain][0], whole[grain][1]) for grain in ("month", "week")}
    )
    return past[np.asarray(past["is_chosen"], dtype=bool)]


TASKS = {task.__name__: task for task in (cdnow, customer_value, churn_risk, forecasts)}

if __name__ == "__main__":
    folder, task = Path(sys.argv[1]), sys.argv[2]
    done("start")
    said = TASKS[task](lambda name: pd.read_parquet(folder / f"{name}.parquet"))
    said.to_parquet(folder / "said.parquet")
    done(task)
