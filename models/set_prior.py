"""How much more, or less, sets are bought together than the smaller sets would make them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betainc, digamma, gammaln, polygamma

Floats = NDArray[np.float64]

_SPREAD = 1.0  # of the normal priors of level and slope: a factor of e either way
_LOG_STRENGTHS = (np.log(0.01), np.log(1e5))  # all but nothing, and all but certainty


@dataclass(frozen=True, slots=True)
class SetPrior:
    """Prior of the interaction κ of sets of one size: gamma of shape ``strength`` and mean

        κ0 = exp(level + slope·closeness)

    κ is the set's joint probability over the closure of the smaller sets (``set_closure``), and
    closeness of three products the log of that closure over Π q. Pairs that owe their lift to the
    size of trips owe it to the same large trips: their closure counts it once for each pair, and
    κ0 < 1 takes it back. The triples have learned that already when sets of four are closed from
    them, so that their κ0 is one number: closeness is 0.
    """

    level: float = 0.0
    slope: float = 0.0
    strength: float = 1.0

    def mean(self, closeness: Floats) -> Floats:
        """(sets,) κ0."""
        return np.exp(self.level + self.slope * closeness)

    def posterior(self, closeness: Floats, orders: NDArray, expected: Floats) -> Floats:
        """(sets,) mean of κ: κ0·(a + k)/(E·κ0 + k), E being what the closure lets expect."""
        prior = self.mean(closeness)
        return prior * (orders + self.strength) / (expected * prior + self.strength)

    def unseen(self, closeness: Floats, expected: Floats, below: int) -> Floats:
        """(sets,) mean of κ where all that is known is that fewer than ``below`` visits held
        the set: as ``affinity.unseen_lift``."""
        k, prior = self.strength, self.mean(closeness)
        success = k / (k + expected * prior)
        return prior * betainc(k + 1, below, success) / betainc(k, below, success)

    def spread(self, orders: NDArray) -> Floats:
        """(sets,) posterior standard deviation of log κ, a gamma of shape a + k."""
        return np.sqrt(np.asarray(polygamma(1, orders + self.strength), dtype=np.float64))


def fit_set_prior(orders: Floats, expected: Floats, closeness: Floats) -> SetPrior:
    """The prior with the highest marginal likelihood on these sets.

    orders ~ Poisson(E·κ), κ ~ Gamma: a regression with negative binomial counts. 1/√strength has
    the half-normal prior of ``gamma_poisson.fitted_strength``, level and slope normal ones about
    0 of spread 1; some hundred sets outweigh all of them.

    Parameters
    ----------
    orders, expected, closeness
        (sets,) visits that hold the set; those that the closure lets expect, > 0; as above.
    """
    if not len(orders):
        return SetPrior()
    values, at = np.unique(orders, return_inverse=True)
    times = np.bincount(at)

    def loss(theta: Floats) -> tuple[float, Floats]:
        level, slope, k = theta[0], theta[1], np.exp(theta[2])
        mean = np.exp(np.log(expected) + level + slope * closeness)
        rising = times @ (gammaln(values + k) - gammaln(k))
        falling = orders @ np.log1p(k / mean) + k * np.log1p(mean / k).sum()
        penalty = (theta[2] + 1 / k) / 2 + (level**2 + slope**2) / (2 * _SPREAD**2)
        by_mean = k * (orders - mean) / (mean + k)
        by_k = times @ (digamma(values + k) - digamma(k))
        by_k += (-np.log1p(mean / k) + (mean - orders) / (mean + k)).sum()
        slopes = -np.array([by_mean.sum(), by_mean @ closeness, k * by_k])
        slopes += np.array([level, slope, 0.0]) / _SPREAD**2
        slopes[2] += (1 - 1 / k) / 2
        return float(falling - rising + penalty), slopes

    found = minimize(
        loss,
        np.zeros(3),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-10, 10), (-3, 3), _LOG_STRENGTHS],
    )
    return SetPrior(float(found.x[0]), float(found.x[1]), float(np.exp(found.x[2])))
