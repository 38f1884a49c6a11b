"""On what terms an experiment is judged: its level, its draws, and arms as large as they were drawn.

Without the libraries that `lift` needs: the dashboard tells the terms as well, and computes nothing.
"""

from math import erfc, exp, lgamma, sqrt

DRAWS = 4_999
"""With the draw that was made, five thousand: p-values to a fifth of a thousandth."""
LEVEL = 0.05
"""The share of experiments without any effect that are allowed to look like one."""
MISMATCH = 0.001
"""A probability of the arms' sizes below which they are not those that were drawn."""
FEWEST_OF_ARM = 30
"""Customers of an arm below which few who spend much decide: intervals of means are less sure than they say."""
FEWEST_EITHER_WAY = 5
"""Likewise of shares: expected to buy, or not to (Cochran 1954). See "How right it is" in docs/experiments.md."""


def mismatch_p(customers: dict[str, int], shares: dict[str, float]) -> float:
    """How often chance alone puts two arms as far from their shares, in 0..1 (chi-square): a sample ratio mismatch."""
    total = sum(customers.values())
    if not total:
        return 1.0
    expected = {arm: share * total for arm, share in shares.items()}
    return erfc(sqrt(sum((customers[arm] - number) ** 2 / number for arm, number in expected.items()) / 2))


def loss_p(gone: dict[str, int], customers: dict[str, int]) -> float:
    """How often chance alone takes so many more out of one of two arms, in 0..1 (Fisher's exact test).

    Arms have the sizes that were drawn, so that only the losses are left to chance: an arm that lost a tenth, where the
    other lost nobody, is still near its size.
    """
    (lost, _), (arm, other) = gone.values(), customers.values()
    taken = sum(gone.values())
    ways = [
        _log_ways(arm, number) + _log_ways(other, taken - number) - _log_ways(arm + other, taken)
        for number in range(max(0, taken - other), min(taken, arm) + 1)
    ]
    seen = ways[lost - max(0, taken - other)]
    return min(1.0, sum(exp(each) for each in ways if each <= seen + 1e-9))


def is_mismatched(known: dict[str, int], drawn: dict[str, int], shares: dict[str, float]) -> bool:
    """Whether the arms, as the data still knows them, are not those that were drawn: then there is no result.

    An arm is empty, the arms are not of their shares, or one lost far more of its customers than the other.
    """
    return not all(known.values()) or arms_p(known, drawn, shares) < MISMATCH


def arms_p(known: dict[str, int], drawn: dict[str, int], shares: dict[str, float]) -> float:
    """How often chance alone makes the arms, as the data still knows them, as unlike those that were drawn, in 0..1."""
    gone = {arm: number - known[arm] for arm, number in drawn.items()}
    return min(mismatch_p(known, shares), loss_p(gone, drawn))


def is_too_small(customers: int, *, share: float | None) -> bool:
    """Whether the smaller arm has too few customers for an interval to be as sure as it says.

    Of a share, which is that of both arms together in 0..1, or, if it is None, of a mean.
    """
    return customers < FEWEST_OF_ARM if share is None else min(share, 1 - share) * customers < FEWEST_EITHER_WAY


def _log_ways(of: int, number: int) -> float:
    """In how many ways so many are taken of all, as a logarithm."""
    return lgamma(of + 1) - lgamma(number + 1) - lgamma(of - number + 1)
