"""Shelf prices: the prices table, and the reference price of every product."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .cells import money, truths
from .orders import Orders
from .paid_prices import paid_prices
from .tables import read_columns
from .weeks import week_index

MEDIAN_WEEKS = 8
"""Weeks of order lines behind a reference price that no table states."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Shelf prices by product and week, one entry a row of the prices table.

    Attributes
    ----------
    product
        (rows,) index into the catalogue; -1 for a product that the products table lacks.
    week
        (rows,) number of the ISO week.
    price
        (rows,) cents, tax included, > 0.
    promoted
        (rows,) whether the product is promoted in that week.
    """

    product: NDArray[np.int32]
    week: NDArray[np.int32]
    price: NDArray[np.int64]
    promoted: NDArray[np.bool_]


def read_prices(path: Path, product_ids: NDArray[np.object_]) -> tuple[PriceTable, list[str]]:
    """Read a prices table, and what to warn of.

    Errors
    ------
    InputError
        for a file or header that cannot be used, a bad cell, and a product priced twice in a week.
    """
    table, warnings = read_columns(path, ("product_id", "week", "price"), ("promoted",))
    ids, weeks = table.get("product_id"), table.get("week")
    if ids.missing.any():
        raise table.error(int(ids.missing.argmax()), "product_id", "a product id")
    week = weeks.spread(np.array([_week(text) for text in weeks.values], dtype=np.int32), -1)
    if (week < 0).any():
        raise table.error(int((week < 0).argmax()), "week", "an ISO week such as 2018-W01")
    price = money(table.get("price"))
    bad = price.cents <= 0
    if bad.any():
        raise table.error(int(bad.argmax()), "price", "a price above 0 such as 12.50")
    promoted, readable = truths(table.get("promoted"), missing=False)
    if not readable.all():
        raise table.error(int((~readable).argmax()), "promoted", "true or false")
    repeated = pd.DataFrame({"id": ids.codes, "week": week}).duplicated().to_numpy()
    if repeated.any():
        raise table.error(int(repeated.argmax()), "product_id", "one row for a product and week")
    if price.rounded.any():
        warnings.append(
            f"{table.path.name}: {int(price.rounded.sum()):,} prices have a fraction of a cent, "
            "rounded to the nearest cent"
        )
    product = ids.positions(product_ids)
    unknown = int((product < 0).sum())
    if unknown:
        warnings.append(f"{table.path.name}: {unknown:,} rows name products that are not listed")
    return PriceTable(product, week, price.cents, promoted), warnings


def reference_prices(
    list_price: NDArray[np.int64], prices: PriceTable | None, orders: Orders, week: int
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """The shelf price of each product in the planned week, and what tells it.

    The first that is known: the prices table for the week; ``list_price`` (cents, 0 where the
    products table does not say); the median unit price over the last 8 weeks of orders, of list
    amounts, or else of amounts paid on lines that show the price of one unit; lines sold in a
    bundle left out.

    Returns
    -------
    price
        (products,) cents; -1 where nothing tells it.
    source
        (products,) "prices", "list_price", "list median", "paid median" or "".
    """
    price = np.full(len(list_price), -1, dtype=np.int64)
    source = np.full(len(list_price), "", dtype=object)
    recent = ~orders.bundled & (orders.week[orders.visit] > orders.week.max() - MEDIAN_WEEKS)
    for name, amount, usable in (
        ("paid median", orders.amount, recent & paid_prices(orders).shown),
        ("list median", orders.list_amount, recent & (orders.list_amount > 0)),
    ):
        rows = np.flatnonzero(usable)
        unit = pd.Series(amount[rows] / orders.quantity[rows])
        median = unit.groupby(orders.product[rows]).median()
        cents = np.rint(median.to_numpy()).astype(np.int64)
        known = median.index.to_numpy()[cents > 0]
        price[known], source[known] = cents[cents > 0], name
    stated = list_price > 0
    price[stated], source[stated] = list_price[stated], "list_price"
    if prices is not None:
        rows = (prices.week == week) & (prices.product >= 0)
        price[prices.product[rows]] = prices.price[rows]
        source[prices.product[rows]] = "prices"
    return price, source


def promoted_products(prices: PriceTable | None, week: int, n_products: int) -> NDArray[np.bool_]:
    """(products,) whether the prices table promotes the product in the planned week."""
    promoted = np.zeros(n_products, dtype=bool)
    if prices is not None:
        rows = (prices.week == week) & (prices.product >= 0) & prices.promoted
        promoted[prices.product[rows]] = True
    return promoted


def _week(label: str) -> int:
    try:
        return week_index(label.strip())
    except ValueError:
        return -1
