"""Predictions as they are kept, to be judged once their windows have passed."""

import pandas as pd

from lgs_assets.models import slipping, value

LOG = [
    *("task", "model_version", "subject", "figure", "window_from", "window_until", "as_of", "model"),
    *("segment", "low_95", "low", "point", "high", "high_95", "baseline"),
]
FIGURES = ("low_95", "low", "point", "high", "high_95", "baseline")
PLACES = 6


def of_values(values: pd.DataFrame, features: pd.DataFrame, version: str) -> pd.DataFrame:
    """The purchases and the sales of `customer_value`, and the status quo of `customer_features`."""
    until = values["as_of"] + pd.to_timedelta(values["horizon_days"], unit="D")
    rows = []
    for figure, known in (("purchases", "purchase_days"), ("sales", "sales")):
        names = {f"{known}_{horizon}": horizon for horizon in value.HORIZONS}
        before = features.melt(["as_of", "customer_id"], list(names), "horizon_days", "baseline")
        before = before.assign(horizon_days=before["horizon_days"].map(names).astype("int64"))
        told = values.merge(before, on=["as_of", "customer_id", "horizon_days"], how="left", validate="one_to_one")
        figures = {"low": told[f"{figure}_low"], "point": told[figure], "high": told[f"{figure}_high"]}
        rows.append(
            _rows(
                told, "customer_value", version, told["customer_id"], figure, told["as_of"], until,
                **figures, baseline=told["baseline"],
            )
        )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def of_risks(risks: pd.DataFrame, features: pd.DataFrame, version: str) -> pd.DataFrame:
    """The probabilities of `churn_risk`, and the recency of `customer_features`."""
    told = risks.merge(features[["as_of", "customer_id", "recency_days"]], how="left", validate="one_to_one")
    return _rows(
        told, "churn_risk", version, told["customer_id"], "probability", told["as_of"], told["window_until"],
        point=told["probability"], segment=told["segment"], baseline=told["recency_days"],
    )  # fmt: skip


def of_slipping(ranks: pd.DataFrame, features: pd.DataFrame, version: str) -> pd.DataFrame:
    """The ranks of `slipping`, to be judged three months on, and the orders of `customer_features`."""
    told = ranks.merge(features[["as_of", "customer_id", "orders"]], how="left", validate="one_to_one")
    until = told["as_of"] + pd.DateOffset(months=slipping.MONTHS)
    return _rows(
        told, "slipping", version, told["customer_id"], "rank", told["as_of"], until,
        point=told["rank"], segment=told["segment"], baseline=told["orders"],
    )  # fmt: skip


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
        forecasts["period_start"], until, low_95=forecasts["low_95"], low=forecasts["low_80"],
        point=forecasts["forecast"], high=forecasts["high_80"], high_95=forecasts["high_95"],
        baseline=forecasts["baseline"],
    )  # fmt: skip


def _rows(
    made: pd.DataFrame,
    task: str,
    version: str,
    subject: pd.Series,
    figure: str | pd.Series,
    window_from: pd.Series,
    window_until: pd.Series,
    **told: pd.Series,
) -> pd.DataFrame:
    """A row of the log of each row; `told` are its segment and its figures, as far as there are any."""
    rows = {
        "task": task, "model_version": version, "subject": subject.astype(str), "figure": figure,
        "window_from": window_from, "window_until": window_until, "as_of": made["as_of"], "model": made["model"],
    }  # fmt: skip
    frame = pd.DataFrame(rows | told, index=made.index, columns=LOG)
    for column in FIGURES:
        frame[column] = frame[column].astype(float).round(PLACES)
    return frame
