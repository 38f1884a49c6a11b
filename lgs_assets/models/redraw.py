"""How the arms of a blocked experiment could have been drawn: by the rule of sql/arms.sql, by which they were."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import numpy as np

_AT_A_TIME = 250
"""Draws held in memory at once: 12 MB for each thousand customers."""


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


def redrawn(experiment: Experiment, *, seed: int, draws: int) -> Iterator[np.ndarray]:
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
