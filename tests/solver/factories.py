"""Small instances, beliefs and offers made by hand, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bundlewise.instances.catalogue import Catalogue
from bundlewise.instances.instance import Instance
from bundlewise.instances.orders import Orders
from bundlewise.instances.rules import Rule
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
from bundlewise.solver.offers import Offers


def make_scenario(
    limits: Limits | None = None,
    rules: Sequence[Rule] = (),
    *,
    levels: tuple[float, ...] = (0.1, 0.2),
    maximize: str = "margin",
    assumptions: Assumptions | None = None,
) -> Scenario:
    """A scenario for week 2500 whose files do not exist."""
    return Scenario(
        name="test",
        week=2500,
        currency="USD",
        path=Path("scenario.toml"),
        data=Data(orders=Path("orders.csv"), products=Path("products.csv")),
        assumptions=assumptions or Assumptions(),
        candidates=Candidates(),
        discounts=Discounts(levels=levels),
        objective=Objective(maximize=maximize),  # pyright: ignore[reportArgumentType]
        limits=limits or Limits(max_bundles=10),
        rules=tuple(rules),
        solver=Solver(),
    )


def make_catalogue(
    product_ids: Sequence[str],
    *,
    category: Sequence[str] | None = None,
    brand: Sequence[str] | None = None,
    price: Sequence[int] | None = None,
    stock: Sequence[float] | None = None,
    min_price: Sequence[int] | None = None,
) -> Catalogue:
    """Products of 10.00 each, cost 5.00, unlimited stock, unless said otherwise."""
    n = len(product_ids)
    text = np.array(product_ids, dtype=object)
    blank = np.full(n, "", dtype=object)
    return Catalogue(
        product_ids=text,
        title=text,
        category=blank if category is None else np.array(category, dtype=object),
        department=blank,
        brand=blank if brand is None else np.array(brand, dtype=object),
        description=blank,
        reference_price=_ints(price, n, 1000),
        price_source=np.full(n, "list_price", dtype=object),
        unit_cost=np.full(n, 500, dtype=np.int64),
        cost_assumed=np.zeros(n, dtype=bool),
        stock=np.full(n, np.inf) if stock is None else np.array(stock, dtype=np.float64),
        min_price=_ints(min_price, n, 0),
        supplier_funding=np.zeros(n, dtype=np.int64),
        available=np.ones(n, dtype=bool),
    )


def make_instance(catalogue: Catalogue, scenario: Scenario, *, visits: float = 100.0) -> Instance:
    """An instance without order lines: what the program needs is in the beliefs and offers."""
    none = np.zeros(0, dtype=np.int32)
    orders = Orders(
        visit=none,
        product=none,
        quantity=np.zeros(0),
        amount=np.zeros(0, dtype=np.int64),
        list_amount=np.zeros(0, dtype=np.int64),
        bundled=np.zeros(0, dtype=bool),
        week=none,
        customer=none,
        store=none,
        n_products=len(catalogue),
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


def make_beliefs(
    catalogue: Catalogue, *, purchase_probability: Sequence[float] | float = 0.1
) -> Beliefs:
    """Beliefs with these purchase probabilities and one unit a basket; no pairs."""
    n = len(catalogue)
    zero, one = np.zeros(n), np.ones(n)
    none, nothing = np.zeros(0, dtype=np.int32), np.zeros(0)
    return Beliefs(
        product_ids=catalogue.product_ids,
        purchase_probability=np.broadcast_to(
            np.asarray(purchase_probability, dtype=np.float64), (n,)
        ).copy(),
        purchase_spread=zero,
        price_sensitivity=one,
        sensitivity_location=one,
        sensitivity_scale=one,
        sensitivity_cap=10 * one,
        reference_price=catalogue.reference_price,
        deepest_cut=0.3 * one,
        usual_quantity=one,
        pair_a=none,
        pair_b=none,
        pair_orders=np.zeros(0, dtype=np.int64),
        pair_joint=nothing,
        odds_ratio=nothing,
        odds_spread=nothing,
        category_code=np.zeros(n, dtype=np.int32),
        category_lift=np.ones((1, 1)),
        manifest={},
    )


def make_offers(
    products: Sequence[Sequence[int]],
    value: Sequence[float],
    *,
    candidate: Sequence[int] | None = None,
    level: Sequence[int] | None = None,
    **given: Any,
) -> Offers:
    """Offers with these products and values; one unit of each product added, 10 % off 20.00.

    ``given`` overrides any other array of ``Offers``.
    """
    n = len(value)
    numbers = np.arange(n) if candidate is None else np.asarray(candidate)
    levels = np.zeros(n, dtype=np.int16) if level is None else np.asarray(level, dtype=np.int16)
    arrays: dict[str, Any] = {
        "products": np.asarray(products, dtype=np.int32).reshape(n, -1),
        "candidate": numbers.astype(np.int32),
        "level": levels,
        "level_mask": np.uint64(1) << levels.astype(np.uint64),
        "list_price": np.full(n, 2000, dtype=np.int64),
        "bundle_price": np.full(n, 1800, dtype=np.int64),
        "value": np.asarray(value, dtype=np.float64),
        "incremental_margin": np.asarray(value, dtype=np.float64),
        "bundle_units": np.ones(n),
        "subsidised_units": np.zeros(n),
        "added_units": np.ones((n, 2)),
        "margin_rate": np.full(n, 0.3),
        "capped": np.zeros(n, dtype=bool),
    }
    arrays |= {name: np.asarray(array) for name, array in given.items()}
    n_candidates = int(numbers.max(initial=-1)) + 1
    return Offers(**arrays, n_candidates=n_candidates, n_scored=n_candidates)


def _ints(given: Sequence[int] | None, n: int, default: int) -> np.ndarray:
    return np.full(n, default, dtype=np.int64) if given is None else np.array(given, dtype=np.int64)
