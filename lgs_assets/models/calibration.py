"""What was predicted on past days beside what came, by tenth of the customers of each day: risk, and sales."""

import pandas as pd

from lgs_assets.models import evaluation, value

CALIBRATION = ["kind", "as_of", "place", "predictions", "predicted", "came"]


def calibration(values: pd.DataFrame, risks: pd.DataFrame, evaluations: pd.DataFrame) -> pd.DataFrame:
    """The rows of value_backtests and risk_backtests by day and tenth, as whatever predicts now would have told them.

    Columns CALIBRATION. Sales are those of `value.JUDGED` days. The first tenth has the highest risk, or sales. Days
    stay apart: one that was too high and one that was too low are no prediction that was right.
    """
    (active, *_) = evaluation.CHURN_POPULATIONS
    told = risks[risks["task"] == "churn_risk"]
    probability = "probability" if evaluation.is_used(evaluations, active) else "baseline_probability"
    risk = pd.DataFrame({
        "kind": "risk", "as_of": told["as_of"], "customer_id": told["customer_id"],
        "predicted": told[probability].astype(float), "came": told["happened"].astype(float),
    }).sort_values(["as_of", "customer_id"])  # fmt: skip
    lowest_first = risk.groupby("as_of")["predicted"].transform(lambda day: evaluation.tenths(day.to_numpy()))
    risk["place"] = evaluation.BINS - lowest_first.astype("int64")
    judged = values[values["horizon_days"] == value.JUDGED]
    is_used = evaluation.is_used(evaluations, evaluation.value_task(value.JUDGED))
    rated = pd.DataFrame({
        "kind": "value", "as_of": judged["as_of"], "customer_id": judged["customer_id"],
        "predicted": judged["sales" if is_used else "baseline_sales"].astype(float),
        "came": judged["actual_sales"].astype(float),
    }).sort_values(["as_of", "predicted", "customer_id"], ascending=[True, False, True])  # fmt: skip
    days = rated.groupby("as_of")["customer_id"]
    rated["place"] = 1 + 10 * days.cumcount() // days.transform("size")
    # In one order, so that sums have the same last digit whatever the order of the rows.
    both = pd.concat([risk, rated]).sort_values(["kind", "place", "as_of", "customer_id"])
    return both.groupby(["kind", "as_of", "place"], as_index=False).agg(
        predictions=("predicted", "size"), predicted=("predicted", "mean"), came=("came", "mean")
    )[CALIBRATION]
