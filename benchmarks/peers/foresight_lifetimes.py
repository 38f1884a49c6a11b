"""lifetimes: what customers will buy. Arguments: folder, task."""

import sys
from pathlib import Path

import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.utils import ConvergenceError

from benchmarks.peers.common import done

PENALTIES = (0, 0.001, 0.01, 0.1)
"""What its error advises to try, until it converges."""


def fitted(x: pd.Series, t_x: pd.Series, observed: pd.Series) -> BetaGeoFitter:
    """BG/NBD by the least penalty that converges. Raises ConvergenceError if none does."""
    for penalty in PENALTIES[:-1]:
        try:
            return BetaGeoFitter(penalizer_coef=penalty).fit(x, t_x, observed)
        except ConvergenceError:
            continue
    return BetaGeoFitter(penalizer_coef=PENALTIES[-1]).fit(x, t_x, observed)


def cdnow(folder: Path) -> pd.DataFrame:
    """Purchases in the 39 weeks to come, and what a purchase brings."""
    known = pd.read_parquet(folder / "cdnow.parquet")
    buying = fitted(known["x"], known["t_x"], known["T"])
    returning = known[known["x"] > 0]
    spending = GammaGammaFitter().fit(returning["x"], returning["mean"])
    purchases = buying.conditional_expected_number_of_purchases_up_to_time(39, known["x"], known["t_x"], known["T"])
    amount = spending.conditional_expected_average_profit(known["x"], known["mean"])
    return known[["as_of", "customer_id"]].assign(purchases=purchases, sales=purchases * amount)


def customer_value(folder: Path) -> pd.DataFrame:
    """Purchases and sales in 182 days, day by day of the past; no intervals, which it does not have."""
    days = []
    for _, known in pd.read_parquet(folder / "value_features.parquet").groupby("as_of"):
        x, observed = known["purchase_days"] - 1, (known["tenure_days"] - 1) / 7
        last = (known["tenure_days"] - known["recency_days"]) / 7
        mean = known["sales"] / known["purchase_days"]
        buying = fitted(x, last, observed)
        spending = GammaGammaFitter().fit(known["purchase_days"], mean)
        purchases = buying.conditional_expected_number_of_purchases_up_to_time(182 / 7, x, last, observed)
        amount = spending.conditional_expected_average_profit(known["purchase_days"], mean)
        days.append(known[["as_of", "customer_id"]].assign(purchases=purchases, sales=purchases * amount))
    return pd.concat(days)


TASKS = {task.__name__: task for task in (cdnow, customer_value)}

if __name__ == "__main__":
    folder, task = Path(sys.argv[1]), sys.argv[2]
    done("start")
    TASKS[task](folder).to_parquet(folder / "said.parquet")
    done(task)
