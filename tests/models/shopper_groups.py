"""A small shop with three kinds of shoppers whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
from bundlewise.instances.catalogue import Catalogue
from bundlewise.instances.orders import Orders
from bundlewise.models.panel import Panel, base_prices, weekly_panel
from bundlewise.models.product_features import ProductFeatures, product_features

from .shops import catalogue_of

FIRST, WEEKS, PRODUCTS = 2_800, 24, 60
CUSTOMERS = 240  # a third of each kind
THEMES = ("puppy", "garden", "baking")
SIZE = np.array([1.6, 0.8, 0.8])  # items of a visit beside the mean
TRUE_RATIO = np.full((PRODUCTS, 3), 0.5)
for theme in range(3):
    TRUE_RATIO[theme * 20 : (theme + 1) * 20, theme] = 2.0
TRUE_RATIO *= SIZE


def shop_catalogue() -> Catalogue:
    """Twenty products a theme; the first word of a title tells the theme, categories do not."""
    catalogue = catalogue_of(PRODUCTS)
    names = ("bowl", "lead", "snack", "brush", "basket")
    title = [f"{THEMES[i // 20]} {names[i % 5]} {i}" for i in range(PRODUCTS)]
    return replace(catalogue, title=np.array(title, dtype=object))


@cache
def shop_orders(*, response: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> Orders:
    """Visits of each kind; a fifth of the product-weeks is at 30 % off, η as ``response`` says."""
    rng = np.random.default_rng(7)
    kind = np.arange(CUSTOMERS) % 3
    off = np.where(rng.random((PRODUCTS, WEEKS)) < 0.2, 0.3, 0.0)
    q = 0.06 * TRUE_RATIO
    rows, week_of, customer_of = [], [], []
    for week in range(WEEKS):
        customer = np.repeat(np.arange(CUSTOMERS), rng.poisson(1.0, CUSTOMERS))
        k = kind[customer]
        eta = np.array(response)[k]
        p = 1 / (1 + (1 / q[:, k].T - 1) * np.exp(-eta[:, None] * off[:, week]))
        bought = rng.random(p.shape) < p
        visit, product = np.nonzero(bought)
        rows.append((visit + sum(map(len, customer_of)), product, off[product, week]))
        week_of.append(np.full(len(customer), FIRST + week))
        customer_of.append(customer)
    visit, product, cut = (np.concatenate(part) for part in zip(*rows, strict=True))
    n = len(visit)
    # customers in another order, so that the two halves by parity hold every kind
    customers = rng.permutation(CUSTOMERS)[np.concatenate(customer_of)]
    return Orders(
        visit=visit.astype(np.int32),
        product=product.astype(np.int32),
        quantity=np.ones(n),
        amount=np.rint(500 * (1 - cut)).astype(np.int64),
        list_amount=np.full(n, -1, dtype=np.int64),
        bundled=np.zeros(n, dtype=bool),
        week=np.concatenate(week_of).astype(np.int32),
        customer=customers.astype(np.int32),
        store=np.full(sum(map(len, week_of)), -1, dtype=np.int32),
        n_products=PRODUCTS,
    )


def true_kind() -> np.ndarray:
    """(customers,) kind of each customer code: what most of what they bought is of."""
    orders = shop_orders()
    customer = orders.customer[orders.visit]
    count = np.zeros((CUSTOMERS, 3))
    np.add.at(count, (customer, orders.product // 20), 1.0)
    return count.argmax(axis=1)


def shop_features(orders: Orders) -> tuple[ProductFeatures, Panel, np.ndarray]:
    """Features, panel and base prices of the shop."""
    catalogue = shop_catalogue()
    panel = weekly_panel(orders, FIRST, FIRST + WEEKS)
    base = base_prices(catalogue.reference_price, panel)
    return product_features(catalogue, base), panel, base


def searches(orders: Orders, words: dict[int, str]) -> pd.DataFrame:
    """Events: each of these customers searches for these words in every week."""
    rows = [
        (customer, -1, FIRST + week, "search", text)
        for customer, text in words.items()
        for week in range(WEEKS)
    ]
    return pd.DataFrame(rows, columns=["customer", "product", "week", "kind", "query"])
