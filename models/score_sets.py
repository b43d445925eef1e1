"""Held-out score of the joint probabilities of three and four products, over every set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from ..instances.orders import Baskets, Orders
from .affinity import Affinity, carry_to_week, fit_affinity
from .beliefs import Beliefs, pair_prior_of
from .history import most_bought
from .learn_sets import learn_sets, only_products, orders_of_all
from .pair_counts import count_pairs
from .panel import weekly_panel
from .product_features import ProductFeatures
from .product_sets import set_table
from .purchase import fit_purchase
from .set_closure import closure

MOST_BOUGHT = {3: 200, 4: 60}
"""Size of the sets -> the most bought products of which every set is scored."""

_NAMES = {3: "triples", 4: "sets_of_four"}
_CHUNK = 500_000  # sets scored at once
_LEAST = 1e-9  # expected baskets of a set
_RAW_ADDED = 0.01


def score_sets(
    orders: Orders,
    features: ProductFeatures,
    first_week: int,
    split_week: int,
    end_week: int,
) -> dict[str, dict[str, float]]:
    """Learn before ``split_week``, and score every set from then to before ``end_week``.

    Scored are all 1,313,400 triples of the 200 products found in the most baskets before
    ``split_week``, and all 487,635 sets of four of the 60 (fewer where there are fewer
    products): with y the test baskets that hold the set and μ = probability × test baskets, at
    least 1e-9, (Σ y·log μ − Σ μ)/Σ y; higher is better. The other products are learned from.

    Returns
    -------
    triples, sets_of_four
        ``products``, ``sets``, and a score a method: ``independence``; ``raw_counts``;
        ``smaller_sets``, the closure of the learned pairs (and triples) alone; ``learned``.
    """
    baskets = orders.baskets()
    early = (baskets.week >= first_week) & (baskets.week < split_week)
    train = baskets.select(early)
    test = baskets.select((baskets.week >= split_week) & (baskets.week < end_week))
    panel = weekly_panel(orders, first_week, split_week)
    none = np.zeros(orders.n_products)  # prices of the test weeks are not part of this score
    known = replace(features, price=panel.usual_price())
    affinity = fit_affinity(train, known, first_week, split_week, orders.customer[early])
    purchase = fit_purchase(
        panel,
        panel.usual_price(),
        none,
        none,
        features.category,
        features.n_categories,
        horizon=end_week - split_week,
    )
    ranked = most_bought(orders, first_week, split_week, max(MOST_BOUGHT.values()))
    ranked = ranked[purchase.probability[ranked] > 0]
    beliefs = _beliefs(train, affinity, purchase.probability, features, np.sort(ranked))
    scores: dict[str, dict[str, float]] = {}
    for size, most in MOST_BOUGHT.items():
        if len(ranked) >= size:
            scores[_NAMES[size]] = _scores(
                np.sort(ranked[:most]), size, beliefs, affinity, train, test
            )
    return scores


def _beliefs(
    train: Baskets,
    affinity: Affinity,
    probability: NDArray[np.float64],
    features: ProductFeatures,
    products: NDArray[np.int64],
) -> Beliefs:
    """Beliefs about purchases and all pairs of some products, as far as sets need them."""
    inside = only_products(train, products)
    counted = count_pairs(inside, 1, max_basket=train.n_products)
    pairs = replace(
        counted,
        first=products[counted.first].astype(np.int32),
        second=products[counted.second].astype(np.int32),
    )
    carried = carry_to_week(affinity, pairs, probability)
    zero, one = np.zeros(len(probability)), np.ones(len(probability))
    return Beliefs(
        product_ids=features.title,
        purchase_probability=probability,
        purchase_spread=zero,
        price_sensitivity=zero,
        sensitivity_location=zero,
        sensitivity_scale=zero,
        sensitivity_cap=one,
        reference_price=np.full(len(probability), -1),
        deepest_cut=zero,
        usual_quantity=one,
        pair_a=pairs.first,
        pair_b=pairs.second,
        pair_orders=pairs.orders,
        pair_joint=carried.joint_probability,
        odds_ratio=carried.odds_ratio,
        odds_spread=carried.odds_spread,
        category_code=features.category,
        category_lift=affinity.prior.category_lift,
        manifest={},
        pair_prior=pair_prior_of(affinity, 1),
    )


def _scores(
    products: NDArray[np.int64],
    size: int,
    beliefs: Beliefs,
    affinity: Affinity,
    train: Baskets,
    test: Baskets,
) -> dict[str, float]:
    """The scores of all sets of one size of these products, ascending."""
    n = len(products)
    seen = orders_of_all(only_products(train, products), size)
    y = orders_of_all(only_products(test, products), size)
    learned = learn_sets(beliefs, affinity, _alone(train, products), 1, size, most=comb(n, size))
    beliefs = replace(beliefs, product_sets=learned.sets)
    rate = np.bincount(train.product, minlength=train.n_products)[products] / train.n_visits
    methods = ("independence", "raw_counts", "smaller_sets", "learned")
    totals: dict[str, float] = dict.fromkeys(methods, 0.0)
    begin = 0
    for places in _chunks(n, size):
        end = begin + len(places)
        table = set_table(beliefs, products[places])
        probability = {
            "independence": rate[places].prod(axis=1),
            "raw_counts": (seen[begin:end] + _RAW_ADDED) / train.n_visits,
            "smaller_sets": closure(table),
            "learned": table[:, -1],
        }
        for method, values in probability.items():
            mu = np.maximum(values * test.n_visits, _LEAST)
            totals[method] += float(y[begin:end] @ np.log(mu) - mu.sum())
        begin = end
    together = max(float(y.sum()), 1.0)
    figures = {"products": float(n), "sets": float(comb(n, size))}
    return figures | {method: total / together for method, total in totals.items()}


def _alone(baskets: Baskets, products: NDArray[np.int64]) -> Baskets:
    """The baskets with these products alone, under their own numbers."""
    inside = only_products(baskets, products)
    renumbered = products[inside.product].astype(np.int32)
    return replace(inside, product=renumbered, n_products=baskets.n_products)


def _chunks(n: int, size: int) -> Iterator[NDArray[np.int64]]:
    """All sets of ``size`` places below n in the order of combinations, some at a time."""
    rest = _combinations(n, size - 1)
    first_rest = rest[:, 0]
    parts: list[NDArray[np.int64]] = []
    held = 0
    for first in range(n - size + 1):
        after = rest[np.searchsorted(first_rest, first + 1) :]
        parts.append(np.column_stack([np.full(len(after), first), after]))
        held += len(after)
        if held >= _CHUNK or first == n - size:
            yield np.concatenate(parts)
            parts, held = [], 0


def _combinations(n: int, size: int) -> NDArray[np.int64]:
    """(sets, size) all sets of places below n, in order."""
    if size == 1:
        return np.arange(n)[:, None]
    rest = _combinations(n, size - 1)
    parts = [rest[np.searchsorted(rest[:, 0], first + 1) :] for first in range(n - size + 1)]
    firsts = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return np.column_stack([firsts, np.concatenate(parts)])
