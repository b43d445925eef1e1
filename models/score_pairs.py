"""Held-out score of joint probabilities, over every pair of products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..instances.orders import Orders
from .affinity import Affinity, fit_affinity, odds_at_base
from .copula import joint_probability
from .pair_counts import PairCounts, count_pairs
from .panel import weekly_panel
from .product_features import ProductFeatures
from .purchase import fit_purchase

_CHUNK = 1_000_000  # pairs scored at once
_LEAST = 1e-9  # expected baskets of a pair
_RAW_ADDED = 0.01


def score_pairs(
    orders: Orders,
    features: ProductFeatures,
    first_week: int,
    split_week: int,
    end_week: int,
) -> dict[str, float]:
    """Learn before ``split_week``, and score every pair from then to before ``end_week``.

    With y the test baskets that hold both products and μ = joint probability × test baskets, at
    least 1e-9: (Σ y·log μ − Σ μ)/Σ y, higher is better. Every product of ``orders`` is scored.

    Returns
    -------
    independence, raw_counts, category_lift, learned
        score of each method.
    """
    category, n_categories = features.category, features.n_categories
    baskets = orders.baskets()
    early = (baskets.week >= first_week) & (baskets.week < split_week)
    train = baskets.select(early)
    test = baskets.select((baskets.week >= split_week) & (baskets.week < end_week))
    seen, held_out = (count_pairs(part, 1, max_basket=orders.n_products) for part in (train, test))
    n, visits = orders.n_products, train.n_visits
    rate = np.bincount(train.product, minlength=n) / max(visits, 1)
    lift = _category_lift(seen, rate, visits, category, n_categories)

    panel = weekly_panel(orders, first_week, split_week)
    purchase = fit_purchase(
        panel,
        panel.usual_price(),
        np.zeros(n),  # the prices of the test weeks are not part of this score
        np.zeros(n),
        category,
        n_categories,
        horizon=end_week - split_week,
    )
    known = replace(features, price=panel.usual_price())  # no price of the test weeks
    affinity = fit_affinity(train, known, first_week, split_week, orders.customer[early])

    methods = ("independence", "raw_counts", "category_lift", "learned")
    totals = dict.fromkeys(methods, 0.0)
    for first, last in _row_chunks(n):
        a, b = _pairs_of_rows(first, last, n)
        counts, y = (_counts_of_rows(c, first, last, n, len(a)) for c in (seen, held_out))
        independent = rate[a] * rate[b]
        joint = {
            "independence": independent,
            "raw_counts": (counts + _RAW_ADDED) / max(visits, 1),
            "category_lift": independent * lift[category[a], category[b]],
            "learned": _learned(affinity, purchase.probability, a, b, counts),
        }
        for method in methods:
            mu = np.maximum(joint[method] * test.n_visits, _LEAST)
            totals[method] += float(y @ np.log(mu) - mu.sum())
    together = max(float(held_out.orders.sum()), 1.0)
    return {method: totals[method] / together for method in methods}


def _learned(
    affinity: Affinity,
    probability: NDArray[np.float64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    counts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(pairs,) joint probability, exactly as ``carry_to_week`` makes it."""
    expected = affinity.expected(a, b)
    lift = affinity.lift(a, b, counts, expected)
    psi, _, _ = odds_at_base(affinity, a, b, expected, lift)
    return joint_probability(probability[a], probability[b], psi)


def _category_lift(
    seen: PairCounts,
    rate: NDArray[np.float64],
    visits: int,
    category: NDArray[np.int32],
    n_categories: int,
) -> NDArray[np.float64]:
    """(codes, codes) joint orders over those of independent products, the plain ratio."""
    together = np.zeros((n_categories, n_categories))
    np.add.at(together, (category[seen.first], category[seen.second]), seen.orders)
    together += together.T
    level = np.bincount(category, rate, minlength=n_categories)
    expected = np.outer(level, level) * visits
    expected[np.diag_indices(n_categories)] -= visits * np.bincount(
        category, rate**2, minlength=n_categories
    )
    return np.divide(together, expected, out=np.ones_like(together), where=expected > 1e-12)


def _row_chunks(n: int) -> Iterator[tuple[int, int]]:
    """Ranges of first products whose pairs fill about one chunk."""
    first = 0
    while first < n - 1:
        last, pairs = first, 0
        while last < n - 1 and pairs < _CHUNK:
            pairs += n - 1 - last
            last += 1
        yield first, last
        first = last


def _pairs_of_rows(first: int, last: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs a < b with a from ``first`` to before ``last``, in order."""
    rows = np.arange(first, last)
    a = np.repeat(rows, n - 1 - rows)
    begin = np.cumsum(n - 1 - rows) - (n - 1 - rows)
    return a, np.arange(len(a)) - np.repeat(begin, n - 1 - rows) + a + 1


def _counts_of_rows(
    counts: PairCounts, first: int, last: int, n: int, size: int
) -> NDArray[np.float64]:
    """(pairs,) joint orders of the pairs of ``_pairs_of_rows``."""
    begin, end = np.searchsorted(counts.first, [first, last])
    a = counts.first[begin:end].astype(np.int64)
    rows = a - first
    offset = rows * (n - 1 - first) - rows * (rows - 1) // 2
    out = np.zeros(size)
    out[offset + counts.second[begin:end] - a - 1] = counts.orders[begin:end]
    return out
