"""What a campaign changed: treated customers against the control group of a blocked experiment, as they were assigned.

Whoever was assigned counts, whether reached or not (intention to treat). Chance is what the draw of the arms could
have made of it: the arms are drawn again, within the blocks and by the same rule, and the difference computed each time
(Fisher's test). So nothing is assumed of how sales are distributed, of which one customer may make a third.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import TypeVar

import numpy as np
import pandas as pd

from lgs_assets.models.adjusted import Unexplained, slopes, unexplained
from lgs_assets.models.interval import ROUNDING, interval, interval_of_shares, p_values, unseen
from lgs_assets.models.judging import DRAWS, LEVEL
from lgs_assets.models.redraw import Experiment, redrawn
from lgs_assets.models.threads import one_thread

Part = TypeVar("Part", bound=Hashable)


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
    customers that no draw of the arms is rare, or all draws show the same: nothing is contradicted then."""
    p_value: float
    """How often the draw alone makes a difference as large, in 0..1."""


@one_thread
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

    The frames have a row a customer, in the order of the experiment; a column of truth values is a share. An interval
    holds every effect that the test does not reject when it is taken off the treated, at the level of the outcome:
    LEVEL unless `levels` names another.
    Raises ValueError if a value is missing or infinite.
    """
    of = unexplained(experiment.treated, outcomes, covariates)
    drawn = np.vstack([slopes(arms, of) for arms in redrawn(experiment, seed=seed, draws=draws)])
    return told(outcomes, experiment.treated, of, drawn, levels=levels)


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
    of = {
        part: unexplained(treated[part], outcomes, covariates[members]) for part, (members, outcomes) in parts.items()
    }
    drawn: dict[Part, list[np.ndarray]] = {part: [] for part in parts}
    for arms in redrawn(experiment, seed=seed, draws=draws):
        for part, (members, _) in parts.items():
            of_part = arms[:, members]
            is_told = of_part.any(axis=1) & ~of_part.all(axis=1)
            drawn[part].append(slopes(of_part[is_told], of[part]))
    return {
        part: told(outcomes, treated[part], of[part], np.vstack(drawn[part]), levels=levels)
        for part, (_, outcomes) in parts.items()
    }


def told(
    outcomes: pd.DataFrame,
    treated: np.ndarray,
    of: Unexplained,
    drawn: np.ndarray,
    *,
    levels: Mapping[str, float] | None = None,
) -> dict[str, Difference]:
    """The difference of each outcome, by the slopes of it and, in the last column, of the arm, a row a draw."""
    (observed,) = slopes(treated[None, :].astype(float), of)
    return {
        str(name): _difference(
            outcomes[name].to_numpy(),
            treated,
            float(observed[i]),
            drawn[:, i],
            drawn[:, -1],
            (levels or {}).get(str(name), LEVEL),
        )
        for i, name in enumerate(outcomes)
    }


def _difference(
    values: np.ndarray, treated: np.ndarray, estimate: float, drawn: np.ndarray, of_arm: np.ndarray, level: float
) -> Difference:
    least = ROUNDING * np.abs(values).max()
    is_alike = abs(estimate) <= least and not (np.abs(drawn) > least).any()
    if is_alike:
        estimate, drawn = 0.0, np.zeros(len(drawn))
    (p_value,) = p_values(np.array([abs(estimate)]), np.abs(drawn))
    low, high = (-inf, inf) if is_alike else interval(estimate, drawn, of_arm, level)
    control, seen = values[~treated], values[treated]
    if values.dtype == bool:
        share = float(values.mean())
        if share in (0, 1):
            low = high = 0.0
        elif isfinite(low):
            low, high = interval_of_shares(estimate, drawn, of_arm, level, share=share, treated=float(treated.mean()))
        if p_value > level:
            lowest, highest = unseen(control, seen, level)
            low, high = min(low, lowest), max(high, highest)
    return Difference(float(control.mean()), float(seen.mean()), estimate, low, high, float(p_value))
