"""Demand as one thing: price sensitivity, then the purchase probability carried by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.orders import Orders
from .panel import Panel
from .purchase import Purchase, fit_purchase
from .sensitivity import Promotions, Sensitivity, fit_sensitivity


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
    promotions: Promotions | None = None,
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
    promotions
        displays and mailers of the panel's weeks: η is net of them, and q without them.
    """
    sensitivity = fit_sensitivity(panel, base_price, category, n_categories, promotions)
    purchase = fit_purchase(
        panel,
        base_price,
        sensitivity.mean,
        sensitivity.spread,
        category,
        n_categories,
        horizon=horizon,
        half=half,
        promoted=sensitivity.promotion_factor(promotions),
    )
    return Demand(sensitivity, purchase)


def promotions_of(
    instance: Instance, orders: Orders, first_week: int, end_week: int
) -> Promotions | None:
    """Displays and mailers of these weeks; None where no table tells of any."""
    if instance.promotions is None:
        return None
    return Promotions(*instance.promotions.shares(orders, first_week, end_week))
