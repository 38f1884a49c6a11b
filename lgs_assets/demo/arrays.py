"""Splits, places and draws on NumPy arrays that the generator's modules share. Knows nothing about shops."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Texts = NDArray[np.object_]


def split(total: int, weights: Floats) -> Ints:
    """Splits `total` into whole numbers of at least 1 that add up to it, roughly in proportion to the weights."""
    spare = total - len(weights)
    if spare < 0:
        raise ValueError(f"{total} cannot be split among {len(weights)} with at least 1 each")
    shares = np.rint(np.cumsum(weights) / np.sum(weights) * spare).astype(np.int64)
    return 1 + np.diff(shares, prepend=0)


def places(sizes: Ints) -> Ints:
    """The place of each element in its group, from 0, where groups of these sizes follow one another."""
    return np.arange(np.sum(sizes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def stratified(rng: np.random.Generator, sizes: Ints) -> Floats:
    """For a group of size n, n numbers from 0 to 1 in rising order, one in each of n equal steps.

    Evenly spread draws leave less to chance than independent ones, so that even a small dump looks like a large one.
    """
    return (places(sizes) + rng.random(int(np.sum(sizes)))) / np.repeat(sizes, sizes)


def texts(values: list[str]) -> Texts:
    """An array of Python strings, which numpy concatenates element by element."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
