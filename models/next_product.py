"""Held-out score of "what joins this basket": a ranking from the beliefs, beside its peers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from ..instances.orders import Baskets
from . import next_product_peers as peers
from .affinity import fit_affinity
from .all_pairs import AllPairs, all_pairs, dense
from .held_out import HeldOut
from .hidden_products import (
    HiddenProducts,
    hide_one,
    ndcg,
    ranks_by_company,
    recall,
)
from .pair_counts import count_pairs

SEED = 1  # of which product of a basket is hidden
_COUNT_SHARES = (0.0, 0.5, 0.8, 1.0)
_RIDGES = (0.25, 0.5, 1.0, 4.0)  # mean orders of a product
_LIFT_WEIGHTS = (0.0, 0.001, 0.003, 0.01, 0.1, 1.0)


@dataclass(frozen=True, slots=True)
class Company:
    """Which products were bought together before a week.

    Attributes
    ----------
    baskets
        they were counted in.
    orders
        (products,) baskets that hold each.
    counts
        (products, products) baskets that hold both; 0 on the diagonal.
    believed
        (products, products) the same as the beliefs have it, above 0: E times the posterior mean
        of λ.
    """

    baskets: Baskets
    orders: NDArray[np.float32]
    counts: NDArray[np.float32]
    believed: NDArray[np.float32]


def score_next_product(held_out: HeldOut) -> dict[str, Any]:
    """Hide a product of each held-out basket, rank all that are not shown, and find it.

    Every method sees the same: baskets of the training weeks to learn from, and of a held-out
    basket the products that are left. None knows the customer or the week. Settings are those
    with the highest recall@10 plus NDCG@10 on the last of the training weeks, learned from those
    before; those of the methods of ``implicit`` are fixed.

    Returns
    -------
    baskets, candidates, seed
        what was ranked.
    methods
        of each method ``recall_at_10``, ``ndcg_at_10`` and its ``settings``; or ``skipped``.
    best_peer
        the peer with the highest recall, and
    ahead
        recall of the beliefs less that peer's, with ``ahead_spread``, the standard error of that
        difference over customers.
    """
    first, split, end = held_out.weeks
    task = hide_one(held_out.test, SEED)
    if not len(task):
        return {"skipped": "no held-out basket holds two of the scored products"}
    inner_split = split - max(min(end - split, (split - first) // 4), 1)
    train, features, customer = held_out.train, held_out.known_features, held_out.train_customer
    early = train.week < inner_split
    before = train.select(early)
    inner_task = hide_one(train.select(train.week >= inner_split), SEED)
    if not len(inner_task) or not before.n_visits:
        return {"skipped": "no basket of two products to choose the settings on"}
    n = train.n_products
    affinity = fit_affinity(before, features, first, inner_split, customer[early])
    pairs = all_pairs(affinity, count_pairs(before, 1, max_basket=n), n)
    cosine, counts_ridge, chosen = _settings(inner_task, _company(before, pairs))
    known = _company(train, held_out.pairs)
    nothing = 0 * known.orders
    plain = least_squares(known, 1.0, counts_ridge)
    ours, alone = with_lifts(known, least_squares(known, *chosen[:2]), chosen[2])
    ranks = {
        "popularity": ranks_by_company(task, np.zeros_like(plain), known.orders),
        "item_cosine": ranks_by_company(task, peers.cosine(known, cosine), nothing),
        "least_squares": ranks_by_company(task, plain, nothing),
    }
    settings: dict[str, dict[str, float]] = {
        "item_cosine": {"shrinkage": cosine},
        "least_squares": {"ridge": counts_ridge},
        "beliefs": dict(zip(("count_share", "ridge", "lift_weight"), chosen, strict=True)),
    }
    skipped = {}
    for name, method in peers.IMPLICIT.items():
        answer = method(task, train)
        if isinstance(answer, str):
            skipped[name] = {"skipped": answer}
        else:
            ranks[name], settings[name] = answer
    ranks["beliefs"] = ranks_by_company(task, ours, alone)

    found = {
        name: {
            "recall_at_10": float(recall(rank).mean()),
            "ndcg_at_10": float(ndcg(rank).mean()),
            "settings": settings.get(name, {}),
        }
        for name, rank in ranks.items()
    }
    best = max((name for name in ranks if name != "beliefs"), key=lambda n: recall(ranks[n]).mean())
    ahead = recall(ranks["beliefs"]) - recall(ranks[best])
    return {
        "baskets": len(task),
        "candidates": task.n_products,
        "seed": SEED,
        "methods": {**found, **skipped},
        "best_peer": best,
        "ahead": float(ahead.mean()),
        "ahead_spread": _spread(ahead, _customers(held_out)),
    }


def least_squares(known: Company, count_share: float, ridge: float) -> NDArray[np.float32]:
    """(products, products) B: a basket's products i foretell j by Σ B_ij.

    B is the least-squares prediction of every product from all others, with a ridge: of the
    moments M = P(i and j), it is −P_ij/P_jj with P = (M + ridge·I)⁻¹ (Steck 2019, Embarrassingly
    shallow autoencoders, WWW). Products that say the same are so not counted twice, as a product
    of their lifts would. M is the beliefs' joint orders, with a share of the plain counts.

    Parameters
    ----------
    ridge
        in mean orders of a product.
    """
    share = np.float32(count_share)
    moments = share * known.counts + (1 - share) * known.believed
    np.fill_diagonal(moments, known.orders + ridge * known.orders.mean())
    inverse = _inverse(moments)
    company = inverse / -np.diagonal(inverse)[None, :]
    np.fill_diagonal(company, 0.0)
    return np.ascontiguousarray(company)


def _inverse(matrix: NDArray[np.floating]) -> NDArray[np.float32]:
    """Of a symmetric matrix: by Cholesky's factors, or where it is not definite by LU."""
    factor, failed = lapack.spotrf(matrix, lower=1)
    if failed:
        return np.linalg.inv(matrix)
    inverse, _ = lapack.spotri(factor, lower=1)
    return np.tril(inverse) + np.tril(inverse, -1).T


def with_lifts(
    known: Company, company: NDArray[np.float32], weight: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Add weight·(log q_j + Σ log λ_ij), the evidence of independent pairs: it speaks where no
    joint order does. Returns (products, products) company and (products,) what is left alone.
    """
    if weight == 0:
        return company, np.zeros(len(company), dtype=np.float32)
    rate = np.maximum(known.orders, 0.5) / known.baskets.n_visits
    independent = known.baskets.n_visits * np.outer(rate, rate)
    lift = np.log(np.maximum(known.believed, 1e-9) / independent)
    np.fill_diagonal(lift, 0.0)
    return (company + weight * lift).astype(np.float32), (weight * np.log(rate)).astype(np.float32)


def _settings(
    task: HiddenProducts, known: Company
) -> tuple[float, float, tuple[float, float, float]]:
    """What is worth the most, one setting after the other: the shrinkage of the cosine; the
    ridge of the plain counts; and of the beliefs the share of counts, the ridge and the weight of
    the lifts."""
    cosine = max(peers.SHRINKAGES, key=lambda s: _worth(task, peers.cosine(known, s)))
    made: dict[tuple[float, float], NDArray[np.float32]] = {}
    scores: dict[tuple[float, float], float] = {}

    def best(shares: tuple[float, ...], ridges: tuple[float, ...]) -> tuple[float, float]:
        pairs = list(combinations(shares, ridges))
        for pair in pairs:
            if pair not in scores:
                company = least_squares(known, *pair)
                scores[pair] = _worth(task, company)
                if scores[pair] == max(scores.values()):
                    made.clear()
                    made[pair] = company
        return max(pairs, key=lambda pair: scores[pair])

    _, plain_ridge = best((1.0,), _RIDGES)
    share, _ = best(_COUNT_SHARES, (plain_ridge,))
    share, ridge = best((share,), _RIDGES)
    company = made.get((share, ridge))
    if company is None:
        company = least_squares(known, share, ridge)
    weight = max(_LIFT_WEIGHTS, key=lambda w: _worth(task, *with_lifts(known, company, w)))
    return cosine, plain_ridge, (share, ridge, weight)


def _worth(
    task: HiddenProducts,
    company: NDArray[np.float32],
    alone: NDArray[np.float32] | None = None,
) -> float:
    """Recall@10 plus NDCG@10, by which settings are chosen."""
    if alone is None:
        alone = np.zeros(task.n_products, dtype=np.float32)
    ranks = ranks_by_company(task, company, alone)
    return float((recall(ranks) + ndcg(ranks)).mean())


def _company(baskets: Baskets, pairs: AllPairs) -> Company:
    """What is known of the pairs of these baskets."""
    n = baskets.n_products
    orders = np.bincount(baskets.product, minlength=n).astype(np.float32)
    counts, believed = (
        dense(values, pairs, n) for values in (pairs.orders, pairs.expected * pairs.lift)
    )
    return Company(baskets, orders, counts, believed)


def _customers(held_out: HeldOut) -> NDArray[np.int64]:
    """(baskets,) customer of each scored basket; unknown ones are all different."""
    baskets = held_out.baskets
    scored = (baskets.week >= held_out.split_week) & (np.diff(baskets.start) >= 2)
    customer = held_out.orders.customer[scored].astype(np.int64)
    return np.where(customer >= 0, customer, -1 - np.arange(len(customer)))


def _spread(difference: NDArray[np.float64], customer: NDArray[np.int64]) -> float:
    """Standard error of a mean over baskets that hang together by customer."""
    _, code = np.unique(customer, return_inverse=True)
    by_customer = np.bincount(code, difference - difference.mean())
    return float(np.sqrt((by_customer**2).sum()) / len(difference))
