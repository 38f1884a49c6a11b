"""The difference between two arms, adjusted for what was known of customers before: of any draw of the arms.

By Frisch and Waugh, the adjusted difference is that of what the covariates leave unexplained.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

_FEWEST_EACH = 3
"""Customers for each covariate, and the mean. With fewer, what the covariates explain of an arm is mostly chance."""
_EXPLAINED = 0.1
"""The share of an arm that must be left unexplained. With less, an adjusted difference is residuals over next to
nothing."""


class Unexplained(NamedTuple):
    """What is left of each outcome and, in the last column, of the arm: a row a customer."""

    basis: np.ndarray
    """Orthonormal, of the mean and the covariates."""
    left: np.ndarray
    """Less what the basis explains."""
    centred: np.ndarray
    """Less the mean alone."""


def unexplained(treated: np.ndarray, outcomes: pd.DataFrame, covariates: pd.DataFrame) -> Unexplained:
    """What the covariates leave. Raises ValueError if a value is missing or infinite."""
    for frame in (outcomes, covariates):
        if wrong := [str(name) for name in frame if not np.isfinite(frame[name].to_numpy(float)).all()]:
            raise ValueError(f"{', '.join(wrong)}: every customer needs a number; some have none")
    is_enough = len(outcomes) >= _FEWEST_EACH * (covariates.shape[1] + 1)
    basis = _basis(covariates.to_numpy(float) if is_enough else np.empty((len(outcomes), 0)))
    values = np.column_stack([outcomes.to_numpy(float), treated.astype(float)])
    return Unexplained(basis, values - basis @ (basis.T @ values), values - values.mean(axis=0))


def slopes(arms: np.ndarray, of: Unexplained) -> np.ndarray:
    """The adjusted difference of each column for each row of `arms`, which is a draw.

    That of a draw which the covariates explain almost in full is not adjusted, as next to nothing would be left to
    compare: such as one whose only control customer is the only customer who spent much.
    """
    treated = arms.sum(axis=1)
    in_full = treated * (1 - treated / arms.shape[1])
    apart = treated - ((arms @ of.basis) ** 2).sum(axis=1)
    is_explained = apart < _EXPLAINED * in_full
    found = (arms @ of.left) / np.where(is_explained, in_full, apart)[:, None]
    found[is_explained] = (arms[is_explained] @ of.centred) / in_full[is_explained, None]
    return np.asarray(found)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """A ratio of sums, such as sales an order, as one value a customer whose means differ as the ratios do.

    Linearised about the ratio of all (the delta method; Deng, Knoblich & Lu 2018). Raises ValueError if it has none.
    """
    if not denominator.sum():
        raise ValueError("a ratio needs a denominator: its sum is zero")
    overall = numerator.sum() / denominator.sum()
    return np.asarray(overall + (numerator - overall * denominator) / denominator.mean())


def _basis(covariates: np.ndarray) -> np.ndarray:
    """Of the mean and the covariates; one that says nothing new is left out."""
    centred = covariates - covariates.mean(axis=0) if covariates.size else covariates
    scale = np.sqrt((centred**2).sum(axis=0))
    columns = [np.ones(len(covariates)), *(centred[:, scale > 0] / scale[scale > 0]).T]
    left, sizes, _ = np.linalg.svd(np.column_stack(columns), full_matrices=False)
    return np.asarray(left[:, sizes > 1e-9 * sizes[0]])
