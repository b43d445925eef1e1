"""Which order lines show what one unit cost in their week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .orders import Orders

ROUNDING = 1.0
"""Cents by which a unit's price may differ because lines are booked in whole cents."""


@dataclass(frozen=True, slots=True)
class PaidPrices:
    """Lines by what their amount says of the price of one unit.

    Attributes
    ----------
    shown
        (lines,) whether amount over quantity is a price that one unit was sold at.
    plain
        (lines,) lines without a bundle or a coupon: those shown and the multi-buys.
    kept_out
        cause -> lines of which it is not; a line counts with the first cause that applies.
    """

    shown: NDArray[np.bool_]
    plain: NDArray[np.bool_]
    kept_out: dict[str, int]


def paid_prices(orders: Orders) -> PaidPrices:
    """Keep out lines sold in a bundle, with a personal coupon, or as a multi-buy.

    A multi-buy, such as three for the price of two, is a line of several units that cost less
    each than the product's lines of one unit do: than the median of its week. Where nobody bought
    one unit alone nothing tells a multi-buy from a price cut, and the line stays.
    """
    coupon = orders.coupon if orders.coupon is not None else np.zeros(orders.n_lines, dtype=bool)
    plain = ~orders.bundled & ~coupon
    multi = np.zeros(orders.n_lines, dtype=bool)
    several = np.flatnonzero(plain & (orders.quantity > 1))
    if len(several):
        week = orders.week.astype(np.int64) - orders.week.min()
        key = orders.product * (week.max() + 1) + week[orders.visit]
        single = np.flatnonzero(plain & (orders.quantity == 1) & np.isin(key, key[several]))
        price_of_one = pd.Series(orders.amount[single]).groupby(key[single]).median()
        alone = price_of_one.reindex(key[several]).to_numpy()  # nan where none was sold alone
        each = orders.amount[several] / orders.quantity[several]
        multi[several] = each < alone - ROUNDING
    kept_out = {
        "bundle": int(orders.bundled.sum()),
        "coupon": int((coupon & ~orders.bundled).sum()),
        "multi-buy": int(multi.sum()),
    }
    return PaidPrices(plain & ~multi, plain, kept_out)
