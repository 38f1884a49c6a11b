"""What models are told of customers: the columns of `customer_features` as numbers, moment by moment."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from lgs_assets.models import bgnbd
from lgs_assets.models.likelihood import FitError
from lgs_assets.models.threads import one_thread

Array = npt.NDArray[np.float64]

WEEK = 7
"""Days in the unit of time of BG/NBD."""
QUIET_DAYS = 90
"""The window of `churn_risk`."""

HABITS = (
    *("rhythm", "recency", "purchase_days", "tenure", "mean_day", "days_90", "days_365"),
    *("gap", "lateness", "irregularity", "cancellations"),
)


def at(features: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """The features of one moment, customers in order."""
    return features[features["as_of"] == moment].sort_values("customer_id", ignore_index=True)


def repeat_purchases(known: pd.DataFrame) -> tuple[Array, Array, Array]:
    """x, t_x and T of each customer, in weeks: T ends with the last day that was observed."""
    x = known["purchase_days"].to_numpy(float) - 1
    last = (known["tenure_days"] - known["recency_days"]).to_numpy(float) / WEEK
    return x, last, (known["tenure_days"].to_numpy(float) - 1) / WEEK


def unobserved(known: pd.DataFrame) -> float:
    """The weeks between what was observed and the moment that all of these are asked at."""
    return float((known["as_of"].iloc[0] - known["observed_until"].iloc[0]).days / WEEK)


@one_thread
def with_rhythm(features: pd.DataFrame) -> pd.DataFrame:
    """The features in order, with what BG/NBD, fitted at each moment to what was known then, makes of the customer.

    `alive` and `quiet` are the probabilities of being alive and of no purchase in the next 90 days: even odds for all
    at a moment at which nothing can be fitted.
    """
    moments = [at(features, moment) for moment in sorted(features["as_of"].unique())]
    for known in moments:
        told = repeat_purchases(known)
        try:
            model = bgnbd.fit(*told)
        except FitError:
            known["alive"] = known["quiet"] = 0.5
        else:
            known["alive"] = model.probability_alive(*told)
            known["quiet"] = model.probability_of_none(*told, QUIET_DAYS / WEEK, after=unobserved(known))
    return pd.concat(moments, ignore_index=True) if moments else features.assign(alive=[], quiet=[])


def learnable(features: pd.DataFrame, outcomes: pd.DataFrame, observed_from: pd.Timestamp) -> pd.DataFrame:
    """The moments whose next 90 days are over, and the last one: features with their rhythm, `bought_90`
    and `next_day`.

    Moments nearer than 90 days to the first line are left out: little was known of anybody.
    """
    came = outcomes[["as_of", "customer_id", "bought_90", "next_day"]]
    over = features["as_of"].isin(came.loc[came["bought_90"].notna(), "as_of"])
    later = features["as_of"] >= observed_from + pd.Timedelta(days=QUIET_DAYS)
    told = features[later & (over | (features["as_of"] == features["as_of"].max()))]
    return with_rhythm(told).merge(came, on=["as_of", "customer_id"], how="left", validate="one_to_one")


def habits(known: pd.DataFrame) -> pd.DataFrame:
    """The columns HABITS of features with their rhythm, on scales on which a straight line makes sense.

    Without a gap between purchases, the time since the only one stands for it.
    """
    quiet = known["quiet"].clip(1e-6, 1 - 1e-6)
    gaps = (known["purchase_days"] - 1).clip(lower=1)
    mean_gap = (known["tenure_days"] - known["recency_days"]) / gaps
    spread = np.sqrt((known["squared_gaps"] / gaps - mean_gap**2).clip(lower=0)) / mean_gap.where(mean_gap > 0, 1)
    gap = known["typical_gap_days"].astype(float).fillna(known["tenure_days"])
    columns = {
        "rhythm": np.log(quiet / (1 - quiet)),
        "recency": np.log1p(known["recency_days"]),
        "purchase_days": np.log(known["purchase_days"]),
        "tenure": np.log1p(known["tenure_days"]),
        "mean_day": np.log(known["sales"] / known["purchase_days"]),
        "days_90": np.log1p(known["purchase_days_90"]),
        "days_365": np.log1p(known["purchase_days_365"]),
        "gap": np.log1p(gap),
        "lateness": np.log((known["recency_days"] + 1) / (gap + 1)),
        "irregularity": spread,
        "cancellations": np.log1p(known["cancelled_orders"]),
    }
    return pd.DataFrame({name: columns[name].to_numpy(float) for name in HABITS})
