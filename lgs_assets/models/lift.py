"""What a campaign changed: treated customers against the control group of a blocked experiment, as they were assigned.

Whoever was assigned counts, whether reached or not (intention to treat). Chance is what the draw of the arms could
have made of it: the arms are drawn again, within the blocks and by the same rule, and the difference computed each time
(Fisher's test). So nothing is assumed of how sales are distributed, of which one customer may make a third.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, inf, isfinite, sqrt
from statistics import NormalDist
from typing import TypeVar

import numpy as np
import pandas as pd

from lgs_assets.models.judging import DRAWS, LEVEL
from lgs_assets.models.threads import one_thread

_FEWEST_EACH = 3
"""Customers for each covariate, and the mean. With fewer, some draw of the arms would be explained by them in full."""
_AT_A_TIME = 250
"""Draws held in memory at once: 12 MB for each thousand customers."""
_ROUNDING = 1e-9
"""How far apart two sums may be that differ only in how they were rounded, as a share of them."""
_NORMAL = NormalDist()
Part = TypeVar("Part", bound=Hashable)


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
    levels: Mapping[str, float] | None = None,
    draws: int = DRAWS,
) -> dict[str, Difference]:
    """The difference of each outcome, a column each, adjusted for the covariates, which are from before the start.

    The frames have a row a customer, in the order of the experiment. An interval holds every effect that the test does
    not reject when it is taken off the treated, at the level of the outcome: LEVEL unless `levels` names another.
    Raises ValueError if a value is missing or infinite.
    """
    (found,) = differences_of_splits([(experiment, outcomes)], covariates, seed=seed, levels=levels, draws=draws)
    return found


@one_thread
def differences_of_splits(
    splits: Sequence[tuple[Experiment, pd.DataFrame]],
    covariates: pd.DataFrame,
    *,
    seed: int,
    levels: Mapping[str, float] | None = None,
    draws: int = DRAWS,
) -> list[dict[str, Difference]]:
    """As `differences`, of several draws of the same arms, each with its outcomes, and all against the same others."""
    left = []
    for experiment, outcomes in splits:
        basis, unexplained = _unexplained(experiment.treated, outcomes, covariates)
        left.append(unexplained)
    # One product for all, in which each split has its outcomes and then its arm.
    of_all = np.hstack(left)
    slopes = np.vstack([_slopes(arms, basis, of_all) for arms in _redrawn(splits[0][0], seed=seed, draws=draws)])
    found = []
    for (experiment, outcomes), unexplained in zip(splits, left, strict=True):
        of_split, slopes = np.split(slopes, [unexplained.shape[1]], axis=1)
        found.append(_told(outcomes, experiment.treated, basis, unexplained, of_split, levels or {}))
    return found


@one_thread
def differences_of_parts(
    experiment: Experiment,
    parts: Mapping[Part, tuple[np.ndarray, pd.DataFrame]],
    covariates: pd.DataFrame,
    *,
    seed: int,
    levels: Mapping[str, float] | None = None,
    draws: int = DRAWS,
) -> dict[Part, dict[str, Difference]]:
    """As `differences`, of some of the customers each, while the arms of all are drawn again, in whole blocks.

    Of each part: a mask of its customers, in both arms, and their outcomes. A draw that leaves an arm of a part empty
    says nothing of it.
    """
    treated = {part: experiment.treated[members] for part, (members, _) in parts.items()}
    left = {
        part: _unexplained(treated[part], outcomes, covariates[members]) for part, (members, outcomes) in parts.items()
    }
    slopes: dict[Part, list[np.ndarray]] = {part: [] for part in parts}
    for arms in _redrawn(experiment, seed=seed, draws=draws):
        for part, (members, _) in parts.items():
            of_part = arms[:, members]
            is_told = of_part.any(axis=1) & ~of_part.all(axis=1)
            slopes[part].append(_slopes(of_part[is_told], *left[part]))
    return {
        part: _told(outcomes, treated[part], *left[part], np.vstack(slopes[part]), levels or {})
        for part, (_, outcomes) in parts.items()
    }


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """A ratio of sums, such as sales an order, as one value a customer whose means differ as the ratios do.

    Linearised about the ratio of all (the delta method; Deng, Knoblich & Lu 2018). Raises ValueError if it has none.
    """
    if not denominator.sum():
        raise ValueError("a ratio needs a denominator: its sum is zero")
    overall = numerator.sum() / denominator.sum()
    return np.asarray(overall + (numerator - overall * denominator) / denominator.mean())


@one_thread
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
    basis, left = _unexplained(experiment.treated, outcomes, covariates)
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


def _told(
    outcomes: pd.DataFrame,
    treated: np.ndarray,
    basis: np.ndarray,
    left: np.ndarray,
    slopes: np.ndarray,
    levels: Mapping[str, float],
) -> dict[str, Difference]:
    """The difference of each outcome, by the slopes of it and, in the last column, of the arm, a row a draw."""
    observed = _slopes(treated[None, :].astype(float), basis, left)[0]
    return {
        str(name): _difference(
            outcomes[name].to_numpy(float),
            treated,
            observed[i],
            slopes[:, i],
            slopes[:, -1],
            levels.get(str(name), LEVEL),
        )
        for i, name in enumerate(outcomes)
    }


def _unexplained(
    treated: np.ndarray, outcomes: pd.DataFrame, covariates: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """A basis of the covariates, and what they leave unexplained of each outcome and, in the last column, of the arm.

    By Frisch and Waugh, the adjusted difference is that of what is left.
    """
    for frame in (outcomes, covariates):
        if wrong := [str(name) for name in frame if not np.isfinite(frame[name].to_numpy(float)).all()]:
            raise ValueError(f"{', '.join(wrong)}: every customer needs a number; some have none")
    is_enough = len(outcomes) >= _FEWEST_EACH * (covariates.shape[1] + 1)
    basis = _basis(covariates.to_numpy(float) if is_enough else np.empty((len(outcomes), 0)))
    left = np.column_stack([outcomes.to_numpy(float), treated.astype(float)])
    left -= basis @ (basis.T @ left)
    return basis, left


def _p_values(apart: np.ndarray) -> np.ndarray:
    """How often a draw is as far from zero as each of them; a hair's breadth is how the sums were rounded."""
    as_far = len(apart) - np.searchsorted(np.sort(apart), apart * (1 - _ROUNDING))
    return np.asarray((1 + as_far) / (1 + len(apart)))


def _difference(
    values: np.ndarray, treated: np.ndarray, estimate: float, slopes: np.ndarray, of_arm: np.ndarray, level: float
) -> Difference:
    if (values == values[0]).all():
        return Difference(float(values[0]), float(values[0]), estimate=0.0, low=0.0, high=0.0, p_value=1.0)
    p_value = (1 + int((np.abs(slopes) >= abs(estimate) * (1 - _ROUNDING)).sum())) / (1 + len(slopes))
    low, high = _interval(estimate, slopes, of_arm, level)
    if np.isin(values, (0, 1)).all() and isfinite(low):
        low, high = _interval_of_shares(estimate, slopes, of_arm, level, share=values.mean(), treated=treated.mean())
    control, seen = float(values[~treated].mean()), float(values[treated].mean())
    return Difference(control, seen, float(estimate), low, high, p_value)


def _interval(estimate: float, slopes: np.ndarray, of_arm: np.ndarray, level: float) -> tuple[float, float]:
    """Every effect that is not rejected, from the smallest to the largest.

    If the treatment adds e to each, another draw would have shown its slope, less e times what its arms have in common
    with those drawn. That is as far from zero as the estimate is from e for every e between two ends; so a draw speaks
    for the effects between its ends, and the interval ends where as few draws still speak as the level allows. A draw
    like the one made, or its opposite, speaks for any effect.
    """
    slopes, of_arm, needed = _telling(slopes, of_arm, level)
    ends = np.array([(estimate - slopes) / (1 - of_arm), (estimate + slopes) / (1 + of_arm)])
    if needed <= 0:
        return -inf, inf
    if needed > len(slopes):
        return float(estimate), float(estimate)
    low, high = np.sort(ends.min(axis=0))[needed - 1], np.sort(ends.max(axis=0))[-needed]
    rounding = _ROUNDING * abs(estimate)
    return float(min(low, estimate) - rounding), float(max(high, estimate) + rounding)


def _interval_of_shares(
    estimate: float, slopes: np.ndarray, of_arm: np.ndarray, level: float, *, share: float, treated: float
) -> tuple[float, float]:
    """As `_interval`, of an outcome that is 0 or 1: some are won over, and a treatment cannot add as much to each.

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
        return bool((apart >= abs(estimate - effect) * (1 - _ROUNDING)).sum() >= needed)

    ends = []
    for outside in (-1.0, 1.0):
        held = outside if is_held(outside) else estimate
        while abs(outside - held) > _ROUNDING:
            middle = (held + outside) / 2
            held, outside = (middle, outside) if is_held(middle) else (held, middle)
        ends.append(outside)
    return min(ends[0], estimate), max(ends[1], estimate)


def _telling(slopes: np.ndarray, of_arm: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, int]:
    """The draws unlike the one made and its opposite, and how many of them must speak for an effect in the interval."""
    is_near = np.abs(of_arm) < 1 - _ROUNDING
    needed = floor(level * (1 + len(is_near)) + _ROUNDING)  # besides the draw made, so that p is more than the level
    return slopes[is_near], of_arm[is_near], needed - int((~is_near).sum())


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
    certain = np.floor(experiment.share * sizes + 1e-9).astype(int)
    left_over = np.clip(experiment.share * sizes - certain, 0, 1)  # the chance that the odd one is treated
    for begin in range(0, draws, _AT_A_TIME):
        rows = min(_AT_A_TIME, draws - begin)
        lots = block + generator.random((rows, len(block)))
        treated = certain + (generator.random((rows, len(sizes))) < left_over)
        # In order, the lots of a block lie together: the last that is treated is as far along as many are.
        in_order = np.sort(lots, axis=1)
        last = np.take_along_axis(in_order, np.maximum(first + treated - 1, 0), axis=1)
        last[treated == 0] = -inf
        yield (lots <= last[:, block]).astype(float)
