"""A shop of any size with beliefs drawn at random: no order line is read, nothing is learned.

The distributions are those learned from the Complete Journey: rare products of many prices, median
odds ratio 4.1 with a long tail, wide posteriors of the price sensitivity. What is made of the shop,
its offers and its program, comes from bundlewise's own scoring and building.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from bundlewise.instances.catalogue import Catalogue
from bundlewise.instances.instance import Instance
from bundlewise.instances.orders import Orders
from bundlewise.instances.scenario import (
    Assumptions,
    Candidates,
    Data,
    Discounts,
    Limits,
    Objective,
    Scenario,
    Solver,
)
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.copula import joint_probability
from numpy.random import Generator
from numpy.typing import NDArray

LEVELS = (0.03, 0.06, 0.10, 0.15)
CATEGORIES = 60
BASKET_SIZE = 8.0  # products of a visit, Σ q
VISITS_A_PRODUCT = 3.0
GROSS_MARGIN = 0.45  # mean; 0.06 between categories, 0.05 within
STOCKED_SHARE = 0.3  # of the products; their stock is 1.00 to 1.15 times stand-alone demand


def large_shop(products: int, seed: int) -> tuple[Instance, Beliefs]:
    """The instance and the beliefs, without pairs; the same arguments give the same shop."""
    random = np.random.default_rng(seed)
    weight = random.lognormal(0.0, 1.5, products)
    q = np.minimum(BASKET_SIZE * weight / weight.sum(), 0.3)
    category = random.integers(0, CATEGORIES, products)
    price = np.exp(random.normal(np.log(300.0), 0.7, products)).clip(50.0).astype(np.int64)
    margin = random.normal(GROSS_MARGIN, 0.06, CATEGORIES)[category]
    margin = (margin + random.normal(0.0, 0.05, products)).clip(0.05, 0.9)
    visits = VISITS_A_PRODUCT * products
    stock = np.where(
        random.random(products) < STOCKED_SHARE,
        visits * q * random.uniform(1.0, 1.15, products),
        np.inf,
    )
    catalogue = _catalogue(category, price, np.round(price * (1.0 - margin)), stock)
    return _instance(catalogue, visits), _beliefs(catalogue, q, category, random)


def draw_pairs(beliefs: Beliefs, n_pairs: int, seed: int) -> dict[str, NDArray]:
    """Distinct pairs of products, the popular ones more often: the pair arrays of ``Beliefs``."""
    random = np.random.default_rng(seed)
    q = beliefs.purchase_probability
    share = np.sqrt(q) / np.sqrt(q).sum()
    key = np.zeros(0, dtype=np.int64)
    while len(key) < n_pairs:
        missing = n_pairs - len(key)
        drawn = random.choice(len(q), (missing + missing // 4 + 100, 2), p=share)
        drawn.sort(axis=1)
        drawn = drawn[drawn[:, 0] < drawn[:, 1]]
        key = np.unique(np.append(key, drawn[:, 0] * len(q) + drawn[:, 1]))
    key = np.sort(random.permutation(key)[:n_pairs])
    first, second = np.divmod(key, len(q))
    odds_ratio = np.exp(np.log(4.1) + 0.45 * random.standard_t(5.0, n_pairs))
    return {
        "pair_a": first.astype(np.int32),
        "pair_b": second.astype(np.int32),
        "pair_orders": np.full(n_pairs, 10, dtype=np.int64),
        "pair_joint": joint_probability(q[first], q[second], odds_ratio),
        "odds_ratio": odds_ratio,
        "odds_spread": np.full(n_pairs, 0.3),
    }


def _catalogue(
    category: NDArray[np.int64],
    price: NDArray[np.int64],
    unit_cost: NDArray[np.float64],
    stock: NDArray[np.float64],
) -> Catalogue:
    n = len(price)
    ids = np.array([f"{number:06d}" for number in range(n)], dtype=object)
    names = np.array([f"Category {number:02d}" for number in range(CATEGORIES)], dtype=object)
    blank = np.full(n, "", dtype=object)
    return Catalogue(
        product_ids=ids,
        title=ids,
        category=names[category],
        department=blank,
        brand=blank,
        description=blank,
        reference_price=price,
        price_source=np.full(n, "list_price", dtype=object),
        unit_cost=unit_cost.astype(np.int64),
        cost_assumed=np.zeros(n, dtype=np.bool_),
        stock=stock,
        min_price=np.zeros(n, dtype=np.int64),
        supplier_funding=np.zeros(n, dtype=np.int64),
        available=np.ones(n, dtype=np.bool_),
    )


def _instance(catalogue: Catalogue, visits: float) -> Instance:
    none, nothing = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    orders = Orders(
        visit=none,
        product=none,
        quantity=np.zeros(0),
        amount=nothing,
        list_amount=nothing,
        bundled=np.zeros(0, dtype=np.bool_),
        week=none,
        customer=none,
        store=none,
        n_products=len(catalogue),
    )
    scenario = Scenario(
        name="large-shop",
        week=2500,
        currency="USD",
        path=Path("scenario.toml"),
        data=Data(orders=Path("orders.csv"), products=Path("products.csv")),
        assumptions=Assumptions(),
        candidates=Candidates(max_candidates=100_000_000),
        discounts=Discounts(levels=LEVELS),
        objective=Objective(),
        limits=Limits(max_bundles=1),
        rules=(),
        solver=Solver(),
    )
    return Instance(
        scenario=scenario,
        orders=orders,
        catalogue=catalogue,
        events=None,
        quarantine=pd.DataFrame(),
        visits=visits,
        inputs=(),
        counts={},
        warnings=(),
    )


def _beliefs(
    catalogue: Catalogue, q: NDArray[np.float64], category: NDArray[np.int64], random: Generator
) -> Beliefs:
    n = len(q)
    location = random.gamma(4.0, 0.5, n)
    none = np.zeros(0)
    return Beliefs(
        product_ids=catalogue.product_ids,
        purchase_probability=q,
        purchase_spread=np.full(n, 0.3),
        price_sensitivity=location,
        sensitivity_location=location,
        sensitivity_scale=random.uniform(0.5, 1.5, n),
        sensitivity_cap=np.full(n, 8.0),
        reference_price=catalogue.reference_price,
        deepest_cut=random.uniform(0.2, 0.5, n),
        usual_quantity=np.ones(n),
        pair_a=np.zeros(0, dtype=np.int32),
        pair_b=np.zeros(0, dtype=np.int32),
        pair_orders=np.zeros(0, dtype=np.int64),
        pair_joint=none,
        odds_ratio=none,
        odds_spread=none,
        category_code=category.astype(np.int32),
        category_lift=np.full((CATEGORIES, CATEGORIES), 4.0),
        manifest={},
    )
