"""On what terms an experiment is judged: its level, its draws, and arms as large as they were drawn.

Without the libraries that `lift` needs: the dashboard tells the terms as well, and computes nothing.
"""

from math import erfc, sqrt

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


def is_too_small(customers: int, *, share: float | None) -> bool:
    """Whether the smaller arm has too few customers for an interval to be as sure as it says.

    Of a share, which is that of both arms together in 0..1, or, if it is None, of a mean.
    """
    return customers < FEWEST_OF_ARM if share is None else min(share, 1 - share) * customers < FEWEST_EITHER_WAY
