"""The kernel that scores bundles of three and four products (design: "Three and four products").

With S the bundle, p the probability that a visit holds all of a set, q and u a product's
probability at its reference price and at that of the bundle, per visit that sees the offer:

    has all of S anyway                    p_S
    has all but l, adds l                  C_ψ(p_{S∖l}, u_l) − p_S,    ψ from (p_{S∖l}, q_l, p_S)
    has A = S∖{l, k} and neither, adds     p_A·T(p_{A∪l}/p_A, p_{A∪k}/p_A),
    both                                   ψ from p_S/p_A

T being the triangle of the pair (``triangle``) among those who have A. Shoppers who would add
three or more are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from ..models.copula import discriminant_root
from .candidate_sets import CandidateSets
from .scoring_kernel import MARGIN, REVENUE, ProductTable, Terms
from .triangle import lift, takes_both

_TILE = 64  # sets a thread takes at a time
_MARGIN_OF_TIE = 1e-9  # share of the most that is possible which a joint probability keeps off


class SetScores(NamedTuple):
    """Accounts of offers as in ``Offers``; shape (candidates, levels), 0 where not offered;
    ``added`` (candidates, levels, size)."""

    value: NDArray[np.float64]
    incremental_margin: NDArray[np.float64]
    bundle_units: NDArray[np.float64]
    subsidised_units: NDArray[np.float64]
    added: NDArray[np.float64]
    capped: NDArray[np.bool_]


def score_sets(
    sets: CandidateSets, discount: NDArray[np.int64], table: ProductTable, terms: Terms
) -> SetScores:
    """The accounts of every set at every level.

    Parameters
    ----------
    discount
        (candidates, levels) cents off, D; 0 where the level is not offered.
    """
    shape = discount.shape
    scores = SetScores(
        *(np.zeros(shape) for _ in range(4)),
        added=np.zeros((*shape, sets.products.shape[1])),
        capped=np.zeros(shape, dtype=np.bool_),
    )
    _score(sets.products, sets.table, discount, table, terms, get_num_threads(), scores)
    return scores


def set_shares(
    table: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    price: NDArray[np.float64],
    reach: NDArray[np.float64],
    discount: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of visits for many beliefs about one bundle, each at one η per product.

    Parameters
    ----------
    table
        (n, 2**size) probabilities of the subsets.
    sensitivity
        (n, size) η.
    price, reach
        (size,) reference prices, and money below them up to which response is credited.
    discount
        money off.

    Returns
    -------
    adds_one
        (n, size) has all but this product and adds it.
    adds_two
        (n, size, size) has all but these two and adds both; above the diagonal.
    """
    n, size = sensitivity.shape
    adds_one, adds_two = np.zeros((n, size)), np.zeros((n, size, size))
    rate = np.ascontiguousarray(sensitivity / price).reshape(-1, 1)
    rows = np.arange(n * size).reshape(n, size)
    _fill(table, rows, rate, np.ones_like(rate), reach, discount, adds_one, adds_two)
    return adds_one, adds_two


def expected_set_shares(
    table: NDArray[np.float64],
    rate: NDArray[np.float64],
    weight: NDArray[np.float64],
    reach: NDArray[np.float64],
    discount: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of visits for one bundle at many discounts, in expectation over η.

    Parameters
    ----------
    table
        (2**size,) probabilities of the subsets.
    rate, weight
        (size, nodes) η/r at the nodes of each product's posterior, and their weights.
    reach
        (size,) money below the reference price up to which response is credited.
    discount
        (n,) money off.

    Returns
    -------
    adds_one, adds_two
        (n, size) and (n, size, size), as ``set_shares`` gives them.
    """
    n, size = len(discount), len(reach)
    adds_one, adds_two = np.zeros((n, size)), np.zeros((n, size, size))
    rows = np.arange(size)[None, :]
    for k in range(n):
        at = slice(k, k + 1)
        off = float(discount[k])
        _fill(table[None, :], rows, rate, weight, reach, off, adds_one[at], adds_two[at])
    return adds_one, adds_two


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _fill(table, rows, rate, weight, reach, discount, adds_one, adds_two):
    for n in prange(len(rows)):
        _rows(table[n], rows[n], rate, weight, reach, discount, adds_one[n], adds_two[n])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _rows(joint, rows, rate, weight, reach, discount, adds_one, adds_two):
    """Fill the shares of one set at one discount, in expectation over η.

    ``joint`` (2**size,) is its row of the table, ``rows`` (size,) where its products stand in
    ``rate`` and ``weight`` (products, nodes).
    """
    size = len(rows)
    whole = (1 << size) - 1
    n_nodes = rate.shape[1]
    for a in range(size):
        others, q = joint[whole ^ (1 << a)], joint[1 << a]
        psi, both = _tie(others, q, joint[whole])
        excess = psi - 1.0
        root, slope = discriminant_root(others, q, psi), 2.0 * (psi * others - excess * both)
        cut = min(discount, reach[a])
        total = 0.0
        for k in range(n_nodes):
            step = lift(q, rate[rows[a], k] * cut)
            after = discriminant_root(others, q + step, psi)
            total += weight[rows[a], k] * step * slope / (root + after + excess * step)
        adds_one[a] = total
        for b in range(a + 1, size):
            held = whole ^ (1 << a) ^ (1 << b)
            given = joint[held]
            u, v = joint[held | 1 << a] / given, joint[held | 1 << b] / given
            psi, _ = _tie(u, v, joint[whole] / given)
            cut_b = min(discount, reach[b])
            total = 0.0
            for k in range(n_nodes):
                rate_a = rate[rows[a], k]
                step_a = lift(u, rate_a * cut)
                for m in range(n_nodes):
                    rate_b = rate[rows[b], m]
                    step_b = lift(v, rate_b * cut_b)
                    total += (
                        weight[rows[a], k]
                        * weight[rows[b], m]
                        * takes_both(
                            u, v, psi, rate_a, rate_b, step_a, step_b, cut, cut_b, discount
                        )
                    )
            adds_two[a, b] = given * total


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
def _tie(u, v, joint):
    """ψ with C_ψ(u, v) = joint, and the joint: draws of beliefs that contradict each other are
    held just inside what is possible."""
    least, most = max(u + v - 1.0, 0.0), min(u, v)
    aside = _MARGIN_OF_TIE * most
    joint = min(max(joint, least + aside), most - aside)
    return joint * (1.0 - u - v + joint) / ((u - joint) * (v - joint)), joint


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _score(products, joint, discount, table, terms, n_threads, scores):
    """Each thread takes every ``n_threads``-th tile of sets."""
    _, price, _, _, reach, rate, weight = table
    value, margin, bundles, subsidised, added, capped = scores
    n_candidates, n_levels = discount.shape
    size = products.shape[1]
    for thread in prange(n_threads):
        rows = np.zeros(size, dtype=np.int64)
        full, credited = np.zeros(size), np.zeros(size)
        one, two = np.zeros(size), np.zeros((size, size))
        best, careful = np.zeros(4 + size), np.zeros(4 + size)
        for tile in range(thread * _TILE, n_candidates, n_threads * _TILE):
            for c in range(tile, min(tile + _TILE, n_candidates)):
                for a in range(size):
                    rows[a] = products[c, a]
                    full[a] = price[rows[a]]
                    credited[a] = min(price[rows[a]], reach[rows[a]])
                for level in range(n_levels):
                    off = float(discount[c, level])
                    if off <= 0.0:
                        continue
                    _rows(joint[c], rows, rate, weight, full, off, one, two)
                    _accounts(joint[c], rows, table, terms, off, one, two, best)
                    limited = False
                    for a in range(size):
                        limited |= min(off, full[a]) > credited[a]
                    if limited:
                        # the smaller of the two values counts, and its accounts with it
                        _rows(joint[c], rows, rate, weight, credited, off, one, two)
                        _accounts(joint[c], rows, table, terms, off, one, two, careful)
                        if careful[0] < best[0]:
                            capped[c, level] = True
                            best[:] = careful
                    value[c, level], margin[c, level] = best[0], best[1]
                    bundles[c, level], subsidised[c, level] = best[2], best[3]
                    for a in range(size):
                        added[c, level, a] = best[4 + a]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _accounts(joint, rows, table, terms, discount, one, two, out):
    """Sum shares into value, margin, bundles, subsidised bundles and added units (``out``)."""
    _, price, funding, gain, _, _, _ = table
    size = len(rows)
    out[3] = terms.visits * joint[-1] * terms.subsidy
    bundles, funded = out[3], 0.0
    for a in range(size):
        out[4 + a] = terms.visits * one[a]
        bundles += terms.visits * one[a]
        funded += funding[rows[a]]
    for a in range(size):
        for b in range(a + 1, size):
            both = terms.visits * two[a, b]
            out[4 + a] += both
            out[4 + b] += both
            bundles += both
    out[2] = bundles
    earned, paid, units = 0.0, 0.0, 0.0
    for a in range(size):
        earned += out[4 + a] * gain[rows[a]]
        paid += out[4 + a] * price[rows[a]]
        units += out[4 + a]
    out[1] = earned + bundles * (funded - discount / terms.net) - terms.offer_cost
    if terms.objective == MARGIN:
        out[0] = out[1]
    elif terms.objective == REVENUE:
        out[0] = (paid - bundles * discount) / terms.net
    else:
        out[0] = units
