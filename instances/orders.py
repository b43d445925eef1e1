"""Clean order lines, held by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Orders:
    """Order lines that passed cleaning, sorted by visit, from before the planned week.

    Attributes
    ----------
    visit
        (lines,) index of the visit (order) each line belongs to, ascending from 0.
    product
        (lines,) index into the catalogue.
    quantity
        (lines,) units, > 0.
    amount
        (lines,) cents received for the line after every discount, tax included.
    list_amount
        (lines,) cents before discounts; -1 where the file does not say.
    bundled
        (lines,) whether the line was sold inside a bundle.
    week
        (visits,) number of the ISO week (``weeks.week_index``).
    customer
        (visits,) code of the customer, -1 where unknown. Codes, never ids.
    store
        (visits,) code of the store, -1 where unknown.
    n_products
        size of the catalogue.
    coupon
        (lines,) whether a personal coupon took money off the line; None: of no line.
    """

    visit: NDArray[np.int32]
    product: NDArray[np.int32]
    quantity: NDArray[np.float64]
    amount: NDArray[np.int64]
    list_amount: NDArray[np.int64]
    bundled: NDArray[np.bool_]
    week: NDArray[np.int32]
    customer: NDArray[np.int32]
    store: NDArray[np.int32]
    n_products: int
    coupon: NDArray[np.bool_] | None = None

    @property
    def n_lines(self) -> int:
        return len(self.visit)

    @property
    def n_visits(self) -> int:
        return len(self.week)

    def baskets(self, *, bundled: bool = False) -> Baskets:
        """The set of products of each visit; bundled lines are left out unless asked for."""
        keep = slice(None) if bundled else ~self.bundled
        visit, product = self.visit[keep].astype(np.int64), self.product[keep]
        key = np.sort(visit * self.n_products + product)  # np.unique would hash: much slower
        key = key[np.diff(key, prepend=-1) > 0]
        counts = np.bincount(key // self.n_products, minlength=self.n_visits)
        start = np.zeros(self.n_visits + 1, dtype=np.int64)
        np.cumsum(counts, out=start[1:])
        return Baskets(start, (key % self.n_products).astype(np.int32), self.week, self.n_products)


@dataclass(frozen=True, slots=True)
class Baskets:
    """Sets of products by visit, in compressed rows.

    Attributes
    ----------
    start
        (visits + 1,) visit v holds ``product[start[v]:start[v + 1]]``.
    product
        (entries,) product indices, ascending and without repeats within a visit.
    week
        (visits,) week number.
    n_products
        size of the catalogue.
    """

    start: NDArray[np.int64]
    product: NDArray[np.int32]
    week: NDArray[np.int32]
    n_products: int

    @property
    def n_visits(self) -> int:
        return len(self.start) - 1

    def select(self, visits: NDArray[np.bool_]) -> Baskets:
        """The baskets of the visits marked true, in order."""
        sizes = np.diff(self.start)
        start = np.zeros(int(visits.sum()) + 1, dtype=np.int64)
        np.cumsum(sizes[visits], out=start[1:])
        return Baskets(
            start, self.product[np.repeat(visits, sizes)], self.week[visits], self.n_products
        )
