"""Held-out evaluation: how well pairs and demand of later weeks are foretold, beside baselines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..instances.errors import InputError
from ..instances.instance import Instance
from ..instances.orders import Orders
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
    orders, scenario = instance.orders, instance.scenario
    before = orders.week < scenario.week
    codes, names = np.unique(instance.catalogue.category.astype(str), return_inverse=True)[::-1]
    if not before.any():
        raise InputError(scenario.data.orders, None, "no order before the planned week")
    first_week, end_week = int(orders.week[before].min()), int(orders.week[before].max()) + 1
    scores = held_out_scores(orders, codes.astype(np.int32), len(names), first_week, end_week)
    if "skipped" in scores:
        raise InputError(scenario.data.orders, None, str(scores["skipped"]))
    return scores


def held_out_scores(
    orders: Orders,
    category: NDArray[np.int32],
    n_categories: int,
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
    chosen, codes = only_products(orders, products), category[products]
    return {
        "train_weeks": split - first_week,
        "test_weeks": end_week - split,
        "products": len(products),
        "pairs": score_pairs(chosen, codes, n_categories, first_week, split, end_week),
        "demand": score_demand(chosen, codes, n_categories, first_week, split, end_week),
    }


def most_bought(orders: Orders, first_week: int, end_week: int, most: int) -> NDArray[np.int64]:
    """Products found in the most baskets of these weeks, most first, never more than ``most``."""
    week = orders.week[orders.visit]
    inside = (week >= first_week) & (week < end_week)
    key = orders.visit[inside].astype(np.int64) * orders.n_products + orders.product[inside]
    key.sort()
    once = np.append(True, key[1:] != key[:-1])[: len(key)]
    baskets = np.bincount(key[once] % orders.n_products, minlength=orders.n_products)
    ranked = np.argsort(-baskets, kind="stable")[:most]
    return ranked[baskets[ranked] > 0]


def only_products(orders: Orders, products: NDArray[np.int64]) -> Orders:
    """The lines of these products alone, numbered as given; every visit stays."""
    position = np.full(orders.n_products, -1, dtype=np.int32)
    position[products] = np.arange(len(products), dtype=np.int32)
    keep = position[orders.product] >= 0
    return Orders(
        visit=orders.visit[keep],
        product=position[orders.product[keep]],
        quantity=orders.quantity[keep],
        amount=orders.amount[keep],
        list_amount=orders.list_amount[keep],
        bundled=orders.bundled[keep],
        week=orders.week,
        customer=orders.customer,
        store=orders.store,
        n_products=len(products),
    )
