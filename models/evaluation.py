"""Held-out evaluation: how well pairs and demand of later weeks are foretold, beside baselines."""

from __future__ import annotations

from typing import Any

from ..instances.errors import InputError
from ..instances.instance import Instance
from ..instances.orders import Orders
from .history import most_bought, only_products, orders_before
from .panel import base_prices, weekly_panel
from .product_features import ProductFeatures, product_features
from .score_demand import score_demand
from .score_pairs import score_pairs

TOP_PRODUCTS = 4_000
TEST_WEEKS = 13
LEAST_WEEKS = 8  # with fewer, a quarter held out leaves too little to learn from


def evaluate(instance: Instance) -> dict[str, Any]:
    """Hold out the last weeks of an instance's orders, learn on the others, and score.

    Returns
    -------
    train_weeks, test_weeks, products
        what was scored.
    pairs
        score by method, (Σ y·log μ − Σ μ)/Σ y over all pairs of products; higher is better.
    demand
        mean Poisson deviance by method over product-weeks; lower is better.

    Raises InputError where the history is too short to hold anything out.
    """
    scenario = instance.scenario
    orders = orders_before(instance.orders, scenario.week)
    if not orders.n_visits:
        raise InputError(scenario.data.orders, None, "no order before the planned week")
    first_week, end_week = int(orders.week.min()), int(orders.week.max()) + 1
    prices = base_prices(
        instance.catalogue.reference_price, weekly_panel(orders, first_week, end_week)
    )
    features = product_features(instance.catalogue, prices)
    scores = held_out_scores(orders, features, first_week, end_week)
    if "skipped" in scores:
        raise InputError(scenario.data.orders, None, str(scores["skipped"]))
    return scores


def held_out_scores(
    orders: Orders,
    features: ProductFeatures,
    first_week: int,
    end_week: int,
) -> dict[str, Any]:
    """The scores of ``evaluate``; ``skipped`` says why where there are none.

    Parameters
    ----------
    first_week, end_week
        the weeks used, the last of them (13, or a quarter of what there is) held out.
    """
    weeks = end_week - first_week
    if weeks < LEAST_WEEKS:
        return {"skipped": f"{weeks} weeks of orders; held-out scores need {LEAST_WEEKS}"}
    split = end_week - min(TEST_WEEKS, weeks // 4)
    products = most_bought(orders, first_week, split, TOP_PRODUCTS)
    if len(products) < 2 or not (orders.week[orders.visit] >= split).any():
        return {"skipped": "fewer than two products were bought before the held-out weeks"}
    chosen, known = only_products(orders, products), features.take(products)
    return {
        "train_weeks": split - first_week,
        "test_weeks": end_week - split,
        "products": len(products),
        "pairs": score_pairs(chosen, known, first_week, split, end_week),
        "demand": score_demand(chosen, known, first_week, split, end_week),
    }
