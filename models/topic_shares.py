"""A shopper's shares of topics, drawn towards those that all shoppers share: a Dirichlet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

_STRENGTHS = (0.1, 1e4)  # of the Dirichlet: all but nothing, and all but certainty


def common_share(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(topics,) share of each topic, each worth half a purchase at least."""
    total = counts.sum(axis=0) + 0.5
    return total / total.sum()


def smoothed_shares(
    counts: NDArray[np.float64], share: NDArray[np.float64], strength: float
) -> NDArray[np.float64]:
    """(customers, topics) posterior mean (n_ck + s·share_k)/(n_c + s) under the Dirichlet."""
    return (counts + strength * share) / (counts.sum(axis=1, keepdims=True) + strength)


def dirichlet_strength(counts: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    """The s with the highest Dirichlet-multinomial likelihood of these counts (Minka 2000)."""
    sizes = counts.sum(axis=1)
    rows = counts[sizes > 0]
    sizes = sizes[sizes > 0]

    def loss(log_s: float) -> float:
        s = np.exp(log_s)
        of_topics = gammaln(rows + s * share) - gammaln(s * share)
        return -float(of_topics.sum() + (gammaln(s) - gammaln(s + sizes)).sum())

    low, high = (float(np.log(end)) for end in _STRENGTHS)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 0.02})
    return float(np.exp(found.x))
