"""Every pair of some thousand products at once, as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .affinity import Affinity
from .pair_counts import PairCounts


@dataclass(frozen=True, slots=True)
class AllPairs:
    """All pairs a < b of n products, by a, then b; n(n − 1)/2 of them.

    Attributes
    ----------
    first, second
        (pairs,) the products.
    orders
        (pairs,) baskets that hold both.
    expected
        (pairs,) E, those expected of independent products.
    lift
        (pairs,) posterior mean of λ.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    orders: NDArray[np.float32]
    expected: NDArray[np.float32]
    lift: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.first)


def all_pairs(affinity: Affinity, seen: PairCounts, n_products: int) -> AllPairs:
    """What ``affinity`` believes of every pair of products."""
    n = n_products
    size = n * (n - 1) // 2
    first, second = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    expected, lift = np.empty(size, dtype=np.float32), np.empty(size, dtype=np.float32)
    orders = np.zeros(size, dtype=np.float32)
    orders[position(seen.first, seen.second, n)] = seen.orders
    for a in range(n - 1):
        b = np.arange(a + 1, n)
        row = slice(int(position(a, a + 1, n)), int(position(a, a + 1, n)) + len(b))
        first[row], second[row] = a, b
        both = np.full(len(b), a)
        own = affinity.expected(both, b)
        expected[row] = own
        lift[row] = affinity.lift(both, b, orders[row].astype(float), own)
    return AllPairs(first, second, orders, expected, lift)


def position(
    first: NDArray[np.integer] | int, second: NDArray[np.integer] | int, n_products: int
) -> NDArray[np.int64]:
    """Where pairs first < second are among all pairs."""
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    return a * (2 * n_products - a - 1) // 2 + b - a - 1


def dense(values: NDArray[np.float32], pairs: AllPairs, n_products: int) -> NDArray[np.float32]:
    """(products, products) symmetric, 0 on the diagonal."""
    out = np.zeros((n_products, n_products), dtype=np.float32)
    out[pairs.first, pairs.second] = values
    out[pairs.second, pairs.first] = values
    return out
