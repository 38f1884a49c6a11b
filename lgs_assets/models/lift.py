"""What a campaign changed: treated customers against the control group of a blocked experiment, as they were assigned.

Whoever was assigned counts, whether reached or not (intention to treat). Chance is what the draw of the arms could
have made of it: the arms are drawn again, within the blocks and by the same rule, and the difference computed each time
(Fisher's test). So nothing is assumed of how sales are distributed, of which one customer may make a third.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import erfc, inf, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # the dashboard asks for `mismatch_p` and needs no pandas
    import pandas as pd

DRAWS = 4_999
"""With the draw that was made, five thousand: p-values to a fifth of a thousandth."""
LEVEL = 0.05
MISMATCH = 0.001
"""A probability of the arms' sizes below which they are not those that were drawn."""
_FEWEST_EACH = 3
"""Customers for each covariate, and the mean. With fewer, some draw of the arms would be explained by them in full."""
_AT_A_TIME = 250
"""Draws held in memory at once: 12 MB for each thousand customers."""
_STEPS = 60
"""Halvings of an interval of a million pounds down to a millionth of a penny."""
_FAR = 1e4
"""Standard errors from the estimate: what is not rejected there never will be."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Experiment:
    """Customers as they were assigned, one a place in each array, and how."""

    blocks: np.ndarray
    """The block of each customer; arms are drawn within blocks."""
    treated: np.ndarray
    """True for a treated customer, False for one of the control group."""
    share: float
    """The share of each block that is treated; of a block that it does not divide, the odd one is drawn."""

    def __post_init__(self) -> None:
        """Raises ValueError if an arm is empty."""
        if not 0 < self.treated.sum() < len(self.treated):
            raise ValueError("both arms need customers: one of them is empty")


@dataclass(frozen=True)
class Difference:
    """An outcome of the treated against the control group. All figures but `p_value` are in the outcome's unit."""

    control: float
    """Mean of the control group."""
    treated: float
    """Mean of the treated, as it was seen."""
    estimate: float
    """The difference that the treatment made to a customer, adjusted for what was known before."""
    low: float
    high: float
    """What it may as well have been: all that the data do not contradict, at 1 - `level`. Infinite if there are so few
    customers that no draw of the arms is rare."""
    p_value: float
    """How often the draw alone makes a difference as large, in 0..1."""


def differences(
    experiment: Experiment,
    outcomes: pd.DataFrame,
    covariates: pd.DataFrame,
    *,
    seed: int,
    level: float = LEVEL,
    draws: int = DRAWS,
) -> dict[str, Difference]:
    """The difference of each outcome, a column each, adjusted for the covariates, which are from before the start.

    The frames have a row a customer, in the order of the experiment. An interval holds every effect that the test does
    not reject when it is taken off the treated. Raises ValueError if a value is missing or infinite.
    """
    values, arm = outcomes.to_numpy(float), experiment.treated.astype(float)
    basis, left = _unexplained(experiment, outcomes, covariates)
    slopes = np.vstack([_slopes(drawn, basis, left) for drawn in _redrawn(experiment, seed=seed, draws=draws)])
    observed = _slopes(arm[None, :], basis, left)[0]
    return {
        str(name): _difference(values[:, i], experiment.treated, observed[i], slopes[:, i], slopes[:, -1], level)
        for i, name in enumerate(outcomes)
    }


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """A ratio of sums, such as sales an order, as one value a customer whose means differ as the ratios do.

    Linearised about the ratio of all (the delta method; Deng, Knoblich & Lu 2018). Raises ValueError if it has none.
    """
    if not denominator.sum():
        raise ValueError("a ratio needs a denominator: its sum is zero")
    overall = numerator.sum() / denominator.sum()
    return np.asarray(overall + (numerator - overall * denominator) / denominator.mean())


def look_levels(
    experiment: Experiment,
    outcomes: pd.DataFrame,
    covariates: pd.DataFrame,
    passed: list[float],
    *,
    seed: int,
    draws: int = DRAWS,
) -> list[float]:
    """The level of each look until now: an effect shows by a p-value up to it, and all looks together keep LEVEL.

    `outcomes` has a column for each of these looks, of what was known at it; `passed` is the share of the window that
    was over, 1 at the end. Until a share t is over, 2 - 2 Φ(z/√t) of the level is spent: of O'Brien and Fleming's
    (1979) shape, and known without what comes later (Lan & DeMets 1983). How far looks say the same, the draw tells.
    """
    basis, left = _unexplained(experiment, outcomes, covariates)
    drawn = _redrawn(experiment, seed=seed, draws=draws)
    apart = np.abs(np.vstack([_slopes(arms, basis, left) for arms in drawn])[:, :-1])
    p_values = np.column_stack([_p_values(column) for column in apart.T])
    is_open = np.ones(draws, bool)
    levels = []
    for p_value, share in zip(p_values.T, passed, strict=True):
        spent = 2 - 2 * _NORMAL.cdf(_NORMAL.inv_cdf(1 - LEVEL / 2) / sqrt(share))
        ordered = np.sort(p_value[is_open])
        shown = draws - len(ordered) + np.searchsorted(ordered, ordered, side="right")
        kept = ordered[(1 + shown) / (1 + draws) <= spent]
        levels.append(float(kept[-1]) if len(kept) else 0.0)
        is_open &= p_value > levels[-1]
    return levels


def mismatch_p(customers: dict[str, int], shares: dict[str, float]) -> float:
    """How often chance alone puts two arms as far from their shares, in 0..1 (chi-square): a sample ratio mismatch."""
    total = sum(customers.values())
    if not total:
        return 1.0
    expected = {arm: share * total for arm, share in shares.items()}
    return erfc(sqrt(sum((customers[arm] - number) ** 2 / number for arm, number in expected.items()) / 2))


def _unexplained(
    experiment: Experiment, outcomes: pd.DataFrame, covariates: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """A basis of the covariates, and what they leave unexplained of each outcome and, in the last column, of the arm.

    By Frisch and Waugh, the adjusted difference is that of what is left.
    """
    for frame in (outcomes, covariates):
        if wrong := [str(name) for name in frame if not np.isfinite(frame[name].to_numpy(float)).all()]:
            raise ValueError(f"{', '.join(wrong)}: every customer needs a number; some have none")
    is_enough = len(outcomes) >= _FEWEST_EACH * (covariates.shape[1] + 1)
    basis = _basis(covariates.to_numpy(float) if is_enough else np.empty((len(outcomes), 0)))
    left = np.column_stack([outcomes.to_numpy(float), experiment.treated.astype(float)])
    left -= basis @ (basis.T @ left)
    return basis, left


def _p_values(apart: np.ndarray) -> np.ndarray:
    """How often a draw is as far from zero as each of them; a hair's breadth is how the sums were rounded."""
    as_far = len(apart) - np.searchsorted(np.sort(apart), apart * (1 - 1e-9))
    return np.asarray((1 + as_far) / (1 + len(apart)))


def _difference(
    values: np.ndarray, treated: np.ndarray, estimate: float, slopes: np.ndarray, of_arm: np.ndarray, level: float
) -> Difference:
    def p_value(effect: float) -> float:
        """Of the hypothesis that the treatment adds `effect` to each: what any other draw would have shown is known."""
        tolerance = 1e-9 * (abs(estimate) + abs(effect))
        as_far = np.abs(slopes - effect * of_arm) >= abs(estimate - effect) - tolerance
        return (1 + int(as_far.sum())) / (1 + len(slopes))

    if (values == values[0]).all():
        return Difference(float(values[0]), float(values[0]), estimate=0.0, low=0.0, high=0.0, p_value=1.0)
    spread, scale = float(slopes.std()), float(np.ptp(values))
    # Where everybody in a block did the same, all draws are alike, but for how their sums were rounded.
    step = spread if spread > 1e-9 * scale else scale
    low, high = (_bound(p_value, estimate, sign * step, level) for sign in (-1, 1))
    control, seen = float(values[~treated].mean()), float(values[treated].mean())
    return Difference(control, seen, float(estimate), float(low), float(high), p_value(0.0))


def _bound(p_value: Callable[[float], float], estimate: float, step: float, level: float) -> float:
    """The effect furthest from the estimate, towards `step`, that is not rejected."""
    inside, outside = estimate, estimate + step
    while p_value(outside) > level:
        if abs(outside - estimate) > _FAR * abs(step):
            return inf * step
        inside, outside = outside, estimate + 2 * (outside - estimate)
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_value(middle) > level else (inside, middle)
    return inside


def _basis(covariates: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the mean and the covariates; one that says nothing new is left out."""
    centred = covariates - covariates.mean(axis=0) if covariates.size else covariates
    scale = np.sqrt((centred**2).sum(axis=0))
    columns = [np.ones(len(covariates)), *(centred[:, scale > 0] / scale[scale > 0]).T]
    left, sizes, _ = np.linalg.svd(np.column_stack(columns), full_matrices=False)
    return np.asarray(left[:, sizes > 1e-9 * sizes[0]])


def _slopes(arms: np.ndarray, basis: np.ndarray, left: np.ndarray) -> np.ndarray:
    """The adjusted difference of each column of `left` for each row of `arms`: draws by columns."""
    unexplained = arms.sum(axis=1) - ((arms @ basis) ** 2).sum(axis=1)
    return np.asarray((arms @ left) / unexplained[:, None])


def _redrawn(experiment: Experiment, *, seed: int, draws: int) -> Iterator[np.ndarray]:
    """The arms as they could have been drawn, 1 for a treated customer: some rows at a time, one a draw."""
    generator = np.random.default_rng(seed)
    _, block, sizes = np.unique(experiment.blocks, return_inverse=True, return_counts=True)
    first = np.cumsum(sizes) - sizes
    place = np.arange(len(block)) - np.repeat(first, sizes)  # of customers sorted by block, within it
    certain = np.floor(experiment.share * sizes + 1e-9).astype(int)
    left_over = np.clip(experiment.share * sizes - certain, 0, 1)  # the chance that the odd one is treated
    for begin in range(0, draws, _AT_A_TIME):
        rows = min(_AT_A_TIME, draws - begin)
        order = np.argsort(block + generator.random((rows, len(block))), axis=1)
        treated = certain + (generator.random((rows, len(sizes))) < left_over)
        arms = np.zeros((rows, len(block)))
        np.put_along_axis(arms, order, (place < np.repeat(treated, sizes, axis=1)).astype(float), axis=1)
        yield arms
