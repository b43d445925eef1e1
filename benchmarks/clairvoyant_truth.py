"""What an offer truly earns at a synthetic shop whose shoppers' willingness to pay is known.

A shopper takes the best of all that is on offer. As long as no product is in two offers and no
product replaces another, what she does about one offer does not depend on the others, so a plan
earns the sum of its offers, each integrated exactly over the joint willingness to pay of its two
products. With substitutes shoppers are drawn instead (``clairvoyant_substitutes``).
"""

from __future__ import annotations

import numpy as np
from bundlewise.instances.synthetic import SyntheticShop
from bundlewise.instances.synthetic_demand import cut_for, rank_at
from bundlewise.instances.synthetic_ties import share_below, tie_strength
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_TRIP_NODES, _TRIP_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_AT_ONCE = 20_000  # offers integrated at a time


def true_shares(
    shop: SyntheticShop, pairs: NDArray[np.integer], discount: NDArray[np.integer]
) -> Floats:
    """The four rows of the economics under the truth, by quadrature over the first product's rank.

    Up to its purchase probability the first product is bought anyway and the second joins where
    its shortfall is at most D; beyond, the discount left is D less the first one's shortfall:

        buys both anyway   ∫_0^q C1(q_j|u) du
        adds the second    ∫_0^q C1(g_j(D)|u) − C1(q_j|u) du
        adds the first     ∫_q^g C1(q_j|u) du
        takes both         ∫_q^g C1(g_j(D − s(u))|u) − C1(q_j|u) du

    Parameters
    ----------
    pairs
        (offers, 2) product indices.
    discount
        (offers,) cents off.

    Returns
    -------
    numpy.ndarray
        (offers, 4) shares of visits: subsidised, adds the second, adds the first, takes both.
    """
    tie, strength = _ties_of(shop, pairs)
    shares = np.zeros((len(pairs), 4))
    for start in range(0, len(pairs), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        level = logit(shop.purchase_probability)[pairs[rows]]
        if shop.trip_spread == 0:
            q = expit(level)
            shares[rows] = _shares(shop, pairs[rows], q, tie[rows], strength[rows], discount[rows])
            continue
        for node, weight in zip(_TRIP_NODES, _TRIP_WEIGHTS / _TRIP_WEIGHTS.sum(), strict=True):
            q = expit(level + shop.trip_spread * node)
            part = _shares(shop, pairs[rows], q, tie[rows], strength[rows], discount[rows])
            shares[rows] += weight * part
    return shares


def true_gain(
    shop: SyntheticShop,
    pairs: NDArray[np.integer],
    discount: NDArray[np.integer],
    *,
    kept: float = 1.0,
) -> Floats:
    """(offers,) cents a visit that offers earn, with a share ``kept`` of each added unit's margin.

    The rest are units that shoppers would have bought at full price in a later week.
    """
    shares = true_shares(shop, pairs, discount)
    margin = kept * (shop.reference_price - shop.unit_cost)[pairs]
    off = np.asarray(discount, dtype=np.float64)
    added = np.stack([shares[:, 2] + shares[:, 3], shares[:, 1] + shares[:, 3]], axis=1)
    return (added * margin).sum(axis=1) - shares.sum(axis=1) * off


def visit_probability(shop: SyntheticShop) -> Floats:
    """(products,) share of visits that buy at the reference price, trip sizes averaged over."""
    level = logit(shop.purchase_probability)
    at_node = expit(level[:, None] + shop.trip_spread * _TRIP_NODES)
    return at_node @ (_TRIP_WEIGHTS / _TRIP_WEIGHTS.sum())


def _ties_of(shop: SyntheticShop, pairs: NDArray[np.integer]) -> tuple[NDArray[np.bool_], Floats]:
    """(offers,) whether the pair is tied, and the copula's parameter where it is."""
    q, n = shop.purchase_probability, shop.n_products
    first, second = shop.ties[:, 0], shop.ties[:, 1]
    strength = tie_strength(q[first], q[second], shop.odds_ratio, shop.dependence)
    table = np.full((n, n), np.nan)
    table[first, second] = table[second, first] = strength
    of_pair = table[pairs[:, 0], pairs[:, 1]]
    tied = np.isfinite(of_pair)
    return tied, np.where(tied, of_pair, 0.5)  # any parameter: untied pairs do not use it


def _shares(
    shop: SyntheticShop,
    pairs: NDArray[np.integer],
    q: Floats,
    tied: NDArray[np.bool_],
    strength: Floats,
    discount: NDArray[np.integer],
) -> Floats:
    price = shop.reference_price[pairs].astype(np.float64)
    eta = shop.price_sensitivity[pairs]
    off = np.asarray(discount, dtype=np.float64)
    within = rank_at(q, eta, np.minimum(off[:, None] / price, 1.0), shop.curve)
    x = 0.5 * (1 + _NODES)

    def slope(u: Floats, v: Floats) -> Floats:
        """C1(v|u) of each offer (rows) at its nodes."""
        v = np.broadcast_to(v, u.shape)
        c1 = v.copy()
        c1[tied] = share_below(u[tied], v[tied], strength[tied, None], shop.dependence)
        return c1

    q1, q2, g1, g2 = q[:, :1], q[:, 1:], within[:, :1], within[:, 1:]
    buys = q1 * x**3  # nodes crowd where the slope of some copulas is steep
    width = q1 * (0.5 * _WEIGHTS) * 3 * x**2
    before = slope(buys, q2)
    subsidised = (width * before).sum(axis=1)
    adds_second = (width * (slope(buys, g2) - before)).sum(axis=1)

    span = np.log(g1 / q1)
    joins = q1 * np.exp(span * x)
    width = span * joins * (0.5 * _WEIGHTS)
    short = price[:, :1] * np.maximum(cut_for(q1, eta[:, :1], joins, shop.curve), 0.0)
    left = np.clip((off[:, None] - short) / price[:, 1:], 0.0, 1.0)
    before = slope(joins, q2)
    adds_first = (width * before).sum(axis=1)
    after = slope(joins, rank_at(q2, eta[:, 1:], left, shop.curve))
    return np.stack(
        [subsidised, adds_second, adds_first, (width * (after - before)).sum(axis=1)], axis=1
    )
