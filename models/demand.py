"""Demand as one thing: price sensitivity, then the purchase probability carried by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .panel import Panel
from .purchase import Purchase, fit_purchase
from .sensitivity import Sensitivity, fit_sensitivity


@dataclass(frozen=True, slots=True)
class Demand:
    """What is believed of each product alone."""

    sensitivity: Sensitivity
    purchase: Purchase


def fit_demand(
    panel: Panel,
    base_price: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
    *,
    horizon: int,
    half: int | None = None,
) -> Demand:
    """Learn η, and with its posterior mean q at the base price.

    Parameters
    ----------
    base_price
        (products,) cents; nan where unknown.
    horizon
        weeks ahead that q is for.
    half
        forecast q for this half of the customers only.
    """
    sensitivity = fit_sensitivity(panel, base_price, category, n_categories)
    purchase = fit_purchase(
        panel,
        base_price,
        sensitivity.mean,
        sensitivity.spread,
        category,
        n_categories,
        horizon=horizon,
        half=half,
    )
    return Demand(sensitivity, purchase)
