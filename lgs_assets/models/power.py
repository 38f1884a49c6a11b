"""What an experiment of a given size can detect, before it starts. Two arms of half each; two-sided.

Source of the formulas: Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions (2003), chapter 4.
"""

from math import sqrt
from statistics import NormalDist

from lgs_assets.models.judging import LEVEL

POWER = 0.8
"""The share of experiments with the effect asked about that must show it."""
_NORMAL = NormalDist()


def detectable_difference(deviation: float, customers: int, *, level: float = LEVEL, power: float = POWER) -> float:
    """The smallest difference of means that `customers` in all can show, in the unit of the standard deviation."""
    return (_quantile(level) + _NORMAL.inv_cdf(power)) * deviation * 2 / sqrt(customers)


def customers_needed(deviation: float, difference: float, *, level: float = LEVEL, power: float = POWER) -> float:
    """How many customers in all it takes to show a difference of means."""
    return (2 * (_quantile(level) + _NORMAL.inv_cdf(power)) * deviation / difference) ** 2


def detectable_share(share: float, customers: int, *, level: float = LEVEL, power: float = POWER) -> float | None:
    """The smallest share above `share`, both in 0..1, that `customers` in all can tell from it; None if none can."""
    low, high = share, 1.0
    if power_of_shares(share, high, customers, level=level) < power:
        return None
    while high - low > 1e-9:  # the power grows with the share
        middle = (low + high) / 2
        low, high = (low, middle) if power_of_shares(share, middle, customers, level=level) >= power else (middle, high)
    return high


def power_of_means(difference: float, deviation: float, customers: int, *, level: float = LEVEL) -> float:
    """The probability, in 0..1, that `customers` in all show a difference of means."""
    if not deviation:
        return float(difference != 0)
    return _NORMAL.cdf(abs(difference) * sqrt(customers) / (2 * deviation) - _quantile(level))


def power_of_shares(share: float, other: float, customers: int, *, level: float = LEVEL) -> float:
    """The probability, in 0..1, that `customers` in all tell one share from another; the test's variance is pooled."""
    pooled = (share + other) / 2
    apart = sqrt(share * (1 - share) + other * (1 - other))
    distance = abs(other - share) * sqrt(customers / 2) - _quantile(level) * sqrt(2 * pooled * (1 - pooled))
    return _NORMAL.cdf(distance / apart) if apart else float(distance > 0)


def _quantile(level: float) -> float:
    return _NORMAL.inv_cdf(1 - level / 2)
