"""Demand curves of synthetic shoppers: what share of visits is willing to pay how much.

A shopper's rank is uniform on (0, 1), 0 paying most; a product is worth a price cut by c or more
to the ranks up to ``rank_at(…, c)``. Every curve passes q at the reference price:

    logistic    σ(logit q + η·c), the curve that learning assumes
    probit      Φ(Φ⁻¹(q) + κ·c), κ such that the log-odds rise by η per unit of c at first
    threshold   σ(logit q + η·f(c)), f(c) = 2·max(c − 0.1, 0): the first tenth off goes unnoticed,
                beyond it the response is twice as steep, and at a fifth off all is as learned
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr, ndtri

CURVES = ("logistic", "probit", "threshold")

_UNNOTICED = 0.1
_STEEPER = 2.0


def rank_at(
    probability: ArrayLike, sensitivity: ArrayLike, cut: ArrayLike, curve: str = "logistic"
) -> NDArray[np.float64]:
    """Share of visits that would buy at a relative price cut c = 1 − p/r; arrays broadcast."""
    q, eta, c = (np.asarray(x, dtype=np.float64) for x in (probability, sensitivity, cut))
    if curve == "probit":
        return ndtr(ndtri(q) + eta * _probit_scale(q) * c)
    if curve == "threshold":
        c = np.where(c > 0, _STEEPER * np.maximum(c - _UNNOTICED, 0.0), c)
    return expit(logit(q) + eta * c)


def cut_for(
    probability: ArrayLike, sensitivity: ArrayLike, rank: ArrayLike, curve: str = "logistic"
) -> NDArray[np.float64]:
    """The smallest relative cut at which a shopper of this rank buys; the inverse of ``rank_at``.

    Below 0 for shoppers who would pay more than the reference price.
    """
    q, eta, u = (np.asarray(x, dtype=np.float64) for x in (probability, sensitivity, rank))
    if curve == "probit":
        return (ndtri(u) - ndtri(q)) / (eta * _probit_scale(q))
    c = (logit(u) - logit(q)) / eta
    if curve == "threshold":
        return np.where(c > 0, _UNNOTICED + c / _STEEPER, c)
    return c


def _probit_scale(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """κ/η = q(1 − q)/φ(Φ⁻¹(q))."""
    return q * (1 - q) * np.sqrt(2 * np.pi) * np.exp(0.5 * ndtri(q) ** 2)
