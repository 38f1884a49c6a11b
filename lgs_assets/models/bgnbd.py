"""BG/NBD: how often a customer will buy, by maximum likelihood (Fader, Hardie & Lee 2005, Marketing Science 24:2).

While alive, a customer buys at a rate λ of their own, and after each purchase leaves for good with a probability p of
their own; λ is gamma distributed (r, α) over customers and p is beta distributed (a, b). A customer is told by three
numbers: x repeat purchases, the last of them t_x after the first purchase, observed for T. The unit of time is the
caller's; here it is the week, and a purchase is a day with a sale.

    L(x, t_x, T) = B(a, b+x) / B(a, b) · Γ(r+x) α^r / Γ(r) · { (α+T)^-(r+x) + [x>0] a/(b+x-1) · (α+t_x)^-(r+x) }
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lgs_assets.models.likelihood import FitError, maximised

Array = npt.NDArray[np.float64]

_FROM_ONE = 1e-6
"""How near to 1, where the expectation is a limit, `a` may be."""
_SAFE = 5.0
"""The largest `a` for which the hypergeometric function keeps its digits."""
_NODES = 64


@dataclass(frozen=True)
class BgNbd:
    """The fitted model."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def probability_alive(self, x: Array, t_x: Array, T: Array) -> Array:  # noqa: N803 - the names of the literature
        """Probability that a customer has not left: 1 for one without a repeat purchase, who had no occasion to.

        1 / { 1 + [x>0] a/(b+x-1) · ((α+T) / (α+t_x))^(r+x) }
        """
        with np.errstate(over="ignore"):  # the odds of having left may be too large for a float: then it is certain
            odds = (
                self.a
                / (self.b + np.maximum(x, 1) - 1)
                * np.exp((self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x)))
            )
            alive: Array = 1 / (1 + np.where(x > 0, odds, 0))
        return alive

    def expected_between(self, x: Array, t_x: Array, T: Array, t: float, *, after: float) -> Array:  # noqa: N803
        """Expected purchases in the time t that begins `after` T."""
        until = self.expected_purchases(x, t_x, T, after + t)
        return until - self.expected_purchases(x, t_x, T, after) if after else until

    def expected_purchases(self, x: Array, t_x: Array, T: Array, t: float) -> Array:  # noqa: N803
        """Expected purchases in the time t after T.

        P(alive) · (a+b+x-1)/(a-1) · { 1 - (1+w)^(1-a) · 2F1(a+b-1-r, a-1; a+b+x-1; w/(1+w)) }, w = t/(α+T): equation 10
        of the paper after the transformations of Euler and Pfaff, which leave no power that over- or underflows.
        """
        from scipy.special import hyp2f1

        a = self.a if abs(self.a - 1) > _FROM_ONE else 1 + _FROM_ONE
        total, w = a + self.b + x - 1, t / (self.alpha + T)
        with np.errstate(over="ignore", invalid="ignore"):
            left = (1 + w) ** (1 - a) * hyp2f1(a + self.b - 1 - self.r, a - 1, total, w / (1 + w))
            while_alive = total / (a - 1) * (1 - left)
        unsure = ~np.isfinite(while_alive) | (a > _SAFE)
        while_alive[unsure] = self._integrated(x[unsure], w[unsure])
        # A purchase follows another at the rate of someone who never leaves, at most.
        expected: Array = self.probability_alive(x, t_x, T) * np.clip(while_alive, 0, (self.r + x) * w)
        return expected

    def _integrated(self, x: Array, w: Array) -> Array:
        """Expected purchases while alive as the mean of (1 - (1+pw)^-(r+x)) / p over p, by quantiles of p."""
        p, weights = self._leaving(x)
        integrated: Array = -np.expm1(-(self.r + x)[:, None] * np.log1p(p * w[:, None])) / p @ weights
        return integrated

    def _leaving(self, x: Array) -> tuple[Array, Array]:
        """Quantiles of p given x purchases of a customer who is alive, a row each, and the weights of their mean."""
        from scipy.special import betaincinv, roots_legendre

        nodes, weights = roots_legendre(_NODES)
        different, place = np.unique(x, return_inverse=True)
        return np.maximum(betaincinv(self.a, self.b + different[:, None], (nodes + 1) / 2), 1e-300)[place], weights / 2

    def probability_of_none(self, x: Array, t_x: Array, T: Array, t: float, *, after: float = 0.0) -> Array:  # noqa: N803
        """Probability of no purchase in the time t that begins `after` T.

        From T on it is 1 - P(alive) · { 1 - ((α+T) / (α+T+t))^(r+x) }. A customer of the rate λ is still alive a time s
        later with the probability e^(-λps): then it is 1 - P(alive) times the mean over p of
        ((α+T) / (α+T+ps))^(r+x) - ((α+T) / (α+T+ps+t))^(r+x).
        """
        alive, often, known = self.probability_alive(x, t_x, T), self.r + x, self.alpha + T
        if not after:
            some: Array = -np.expm1(often * (np.log(known) - np.log(known + t)))
        else:
            p, weights = self._leaving(x)
            waited = np.log(known)[:, None] - np.log(known[:, None] + p * after)
            bought = np.log(known)[:, None] - np.log(known[:, None] + p * after + t)
            some = (np.exp(often[:, None] * waited) - np.exp(often[:, None] * bought)) @ weights
        none: Array = 1 - alive * some
        return none

    def draw_purchases(
        self,
        x: Array,
        t_x: Array,
        T: Array,  # noqa: N803
        times: list[float],
        draws: int,
        generator: np.random.Generator,
        *,
        after: float = 0.0,
    ) -> npt.NDArray[np.int32]:
        """Simulated purchases in each of the ascending times that begin `after` T: shape (times, customers, draws).

        Each draw takes λ and p of the customer from their distribution given that the customer is alive, so that what
        varies is the customer, not the fit.
        """
        size = (len(x), draws)
        rate = generator.gamma(self.r + x[:, None], 1 / (self.alpha + T[:, None]), size)
        leaving = generator.beta(self.a, self.b + x[:, None], size)
        until_left = generator.geometric(np.maximum(leaving, 1e-12))
        is_alive = generator.random(size) < self.probability_alive(x, t_x, T)[:, None]
        bought = generator.poisson(rate * after)
        before = np.minimum(bought, until_left)
        drawn = np.empty((len(times), *size), dtype=np.int32)  # most of the memory that a large shop takes
        for place, length in enumerate(np.diff(times, prepend=0.0)):
            bought = bought + generator.poisson(rate * length)
            drawn[place] = np.where(is_alive, np.minimum(bought, until_left) - before, 0)
        return drawn


def fit(x: Array, t_x: Array, T: Array) -> BgNbd:  # noqa: N803
    """The model with the greatest likelihood for customers with x repeat purchases, t_x and T. Order does not matter.

    Raises FitError if the likelihood has no maximum that can be found, as where nobody has bought again.
    """
    if not np.any(x > 0):
        raise FitError("Nobody has bought again: how often customers buy cannot be told.")
    # The same numbers come often: each is computed once.
    told, customers = np.unique(np.column_stack([x, t_x, T]).astype(float), axis=0, return_counts=True)
    counts, place = np.unique(told[:, 0], return_inverse=True)
    (r, alpha, a, b), log_likelihood = maximised(
        lambda parameters: _log_likelihood(parameters, told, customers, counts, place),
        parameters=4,
        scale=customers.sum(),
    )
    return BgNbd(r, alpha, a, b, log_likelihood)


def _log_likelihood(
    parameters: Array,
    told: Array,
    customers: npt.NDArray[np.int64],
    counts: Array,
    place: npt.NDArray[np.intp],
) -> tuple[float, Array]:
    """The log-likelihood of rows of x, t_x and T, each of so many customers, and its gradient.

    `counts` holds each x once, and `place` where that of a row is: what depends on x alone costs most.
    """
    from scipy.special import betaln, digamma, gammaln

    r, alpha, a, b = parameters
    x, t_x, T = told.T  # noqa: N806
    observed, bought = np.log(alpha + T), np.log(alpha + t_x)
    left = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * bought, -np.inf)
    either = np.logaddexp(-(r + x) * observed, left)
    gamma, beta = gammaln(r + counts)[place], betaln(a, b + counts)[place]
    value = gamma - gammaln(r) + r * np.log(alpha) + beta - betaln(a, b) + either
    gone = np.exp(left - either)
    here = 1 - gone
    of_r, of_a, of_b = (digamma(start + counts)[place] for start in (r, a + b, b))
    slopes = (
        of_r - digamma(r) + np.log(alpha) - here * observed - gone * bought,
        r / alpha - (r + x) * (here / (alpha + T) + gone / (alpha + t_x)),
        digamma(a + b) - of_a + gone / a,
        digamma(a + b) - of_a + of_b - digamma(b) - gone / (b + np.maximum(x, 1) - 1),
    )
    return float(customers @ value), np.array([customers @ slope for slope in slopes])
