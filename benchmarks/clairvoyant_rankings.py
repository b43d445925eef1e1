"""What shops do without a model: rank pairs, or give one discount on any two products.

Every rule gets the discount level that is truly best for it, which no shop could know.
"""

from __future__ import annotations

import numpy as np
from bundlewise.instances.synthetic_demand import cut_for, rank_at
from bundlewise.instances.synthetic_ties import second_rank, tie_strength
from numpy.typing import NDArray
from scipy.special import expit, logit

from .clairvoyant_choice import first_disjoint
from .clairvoyant_shops import BUNDLES, LEVELS, MIN_SUPPORT, StudyShop

Floats = NDArray[np.float64]

LIFT_SUPPORTS = (MIN_SUPPORT, 20, 80, 320)
_RANDOM_PLANS = 20
_SHOPPERS = 20_000  # that meet "any two products"
_AT_ONCE = 10_000


def ranked_plans(
    joint_orders: NDArray[np.int64], orders: NDArray[np.int64], pairs: NDArray[np.int64], seed: int
) -> dict[str, list[NDArray[np.int64]]]:
    """Rows of ``pairs`` that each ranking takes: by name, one or more versions.

    By joint orders; by lift, a version for each least number of joint orders; and random.

    Parameters
    ----------
    joint_orders
        (pairs,) orders that hold both.
    orders
        (products,) orders that hold the product.
    """
    lift = joint_orders / orders[pairs].prod(axis=1)
    by_lift = [
        np.argsort(-np.where(joint_orders >= support, lift, -1.0), kind="stable")
        for support in LIFT_SUPPORTS
    ]
    rng = np.random.default_rng([seed, 2])
    order = {
        "co-purchase": [np.argsort(-joint_orders, kind="stable")],
        "lift": by_lift,
        "random": [rng.permutation(len(pairs)) for _ in range(_RANDOM_PLANS)],
    }
    return {
        name: [first_disjoint(pairs, one, BUNDLES) for one in versions]
        for name, versions in order.items()
    }


def any_two(study: StudyShop) -> tuple[float, float]:
    """Bundle-size pricing: the same share off any two products together, once a visit.

    After Chu, Leslie and Sorensen (2011), beside products apart at their reference prices. A
    shopper takes the two products that save her most beyond buying what is worth its price, of
    each a discount of d·r less its shortfall. Not for shops with substitutes.

    Returns
    -------
    tuple
        cents a visit at the best of the levels, and its standard error.
    """
    shop = study.shop
    rng = np.random.default_rng([study.seed, 3])
    first, second = shop.ties[:, 0], shop.ties[:, 1]
    q, eta = shop.purchase_probability, shop.price_sensitivity
    strength = tie_strength(q[first], q[second], shop.odds_ratio, shop.dependence)
    margin = study.kept * (shop.reference_price - shop.unit_cost)
    gains: list[list[Floats]] = [[] for _ in LEVELS]
    for _ in range(_SHOPPERS // _AT_ONCE):
        rank = rng.random((_AT_ONCE, shop.n_products))
        rank[:, second] = second_rank(rank[:, first], rank[:, second], strength, shop.dependence)
        trip = rng.normal(0.0, shop.trip_spread, (_AT_ONCE, 1)) if shop.trip_spread else 0.0
        level = expit(logit(q) + trip)
        # of others than those whom the deepest discount on one product reaches, nobody takes any
        near = rank <= rank_at(level, eta, 2 * LEVELS[-1], shop.curve)
        short = np.full(rank.shape, np.inf)
        row, column = np.nonzero(near)
        of_level = np.broadcast_to(level, rank.shape)[near]
        cut = cut_for(of_level, eta[column], rank[near], shop.curve)
        short[row, column] = np.maximum(cut, 0.0) * shop.reference_price[column]
        for values, share in zip(gains, LEVELS, strict=True):
            values.append(_any_two_gain(shop.reference_price, margin, short, share))
    totals = [np.concatenate(values) for values in gains]
    best = max(totals, key=lambda values: values.mean())
    return float(best.mean()), float(best.std(ddof=1) / np.sqrt(len(best)))


def _any_two_gain(price: NDArray[np.int64], margin: Floats, short: Floats, share: float) -> Floats:
    """(shoppers,) what the shop gains from each shopper's best two products at a share off."""
    saved = share * price - short
    two = np.argpartition(-saved, 2, axis=1)[:, :2]
    saved_by_two = np.take_along_axis(saved, two, axis=1).sum(axis=1)
    added = np.take_along_axis(short, two, axis=1) > 0
    gain = (added * margin[two]).sum(axis=1) - share * price[two].sum(axis=1)
    return np.where(saved_by_two >= 0, gain, 0.0)
