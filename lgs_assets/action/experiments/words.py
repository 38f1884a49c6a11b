"""What an experiment found, worded for readers who are no statisticians: the same in the report and on the pages."""

from decimal import Decimal
from math import isfinite, isnan

from lgs_assets.action.experiments.declaration import Metric
from lgs_assets.models.judging import DRAWS, LEVEL
from lgs_assets.wording import counted

METRICS: dict[Metric, str] = {
    "bought_within": "customers who buy",
    "net_revenue": "net revenue per customer",
    "orders": "orders per customer",
    "revenue_per_order": "net revenue per order",
}
_OF_WHAT: dict[Metric, str] = {
    "bought_within": "buyers in a hundred customers",
    "net_revenue": "per customer after returns",
    "orders": "orders per customer",
    "revenue_per_order": "per order after returns",
}


def verdict(
    metric: Metric,
    *,
    days: int,
    treatment: str,
    estimate: float,
    low: float,
    high: float,
    p_value: float,
    capped: float | None = None,
    level: float = LEVEL,
) -> str:
    """The answer: it worked, it did harm, or no effect is shown; between what and what; and what chance would do.

    The p-value and the sign are those of the difference `capped` where there is one; the estimate and its interval are
    of all that was paid.
    """
    within, judged = f"{span(metric, low, high)} {right(level)}", estimate if capped is None else capped
    chance = _chance(p_value, treatment)
    is_either = low <= 0 <= high
    either = "no effect at all is also possible"
    if not (isfinite(low) or isfinite(high)):
        return (
            f"Nothing can be told: no effect of the {treatment} on {METRICS[metric]} within {days} days, however "
            f"large, can be ruled out. {chance}"
        )
    if p_value > level:
        rests = either if is_either else "only a few customers beyond the cap keep it from zero"
        return (
            f"No effect is shown: within {days} days the difference was probably {within}; {rests}. "
            f"That does not prove that the {treatment} does nothing. {chance}"
        )
    verb = "worked" if judged > 0 else "did harm"
    best = f"the best estimate is {_more(metric, estimate, of_what=False)}"
    if capped is None or (not is_either and (judged > 0) == (estimate > 0)):
        return f"The {treatment} {verb}: within {days} days it probably made {within}; {best}. {chance}"
    if (judged > 0) != (estimate > 0):
        best += ", which has the other sign: a few customers beyond the cap outweigh the others"
    return (
        f"The {treatment} {verb}, judged with no customer counted beyond the cap: "
        f"{_more(metric, judged, of_what=False)}. In pounds as they were paid, within {days} days the difference was "
        f"probably {within}; {f'{either}, and ' * is_either}{best}. {chance}"
    )


def right(level: float) -> str:
    """How often such an interval is right."""
    return f"(such intervals are right {100 - 100 * level:.4g} times in 100)"


def too_small(arm: str, customers: int) -> str:
    """That an arm has too few customers for an interval to be as sure as it says."""
    few = counted(customers, "customer")
    return f"With only {few} in the arm {arm}, a few decide: the interval may be less sure than it says."


def sentence(text: str) -> str:
    """A text that people wrote, as one line that goes on."""
    return " ".join(text.split()).rstrip(".")


def _chance(p_value: float, treatment: str) -> str:
    of = 1_000 if p_value >= 0.001 else 10_000
    many = f"{of * p_value:,.0f} of {of:,} experiments"
    if p_value < 1.5 / (DRAWS + 1):  # no other draw differs as much
        many = f"about 1 of {DRAWS + 1:,} experiments, or fewer"
    return f"If the {treatment} did nothing, chance alone would show a gap this large in {many}."


def amount(metric: Metric, value: float | None) -> str:
    """A mean of a metric: 23.4 %, 1.37, £412.10; none where there is nothing to take it of."""
    if value is None or isnan(value):
        return "none"
    if metric == "bought_within":
        return f"{100 * value:.1f} %"
    return f"{value:.2f}" if metric == "orders" else pounds(value)


def signed(metric: Metric, value: float) -> str:
    """A difference of a metric with its sign: +18.6 points, −£3.20."""
    if not isfinite(value):
        return "unlimited"
    sign = "−" if value < 0 else "+"
    size = f"{100 * abs(value):.1f} points" if metric == "bought_within" else amount(metric, abs(value))
    return f"{sign}{size}"


def span(metric: Metric, low: float, high: float) -> str:
    """An interval in words: between 3.1 and 14.2 more buyers in a hundred customers."""
    if low > 0 or high < 0:
        near, far = sorted((low, high), key=abs)
        return f"between {_quantity(metric, near)} and {_more(metric, far)}"
    return f"between {_more(metric, low, of_what=False)} and {_more(metric, high)}"


def _more(metric: Metric, value: float, *, of_what: bool = True) -> str:
    less = "fewer" if metric in ("bought_within", "orders") else "less"
    more = f"{_quantity(metric, value)} {'more' if value >= 0 else less}"
    return f"{more} {_OF_WHAT[metric]}" if of_what else more


def _quantity(metric: Metric, value: float) -> str:
    if not isfinite(value):
        return "any number" if metric in ("bought_within", "orders") else "any amount"
    return f"{100 * abs(value):.1f}" if metric == "bought_within" else amount(metric, abs(value))


def pounds(value: float | Decimal) -> str:
    """To the penny."""
    if not isfinite(value):
        return "any amount"
    return f"{'−' if value < 0 else ''}£{abs(Decimal(str(value))):,.2f}"
