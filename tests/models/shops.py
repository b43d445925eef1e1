"""A small instance with order lines, for tests of learning as a whole."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
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

from .simulate import order_lines, promotions

FIRST_WEEK, WEEKS, PRODUCTS = 2_800, 30, 60
TRUE_Q = np.exp(np.random.default_rng(10).normal(np.log(0.03), 0.6, PRODUCTS))
TRUE_SENSITIVITY = np.random.default_rng(11).uniform(1.0, 5.0, PRODUCTS)


def catalogue_of(n: int, price: int = 500) -> Catalogue:
    """Products P000, P001, … in three categories."""
    ids = np.array([f"P{i:03d}" for i in range(n)], dtype=object)
    blank = np.full(n, "", dtype=object)
    return Catalogue(
        product_ids=ids,
        title=ids,
        category=np.array([f"category {i % 3}" for i in range(n)], dtype=object),
        department=blank,
        brand=blank,
        description=blank,
        reference_price=np.full(n, price, dtype=np.int64),
        price_source=np.full(n, "list_price", dtype=object),
        unit_cost=np.full(n, price // 2, dtype=np.int64),
        cost_assumed=np.zeros(n, dtype=bool),
        stock=np.full(n, np.inf),
        min_price=np.zeros(n, dtype=np.int64),
        supplier_funding=np.zeros(n, dtype=np.int64),
        available=np.ones(n, dtype=bool),
    )


@cache
def shop() -> Instance:
    """Sixty independent products, 30 weeks of 400 visits, promotions in a fifth of the weeks."""
    rng = np.random.default_rng(12)
    cut = promotions(rng, PRODUCTS, WEEKS)
    price = np.full(PRODUCTS, 500.0)
    orders = order_lines(rng, TRUE_Q, TRUE_SENSITIVITY, cut, price, 400, FIRST_WEEK)
    return instance_of(orders, catalogue_of(PRODUCTS), FIRST_WEEK + WEEKS)


def instance_of(orders: Orders, catalogue: Catalogue, week: int) -> Instance:
    """The instance of these orders, planned for ``week``."""
    scenario = Scenario(
        name="test",
        week=week,
        currency="USD",
        path=Path("scenario.toml"),
        data=Data(orders=Path("orders.csv"), products=Path("products.csv")),
        assumptions=Assumptions(),
        candidates=Candidates(),
        discounts=Discounts(),
        objective=Objective(),
        limits=Limits(max_bundles=10),
        rules=(),
        solver=Solver(),
    )
    return Instance(
        scenario=scenario,
        orders=orders,
        catalogue=catalogue,
        events=None,
        quarantine=pd.DataFrame(),
        visits=400.0,
        inputs=(),
        counts={},
        warnings=(),
    )


def without_weeks_from(orders: Orders, week: int) -> Orders:
    """The orders of the weeks before ``week``."""
    visits = int(np.searchsorted(orders.week, week))
    lines = int(np.searchsorted(orders.visit, visits))
    of_line = ("visit", "product", "quantity", "amount", "list_amount", "bundled")
    of_visit = ("week", "customer", "store")
    return replace(
        orders,
        **{name: getattr(orders, name)[:lines] for name in of_line},
        **{name: getattr(orders, name)[:visits] for name in of_visit},
    )
