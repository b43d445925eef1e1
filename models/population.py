"""The population of price sensitivities: how they vary between and within categories."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Before any data: mean and spread of 1,851 published price elasticities (Bijmolt, van Heerde and
# Pieters 2005, New empirical generalizations on the determinants of price elasticity, Journal of
# Marketing Research 42: −2.62 and 2.21). Matters only where prices hardly ever moved. That spread
# is one of shops, categories and products together: a third of its variance is laid on each.
PRIOR_MEAN = 2.62
PRIOR_SPREAD = 2.21
_SPREAD_EACH = PRIOR_SPREAD / math.sqrt(3)

_LOCATIONS = np.arange(-4.0, 14.01, 0.4)  # coarse, for the spreads
_FINE = np.arange(-4.0, 14.01, 0.05)  # for the locations, given the spreads
_WITHIN = np.geomspace(0.1, 4.0, 14)
_BETWEEN = np.geomspace(0.2, 4.0, 9)


@dataclass(frozen=True, slots=True)
class Population:
    """η_x ~ N(location of its category, within²) truncated to η >= 0.

    Attributes
    ----------
    mean, between
        the category locations are N(mean, between²).
    within
        spread of products about their category.
    location, location_variance
        (categories,) posterior mean and variance of each category's location.
    """

    mean: float
    between: float
    within: float
    location: NDArray[np.float64]
    location_variance: NDArray[np.float64]


def fit_population(
    centre: NDArray[np.float64],
    information: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
) -> Population:
    """The most probable population, every integral on a grid.

    A product's likelihood is taken as N(centre; η, 1/information). With s² = 1/information its
    marginal likelihood under N(μ, τ²) truncated to η >= 0 is
    N(centre; μ, s² + τ²)·Φ(m/v)/Φ(μ/τ), where m and v are the mean and spread of the untruncated
    posterior. The spreads have priors of their own: few products cannot tell a spread of 0.1 from
    one of 2, and the likelihood alone would then pick the lowest of the grid.

    Parameters
    ----------
    centre, information
        (products,); products without information are left out.
    """
    some = np.flatnonzero(information > 0)
    marginals = _marginals(
        centre[some], information[some], category[some], n_categories, _LOCATIONS, _WITHIN
    )
    means, betweens = (grid.ravel() for grid in np.meshgrid(_LOCATIONS, _BETWEEN))
    density = np.exp(-((_LOCATIONS - means[:, None]) ** 2) / (2 * betweens[:, None] ** 2))
    density /= density.sum(axis=1, keepdims=True)  # (populations, locations)
    prior = -((means - PRIOR_MEAN) ** 2) / (2 * _SPREAD_EACH**2) + _log_prior(betweens)
    highest = marginals.max(axis=2, keepdims=True)
    relative = np.exp(marginals - highest)  # (withins, categories, locations)
    with np.errstate(divide="ignore"):
        total = (np.log(relative @ density.T) + highest).sum(axis=1)  # (withins, populations)
    total += prior + _log_prior(_WITHIN)[:, None]
    i, at = np.unravel_index(int(np.argmax(total)), total.shape)
    within, between = float(_WITHIN[i]), float(betweens[at])

    marginals = _marginals(
        centre[some], information[some], category[some], n_categories, _FINE, _WITHIN[i : i + 1]
    )[0]
    relative = np.exp(marginals - marginals.max(axis=1, keepdims=True))  # (categories, locations)
    density = np.exp(-((_FINE - _FINE[:, None]) ** 2) / (2 * between**2))
    density /= density.sum(axis=1, keepdims=True)
    prior = -((_FINE - PRIOR_MEAN) ** 2) / (2 * _SPREAD_EACH**2)
    with np.errstate(divide="ignore"):
        at = int(np.argmax(np.log(relative @ density.T).sum(axis=0) + prior))
    posterior = relative * density[at]
    weight = posterior / posterior.sum(axis=1, keepdims=True)
    location = weight @ _FINE
    variance = weight @ _FINE**2 - location**2
    return Population(float(_FINE[at]), between, within, location, variance)


def _log_prior(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-density of log spread where the spread is half-normal, mean square ``_SPREAD_EACH``²."""
    return np.log(spread) - spread**2 / (2 * _SPREAD_EACH**2)


@njit(cache=True)
def _marginals(centre, information, category, n_categories, locations, withins):
    """(withins, categories, locations) log marginal likelihoods, up to a constant."""
    total = np.zeros((len(withins), n_categories, len(locations)))
    for t, within in enumerate(withins):
        for i in range(len(centre)):
            s2 = 1.0 / information[i]
            spread = s2 + within**2
            posterior_spread = math.sqrt(s2 * within**2 / spread)
            constant = -0.5 * math.log(spread)
            for k, location in enumerate(locations):
                mean = (centre[i] * within**2 + location * s2) / spread
                total[t, category[i], k] += (
                    constant
                    - 0.5 * (centre[i] - location) ** 2 / spread
                    + _log_above_zero(mean / posterior_spread)
                    - _log_above_zero(location / within)
                )
    return total


@njit(cache=True)
def _log_above_zero(z):
    """log Φ(z): the log mass above zero of a normal whose mean lies z spreads above it."""
    if z > -30.0:
        return math.log(0.5 * math.erfc(-z / math.sqrt(2.0)))
    return -0.5 * z * z - math.log(-z) - 0.5 * math.log(2.0 * math.pi)  # Mills' ratio
