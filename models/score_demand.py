"""Held-out score of demand, free of selection: one half's purchases at the other half's prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..instances.orders import Orders
from .demand import fit_demand
from .met_prices import met_responses
from .panel import Panel, weekly_panel
from .product_features import ProductFeatures
from .purchase import fit_purchase

SCORED_HALF = 1  # customers with an odd code


def score_demand(
    orders: Orders,
    features: ProductFeatures,
    first_week: int,
    split_week: int,
    end_week: int,
) -> dict[str, float]:
    """Learn before ``split_week``, and score each product and week from then to ``end_week``.

    With y the baskets of the scored half of the customers, and μ given the number of their
    baskets and the price that the *other* half paid, carried forward: the mean over all
    product-weeks of 2[y·log(y/μ) − (y − μ)], lower is better. Nothing tells whether a price
    was observed. Prices of the held-out weeks are means of all lines outside bundles, so that the
    score does not depend on what learning takes for a price.

    Returns
    -------
    no_price
        mean rate of the training weeks.
    category_sensitivity
        the learned level with every product at its category's price sensitivity.
    learned
        the learned level and price sensitivity.
    """
    category, n_categories = features.category, features.n_categories
    if orders.coupon is not None:
        early = orders.week[orders.visit] < split_week
        orders = replace(orders, coupon=orders.coupon & early)
    panel = weekly_panel(orders, first_week, end_week)
    known = split_week - first_week
    train = panel.before(known)
    base = train.usual_price()
    horizon = end_week - split_week
    demand = fit_demand(train, base, category, n_categories, horizon=horizon, half=SCORED_HALF)
    learned, shared = demand.sensitivity.mean, demand.sensitivity.category_mean[category]
    level = fit_purchase(
        train, base, shared, 0 * shared, category, n_categories, horizon=horizon, half=SCORED_HALF
    )
    bought = train.totals(train.baskets[:, SCORED_HALF])
    mean_rate = bought / max(train.visits[:, SCORED_HALF].sum(), 1.0)
    return {
        "no_price": _deviance(panel, train, base, 0 * shared, mean_rate, 1.0),
        "category_sensitivity": _deviance(
            panel, train, base, shared, level.probability, level.held
        ),
        "learned": _deviance(
            panel, train, base, learned, demand.purchase.probability, demand.purchase.held
        ),
    }


def _deviance(
    panel: Panel,
    train: Panel,
    base_price: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    probability: NDArray[np.float64],
    held: float,
) -> float:
    """Mean Poisson deviance over the products and the weeks after the training weeks."""
    known = train.n_weeks
    rate = train.totals(train.baskets.sum(axis=1)) / max(train.visits.sum(), 1.0)
    met = met_responses(panel, base_price, sensitivity * (1.0 - rate), held, known)
    mu = probability[:, None] * panel.visits[known:, SCORED_HALF] * met[SCORED_HALF][:, known:]
    mu = np.maximum(mu, 1e-9)
    y = np.zeros((panel.n_products, panel.n_weeks))
    y[panel.product, panel.week] = panel.baskets[:, SCORED_HALF]
    y = y[:, known:]
    log_ratio = np.log(np.where(y > 0, y, 1.0) / mu)
    return float((2 * (np.where(y > 0, y * log_ratio, 0.0) - (y - mu))).mean())
