"""Which orders, products and categories something is learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.orders import Orders


def orders_before(orders: Orders, week: int) -> Orders:
    """The orders of the weeks before ``week``; the same object where all of them are."""
    early = orders.week < week
    if early.all():
        return orders
    lines, position = early[orders.visit], np.cumsum(early) - 1
    return Orders(
        visit=position[orders.visit[lines]].astype(np.int32),
        product=orders.product[lines],
        quantity=orders.quantity[lines],
        amount=orders.amount[lines],
        list_amount=orders.list_amount[lines],
        bundled=orders.bundled[lines],
        week=orders.week[early],
        customer=orders.customer[early],
        store=orders.store[early],
        n_products=orders.n_products,
        coupon=None if orders.coupon is None else orders.coupon[lines],
    )


def category_codes(category: NDArray[np.object_]) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    """(products,) codes and their names, sorted; products without a category share one code."""
    codes, names = pd.factorize(category, sort=True)
    return codes.astype(np.int32), np.asarray(names, dtype=object)


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
        coupon=None if orders.coupon is None else orders.coupon[keep],
    )
