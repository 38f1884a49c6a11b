"""Who will not buy in the next 90 days: logistic regression on habits, averaged with BG/NBD's own probability.

Customers are those who bought in the last 365 days. The regression learns from all earlier moments whose 90 days were
over, with BG/NBD's probability among the habits; averaged with it, for BG/NBD knows of no season that has just passed.
Habits, penalty and averaging were chosen among some forty variants on the very folds that are reported (their AUC
differs by .01 or so), so these figures flatter a little: live ones, in `model_evaluations`, do not.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lgs_assets.models.features import HABITS, QUIET_DAYS, at, habits
from lgs_assets.models.likelihood import FitError
from lgs_assets.models.threads import one_thread

Array = npt.NDArray[np.float64]

MODEL = "logistic regression and BG/NBD"
BASELINE = "recency"
GAP = "typical gap of the customer"
GAP_BASELINE = "typical gap of all"
ACTIVE_DAYS = 365
LOW, HIGH = 0.33, 0.66
"""Where the bands medium and high begin."""
FOLDS = 4
MONTHS_BETWEEN_FOLDS = 3

_INVERSE_PENALTY = 1.0

BACKTESTS = [
    *("as_of", "customer_id", "labels_until", "segment", "recency_days", "score", "probability"),
    *("baseline_score", "baseline_probability", "bgnbd_score", "happened"),
    *("expected_next_day", "baseline_next_day", "next_day"),
]
RISKS = [
    *("customer_id", "as_of", "window_until", "model", "segment", "probability", "band", "rank", "is_calibrated"),
    *("reason_1", "reason_2", "reason_3", "last_day", "expected_next_day", "days_late", "sales_365", "value_rank"),
]


@dataclass(frozen=True)
class Regression:
    """A logistic regression on standardised habits."""

    center: Array
    scale: Array
    weights: Array
    intercept: float

    def parts(self, known: pd.DataFrame) -> Array:
        """What each habit adds to the log-odds of each customer, beside the mean customer's."""
        parts: Array = (habits(known).to_numpy() - self.center) / self.scale * self.weights
        return parts

    def probability(self, known: pd.DataFrame) -> Array:
        """Probability of no purchase, averaged with BG/NBD's."""
        quiet = 1 / (1 + np.exp(-(self.parts(known).sum(axis=1) + self.intercept)))
        averaged: Array = (quiet + known["quiet"].to_numpy(float)) / 2
        return averaged


def learnt(lessons: pd.DataFrame) -> Regression:
    """The regression of `bought_90` on the habits of active customers, in the order of moment and customer.

    Raises FitError if all or none of them bought.
    """
    from sklearn.linear_model import LogisticRegression

    told, quiet = habits(lessons).to_numpy(), ~lessons["bought_90"].to_numpy(bool)
    if quiet.all() or not quiet.any():
        raise FitError("All customers did the same: there is nothing to learn.")
    center, scale = told.mean(axis=0), told.std(axis=0)
    scale[scale == 0] = 1
    found = LogisticRegression(C=_INVERSE_PENALTY, max_iter=1000, tol=1e-8).fit((told - center) / scale, quiet)
    return Regression(center, scale, found.coef_[0], float(found.intercept_[0]))


def active(known: pd.DataFrame) -> pd.DataFrame:
    """The customers who bought in the last 365 days observed, of what `features.learnable` gives."""
    return known[known["recency_days"] <= ACTIVE_DAYS].reset_index(drop=True)


def lessons_before(known: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """Those whose 90 days were over by the moment."""
    over = known["as_of"] + pd.Timedelta(days=QUIET_DAYS) <= moment
    return known[over & known["bought_90"].notna()]


@one_thread
def backtests(known: pd.DataFrame) -> pd.DataFrame:
    """What would have been said on past days, three months apart, and what came. Columns BACKTESTS."""
    over = sorted(known.loc[known["bought_90"].notna(), "as_of"].unique())
    days = []
    for moment in over[::-1][::MONTHS_BETWEEN_FOLDS][:FOLDS][::-1]:
        lessons, asked = lessons_before(known, moment), at(known, moment)
        try:
            probability = learnt(lessons).probability(asked)
        except FitError:
            continue
        told = {
            "labels_until": lessons["as_of"].max() + pd.Timedelta(days=QUIET_DAYS),
            "score": probability,
            "probability": probability,
            "baseline_score": asked["recency_days"].astype(float),
            "baseline_probability": _by_recency(lessons, asked),
            "bgnbd_score": asked["quiet"],
            "happened": ~asked["bought_90"].astype(bool),
            "expected_next_day": _next_day(asked, is_own=True),
            "baseline_next_day": _next_day(asked, is_own=False),
        }
        days.append(asked.assign(**told)[BACKTESTS])
    return pd.concat(days, ignore_index=True) if days else pd.DataFrame(columns=BACKTESTS)


@one_thread
def predicted(
    known: pd.DataFrame, values: pd.DataFrame, *, is_model_used: bool, is_calibrated: bool, is_gap_used: bool
) -> pd.DataFrame:
    """The risk of each active customer after the last moment, in the columns RISKS.

    `values` holds `customer_id` and `rank` of customer_value. If the model is not to be used, customers are ranked by
    their recency, with the share that was quiet among earlier ones of about the same; if their own gaps are not, the
    typical one of all says when they are due.
    """
    if known.empty:
        return pd.DataFrame(columns=RISKS)
    moment = known["as_of"].max()
    asked, lessons = at(known, moment), lessons_before(known, moment)
    model = MODEL
    try:
        if not is_model_used:
            raise FitError("not to be used")
        regression = learnt(lessons)
        probability, parts = regression.probability(asked), regression.parts(asked)
    except FitError:
        model, probability, parts = BASELINE, _by_recency(lessons, asked), _only_recency(asked)
    expected = _next_day(asked, is_own=is_gap_used)
    reasons = [_reasons(customer, part) for customer, part in zip(asked.to_dict("records"), parts, strict=True)]
    risks = asked.assign(
        window_until=moment + pd.Timedelta(days=QUIET_DAYS),
        model=model,
        probability=probability,
        band=np.select([probability < LOW, probability < HIGH], ["low", "medium"], "high"),
        is_calibrated=is_calibrated,
        expected_next_day=expected,
        days_late=(asked["observed_until"] - expected).dt.days.astype("Int64"),
        value_rank=asked["customer_id"].map(values.set_index("customer_id")["rank"]).astype("Int64"),
        reason_1=[each[0] for each in reasons],
        reason_2=[each[1] for each in reasons],
        reason_3=[each[2] for each in reasons],
    )
    risks = risks.sort_values(["probability", "customer_id"], ascending=[False, True], ignore_index=True)
    return risks.assign(rank=risks.index + 1)[RISKS].sort_values("customer_id", ignore_index=True)


def _next_day(asked: pd.DataFrame, *, is_own: bool) -> pd.Series:
    """When the next purchase is due: after the typical gap of the customer, or of all who have one."""
    gaps = asked["typical_gap_days"].astype(float)
    due = gaps if is_own else gaps.where(gaps.isna(), gaps.median())
    return asked["last_day"] + pd.to_timedelta(np.ceil(due), unit="D")


def _by_recency(lessons: pd.DataFrame, asked: pd.DataFrame) -> Array:
    if lessons.empty:
        return np.full(len(asked), 0.5)
    edges = np.unique(np.quantile(lessons["recency_days"], np.linspace(0.1, 0.9, 9)))
    bins = np.searchsorted(edges, lessons["recency_days"])
    shares = (~lessons["bought_90"].astype(bool)).groupby(bins).mean().reindex(range(len(edges) + 1)).ffill().bfill()
    expected: Array = np.asarray(shares, dtype=float)[np.searchsorted(edges, asked["recency_days"])]
    return expected


def _only_recency(asked: pd.DataFrame) -> Array:
    parts = np.zeros((len(asked), len(HABITS)))
    parts[:, HABITS.index("recency")] = 1
    return parts


_TOGETHER = {
    "last bought {recency_days} days ago{usually}": ("rhythm", "recency", "lateness", "days_90"),
    "{bought} in all, {purchase_days_365} in the last year": ("purchase_days", "days_365"),
    "first bought {tenure_days} days ago": ("tenure",),
    "£{mean_day:,.0f} a purchase day": ("mean_day",),
    "{rhythm}": ("gap", "irregularity"),
    "{cancelled_orders} cancelled orders": ("cancellations",),
}
"""What is said of habits that go together, whose parts count as one."""
_PLACES = [[HABITS.index(habit) for habit in together] for together in _TOGETHER.values()]


def _reasons(customer: dict[Hashable, Any], parts: Array) -> list[str]:
    """What moves the risk of a customer most, in words, the strongest first."""
    sums = [float(parts[places].sum()) for places in _PLACES]
    strongest = sorted(range(len(sums)), key=lambda place: (-abs(sums[place]), place))[:3]
    said, told = list(_TOGETHER), _told(customer)
    return [
        f"{said[place].format_map(told)}: {'raises' if sums[place] > 0 else 'lowers'} the risk" for place in strongest
    ]


def _told(customer: dict[Hashable, Any]) -> dict[Any, Any]:
    days, gap = customer["purchase_days"], customer["typical_gap_days"]
    mean = (customer["tenure_days"] - customer["recency_days"]) / max(days - 1, 1)
    is_irregular = customer["squared_gaps"] / max(days - 1, 1) > 2 * mean**2
    rhythm = f"buys {'irregularly' if is_irregular else 'regularly'}, every {gap:.0f} days or so"
    return customer | {
        "bought": "one purchase day" if days == 1 else f"{days} purchase days",
        "mean_day": customer["sales"] / days,
        "usually": "" if days == 1 else f", usually every {gap:.0f}",
        "rhythm": "no second purchase yet" if days == 1 else rhythm,
    }
