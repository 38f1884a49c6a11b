"""Predictions as they are kept, to be judged once their windows have passed."""

import numpy as np
import pandas as pd

from lgs_assets.models import slipping

LOG = [
    *("task", "model_version", "subject", "figure", "window_from", "window_until", "as_of", "model"),
    *("low", "point", "high"),
]
PLACES = 6


def of_values(values: pd.DataFrame, version: str) -> pd.DataFrame:
    """The purchases and the sales of `customer_value`."""
    until = values["as_of"] + pd.to_timedelta(values["horizon_days"], unit="D")
    rows = [
        _rows(
            values, "customer_value", version, values["customer_id"], figure, values["as_of"], until,
            values[f"{figure}_low"], values[figure], values[f"{figure}_high"],
        )
        for figure in ("purchases", "sales")
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def of_risks(risks: pd.DataFrame, version: str) -> pd.DataFrame:
    """The probabilities of `churn_risk`."""
    return _rows(
        risks, "churn_risk", version, risks["customer_id"], "probability", risks["as_of"], risks["window_until"],
        np.nan, risks["probability"], np.nan,
    )  # fmt: skip


def of_slipping(ranks: pd.DataFrame, version: str) -> pd.DataFrame:
    """The ranks of `slipping`, to be judged at the snapshot three months on."""
    until = ranks["as_of"] + pd.DateOffset(months=slipping.MONTHS)
    return _rows(
        ranks, "slipping", version, ranks["customer_id"], "rank", ranks["as_of"], until, np.nan, ranks["rank"], np.nan
    )


def of_forecasts(forecasts: pd.DataFrame, version: str) -> pd.DataFrame:
    """The amounts of `forecasts`."""
    if forecasts.empty:
        return pd.DataFrame(columns=LOG)
    is_month = forecasts["grain"] == "month"
    a_month_on = forecasts["period_start"] + pd.DateOffset(months=1)
    until = a_month_on.where(is_month, forecasts["period_start"] + pd.Timedelta(days=7))
    figure = "amount by " + forecasts["grain"] + ", " + forecasts["horizon"].astype(str) + " ahead"
    named = forecasts.assign(model=forecasts["method"])
    return _rows(
        named, "forecasts", version, forecasts["kind"] + ": " + forecasts["series"], figure,
        forecasts["period_start"], until, forecasts["low_80"], forecasts["forecast"], forecasts["high_80"],
    )  # fmt: skip


def _rows(
    made: pd.DataFrame,
    task: str,
    version: str,
    subject: pd.Series,
    figure: str | pd.Series,
    window_from: pd.Series,
    window_until: pd.Series,
    low: float | pd.Series,
    point: pd.Series,
    high: float | pd.Series,
) -> pd.DataFrame:
    rows = {
        "task": task, "model_version": version, "subject": subject.astype(str), "figure": figure,
        "window_from": window_from, "window_until": window_until, "as_of": made["as_of"], "model": made["model"],
        "low": low, "point": point, "high": high,
    }  # fmt: skip
    frame = pd.DataFrame(rows, index=made.index, columns=LOG)
    for column in ("low", "point", "high"):
        frame[column] = frame[column].astype(float).round(PLACES)
    return frame
