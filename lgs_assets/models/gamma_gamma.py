"""Gamma-Gamma: how much a customer spends a purchase, by maximum likelihood (Fader & Hardie 2013).

A purchase of a customer is gamma distributed with shape p and a rate ν of the customer's own, which is gamma
distributed (q, γ) over customers: "The Gamma-Gamma Model of Monetary Value", brucehardie.com/notes/025. A customer is
told by the mean m of x purchases. What they spend a purchase must not depend on how often they buy.

    L(m | x) = Γ(px+q) / (Γ(px) Γ(q)) · γ^q m^(px-1) x^px / (γ + mx)^(px+q)
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lgs_assets.models.likelihood import maximised

Array = npt.NDArray[np.float64]

_LEAST_Q = 1.01
"""With q at 1 or below, the mean over customers would be infinite."""


@dataclass(frozen=True)
class GammaGamma:
    """The fitted model, in the unit of the money that it was fitted to."""

    p: float
    q: float
    gamma: float
    log_likelihood: float

    def expected_mean(self, x: Array, m: Array) -> Array:
        """Expected amount of a purchase: between the customer's own mean and that of all, (γ + mx) p / (px + q - 1)."""
        expected: Array = self.p * (self.gamma + m * x) / (self.p * x + self.q - 1)
        return expected

    def draw_sums(self, x: Array, m: Array, purchases: npt.NDArray[np.int32], generator: np.random.Generator) -> Array:
        """Simulated amounts of so many purchases, of shape (customers, draws): their sum is gamma distributed."""
        rate = generator.gamma(self.p * x[:, None] + self.q, 1 / (self.gamma + (m * x)[:, None]), purchases.shape)
        return np.where(purchases > 0, generator.standard_gamma(self.p * np.maximum(purchases, 1)) / rate, 0.0)


def fit(x: Array, m: Array) -> GammaGamma:
    """The model with the greatest likelihood for the means m of x purchases, both above zero. Order does not matter.

    Raises FitError if the likelihood has no maximum that can be found.
    """
    order = np.lexsort((m, x))
    x, m = x[order].astype(float), m[order].astype(float)
    unit = float(np.exp(np.mean(np.log(m)))) if len(m) else 1.0  # so that γ is near 1, whatever the currency
    (p, q, gamma), log_likelihood = maximised(
        lambda parameters: _log_likelihood(parameters, x, m / unit),
        parameters=3,
        scale=len(x),
        least={1: _LEAST_Q},
    )
    return GammaGamma(p, q, gamma * unit, log_likelihood - len(x) * float(np.log(unit)))


def _log_likelihood(parameters: Array, x: Array, m: Array) -> tuple[float, Array]:
    """The log-likelihood and its gradient."""
    from scipy.special import digamma, gammaln

    p, q, gamma = parameters
    total = np.log(gamma + m * x)
    value = (
        gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(gamma)
        + (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * total
    )  # fmt: skip
    slopes = (
        x * (digamma(p * x + q) - digamma(p * x) + np.log(m) + np.log(x) - total),
        digamma(p * x + q) - digamma(q) + np.log(gamma) - total,
        q / gamma - (p * x + q) / (gamma + m * x),
    )
    return float(value.sum()), np.array([slope.sum() for slope in slopes])
