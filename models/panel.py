"""Order lines as a weekly panel: baskets, visits and paid prices by product, week and half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..instances.orders import Orders

# Paid prices this many times above or below the reference price are another pack or an error
# more often than a price; the response is not read from them, nor carried further than this.
FARTHEST_PRICE = 2.0


@dataclass(frozen=True, slots=True)
class Panel:
    """Weekly purchase incidence with two separate halves of the customers.

    The price of a week is known only where somebody bought, so a price read from the buyers
    themselves tells that they bought. Every learner here therefore takes the purchases of one
    half of the customers with the prices that the *other* half paid.

    A cell is a product and a week in which anybody bought the product; cells are sorted by
    product, then week.

    Attributes
    ----------
    first_week
        number of the week at position 0.
    visits
        (weeks, 2) visits of each half.
    start
        (products + 1,) product x has the cells ``start[x]:start[x + 1]``.
    week
        (cells,) position of the week.
    baskets
        (cells, 2) visits of each half that bought the product, bundled lines included.
    price
        (cells, 2) cents: mean unit price paid by each half outside bundles; nan where it
        bought none.
    """

    first_week: int
    visits: NDArray[np.float64]
    start: NDArray[np.int64]
    week: NDArray[np.int32]
    baskets: NDArray[np.float64]
    price: NDArray[np.float64]

    @property
    def n_products(self) -> int:
        return len(self.start) - 1

    @property
    def n_weeks(self) -> int:
        return len(self.visits)

    @property
    def product(self) -> NDArray[np.int64]:
        """(cells,) product of each cell."""
        return np.repeat(np.arange(self.n_products), np.diff(self.start))

    def totals(self, of_cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """(products,) sums of a figure over each product's cells."""
        totals = np.bincount(self.product, weights=of_cells, minlength=self.n_products)
        return totals.astype(np.float64)

    def before(self, weeks: int) -> Panel:
        """The first ``weeks`` weeks only."""
        keep = self.week < weeks
        start = np.zeros_like(self.start)
        np.cumsum(np.bincount(self.product[keep], minlength=self.n_products), out=start[1:])
        return Panel(
            self.first_week,
            self.visits[:weeks],
            start,
            self.week[keep],
            self.baskets[keep],
            self.price[keep],
        )

    def usual_price(self) -> NDArray[np.float64]:
        """(products,) cents: median over weeks of the price paid; nan where none was."""
        halves = np.isfinite(self.price).sum(axis=1)
        known = halves > 0
        paid = np.nansum(self.price, axis=1) / np.maximum(halves, 1)
        product = self.product
        order = np.lexsort((paid[known], product[known]))
        paid, product = paid[known][order], product[known][order]
        counts = np.bincount(product, minlength=self.n_products)
        first = np.cumsum(counts) - counts
        median = np.full(self.n_products, np.nan)
        some = counts > 0
        low, high = first[some] + (counts[some] - 1) // 2, first[some] + counts[some] // 2
        median[some] = (paid[low] + paid[high]) / 2
        return median


def weekly_panel(orders: Orders, first_week: int, end_week: int) -> Panel:
    """Count baskets and average paid prices by product, week and half of the customers.

    Customers fall into halves by the parity of their code; visits of unknown customers by the
    parity of their position.

    Parameters
    ----------
    first_week, end_week
        week numbers: the panel covers ``first_week`` up to, not including, ``end_week``.
    """
    weeks, products = end_week - first_week, orders.n_products
    inside = (orders.week >= first_week) & (orders.week < end_week)
    half = customer_half(orders)
    visits = np.zeros((weeks, 2))
    np.add.at(visits, (orders.week[inside] - first_week, half[inside]), 1.0)

    line = np.flatnonzero(inside[orders.visit])
    visit = orders.visit[line].astype(np.int64)
    product = orders.product[line].astype(np.int64)
    key = product * weeks + (orders.week[visit] - first_week)
    cells, cell = np.unique(key, return_inverse=True)
    column = cell * 2 + half[visit]

    bought = np.unique(visit * products + product, return_index=True)[1]
    baskets = np.bincount(column[bought], minlength=2 * len(cells)).reshape(-1, 2).astype(float)
    priced = ~orders.bundled[line]
    amount, quantity = (
        np.bincount(column[priced], weights=figure[line][priced], minlength=2 * len(cells))
        for figure in (orders.amount, orders.quantity)
    )
    price = np.full(2 * len(cells), np.nan)
    np.divide(amount, quantity, out=price, where=quantity > 0)

    start = np.searchsorted(cells, np.arange(products + 1) * weeks)
    return Panel(
        first_week, visits, start, (cells % weeks).astype(np.int32), baskets, price.reshape(-1, 2)
    )


def customer_half(orders: Orders) -> NDArray[np.int64]:
    """(visits,) half of the customers, by the parity of their code or of the visit's position."""
    known = orders.customer >= 0
    return np.where(known, orders.customer, np.arange(orders.n_visits)) % 2


def base_prices(reference_price: NDArray[np.int64], panel: Panel) -> NDArray[np.float64]:
    """(products,) cents: the reference price; where there is none, the usual price paid or nan."""
    return np.where(reference_price > 0, reference_price.astype(float), panel.usual_price())
