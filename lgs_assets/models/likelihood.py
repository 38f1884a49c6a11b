"""The search for the greatest likelihood of models whose parameters are positive numbers."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from lgs_assets.errors import LgsError

Array = npt.NDArray[np.float64]

_STARTS = (0.0, -1.0, 1.0, 2.0)
"""The logarithm that each parameter starts at, one search after the other until one ends."""
_WITHIN = (-12.0, 12.0)
"""The logarithms among which parameters are looked for. One that ends at either is a limit: all customers are alike."""
_FLAT = 1e-5
"""The slope of the mean log-likelihood that counts as none."""
_NOWHERE = 1e10
"""The loss where the likelihood cannot be computed."""


class FitError(LgsError):
    """No parameters could be found."""


def maximised(
    log_likelihood: Callable[[Array], tuple[float, Array]],
    *,
    parameters: int,
    scale: float,
    least: Mapping[int, float] = MappingProxyType({}),
) -> tuple[list[float], float]:
    """The positive parameters with the greatest log-likelihood, and that.

    `log_likelihood` gives the value and its gradient; `scale` is the number of observations; `least` holds the smallest
    value that a parameter may have, if there is one. Raises FitError if no search ends at finite figures.
    """
    from scipy.optimize import minimize

    def loss(logarithms: Array) -> tuple[float, Array]:
        at = np.exp(logarithms)
        value, gradient = log_likelihood(at)
        if not np.isfinite(value):
            return _NOWHERE, np.zeros(parameters)
        return -value / scale, -gradient * at / scale

    bounds = [(np.log(least[place]) if place in least else _WITHIN[0], _WITHIN[1]) for place in range(parameters)]
    low, high = np.transpose(bounds)
    for start in _STARTS:
        begin = np.clip(np.full(parameters, start), low, high)
        found = minimize(
            loss,
            begin,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 0, "gtol": 1e-9, "maxiter": 1000, "maxfun": 5000},
        )
        # A search that can get no lower in floats calls that a failure, at the same place as one that ends.
        is_inside = (found.x > low) & (found.x < high)
        if found.fun < _NOWHERE and np.all(np.abs(found.jac[is_inside]) < _FLAT):
            return [float(value) for value in np.exp(found.x)], float(-found.fun * scale)
    raise FitError(f"The likelihood has no maximum that can be found from {len(_STARTS)} starts.")
