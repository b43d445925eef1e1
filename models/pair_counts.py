"""Which products are found in the same visits, and how often, without a dense matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from ..instances.orders import Baskets

MAX_BASKET = 500  # a visit with more products than this says little about any one pair of them
_BLOCK_PAIRS = 4_000_000  # pairs that may be held at once before compaction (48 MB)


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Pairs of products found together in enough visits, sorted by (first, second).

    Attributes
    ----------
    first, second
        (pairs,) product indices, first < second.
    orders
        (pairs,) visits that hold both.
    n_visits
        visits that were counted.
    n_oversized
        visits with more than ``max_basket`` products, which were left out whole.
    max_basket
        that limit.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    orders: NDArray[np.int64]
    n_visits: int
    n_oversized: int
    max_basket: int

    def __len__(self) -> int:
        return len(self.first)


def count_pairs(baskets: Baskets, min_orders: int, *, max_basket: int = MAX_BASKET) -> PairCounts:
    """Count the pairs of products found together in at least ``min_orders`` visits.

    A product in fewer visits than that is dropped first. The others are ranked from rare to
    popular, and each is counted against the more popular ones through an inverted index, in one
    row of counters per thread: a popular product has many visits but few partners left, so the
    rows cost about the same. Memory is a few integers per line, a row of counters per thread, the
    result, and one block of rows whose pairs are not compacted yet.

    Parameters
    ----------
    min_orders
        visits that must hold both, >= 1.
    max_basket
        visits with more distinct products are left out, and counted in ``n_oversized``: their
        pairs grow with the square of their size, and they are stocking-up or wholesale.
    """
    if min_orders < 1:
        raise ValueError(f"min_orders is {min_orders}; expected at least 1")
    sizes = np.diff(baskets.start)
    oversized = sizes > max_basket
    n_oversized = int(oversized.sum())
    if n_oversized:
        baskets = baskets.select(~oversized)
    frequency = np.bincount(baskets.product, minlength=baskets.n_products)
    product_of_rank = np.argsort(frequency, kind="stable").astype(np.int32)
    product_of_rank = product_of_rank[frequency[product_of_rank] >= min_orders]
    rank_of_product = np.full(baskets.n_products, -1, dtype=np.int32)
    rank_of_product[product_of_rank] = np.arange(len(product_of_rank), dtype=np.int32)

    index = _rank_index(baskets.start, baskets.product, rank_of_product, len(product_of_rank))
    low, high, orders = _count_ranks(*index, min_orders)
    a, b = product_of_rank[low], product_of_rank[high]
    key = np.minimum(a, b).astype(np.int64) * baskets.n_products + np.maximum(a, b)
    order = np.argsort(key)
    first, second = np.divmod(key[order], max(baskets.n_products, 1))
    return PairCounts(
        first=first.astype(np.int32),
        second=second.astype(np.int32),
        orders=orders[order].astype(np.int64),
        n_visits=baskets.n_visits,
        n_oversized=n_oversized,
        max_basket=max_basket,
    )


def _count_ranks(
    row_start: NDArray[np.int64],
    entry: NDArray[np.int64],
    entry_end: NDArray[np.int64],
    rank: NDArray[np.int32],
    min_orders: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Count all rows, a block of rows at a time so that the buffers stay bounded."""
    n_ranks = len(row_start) - 1
    work = np.add.reduceat(np.append(entry_end[entry] - entry - 1, 0), row_start[:-1])
    room = np.minimum(work // min_orders, n_ranks - 1 - np.arange(n_ranks))
    used = np.zeros(n_ranks, dtype=np.int64)
    parts: list[tuple[NDArray[np.int32], ...]] = []
    counters = np.zeros((get_num_threads(), n_ranks), dtype=np.int32)
    row = 0
    while row < n_ranks:
        total = np.cumsum(room[row:])
        n_rows = max(int(np.searchsorted(total, _BLOCK_PAIRS, side="right")), 1)
        offset = total[:n_rows] - room[row : row + n_rows]
        partner = np.empty(int(total[n_rows - 1]), dtype=np.int32)
        orders = np.empty_like(partner)
        _count_block(
            row, offset, row_start, entry, entry_end, rank, min_orders,
            work, counters, partner, orders, used,
        )  # fmt: skip
        found = used[row : row + n_rows]
        # positions of the filled part of every row's stretch of the buffers
        within = np.arange(int(found.sum())) - np.repeat(np.cumsum(found) - found, found)
        filled = within + np.repeat(offset, found)
        low = np.repeat(np.arange(row, row + n_rows, dtype=np.int32), found)
        parts.append((low, partner[filled], orders[filled]))
        row += n_rows
    if not parts:
        empty = np.empty(0, dtype=np.int32)
        return empty, empty, empty
    low, high, orders = (np.concatenate(column) for column in zip(*parts, strict=True))
    return low, high, orders


@njit(cache=True)
def _rank_index(start, product, rank_of_product, n_ranks):
    """Baskets rewritten as ascending ranks, and for each rank where its entries are.

    Returns
    -------
    row_start
        (ranks + 1,) rank k has the entries ``entry[row_start[k]:row_start[k + 1]]``.
    entry
        (entries,) positions in ``rank``; the more popular products of the same visit follow.
    entry_end
        (entries,) position in ``rank`` where the visit of each position ends.
    rank
        (entries,) ranks by visit, ascending within a visit.
    """
    n_visits = len(start) - 1
    row_start = np.zeros(n_ranks + 1, dtype=np.int64)
    fill = np.zeros(n_visits, dtype=np.int64)
    n_entries = 0
    for visit in range(n_visits):
        fill[visit] = n_entries
        for position in range(start[visit], start[visit + 1]):
            k = rank_of_product[product[position]]
            if k >= 0:
                row_start[k + 1] += 1
                n_entries += 1
    row_start = np.cumsum(row_start)
    visit_of = np.empty(n_entries, dtype=np.int32)
    next_free = row_start[:-1].copy()
    entry_end = np.empty(n_entries, dtype=np.int64)
    for visit in range(n_visits):
        end = fill[visit + 1] if visit + 1 < n_visits else n_entries
        entry_end[fill[visit] : end] = end
        for position in range(start[visit], start[visit + 1]):
            k = rank_of_product[product[position]]
            if k >= 0:
                visit_of[next_free[k]] = visit
                next_free[k] += 1
    entry = np.empty(n_entries, dtype=np.int64)
    rank = np.empty(n_entries, dtype=np.int32)
    for k in range(n_ranks):
        for slot in range(row_start[k], row_start[k + 1]):
            position = fill[visit_of[slot]]
            fill[visit_of[slot]] += 1
            entry[slot] = position
            rank[position] = k
    return row_start, entry, entry_end, rank


@njit(cache=True, parallel=True)
def _count_block(
    first_row, offset, row_start, entry, entry_end, rank, min_orders,
    work, counters, partner, orders, used,
):  # fmt: skip
    """Count the rows of a block; thread t takes every n-th row, with its own counters."""
    n_threads, n_ranks = counters.shape
    for thread in prange(n_threads):
        counter = counters[thread]
        for i in range(thread, len(offset), n_threads):
            row = first_row + i
            base = offset[i]
            found = 0
            for slot in range(row_start[row], row_start[row + 1]):
                for position in range(entry[slot] + 1, entry_end[entry[slot]]):
                    other = rank[position]
                    counter[other] += 1
                    if counter[other] == min_orders:
                        partner[base + found] = other
                        found += 1
            for k in range(found):
                orders[base + k] = counter[partner[base + k]]
            used[row] = found
            # back to zero: the whole row at once, or only what was touched, whichever is less
            if 8 * work[row] > n_ranks - row:
                counter[row:] = 0
            else:
                for slot in range(row_start[row], row_start[row + 1]):
                    for position in range(entry[slot] + 1, entry_end[entry[slot]]):
                        counter[rank[position]] = 0
