"""How much counts vary about what is expected of them: the strength of a gamma-Poisson prior."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

_STRENGTHS = (0.01, 1e5)  # all but nothing, and all but certainty


def fitted_strength(
    seen: NDArray[np.float64], expected: NDArray[np.float64]
) -> tuple[float, float]:
    """The most probable k of seen ~ Poisson(expected·s), s ~ Gamma(k, k), and the log-density
    there up to a constant.

    The spread of s, 1/√k, has a half-normal prior of scale 1 (Gelman 2006, Prior distributions
    for variance parameters in hierarchical models, Bayesian Analysis 1), in log k a penalty of
    (log k + 1/k)/2. Some hundred counts outweigh it. A few counts alone could not tell s that
    never strays from 1 (k without end) from s that does, and the prior keeps them from claiming
    to know.

    Parameters
    ----------
    seen, expected
        (counts,) expected > 0.
    """
    values, times = np.unique(seen, return_counts=True)
    constant = float(seen @ np.log(np.maximum(expected, 1e-300)))

    def loss(log_k: float) -> float:
        k = np.exp(log_k)
        rising = constant + float(times @ (gammaln(values + k) - gammaln(k)))
        # with k·log k inside the logarithm, or a large k would lose every digit
        falling = float(seen @ np.log(expected + k) + k * np.log1p(expected / k).sum())
        return falling - rising + (log_k + 1 / k) / 2

    low, high = (float(np.log(end)) for end in _STRENGTHS)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 0.05})
    return float(np.exp(found.x)), -float(found.fun)
