"""The weekly purchase rates behind weekly counts, with chance shrunk away and movement kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

# Shapes of the gamma that a product's weekly rates vary with: from a product that is sold in some
# weeks only to one whose rate never moves.
_SHAPES = np.geomspace(0.1, 1e4, 26)
_ROUNDS = 50  # of the EM algorithm for the share of each shape


def weekly_rates(bought: NDArray[np.float64], visits: NDArray[np.float64]) -> NDArray[np.float64]:
    """(products, weeks) purchase rates behind the counts: their posterior mean.

    n_w ~ Poisson(N_w·m·s_w), s_w ~ Gamma(k, k), with m the product's mean rate and k one of some
    shapes, whose shares among the products have the highest likelihood (EM). Chance is shrunk
    away; a product that is promoted, whose counts vary by more than chance, keeps its peaks.

    Parameters
    ----------
    bought
        (products, weeks) visits that bought the product.
    visits
        (weeks,) visits, > 0.
    """
    rates = np.zeros_like(bought)
    sold = bought.sum(axis=1) > 0
    if not sold.any():
        return rates
    seen = bought[sold]
    mean = seen.sum(axis=1, keepdims=True) / visits.sum()
    expected = mean * visits
    log_likelihood = np.stack(
        [
            (gammaln(seen + k) - gammaln(k) - seen * np.log(expected + k)).sum(axis=1)
            - k * np.log1p(expected / k).sum(axis=1)
            for k in _SHAPES
        ],
        axis=1,
    )
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    share = np.full(len(_SHAPES), 1 / len(_SHAPES))
    for _ in range(_ROUNDS):
        posterior = likelihood * share
        posterior /= posterior.sum(axis=1, keepdims=True)
        share = posterior.mean(axis=0)
    for k, of_shape in zip(_SHAPES, (likelihood * share).T, strict=True):
        weight = of_shape / (likelihood @ share)
        rates[sold] += weight[:, None] * mean * (seen + k) / (expected + k)
    return rates
