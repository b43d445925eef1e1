"""What the data support: how deep price cuts went, and how many units a basket holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..instances.orders import Orders
from ..instances.paid_prices import PaidPrices, paid_prices
from .panel import FARTHEST_PRICE

# Of a product's baskets lie at or beyond its deepest supported cut. At 0.05 the cuts of products
# that are seldom promoted support nothing, however many baskets they sold: plans at simulated shops
# then lose up to a quarter (benchmarks.clairvoyant); 0.01 and 0.02 are alike there.
_DEEP_SHARE = 0.01
_DEEP_BASKETS = 10  # and never fewer than this many


def deepest_cuts(
    orders: Orders,
    base_price: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
    paid: PaidPrices | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Largest relative price cut that enough baskets support.

    The cut that 1 % of the product's order lines, and at least ten, lie at or beyond. Where a
    product has fewer than twenty lines its category's is taken, and of a category with fewer
    that of all products. A line with a list price below the base price, before a lasting rise,
    is cut against that: the old shelf price was no cut. Lines in bundles, with coupons or of
    multi-buys show no price of one unit, and nothing of the response is read from prices beyond
    ``FARTHEST_PRICE``, so these support no cut.

    Parameters
    ----------
    paid
        what ``paid_prices`` says of the lines, where it is at hand.

    Returns
    -------
    deepest_cut
        (products,) share of the base price, >= 0.
    own
        (products,) whether it comes from the product's own lines.
    """
    base = base_price[orders.product]
    listed = np.where(orders.list_amount > 0, orders.list_amount / orders.quantity, np.inf)
    ratio = orders.amount / orders.quantity / np.where(base > 0, np.minimum(base, listed), np.nan)
    usable = (
        (paid or paid_prices(orders)).shown
        & (ratio <= FARTHEST_PRICE)
        & (ratio >= 1 / FARTHEST_PRICE)
    )
    product = orders.product[usable]
    cut = np.maximum(1.0 - ratio[usable], 0.0)
    overall, _ = _deep(cut, np.zeros(len(cut), dtype=np.int64), 1)
    of_category, known = _deep(cut, category[product], n_categories)
    of_category = np.where(known, of_category, overall[0])
    of_product, own = _deep(cut, product, orders.n_products)
    return np.where(own, of_product, of_category[category]), own


def usual_quantities(
    orders: Orders, category: NDArray[np.int32], n_categories: int
) -> NDArray[np.float64]:
    """(products,) mean units of a basket that holds the product; its category's where none does."""
    key = orders.visit.astype(np.int64) * orders.n_products + orders.product
    first = np.unique(key, return_index=True)[1]
    baskets = np.bincount(orders.product[first], minlength=orders.n_products).astype(float)
    units = np.bincount(orders.product, orders.quantity, minlength=orders.n_products)
    category_units = np.bincount(category, units, minlength=n_categories)
    category_baskets = np.bincount(category, baskets, minlength=n_categories)
    overall = units.sum() / baskets.sum() if baskets.sum() else 1.0
    of_category = np.where(
        category_baskets > 0, category_units / np.maximum(category_baskets, 1.0), overall
    )
    return np.where(baskets > 0, units / np.maximum(baskets, 1.0), of_category[category])


def _deep(
    cut: NDArray[np.float64], group: NDArray[np.integer], n_groups: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(groups,) the deep quantile of each group's cuts, and whether the group has enough."""
    # A cut is below 1, so this sorts by group, then from the deepest cut to the shallowest.
    ranked = np.sort(2.0 * group + (1.0 - cut))
    counts = np.bincount(group, minlength=n_groups)
    first = np.cumsum(counts) - counts
    rank = np.maximum(np.ceil(_DEEP_SHARE * counts).astype(np.int64), _DEEP_BASKETS)
    enough = counts >= 2 * _DEEP_BASKETS
    at = (first + rank - 1)[enough]
    deep = np.zeros(n_groups)
    deep[enough] = np.maximum(2.0 * np.flatnonzero(enough) + 1.0 - ranked[at], 0.0)
    return deep, enough
