"""What customers will buy: purchases by BG/NBD, their amounts by Gamma-Gamma; and the same of past days, to be judged.

The baseline is the status quo: the last days again, as many as are predicted.
"""

from collections.abc import Collection
from contextlib import suppress

import numpy as np
import numpy.typing as npt
import pandas as pd

from lgs_assets.models import bgnbd, gamma_gamma
from lgs_assets.models.features import WEEK, at, repeat_purchases, unobserved
from lgs_assets.models.likelihood import FitError
from lgs_assets.models.threads import one_thread

Array = npt.NDArray[np.float64]

MODEL = "BG/NBD and Gamma-Gamma"
BASELINE = "status quo"
HORIZONS = (90, 182, 365)
JUDGED = 182
"""The horizon that customers are ranked by wherever one is shown."""
ORIGINS = 10
"""How many past days each horizon is judged on, at most."""
INTERVAL = (0.1, 0.9)

_OF_THE_MODEL = ("probability_alive", "purchases_low", "purchases_high", "sales_low", "sales_high")
"""What only the model can say."""
_SEED = 20091201
_DRAWS = 200
_DRAWS_TO_JUDGE = 60
_DISCOUNTED_BY = 7
"""Days between two moments at which a discount is worked out."""

BACKTESTS = [
    *("horizon_days", "as_of", "customer_id", "labels_until", "purchases_low", "purchases", "purchases_high"),
    *("expected_within", "sales_low", "sales", "sales_high", "baseline_purchases", "baseline_sales"),
    *("actual_purchases", "actual_sales"),
]
VALUES = [
    *("customer_id", "horizon_days", "as_of", "model", "probability_alive", "purchases_low", "purchases"),
    *("purchases_high", "sales_low", "sales", "sales_high", "historic_net", "total_value", "rank", "decile"),
]


@one_thread
def backtests(features: pd.DataFrame, outcomes: pd.DataFrame, observed_from: pd.Timestamp) -> pd.DataFrame:
    """What would have been said on past days, and what came: a row a horizon, day and customer, columns BACKTESTS.

    Of each horizon the last days whose window is over, and before which as many days had been observed: the status quo
    would know too little otherwise. A day on which nothing could be fitted has no rows.
    """
    asked: dict[pd.Timestamp, list[int]] = {}
    for horizon in HORIZONS:
        over = outcomes.loc[outcomes[f"purchase_days_{horizon}"].notna(), "as_of"].unique()
        for day in sorted(day for day in over if day >= observed_from + pd.Timedelta(days=horizon))[-ORIGINS:]:
            asked.setdefault(day, []).append(horizon)
    days = [_judged(at(features, day), at(outcomes, day), asked[day]) for day in sorted(asked)]
    days = [day for day in days if not day.empty]
    if not days:
        return pd.DataFrame(columns=BACKTESTS)
    return pd.concat(days, ignore_index=True).sort_values(["horizon_days", "as_of", "customer_id"], ignore_index=True)


def _judged(known: pd.DataFrame, came: pd.DataFrame, horizons: list[int]) -> pd.DataFrame:
    try:
        expected = _expected(known, tuple(horizons), discount_pct=0, draws=_DRAWS_TO_JUDGE)
    except FitError:
        return pd.DataFrame(columns=BACKTESTS)
    beside = [
        pd.DataFrame({
            "baseline_purchases": known[f"purchase_days_{horizon}"],
            "baseline_sales": known[f"sales_{horizon}"],
            "actual_purchases": came[f"purchase_days_{horizon}"].astype("int64"),
            "actual_sales": came[f"sales_{horizon}"],
        })
        for horizon in horizons
    ]  # fmt: skip
    # Not the day that was asked for: a purchase after that day, if the model was told of one, must show.
    told = {"as_of": known["as_of"].iloc[0], "labels_until": known["last_day"].max() + pd.Timedelta(days=1)}
    return expected.join(pd.concat(beside, ignore_index=True)).assign(**told)[BACKTESTS]


@one_thread
def predicted(features: pd.DataFrame, *, discount_pct: float, model_horizons: Collection[int]) -> pd.DataFrame:
    """What each customer is expected to buy after the last moment: a row a customer and horizon, columns VALUES.

    The baseline predicts the horizons that are not the model's, and all of them if it cannot be fitted,
    without intervals: those of a customer who buys at random at that rate held too little.
    """
    if features.empty:
        return pd.DataFrame(columns=VALUES)
    known = at(features, features["as_of"].max())
    values = _again(known).assign(model=BASELINE)
    if model_horizons:
        with suppress(FitError):
            said = _expected(known, tuple(model_horizons), discount_pct=discount_pct, draws=_DRAWS).assign(model=MODEL)
            again = values[~values["horizon_days"].isin(model_horizons)]
            values = pd.concat([said, again], ignore_index=True)
    values = values.merge(known[["customer_id", "as_of", "net_revenue"]], on="customer_id")
    values = values.rename(columns={"net_revenue": "historic_net"})
    for column in ("sales_low", "sales", "sales_high"):
        values[column] = values[column].round(2)
    for column in ("purchases_low", "purchases_high"):
        values[column] = values[column].astype("Int64")
    values["total_value"] = (values["historic_net"] + values["sales"]).round(6)
    values = values.sort_values(["horizon_days", "sales", "customer_id"], ascending=[True, False, True])
    values["rank"] = values.groupby("horizon_days").cumcount() + 1
    values["decile"] = 10 * (values["rank"] - 1) // len(known) + 1
    return values[VALUES].sort_values(["customer_id", "horizon_days"], ignore_index=True)


def _expected(known: pd.DataFrame, horizons: tuple[int, ...], *, discount_pct: float, draws: int) -> pd.DataFrame:
    """Expected purchases and sales of each customer and horizon, with 80 % intervals that hold them."""
    told, after = repeat_purchases(known), unobserved(known)
    buying = bgnbd.fit(*told)
    # The first day counts here: of most customers it says more than the mean of all others does.
    days = known["purchase_days"].to_numpy(float)
    mean = known["sales"].to_numpy(float) / days
    spending = gamma_gamma.fit(days, mean)
    amount, alive = spending.expected_mean(days, mean), buying.probability_alive(*told)
    generator = np.random.default_rng(_SEED)
    drawn = buying.draw_purchases(*told, [horizon / WEEK for horizon in horizons], draws, generator, after=after)
    rows = []
    for horizon, purchases in zip(horizons, drawn, strict=True):
        expected = buying.expected_between(*told, horizon / WEEK, after=after)
        kept = _kept(buying, told, horizon, discount_pct, after)
        low, high = np.quantile(purchases, INTERVAL, axis=1, method="inverted_cdf")
        # The mean of a customer who has probably left lies outside the middle of what may come.
        low, high = np.minimum(low, np.floor(expected)), np.maximum(high, np.ceil(expected))
        sums = np.quantile(spending.draw_sums(days, mean, purchases, generator), INTERVAL, axis=1) * kept
        rows.append(
            pd.DataFrame({
                "customer_id": known["customer_id"],
                "horizon_days": horizon,
                "probability_alive": alive,
                "purchases_low": low.astype("int64"),
                "purchases": expected,
                "purchases_high": high.astype("int64"),
                "expected_within": ((purchases >= low[:, None]) & (purchases <= high[:, None])).mean(axis=1),
                "sales_low": np.minimum(sums[0], expected * amount * kept),
                "sales": expected * amount * kept,
                "sales_high": np.maximum(sums[1], expected * amount * kept),
            })
        )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def _kept(buying: bgnbd.BgNbd, told: tuple[Array, Array, Array], days: int, discount_pct: float, after: float) -> Array:
    """What is left of each customer's expected sales when those of a year later count so much less."""
    if not discount_pct:
        return np.ones(len(told[0]))
    ends = np.append(np.arange(_DISCOUNTED_BY, days, _DISCOUNTED_BY), days)
    by = np.stack([buying.expected_between(*told, end / WEEK, after=after) for end in ends])
    middles = ends - np.diff(ends, prepend=0) / 2
    shares = np.diff(by, axis=0, prepend=0) / np.maximum(by[-1], 1e-300)
    return np.asarray((1 - discount_pct / 100) ** (middles / 365) @ shares)


def _again(known: pd.DataFrame) -> pd.DataFrame:
    """The last days again, without intervals."""
    rows = [
        pd.DataFrame({
            "customer_id": known["customer_id"],
            "horizon_days": days,
            "purchases": known[f"purchase_days_{days}"].astype(float),
            "sales": known[f"sales_{days}"].astype(float),
        })
        for days in HORIZONS
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True).assign(**dict.fromkeys(_OF_THE_MODEL, np.nan))
