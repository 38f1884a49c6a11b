"""What an experiment found, worded for readers who are no statisticians: the same in the report and on the pages."""

from decimal import Decimal
from math import isfinite

from lgs_assets.action.experiments import Metric
from lgs_assets.models.lift import DRAWS, LEVEL

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
    metric: Metric, *, days: int, treatment: str, estimate: float, low: float, high: float, p_value: float
) -> str:
    """The answer: it worked, it did harm, or no effect is shown; between what and what; and what chance would do."""
    within = span(metric, low, high)
    if p_value > LEVEL:
        return (
            f"No effect is shown: within {days} days the {treatment} may have made {within}; zero is inside. "
            f"That does not prove that it does nothing. {_chance(p_value)}"
        )
    verb = "worked" if estimate > 0 else "did harm"
    return (
        f"The {treatment} {verb}: within {days} days it made {within}; the best estimate is "
        f"{_more(metric, estimate, of_what=False)}. {_chance(p_value)}"
    )


def _chance(p_value: float) -> str:
    if p_value <= 1.5 / (DRAWS + 1):
        return f"Had it done nothing, none of {DRAWS:,} other draws of the arms would differ as much."
    return f"Had it done nothing, {1000 * p_value:,.0f} of 1,000 draws of the arms would differ as much."


def amount(metric: Metric, value: float) -> str:
    """A mean of a metric: 23.4 %, 1.37, £412.10."""
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


def pounds(value: float) -> str:
    """To the penny."""
    if not isfinite(value):
        return "any amount"
    return f"{'−' if value < 0 else ''}£{abs(Decimal(repr(value))):,.2f}"
