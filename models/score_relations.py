"""Whether pairs come together at all: the relation model beside the gamma-Poisson posterior."""

from __future__ import annotations

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
) -> dict[str, float]:
    """Learn before ``split_week``, and foretell which pairs are bought together after it.

    The relation model learns from as many weeks at the end of the training weeks as are held out
    (at most half of them). Both are asked about the same pairs, those of up to 1,000 products
    drawn by size, and both expect products to go on being bought as they were.

    Returns
    -------
    relation_log_loss, gamma_poisson_log_loss, share_log_loss
        mean of -log P(what came), lower is better; ``share`` gives every pair the share of pairs
        that came together before.
    relation_auc, gamma_poisson_auc
        area under the receiver operating characteristic.
    share
        of all pairs, that came together.
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
    relations = relations_of(affinity, pairs.a, pairs.b, pairs.orders, pairs.expected, coming)
    model = fit_relation_model(relations, pairs.later_orders, pairs.times, LEAST_ORDERS)
    before = float(pairs.times @ (pairs.later_orders >= LEAST_ORDERS) / pairs.times.sum())

    affinity, pairs, coming = seen(split_week, end_week)
    event, times = pairs.later_orders >= LEAST_ORDERS, pairs.times
    relations = relations_of(affinity, pairs.a, pairs.b, pairs.orders, pairs.expected, coming)
    related = model.probability(relations)
    posterior = _at_least(affinity, pairs, coming)
    return {
        "relation_log_loss": log_loss(related, event, times),
        "gamma_poisson_log_loss": log_loss(posterior, event, times),
        "share_log_loss": log_loss(np.full(len(event), before), event, times),
        "relation_auc": area_under_curve(related, event, times),
        "gamma_poisson_auc": area_under_curve(posterior, event, times),
        "share": float(times @ event / times.sum()),
    }


def _at_least(
    affinity: Affinity, pairs: LaterPairs, coming: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(pairs,) P(enough joint orders) under the gamma-Poisson posterior: a negative binomial."""
    mean = coming * affinity.lift(pairs.a, pairs.b, pairs.orders, pairs.expected)
    prior = affinity.prior
    shape = (pairs.orders + prior.strength_at(pairs.expected)) / prior.dispersion
    return np.asarray(nbinom.sf(LEAST_ORDERS - 1, shape, shape / (shape + mean)))


def log_loss(
    probability: NDArray[np.float64], event: NDArray[np.bool_], times: NDArray[np.float64]
) -> float:
    """Mean of -log P(what came)."""
    came = np.where(event, probability, 1 - probability)
    return float(-(times @ np.log(np.maximum(came, 1e-12))) / times.sum())


def area_under_curve(
    probability: NDArray[np.float64], event: NDArray[np.bool_], times: NDArray[np.float64]
) -> float:
    """How often a pair that came together was thought likelier than one that did not; a tie is a
    half, and nan where all or none came."""
    rank = rankdata(probability, method="dense").astype(np.int64)
    came = np.bincount(rank, weights=times * event)
    not_came = np.bincount(rank, weights=times * ~event)
    if not came.sum() or not not_came.sum():
        return float("nan")
    below = np.cumsum(not_came) - not_came / 2
    return float(came @ below / (came.sum() * not_came.sum()))
