"""A single shopper's purchase probabilities: those of the segment, moved by what they bought."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .gamma_poisson import fitted_strength

_HIGHEST = 0.999  # as of q itself


def personal_probability(
    visits: NDArray[np.float64],
    bought: NDArray[np.float64],
    probability: NDArray[np.float64],
    strength: float,
) -> NDArray[np.float64]:
    """(customers, products) q of each shopper.

    Baskets y_cx of a shopper with V_c visits are Poisson with mean V_c·q_sx·λ, λ gamma with mean
    1 and shape k:

        q_cx = q_sx·(k + y_cx)/(k + V_c·q_sx)

    Parameters
    ----------
    visits
        (customers,) V.
    bought
        (customers, products) visits that bought each product.
    probability
        (customers, products) q of each shopper's segment.
    strength
        k.
    """
    ratio = (strength + bought) / (strength + visits[:, None] * probability)
    return np.minimum(probability * ratio, _HIGHEST)


def personal_strength(
    visits: NDArray[np.float64], bought: NDArray[np.float64], probability: NDArray[np.float64]
) -> float:
    """The k under which these counts of shoppers are most probable; 1 where there are none."""
    expected = visits[:, None] * probability
    some = expected > 0
    return fitted_strength(bought[some], expected[some])[0] if some.any() else 1.0
