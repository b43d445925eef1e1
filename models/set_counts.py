"""Which three and four products are found in the same visits, and how often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..instances.orders import Baskets
from .pair_counts import MAX_BASKET

SIZES = (3, 4)
MOST_SETS = 2_000_000  # of one size that are kept: 64 MB with all that is learned of them


@dataclass(frozen=True, slots=True)
class SetCounts:
    """Sets of one size found together in enough visits, sorted by their products.

    Attributes
    ----------
    products
        (sets, size) product indices, ascending.
    orders
        (sets,) visits that hold all of them.
    least_orders
        every set found in at least this many visits is here, and no other.
    n_left_out
        sets with ``min_orders`` visits but fewer than ``least_orders``: more than could be kept.
    """

    products: NDArray[np.int32]
    orders: NDArray[np.int64]
    least_orders: int
    n_left_out: int

    def __len__(self) -> int:
        return len(self.orders)


def count_sets(
    baskets: Baskets,
    min_orders: int,
    max_size: int,
    *,
    most: int = MOST_SETS,
    max_basket: int = MAX_BASKET,
) -> tuple[SetCounts, ...]:
    """Count the sets of three, and of four where asked for, in at least ``min_orders`` visits.

    Sets are grown from pairs (Agrawal and Srikant 1994: no set is in more visits than a set
    within it). Products are ranked from rare to popular. Of each product i the visits are
    written out once, with only those more popular products that enough of these visits hold
    (as FP-growth projects its data: Han, Pei and Yin 2000); of each such j the visits with both,
    and so on. A product that has too few visits with what came
    before is dropped with all sets that would hold it, so what is counted is little more than
    what is kept. Where more than ``most`` sets of a size have enough visits, those with the
    fewest are left out, and counted.

    Parameters
    ----------
    min_orders
        visits that must hold the whole set, >= 1.
    max_size
        2, 3 or 4.
    max_basket
        visits with more distinct products are left out, as they are of pairs.

    Returns
    -------
    tuple
        counts of three and of four products, as far as ``max_size`` asks for them.
    """
    sizes = np.diff(baskets.start)
    if (sizes > max_basket).any():
        baskets = baskets.select(sizes <= max_basket)
    frequency = np.bincount(baskets.product, minlength=baskets.n_products)
    product_of_rank = np.argsort(frequency, kind="stable").astype(np.int32)
    product_of_rank = product_of_rank[frequency[product_of_rank] >= min_orders]
    rank_of_product = np.full(baskets.n_products, -1, dtype=np.int32)
    rank_of_product[product_of_rank] = np.arange(len(product_of_rank), dtype=np.int32)
    start, rank = _ranked(baskets.start, baskets.product, rank_of_product)
    grown = _grow(start, rank, len(product_of_rank), min_orders, max_size, most)
    found = []
    for size, (members, orders, least, left_out) in zip(SIZES, grown, strict=True):
        if size > max_size:
            continue
        products = np.sort(product_of_rank[members], axis=1)
        order = np.lexsort(products.T[::-1])
        found.append(
            SetCounts(products[order], orders[order].astype(np.int64), int(least), int(left_out))
        )
    return tuple(found)


@njit(cache=True)
def _ranked(start, product, rank_of_product):
    """Visits rewritten as ascending ranks of the products that are frequent enough."""
    new_start = np.zeros(len(start), dtype=np.int64)
    rank = np.empty(len(product), dtype=np.int32)
    used = 0
    for visit in range(len(start) - 1):
        for position in range(start[visit], start[visit + 1]):
            k = rank_of_product[product[position]]
            if k >= 0:
                rank[used] = k
                used += 1
        rank[new_start[visit] : used].sort()
        new_start[visit + 1] = used
    return new_start, rank[:used].copy()


@njit(cache=True)
def _grow(start, rank, n_ranks, min_orders, max_size, most):
    """Of triples, then of sets of four: members as ranks, orders, the least orders kept, and how
    many sets were left out."""
    triples, quads = np.empty((1024, 3), dtype=np.int32), np.empty((1024, 4), dtype=np.int32)
    of_triples, of_quads = np.empty(1024, dtype=np.int32), np.empty(1024, dtype=np.int32)
    state3 = np.array([0, min_orders, 0])  # sets kept, least orders, left out
    state4 = np.array([0, min_orders, 0])
    counter = np.zeros(n_ranks, dtype=np.int32)
    place = np.zeros(n_ranks, dtype=np.int32)
    begin, after, until = _occurrences(start, rank, n_ranks)
    for first in range(n_ranks):
        here = slice(begin[first], begin[first + 1])
        names1, _ = _partners(rank, after[here], until[here], counter, min_orders)
        if len(names1) < 2:
            continue
        start1, rank1 = _projected(rank, after[here], until[here], names1, place)
        begin1, after1, until1 = _occurrences(start1, rank1, len(names1))
        for second in range(len(names1)):
            here1 = slice(begin1[second], begin1[second + 1])
            thirds, times = _partners(rank1, after1[here1], until1[here1], counter, min_orders)
            prefix = np.array([first, names1[second]])
            triples, of_triples = _kept(
                triples, of_triples, state3, most, prefix, names1[thirds], times
            )
            if max_size < 4 or len(thirds) < 2:
                continue
            start2, rank2 = _projected(rank1, after1[here1], until1[here1], thirds, place)
            begin2, after2, until2 = _occurrences(start2, rank2, len(thirds))
            for third in range(len(thirds)):
                here2 = slice(begin2[third], begin2[third + 1])
                fourths, times = _partners(rank2, after2[here2], until2[here2], counter, min_orders)
                longer = np.array([first, names1[second], names1[thirds[third]]])
                quads, of_quads = _kept(
                    quads, of_quads, state4, most, longer, names1[thirds[fourths]], times
                )
    n, m = state3[0], state4[0]
    return (
        (triples[:n].copy(), of_triples[:n].copy(), state3[1], state3[2]),
        (quads[:m].copy(), of_quads[:m].copy(), state4[1], state4[2]),
    )


@njit(cache=True)
def _occurrences(start, rank, n_ranks):
    """Of each rank, the positions that follow it in its visits, and where these visits end."""
    begin = np.zeros(n_ranks + 1, dtype=np.int64)
    for k in rank:
        begin[k + 1] += 1
    begin = np.cumsum(begin)
    free = begin[:-1].copy()
    after = np.empty(len(rank), dtype=np.int64)
    until = np.empty(len(rank), dtype=np.int64)
    for visit in range(len(start) - 1):
        for position in range(start[visit], start[visit + 1]):
            k = rank[position]
            after[free[k]], until[free[k]] = position + 1, start[visit + 1]
            free[k] += 1
    return begin, after, until


@njit(cache=True)
def _partners(rank, after, until, counter, min_orders):
    """Products in at least ``min_orders`` of these stretches of ``rank``, ascending, and in how
    many; ``counter`` is all 0 before and after."""
    total = 0
    for v in range(len(after)):
        total += until[v] - after[v]
    found = np.empty(min(total // min_orders, len(counter)), dtype=np.int32)
    n = 0
    for v in range(len(after)):
        for position in range(after[v], until[v]):
            k = rank[position]
            counter[k] += 1
            if counter[k] == min_orders:
                found[n] = k
                n += 1
    found = np.sort(found[:n])
    times = counter[found]
    for v in range(len(after)):
        for position in range(after[v], until[v]):
            counter[rank[position]] = 0
    return found, times


@njit(cache=True)
def _projected(rank, after, until, names, place):
    """The stretches again with these products only, numbered by their place in ``names``.

    ``place`` is all 0 before and after.
    """
    for n in range(len(names)):
        place[names[n]] = n + 1
    total = 0
    for v in range(len(after)):
        total += until[v] - after[v]
    start = np.zeros(len(after) + 1, dtype=np.int64)
    left = np.empty(total, dtype=np.int32)
    used = 0
    for v in range(len(after)):
        for position in range(after[v], until[v]):
            if place[rank[position]]:
                left[used] = place[rank[position]] - 1
                used += 1
        start[v + 1] = used
    for name in names:
        place[name] = 0
    return start, left[:used]


@njit(cache=True)
def _kept(members, orders, state, most, prefix, last, times):
    """Add sets that end in ``last``; beyond ``most`` sets, raise the least orders."""
    for n in range(len(last)):
        if times[n] < state[1]:
            state[2] += 1
            continue
        if state[0] == len(orders):
            members, orders = _grown(members, orders)
        members[state[0], : len(prefix)] = prefix
        members[state[0], len(prefix)] = last[n]
        orders[state[0]] = times[n]
        state[0] += 1
        if state[0] > most:
            _raise(members, orders, state, most)
    return members, orders


@njit(cache=True)
def _grown(members, orders):
    """Twice the room."""
    more_members = np.empty((2 * len(orders), members.shape[1]), dtype=np.int32)
    more_orders = np.empty(2 * len(orders), dtype=np.int32)
    more_members[: len(orders)], more_orders[: len(orders)] = members, orders
    return more_members, more_orders


@njit(cache=True)
def _raise(members, orders, state, most):
    """Raise the least orders until at most three quarters of what may be kept are left."""
    ranked = np.sort(orders[: state[0]])
    state[1] = ranked[state[0] - (3 * most) // 4] + 1
    kept = 0
    for n in range(state[0]):
        if orders[n] >= state[1]:
            members[kept], orders[kept] = members[n], orders[n]
            kept += 1
    state[2] += state[0] - kept
    state[0] = kept
