"""Order lines as a weekly panel: baskets, visits and paid prices by product, week and half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..instances.orders import Orders
from ..instances.paid_prices import PaidPrices, paid_prices
from ..instances.prices import PriceTable

# Paid prices this many times above or below the reference price are another pack or an error
# more often than a price; the response is not read from them, nor carried further than this.
FARTHEST_PRICE = 2.0


@dataclass(frozen=True, slots=True)
class Panel:
    """Weekly purchase incidence with two separate halves of the customers.

    The price of a week is known only where somebody bought, so a price read from the buyers
    themselves tells that they bought. Every learner here therefore takes the purchases of one
    half of the customers with the prices that the *other* half paid.

    A cell is a product and a week in which anybody bought the product, or for which a table states
    its price; cells are sorted by product, then week.

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
        (cells, 2) cents: the price that a table states, the same for both halves; else the mean
        unit price that each half paid on lines that show that of one unit; nan where there is
        none, and where the half took a multi-buy: what drew its week was not the price of one.
        η is read from it.
    mean_paid
        (cells, 2) cents: as ``price``, but a mean of all lines without a bundle or coupon,
        multi-buys included: what was asked of the half's shoppers on the whole. None: ``price``.
    stated
        (cells,) whether a table states the price: it would be known had nobody bought.
    """

    first_week: int
    visits: NDArray[np.float64]
    start: NDArray[np.int64]
    week: NDArray[np.int32]
    baskets: NDArray[np.float64]
    price: NDArray[np.float64]
    mean_paid: NDArray[np.float64] | None = None
    stated: NDArray[np.bool_] | None = None

    @property
    def n_products(self) -> int:
        return len(self.start) - 1

    @property
    def n_weeks(self) -> int:
        return len(self.visits)

    @property
    def met_price(self) -> NDArray[np.float64]:
        """(cells, 2) cents: ``mean_paid``, or ``price`` where the panel has none."""
        return self.price if self.mean_paid is None else self.mean_paid

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
            None if self.mean_paid is None else self.mean_paid[keep],
            None if self.stated is None else self.stated[keep],
        )

    def usual_price(self) -> NDArray[np.float64]:
        """(products,) cents: median over weeks of the price; nan where none is known."""
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


def weekly_panel(
    orders: Orders,
    first_week: int,
    end_week: int,
    *,
    stated: PriceTable | None = None,
    paid: PaidPrices | None = None,
) -> Panel:
    """Count baskets and average prices by product, week and half of the customers.

    Customers fall into halves by the parity of their code; visits of unknown customers by the
    parity of their position.

    Parameters
    ----------
    first_week, end_week
        week numbers: the panel covers ``first_week`` up to, not including, ``end_week``.
    stated
        shelf prices by product and week: they stand in place of prices paid, in weeks in which
        nobody bought too. Rows of other weeks and of unlisted products are left out.
    paid
        what ``paid_prices`` says of the lines, where it is at hand.
    """
    weeks, products = end_week - first_week, orders.n_products
    inside = (orders.week >= first_week) & (orders.week < end_week)
    half = customer_half(orders)
    visits = np.zeros((weeks, 2))
    np.add.at(visits, (orders.week[inside] - first_week, half[inside]), 1.0)
    paid = paid or paid_prices(orders)

    line = np.flatnonzero(inside[orders.visit])
    visit = orders.visit[line].astype(np.int64)
    product = orders.product[line].astype(np.int64)
    key = product * weeks + (orders.week[visit] - first_week)
    told, told_price = _stated_cells(stated, first_week, end_week)
    cells, cell = np.unique(np.concatenate([key, told]), return_inverse=True)
    column = cell[: len(key)] * 2 + half[visit]

    bought = np.unique(visit * products + product, return_index=True)[1]
    baskets = np.bincount(column[bought], minlength=2 * len(cells)).reshape(-1, 2).astype(float)
    price, mean_paid = (
        _mean_price(orders, line, column, which[line], 2 * len(cells))
        for which in (paid.shown, paid.plain)
    )
    price.ravel()[column[paid.plain[line] & ~paid.shown[line]]] = np.nan  # a multi-buy was going
    is_stated = np.zeros(len(cells), dtype=bool)
    for known in (price, mean_paid):
        known[cell[len(key) :]] = told_price[:, None]
    is_stated[cell[len(key) :]] = True

    start = np.searchsorted(cells, np.arange(products + 1) * weeks)
    week = (cells % weeks).astype(np.int32)
    return Panel(first_week, visits, start, week, baskets, price, mean_paid, is_stated)


def _mean_price(
    orders: Orders,
    line: NDArray[np.int64],
    column: NDArray[np.int64],
    counted: NDArray[np.bool_],
    size: int,
) -> NDArray[np.float64]:
    """(cells, 2) money over units of the counted lines; nan where there is none."""
    amount, quantity = (
        np.bincount(column[counted], weights=figure[line][counted], minlength=size)
        for figure in (orders.amount, orders.quantity)
    )
    mean = np.full(size, np.nan)
    np.divide(amount, quantity, out=mean, where=quantity > 0)
    return mean.reshape(-1, 2)


def _stated_cells(
    stated: PriceTable | None, first_week: int, end_week: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(rows,) keys of the product-weeks that a table prices, and the prices in cents."""
    if stated is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    row = (stated.product >= 0) & (stated.week >= first_week) & (stated.week < end_week)
    week = stated.week[row].astype(np.int64) - first_week
    key = stated.product[row].astype(np.int64) * (end_week - first_week) + week
    return key, stated.price[row].astype(np.float64)


def customer_half(orders: Orders) -> NDArray[np.int64]:
    """(visits,) half of the customers, by the parity of their code or of the visit's position."""
    known = orders.customer >= 0
    return np.where(known, orders.customer, np.arange(orders.n_visits)) % 2


def base_prices(reference_price: NDArray[np.int64], panel: Panel) -> NDArray[np.float64]:
    """(products,) cents: the reference price; where there is none, the usual price paid or nan."""
    return np.where(reference_price > 0, reference_price.astype(float), panel.usual_price())
