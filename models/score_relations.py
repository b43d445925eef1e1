"""Whether pairs come together at all: the relation model beside the gamma-Poisson posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom, rankdata

from ..instances.orders import Orders
from .affinity import Affinity, fit_affinity
from .later_pairs import LaterPairs, later_pairs, window_of
from .product_features import ProductFeatures
from .relation_model import fit_relation_model, relations_of

LEAST_ORDERS = 1  # visits of the coming weeks that must hold both


def score_relations(
    orders: Orders,
    features: ProductFeatures,
    first_week: int,
    split_week: int,
    end_week: int,
) -> dict[str, Any]:
    """Learn before ``split_week``, and foretell which pairs are bought together after it.

    The relation model learns from as many weeks at the end of the training weeks as are held out
    (at most half of them). Both are asked about the same pairs, those of up to 1,000 products
    drawn by size, and both expect products to go on being bought as they were.

    Returns
    -------
    together_before, relation_model, learned
        log_loss, the mean of -log P(what came), lower is better, and auc, the area under the
        receiver operating characteristic (None where all pairs came, or none).
        ``together_before`` gives every pair the share of pairs that had come together before.
    pairs, share_together
        pairs asked about, and the share of them that came together.
    """
    baskets, customer = orders.baskets(), orders.customer
    held_out = min(end_week - split_week, (split_week - first_week) // 2)
    inner = split_week - held_out

    def seen(split: int, end: int) -> tuple[Affinity, LaterPairs, NDArray[np.float64]]:
        """What is known at the split, pairs before and after it, and joint orders to come."""
        affinity = fit_affinity(baskets, features, first_week, split, customer)
        early = window_of(baskets, customer, first_week, split)
        late = window_of(baskets, customer, split, end)
        pairs = later_pairs(early, late, affinity.half_life)
        longer = late.visits.sum() / max(early.visits.sum(), 1.0)
        return affinity, pairs, np.maximum(pairs.expected * longer, 1e-12)

    affinity, pairs, coming = seen(inner, split_week)
    if not len(pairs.a):
        return {"skipped": "fewer than two products were bought in the first of the weeks"}
    relations = relations_of(affinity, pairs.a, pairs.b, pairs.orders, pairs.expected, coming)
    model = fit_relation_model(relations, pairs.later_orders, pairs.times, LEAST_ORDERS)
    before = float(pairs.times @ (pairs.later_orders >= LEAST_ORDERS) / pairs.times.sum())

    affinity, pairs, coming = seen(split_week, end_week)
    event, times = pairs.later_orders >= LEAST_ORDERS, pairs.times
    relations = relations_of(affinity, pairs.a, pairs.b, pairs.orders, pairs.expected, coming)
    foretold = {
        "together_before": np.full(len(event), before),
        "relation_model": model.probability(relations),
        "learned": _at_least(affinity, pairs, coming),
    }
    methods = {
        name: {"log_loss": log_loss(p, event, times), "auc": area_under_curve(p, event, times)}
        for name, p in foretold.items()
    }
    share = float(times @ event / times.sum())
    return {**methods, "pairs": round(times.sum()), "share_together": share}


def _at_least(
    affinity: Affinity, pairs: LaterPairs, coming: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(pairs,) P(enough joint orders) under the gamma-Poisson posterior: a negative binomial, of
    the mean and variance of the posterior where that is a mixture."""
    prior = affinity.prior.of(pairs.a, pairs.b)
    mean = coming * affinity.prior.posterior(pairs.orders, pairs.expected, prior)
    shape = affinity.prior.shape(pairs.orders, pairs.expected, prior)
    return np.asarray(nbinom.sf(LEAST_ORDERS - 1, shape, shape / (shape + mean)))


def log_loss(
    probability: NDArray[np.float64], event: NDArray[np.bool_], times: NDArray[np.float64]
) -> float:
    """Mean of -log P(what came)."""
    came = np.where(event, probability, 1 - probability)
    return float(-(times @ np.log(np.maximum(came, 1e-12))) / times.sum())


def area_under_curve(
    probability: NDArray[np.float64], event: NDArray[np.bool_], times: NDArray[np.float64]
) -> float | None:
    """How often a pair that came together was thought likelier than one that did not; a tie is a
    half; None where all or none came."""
    rank = rankdata(probability, method="dense").astype(np.int64)
    came = np.bincount(rank, weights=times * event)
    not_came = np.bincount(rank, weights=times * ~event)
    if not came.sum() or not not_came.sum():
        return None
    below = np.cumsum(not_came) - not_came / 2
    return float(came @ below / (came.sum() * not_came.sum()))
