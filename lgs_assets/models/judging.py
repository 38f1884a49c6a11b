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


def mismatch_p(customers: dict[str, int], shares: dict[str, float]) -> float:
    """How often chance alone puts two arms as far from their shares, in 0..1 (chi-square): a sample ratio mismatch."""
    total = sum(customers.values())
    if not total:
        return 1.0
    expected = {arm: share * total for arm, share in shares.items()}
    return erfc(sqrt(sum((customers[arm] - number) ** 2 / number for arm, number in expected.items()) / 2))
