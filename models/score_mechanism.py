"""Held-out test of the mechanism: as prices move rates, does the odds ratio hold, or the lift?

The economics of an offer rest on odds ratios that hold at every price. They and the rival, constant
lifts, are learned on the same weeks, and asked how the joint orders of a pair are shared out over
later weeks, given what each product sold in them (``movement.py``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..instances.orders import Baskets, Orders
from .affinity import fit_affinity, odds_at_base
from .movement import Tables, Ties, compare_movement
from .pair_counts import count_pairs
from .panel import weekly_panel
from .product_features import ProductFeatures

LEAST_ORDERS = 5  # joint orders of a pair in the weeks learned on, as where pairs are stored
PRICE_CUT = 0.1  # below the usual price of the held-out weeks; smaller steps are often no promotion


def score_mechanism(
    orders: Orders,
    features: ProductFeatures,
    first_week: int,
    split_week: int,
    end_week: int,
) -> dict[str, Any]:
    """Learn ψ and λ before ``split_week``; compare how they move from then to ``end_week``.

    Returns
    -------
    pairs, weeks
        pairs with joint orders in both periods, and held-out weeks with any.
    lifts_bounded
        pair-weeks in which a constant lift is no possible probability and is held at the limit.
    all, price_cut, frequent, frequent_price_cut
        what ``compare_movement`` says of all pair-weeks in which both products sold; of those in
        which the price of one of the two was at least a tenth below its usual price; and of both
        for the pairs with a joint order or more in the mean held-out week.

    ``skipped`` says why where nothing can be compared.
    """
    ties = _learned_ties(orders, features, first_week, split_week)
    if not len(ties.first):
        return {"skipped": "no pair was bought together before the held-out weeks"}
    weeks, tables = _held_out_tables(orders.baskets(), ties, split_week, end_week)
    if len(weeks) < 2:
        return {"skipped": "fewer than two held-out weeks have joint orders of pairs learned"}
    # A pair's total is given: of one without joint orders there is nothing to share out.
    total = tables.together.sum(axis=0)
    ties = ties.take(total > 0)
    tables = Tables(tables.visits, tables.bought, tables.together[:, total > 0])
    cut = _price_cuts(orders, weeks)
    promoted = (cut[ties.first] | cut[ties.second]).T
    frequent = np.broadcast_to(total[total > 0] >= len(weeks), promoted.shape)
    among = {
        "all": np.ones_like(promoted),
        "price_cut": promoted,
        "frequent": frequent,
        "frequent_price_cut": promoted & frequent,
    }
    shape = {"pairs": len(ties.first), "weeks": len(weeks)}
    return shape | compare_movement(ties, tables, among)


def _learned_ties(
    orders: Orders, features: ProductFeatures, first_week: int, split_week: int
) -> Ties:
    early = (orders.week >= first_week) & (orders.week < split_week)
    train = orders.baskets().select(early)
    pairs = count_pairs(train, LEAST_ORDERS, max_basket=orders.n_products)
    # no price of the held-out weeks
    known = replace(features, price=weekly_panel(orders, first_week, split_week).usual_price())
    affinity = fit_affinity(train, known, first_week, split_week, orders.customer[early])
    a, b = pairs.first.astype(np.int64), pairs.second.astype(np.int64)
    expected = affinity.expected(a, b)
    lift = affinity.lift(a, b, pairs.orders, expected)
    return Ties(a, b, lift, odds_at_base(affinity, a, b, expected, lift)[0])


def _held_out_tables(
    baskets: Baskets, ties: Ties, split_week: int, end_week: int
) -> tuple[NDArray[np.int64], Tables]:
    """The held-out weeks with joint orders, and what was bought in them."""
    n = baskets.n_products
    weeks, visits, bought, together = [], [], [], []
    for week in range(split_week, end_week):
        part = baskets.select(baskets.week == week)
        ones = np.ones(len(part.product), dtype=np.float32)
        members = csr_array((ones, part.product, part.start), shape=(part.n_visits, n))
        both = np.asarray((members.T @ members).tocsr()[ties.first, ties.second]).ravel()
        if not both.any():
            continue  # closed, or nothing to compare
        weeks.append(week)
        visits.append(float(part.n_visits))
        bought.append(np.bincount(part.product, minlength=n).astype(float))
        together.append(both.astype(float))
    tables = Tables(
        np.array(visits),
        np.reshape(bought, (-1, n)).T,
        np.reshape(together, (-1, len(ties.first))),
    )
    return np.array(weeks, dtype=np.int64), tables


def _price_cuts(orders: Orders, weeks: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(products, weeks) whether the price paid was ``PRICE_CUT`` below the median of the weeks."""
    position = np.full(int(weeks.max()) + 2, -1)
    position[weeks] = np.arange(len(weeks))
    of_line = position[np.minimum(orders.week[orders.visit], len(position) - 1)]
    lines = (of_line >= 0) & ~orders.bundled
    key = orders.product[lines].astype(np.int64) * len(weeks) + of_line[lines]
    amount, quantity = (
        np.bincount(key, figure[lines], orders.n_products * len(weeks)).reshape(-1, len(weeks))
        for figure in (orders.amount, orders.quantity)
    )
    price = np.divide(amount, quantity, out=np.full_like(amount, np.nan), where=quantity > 0)
    sold = np.isfinite(price).any(axis=1)
    usual = np.full((len(price), 1), np.nan)
    usual[sold] = np.nanmedian(price[sold], axis=1, keepdims=True)
    return price <= (1 - PRICE_CUT) * usual  # nan, where nothing was bought, is no cut
