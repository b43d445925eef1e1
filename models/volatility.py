"""How far a week of a product strays from what was foretold of it: some are steady, some are not.

With μ what was foretold of a week and y its baskets, y is negative binomial with mean μ and
variance μ + μ²·(known + κ): ``known`` is what the forecast itself leaves open, and κ the variance
of the product's own weeks. Bread sells week for week as foretold; beef does not. One κ for
all makes the intervals of the first too wide and of the second too narrow, and the volatile
products, which the mean square of errors listens to, set it for all. So κ is hierarchical:

    log κ_x ~ N(location of its category, within²),   locations ~ N(typical, between²)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

# From 3 % a week, the noise of a thousand baskets, to 200 %.
_VARIANCES = np.geomspace(1e-3, 4.0, 25)
_LOGS = np.log(_VARIANCES)
_SPREADS = np.geomspace(0.1, 3.0, 12)  # of log κ, within categories and between them
# The spreads are half-normal before any data: few products could not tell 0.1 from 3. A scale of
# 2 lets the weeks of products differ by e² as a matter of course.
_SPREAD_SCALE = 2.0
# Weeks in which a past week loses half of its say: a product that came or went strayed far once,
# and need not again. On the validation windows of both data sets 8 to 26 hardly differ, and for
# ever is worse.
_HALF_LIFE = 13.0


@dataclass(frozen=True, slots=True)
class Volatility:
    """Variance of log q from week to week that forecasts miss.

    Attributes
    ----------
    variance
        (products,) posterior mean of κ: the variance of a week, κ being unsure. Where a product
        has no weeks to tell, that of its category.
    typical, within, between
        e^typical location, and spreads of log κ, as above.
    """

    variance: NDArray[np.float64]
    typical: float
    within: float
    between: float


def fit_volatility(
    seen: NDArray[np.float64],
    mean: NDArray[np.float64],
    known: NDArray[np.float64],
    age: NDArray[np.integer],
    product: NDArray[np.integer],
    category: NDArray[np.int32],
    n_categories: int,
) -> Volatility:
    """The most probable spreads and typical κ, and with them the posterior of each product's.

    Every integral is on a grid of log κ.

    Parameters
    ----------
    seen, mean, known, age, product
        (weeks of products,) baskets, what was foretold of them, the variance of log μ, how many
        weeks ago, from 0, and whose.
    category
        (products,)
    """
    own = np.zeros((len(category), len(_LOGS)))
    weight = 0.5 ** (age / _HALF_LIFE)
    for k, variance in enumerate(_VARIANCES):
        density = weight * _log_density(seen, mean, known + variance)
        own[:, k] = np.bincount(product, density, minlength=len(category))
    # (products, grid), never 0 or no location could be told from another
    own = np.maximum(np.exp(own - own.max(axis=1, keepdims=True)), np.finfo(float).tiny)
    told = np.unique(product)
    if not len(told):
        return Volatility(np.zeros(len(category)), 0.0, 0.0, 0.0)

    best, log_prior = -np.inf, np.log(_SPREADS) - _SPREAD_SCALE**-2 * _SPREADS**2 / 2
    chosen = 0, 0, 0
    for i, within in enumerate(_SPREADS):
        of_category, highest = _of_categories(own, told, category, n_categories, within)
        for j, between in enumerate(_SPREADS):
            with np.errstate(divide="ignore"):
                value = (np.log(of_category @ _normals(between).T) + highest).sum(axis=0)
            value += log_prior[i] + log_prior[j]
            at = int(np.argmax(value))
            if value[at] > best:
                best, chosen = value[at], (i, j, at)
    within, between, typical = _SPREADS[chosen[0]], _SPREADS[chosen[1]], chosen[2]

    # Of a category's location, and then of κ given the location: a product's own weeks count once.
    of_category, _ = _of_categories(own, told, category, n_categories, within)
    location = of_category * _normals(between)[typical]
    location /= location.sum(axis=1, keepdims=True)
    given = _normals(within)
    posterior = own * ((location[category] / (own @ given.T)) @ given)
    posterior /= posterior.sum(axis=1, keepdims=True)
    return Volatility(
        posterior @ _VARIANCES, float(_VARIANCES[typical]), float(within), float(between)
    )


def _of_categories(
    own: NDArray[np.float64],
    told: NDArray[np.integer],
    category: NDArray[np.int32],
    n_categories: int,
    within: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(categories, grid) likelihood of each location over its highest, and (categories, 1) the log
    of that."""
    marginal = np.log(own[told] @ _normals(within).T)
    total = np.stack(
        [np.bincount(category[told], of, minlength=n_categories) for of in marginal.T], axis=1
    )
    highest = total.max(axis=1, keepdims=True)
    return np.exp(total - highest), highest


def _normals(spread: float) -> NDArray[np.float64]:
    """(locations, grid) density of log κ about each location, on the grid."""
    density = np.exp(-((_LOGS - _LOGS[:, None]) ** 2) / (2 * spread**2))
    return density / density.sum(axis=1, keepdims=True)


def _log_density(
    seen: NDArray[np.float64], mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of a negative binomial with variance mean + variance·mean², up to a constant."""
    shape = 1.0 / variance
    rising = gammaln(seen + shape) - gammaln(shape) + seen * np.log(variance)
    return rising - (seen + shape) * np.log1p(mean * variance)
