"""Who will not buy in the next 90 days: logistic regression on habits, averaged with BG/NBD's own probability.

Customers are those who bought in the last 365 days. The regression learns from all earlier moments whose 90 days were
over, with BG/NBD's probability among the habits; averaged with it, for BG/NBD knows of no season that has just passed.
Habits, penalty and averaging were chosen among some forty variants on the very folds that are reported (their AUC
differs by .01 or so), so these figures flatter a little: live ones, in `model_evaluations`, do not.

Reasons are those of the regression, half of the mean: what each habit adds to the log-odds beside the mean customer.
Habits overlap, so that one may lower a risk that its words would raise: such a fact is not told.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lgs_assets.models.features import HABITS, QUIET_DAYS, at, habits
from lgs_assets.models.likelihood import FitError
from lgs_assets.models.threads import one_thread
from lgs_assets.wording import counted

Array = npt.NDArray[np.float64]
_Named = dict[Hashable, Any]

MODEL = "logistic regression and BG/NBD"
BASELINE = "recency"
GAP = "typical gap of the customer"
GAP_BASELINE = "usual wait of all"
FORTNIGHT = "in 14 days for everybody"
"""What is harder to beat than the baseline: a fortnight around that day holds the whole of the first four weeks."""
NEAR_DAYS = 14
"""How far from the day that it was expected on a purchase still came as expected."""
ACTIVE_DAYS = 365
LOW, HIGH = 0.33, 0.66
"""Where the bands medium and high begin."""
FOLDS = 4
MONTHS_BETWEEN_FOLDS = 3

_INVERSE_PENALTY = 1.0
_RHYTHMIC = 3
"""Purchase days from which on gaps can be alike."""

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

    def apart(self, known: pd.DataFrame) -> Array:
        """How far each habit of each customer is from the mean customer's."""
        apart: Array = habits(known).to_numpy() - self.center
        return apart

    def parts(self, known: pd.DataFrame) -> Array:
        """What each habit adds to the log-odds of each customer, beside the mean customer's."""
        parts: Array = self.apart(known) / self.scale * self.weights
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
            "expected_next_day": _next_day(asked),
            "baseline_next_day": _day_of_all(asked, lessons),
        }
        days.append(asked.assign(**told)[BACKTESTS])
    return pd.concat(days, ignore_index=True) if days else pd.DataFrame(columns=BACKTESTS)


@one_thread
def predicted(
    known: pd.DataFrame, values: pd.DataFrame, *, is_model_used: bool, is_calibrated: bool, is_gap_used: bool
) -> pd.DataFrame:
    """The risk of each active customer after the last moment, in the columns RISKS.

    `values` holds `customer_id` and `rank` of customer_value. If the model is not to be used, customers are ranked by
    their recency, with the share that was quiet among earlier ones of about the same: their only reason, by whether it
    is above that of all. If their own gaps are not, all are due after the usual wait from the moment on.
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
        probability, facts = regression.probability(asked), _facts(regression, asked)
    except FitError:
        model, probability = BASELINE, _by_recency(lessons, asked)
        facts = _recency_alone(asked, probability - _quiet_share(lessons))
    expected = _next_day(asked) if is_gap_used else _day_of_all(asked, lessons)
    reasons = pd.DataFrame([_reasons(each) for each in facts], columns=["reason_1", "reason_2", "reason_3"])
    risks = asked.assign(
        window_until=moment + pd.Timedelta(days=QUIET_DAYS),
        model=model,
        probability=probability,
        band=np.select([probability < LOW, probability < HIGH], ["low", "medium"], "high"),
        is_calibrated=is_calibrated,
        expected_next_day=expected,
        days_late=(asked["observed_until"] - expected).dt.days.astype("Int64"),
        value_rank=asked["customer_id"].map(values.set_index("customer_id")["rank"]).astype("Int64"),
    ).join(reasons)
    risks = risks.sort_values(["probability", "customer_id"], ascending=[False, True], ignore_index=True)
    return risks.assign(rank=risks.index + 1)[RISKS].sort_values("customer_id", ignore_index=True)


def _next_day(asked: pd.DataFrame) -> pd.Series:
    """When the next purchase is due: after the typical gap of the customer."""
    return asked["last_day"] + pd.to_timedelta(np.ceil(asked["typical_gap_days"].astype(float)), unit="D")


def is_due(as_of: pd.Series, day: pd.Series) -> pd.Series:
    """Whether a purchase is expected, and so soon that the 90 days hold the fortnight after: neither late, nor far."""
    return (day >= as_of) & (day < as_of + pd.Timedelta(days=QUIET_DAYS - NEAR_DAYS))


def _day_of_all(asked: pd.DataFrame, lessons: pd.DataFrame) -> pd.Series:
    """The same without a look at the customer: after the usual wait of those who were due earlier, and bought.

    Where nobody was, in the middle of the 90 days.
    """
    due = lessons[is_due(lessons["as_of"], _next_day(lessons))]
    wait = (due["next_day"] - due["as_of"]).dt.days.median()
    days = QUIET_DAYS // 2 if np.isnan(wait) else round(wait)
    return (asked["as_of"] + pd.Timedelta(days=days)).where(asked["typical_gap_days"].notna())


def _by_recency(lessons: pd.DataFrame, asked: pd.DataFrame) -> Array:
    if lessons.empty:
        return np.full(len(asked), _quiet_share(lessons))
    edges = np.unique(np.quantile(lessons["recency_days"], np.linspace(0.1, 0.9, 9)))
    bins = np.searchsorted(edges, lessons["recency_days"])
    shares = (~lessons["bought_90"].astype(bool)).groupby(bins).mean().reindex(range(len(edges) + 1)).ffill().bfill()
    expected: Array = np.asarray(shares, dtype=float)[np.searchsorted(edges, asked["recency_days"])]
    return expected


def _quiet_share(lessons: pd.DataFrame) -> float:
    """How many were quiet: even odds if there was nobody."""
    return 0.5 if lessons.empty else float((~lessons["bought_90"].astype(bool)).mean())


@dataclass(frozen=True)
class _Fact:
    """Something that can be said of a customer, and what it adds to the risk."""

    words: str
    adds: float
    suggests: tuple[float, ...]
    """Above 0 where a reader would take the words for a higher risk, below for a lower one."""

    @property
    def is_plain(self) -> bool:
        """Whether it adds to the risk what its words suggest."""
        return any(self.adds * suggested > 0 for suggested in self.suggests)


def _reasons(facts: Iterable[_Fact]) -> list[str | None]:
    """The three plain facts that move the risk most, the strongest first; None in place of those there are not."""
    plain = sorted((fact for fact in facts if fact.is_plain), key=lambda fact: -abs(fact.adds))
    said = [f"{fact.words}: {'raises' if fact.adds > 0 else 'lowers'} the risk" for fact in plain[:3]]
    return [*said, *[None] * (3 - len(said))]


def _recency_alone(asked: pd.DataFrame, beside_all: Array) -> list[list[_Fact]]:
    return [
        [_Fact(_last_bought(days), float(adds), (float(adds),))]
        for days, adds in zip(asked["recency_days"], beside_all, strict=True)
    ]


def _facts(regression: Regression, asked: pd.DataFrame) -> list[list[_Fact]]:
    parts, apart = (
        pd.DataFrame(found, columns=HABITS).to_dict("records")
        for found in (regression.parts(asked), regression.apart(asked))
    )
    return [_facts_of(*each) for each in zip(asked.to_dict("records"), parts, apart, strict=True)]


def _facts_of(customer: _Named, adds: _Named, apart: _Named) -> list[_Fact]:
    """The facts of a customer, habits that go together counted as one."""
    recency = adds["recency"] + adds["lateness"] + adds["days_90"]
    purchases = adds["purchase_days"] + adds["days_365"] + adds["tenure"] + adds["gap"]
    # BG/NBD knows both: it counts with the last purchase where that suggests the same.
    if adds["rhythm"] * apart["recency"] > 0:
        recency += adds["rhythm"]
    else:
        purchases += adds["rhythm"]
    rarer = apart["tenure"] - apart["purchase_days"]
    days, cancelled = customer["purchase_days"], customer["cancelled_orders"]
    facts = [
        _Fact(_last_bought(customer["recency_days"]), recency, (apart["recency"],)),
        _Fact("no second purchase yet", purchases, (1,))
        if days == 1
        else _Fact(_purchases(customer), purchases, (rarer, -apart["purchase_days"], -apart["days_365"])),
        _Fact(f"£{customer['sales'] / days:,.0f} a purchase day", adds["mean_day"], (adds["mean_day"],)),
        _Fact(counted(cancelled, "cancelled order"), adds["cancellations"], (adds["cancellations"],))
        if cancelled
        else _Fact("no cancelled orders", adds["cancellations"], (-1,)),
    ]
    if days >= _RHYTHMIC:
        facts.append(_regularity(customer, adds["irregularity"]))
    return facts


def _last_bought(days: int) -> str:
    return f"last bought {counted(days, 'day')} ago"


def _purchases(customer: _Named) -> str:
    said = f"{counted(customer['purchase_days'], 'purchase day')} in {counted(customer['tenure_days'], 'day')}"
    if customer["tenure_days"] <= ACTIVE_DAYS:
        return said
    return f"{said}, {customer['purchase_days_365']:,} in the last year"


def _regularity(customer: _Named, adds: float) -> _Fact:
    gaps = customer["purchase_days"] - 1
    mean = (customer["tenure_days"] - customer["recency_days"]) / gaps
    is_irregular = customer["squared_gaps"] / gaps > 2 * mean**2
    return _Fact(f"buys {'irregularly' if is_irregular else 'regularly'}", adds, (1 if is_irregular else -1,))
