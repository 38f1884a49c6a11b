"""What looks before the end cost: how much of the level of an experiment each of them has, and leaves.

Until a share t of the window is over, 2 - 2 Φ(z/√t) of the level is spent: of O'Brien and Fleming's (1979) shape, and
known without what comes later (Lan & DeMets 1983).
"""

from math import sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd

from lgs_assets.models.adjusted import slopes, unexplained
from lgs_assets.models.interval import p_values
from lgs_assets.models.judging import DRAWS, LEVEL
from lgs_assets.models.redraw import Experiment, redrawn
from lgs_assets.models.threads import one_thread

_NORMAL = NormalDist()


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
    was over, 1 at the end. How far looks say the same, the draw tells.
    """
    of = unexplained(experiment.treated, outcomes, covariates)
    drawn = redrawn(experiment, seed=seed, draws=draws)
    return _levels(np.abs(np.vstack([slopes(arms, of) for arms in drawn])[:, :-1]), passed)


def level_foreseen(passed: list[float], *, draws: int = 200_000) -> float:
    """The level that looks after these shares of the window leave for the end, as far as a plan can tell.

    As if what is known of an effect grew evenly with the window.
    """
    steps = np.diff([0, *passed, 1])
    walk = np.random.default_rng(1).standard_normal((draws, len(steps))) * np.sqrt(steps)
    return _levels(np.abs(walk.cumsum(axis=1) / np.sqrt(np.cumsum(steps))), [*passed, 1.0])[-1]


def _levels(apart: np.ndarray, passed: list[float]) -> list[float]:
    """The level of each look, from how far apart the arms are at each of them in draws without an effect."""
    draws = len(apart)
    is_open = np.ones(draws, bool)
    levels = []
    for column, share in zip(apart.T, passed, strict=True):
        p_value = p_values(column, column)
        ordered = np.sort(p_value[is_open])
        shown = draws - len(ordered) + np.searchsorted(ordered, ordered, side="right")
        kept = ordered[(1 + shown) / (1 + draws) <= _spent(share)]
        levels.append(float(kept[-1]) if len(kept) else 0.0)
        is_open &= p_value > levels[-1]
    return levels


def _spent(passed: float) -> float:
    return 2 - 2 * _NORMAL.cdf(_NORMAL.inv_cdf(1 - LEVEL / 2) / sqrt(passed))
