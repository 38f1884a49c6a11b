"""Several draws of the same arms, each compared with the same other draws: to draw takes longer than to compare.

What is found of each is what `differences` finds of it alone: so the benchmark measures what reports tell.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lgs_assets.models.adjusted import Unexplained, slopes, unexplained
from lgs_assets.models.judging import DRAWS
from lgs_assets.models.lift import Difference, told
from lgs_assets.models.redraw import Experiment, redrawn
from lgs_assets.models.threads import one_thread


@one_thread
def differences_of_splits(
    splits: Sequence[tuple[Experiment, pd.DataFrame]],
    covariates: pd.DataFrame,
    *,
    seed: int,
    levels: Mapping[str, float] | None = None,
    draws: int = DRAWS,
) -> list[dict[str, Difference]]:
    """As `differences`, of each split and its outcomes, and all against the same others."""
    each = [unexplained(experiment.treated, outcomes, covariates) for experiment, outcomes in splits]
    # One product for all, in which each split has its outcomes and then its arm.
    of_all = Unexplained(each[0].basis, np.hstack([of.left for of in each]), np.hstack([of.centred for of in each]))
    drawn = np.vstack([slopes(arms, of_all) for arms in redrawn(splits[0][0], seed=seed, draws=draws)])
    ends = np.cumsum([of.left.shape[1] for of in each])
    return [
        told(outcomes, experiment.treated, of, of_split, levels=levels)
        for (experiment, outcomes), of, of_split in zip(splits, each, np.split(drawn, ends[:-1], axis=1), strict=True)
    ]
