"""What other draws of the arms say of a difference: how rare it is, and which effects they do not contradict.

Pure functions of the differences that the other draws show (`slopes`), and of what their arms have in common with those
drawn (`of_arm`: 1 for the same arms, -1 for the opposite).
"""

from math import floor, inf, sqrt

import numpy as np

ROUNDING = 1e-9
"""How far apart two sums may be that differ only in how they were rounded, as a share of them."""


def p_values(of: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """How often a draw is as far from zero as each value of `of`; a hair's breadth is how the sums were rounded."""
    as_far = len(apart) - np.searchsorted(np.sort(apart), of * (1 - ROUNDING))
    return np.asarray((1 + as_far) / (1 + len(apart)))


def interval(estimate: float, slopes: np.ndarray, of_arm: np.ndarray, level: float) -> tuple[float, float]:
    """Every effect that is not rejected, from the smallest to the largest. Without ends if no draw is rare enough.

    If the treatment adds e to each, another draw would have shown its slope, less e times what its arms have in common
    with those drawn. That is as far from zero as the estimate is from e for every e between two ends; so a draw speaks
    for the effects between its ends, and the interval ends where as few draws still speak as the level allows. A draw
    like the one made, or its opposite, speaks for any effect.
    """
    slopes, of_arm, needed = _telling(slopes, of_arm, level)
    if needed <= 0:
        return -inf, inf
    ends = np.array([(estimate - slopes) / (1 - of_arm), (estimate + slopes) / (1 + of_arm)])
    low, high = np.sort(ends.min(axis=0))[needed - 1], np.sort(ends.max(axis=0))[-needed]
    rounding = ROUNDING * abs(estimate)
    return float(min(low, estimate) - rounding), float(max(high, estimate) + rounding)


def interval_of_shares(
    estimate: float, slopes: np.ndarray, of_arm: np.ndarray, level: float, *, share: float, treated: float
) -> tuple[float, float]:
    """As `interval`, of an outcome that is 0 or 1: some are won over, and a treatment cannot add as much to each.

    For each effect, then, a draw's slope counts by how much further chance puts two such shares apart, that of all
    being `share`, than two arms that vary alike (as in the score interval of Miettinen & Nurminen 1985). In halves, and
    for no effect at all, that is the same: the interval holds 0 where p is above the level. `treated` is the share of
    the treated among all.
    """
    slopes, of_arm, needed = _telling(slopes, of_arm, level)

    def is_held(effect: float) -> bool:
        shares = np.clip([share - effect * treated, share + effect * (1 - treated)], 0, 1)
        control, of_treated = shares * (1 - shares)
        alike = control * (1 - treated) + of_treated * treated
        wider = sqrt((control * treated + of_treated * (1 - treated)) / alike) if alike else 1.0
        apart = np.abs(slopes - effect * of_arm) * wider
        return bool((apart >= abs(estimate - effect) * (1 - ROUNDING)).sum() >= needed)

    ends = []
    for outside in (-1.0, 1.0):
        held = outside if is_held(outside) else estimate
        while abs(outside - held) > ROUNDING:
            middle = (held + outside) / 2
            held, outside = (middle, outside) if is_held(middle) else (held, middle)
        ends.append(outside)
    return float(min(ends[0], estimate)), float(max(ends[1], estimate))


def unseen(control: np.ndarray, treated: np.ndarray, level: float) -> tuple[float, float]:
    """The ends that two shares leave open of which one is nil or full, as that may be chance; (inf, -inf) if none is.

    Of n customers none does what up to 1 - (level/2)^(1/n) of all do (Clopper & Pearson 1934). A share between nil and
    full is taken as it was seen.
    """
    of_control, of_treated = (1 - (level / 2) ** (1 / len(arm)) for arm in (control, treated))
    apart = float(treated.mean() - control.mean())
    below = of_control * (not control.any()) + of_treated * bool(treated.all())
    above = of_treated * (not treated.any()) + of_control * bool(control.all())
    return (apart - below if below else inf), (apart + above if above else -inf)


def _telling(slopes: np.ndarray, of_arm: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, int]:
    """The draws unlike the one made and its opposite, and how many of them must speak for an effect in the interval."""
    is_near = np.abs(of_arm) < 1 - ROUNDING
    needed = floor(level * (1 + len(is_near)) + ROUNDING)  # besides the draw made, so that p is more than the level
    return slopes[is_near], of_arm[is_near], needed - int((~is_near).sum())
