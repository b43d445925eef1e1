"""What each customer did, as counts: visits, products bought and viewed, words searched for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ..instances.orders import Orders

Counts = sparse.csr_array
"""Customers by products, or by words."""


@dataclass(frozen=True, slots=True)
class Shoppers:
    """Counts of the customers of some weeks, in the order of their codes.

    Attributes
    ----------
    visits
        (customers,) visits of each; 0 for a customer of other weeks, or with events alone.
    bought
        (customers, products) visits in which a product was bought, bundled lines included.
    viewed
        (customers, products) views, carts, and searches that name a product.
    searcher, query
        (searches,) customer and words of each search.
    """

    visits: NDArray[np.float64]
    bought: Counts
    viewed: Counts
    searcher: NDArray[np.int64]
    query: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.visits)

    @property
    def items(self) -> NDArray[np.float64]:
        """(customers,) products bought, each once a visit."""
        return np.asarray(self.bought.sum(axis=1), dtype=np.float64).ravel()


def shoppers_of(
    orders: Orders, events: pd.DataFrame | None, first_week: int, end_week: int
) -> Shoppers:
    """The customers' counts over the weeks ``first_week`` up to, not including, ``end_week``.

    Visits without a customer are left out.
    """
    n = customer_count(orders, events)
    inside = (orders.week >= first_week) & (orders.week < end_week) & (orders.customer >= 0)
    visits = np.bincount(orders.customer[inside], minlength=n).astype(np.float64)
    visit, product = distinct_purchases(orders)
    kept = inside[visit]
    bought = _counts(orders.customer[visit[kept]], product[kept], (n, orders.n_products))
    none = np.zeros(0, dtype=np.int64)
    if events is None:
        empty = _counts(none, none, bought.shape)
        return Shoppers(visits, bought, empty, none, np.zeros(0, dtype=object))
    week, customer = events["week"].to_numpy(), events["customer"].to_numpy()
    recent = (week >= first_week) & (week < end_week) & (customer >= 0)
    looked = events["product"].to_numpy()
    seen = recent & (looked >= 0)
    words = events["query"].to_numpy(dtype=object)
    asked = recent & (events["kind"].to_numpy(dtype=object) == "search") & (words != "")
    return Shoppers(
        visits=visits,
        bought=bought,
        viewed=_counts(customer[seen], looked[seen], bought.shape),
        searcher=customer[asked].astype(np.int64),
        query=words[asked],
    )


def customer_count(orders: Orders, events: pd.DataFrame | None) -> int:
    """Codes of customers in orders and events."""
    most = int(orders.customer.max(initial=-1))
    if events is not None and len(events):
        most = max(most, int(events["customer"].max()))
    return most + 1


def distinct_purchases(orders: Orders) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Visit and product of every purchase, a product once a visit; sorted by visit."""
    baskets = orders.baskets(bundled=True)
    visit = np.repeat(np.arange(baskets.n_visits), np.diff(baskets.start))
    return visit, baskets.product.astype(np.int64)


def _counts(
    row: NDArray[np.integer], column: NDArray[np.integer], shape: tuple[int, int]
) -> Counts:
    return sparse.csr_array(
        (np.ones(len(row)), (row.astype(np.int64), column.astype(np.int64))), shape=shape
    )
