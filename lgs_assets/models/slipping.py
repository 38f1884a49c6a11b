"""Which good customers are about to slip: Loyal Customers and Champions by their recency against the edge.

What moves them to At Risk, Can't Lose, Hibernating or About to Sleep is to fall out of the R score 3: so the share of
customers who bought as recently or more so ranks them. That is a rank: the edge drifts, and no percentage holds.
"""

import pandas as pd

from lgs_assets.models.features import at

MODEL = "recency against the edge"
BASELINE = "fewest orders"
GOOD = ("Champions", "Loyal Customers")
BAD = ("At Risk", "Can't Lose", "Hibernating", "About to Sleep")
MONTHS = 3
FOLDS = 4

_EDGE = 3
"""The lowest R score of Loyal Customers and Champions."""

BACKTESTS = [
    *("as_of", "customer_id", "labels_until", "segment", "recency_days", "score", "probability"),
    *("baseline_score", "baseline_probability", "bgnbd_score", "happened"),
    *("expected_next_day", "baseline_next_day", "next_day"),
]
SLIPPING = [
    *("customer_id", "as_of", "model", "segment", "rank", "snapshot_recency_days", "edge_days", "days_to_edge"),
    *("recency_share", "sales_365"),
]


def _good(known: pd.DataFrame) -> pd.DataFrame:
    """The good customers of one moment, with the share of all customers who bought as recently or more so."""
    share = known["snapshot_recency_days"].rank(method="max") / len(known)
    return known.assign(recency_share=share)[known["segment"].isin(GOOD)]


def backtests(features: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """The ranks on past days, three months apart, and who was in a bad segment three months on. Columns BACKTESTS.

    `features` has the column `alive` of BG/NBD. Nothing is learnt: `labels_until` is the day itself.
    """
    came = outcomes.loc[outcomes["segment_3_months"].notna(), ["as_of", "customer_id", "segment_3_months"]]
    days = []
    over = sorted(set(came["as_of"].unique()) & set(features["as_of"].unique()))
    for moment in over[::-1][::MONTHS][:FOLDS][::-1]:
        asked = _good(at(features, moment)).merge(came, on=["as_of", "customer_id"], validate="one_to_one")
        told = {
            "labels_until": moment,
            "score": asked["recency_share"],
            "probability": float("nan"),
            "baseline_probability": float("nan"),
            "expected_next_day": pd.NaT,
            "baseline_next_day": pd.NaT,
            "next_day": pd.NaT,
            "baseline_score": -asked["orders"].astype(float),
            "bgnbd_score": 1 - asked["alive"],
            "happened": asked["segment_3_months"].isin(BAD),
        }
        days.append(asked.assign(**told)[BACKTESTS])
    return pd.concat(days, ignore_index=True) if days else pd.DataFrame(columns=BACKTESTS)


def predicted(features: pd.DataFrame, *, is_model_used: bool) -> pd.DataFrame:
    """The good customers of the last moment, ranked, in the columns SLIPPING."""
    if features.empty:
        return pd.DataFrame(columns=SLIPPING)
    known = at(features, features["as_of"].max())
    good = _good(known)
    edge = known.loc[known["r_score"] >= _EDGE, "snapshot_recency_days"].max()
    order = ["recency_share"] if is_model_used else ["orders"]
    good = good.sort_values([*order, "customer_id"], ascending=[not is_model_used, True], ignore_index=True)
    told = {
        "model": MODEL if is_model_used else BASELINE,
        "rank": good.index + 1,
        "edge_days": edge,
        "days_to_edge": edge - good["snapshot_recency_days"],
    }
    return good.assign(**told)[SLIPPING].sort_values("customer_id", ignore_index=True)
