"""Weeks of baskets, and pairs seen in early weeks and then in later ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..instances.orders import Baskets
from .category_lift import joint_orders_at_once

_DRAWN = 1_000  # products whose pairs are foretold


@dataclass(frozen=True, slots=True)
class Window:
    """Baskets of some weeks.

    Attributes
    ----------
    members
        (visits, products) 1 where the visit holds the product.
    customer
        (visits,) codes, -1 where unknown.
    visits, counts
        (weeks,) visits, and (products, weeks) those that hold the product.
    """

    baskets: Baskets
    members: csr_array
    customer: NDArray[np.int64]
    visits: NDArray[np.float64]
    counts: NDArray[np.float32]

    def purchases(self) -> csr_array:
        """(shoppers, products) visits; a visit of an unknown customer is a shopper of its own."""
        n = self.baskets.n_visits
        alone = np.arange(n) + self.customer.max(initial=-1) + 1
        shopper = np.unique(np.where(self.customer >= 0, self.customer, alone), return_inverse=True)
        made = csr_array(
            (np.ones(n, dtype=np.float32), (shopper[1], np.arange(n))),
            shape=(len(shopper[0]), n),
        )
        return csr_array(made @ self.members)


@dataclass(frozen=True, slots=True)
class LaterPairs:
    """Pairs seen in earlier weeks and in later ones; arrays have shape (pairs,).

    Attributes
    ----------
    a, b
        products.
    times
        pairs that each stands for, where products were drawn.
    orders, expected
        joint orders of the earlier weeks, and E.
    later_orders, later_expected
        the same of the later weeks, E at their own rates.
    at_once
        how many joint orders come together, and are worth one observation.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    times: NDArray[np.float64]
    orders: NDArray[np.float64]
    expected: NDArray[np.float64]
    later_orders: NDArray[np.float64]
    later_expected: NDArray[np.float64]
    at_once: float

    def sold(self) -> LaterPairs:
        """Those of which both products were bought later: the others say nothing of λ."""
        kept = self.later_expected > 0
        arrays = {name: getattr(self, name)[kept] for name in self.__slots__ if name != "at_once"}
        return LaterPairs(**arrays, at_once=self.at_once)


def window_of(
    baskets: Baskets, customer: NDArray[np.integer], first_week: int, end_week: int
) -> Window:
    inside = (baskets.week >= first_week) & (baskets.week < end_week)
    baskets = baskets.select(inside)
    n_weeks = end_week - first_week
    week = (baskets.week - first_week).astype(np.int64)
    key = baskets.product.astype(np.int64) * n_weeks + np.repeat(week, np.diff(baskets.start))
    counts = np.bincount(key, minlength=baskets.n_products * n_weeks)
    return Window(
        baskets,
        csr_array(
            (np.ones(len(baskets.product), dtype=np.float32), baskets.product, baskets.start),
            shape=(baskets.n_visits, baskets.n_products),
        ),
        customer[inside].astype(np.int64),
        np.bincount(week, minlength=n_weeks).astype(float),
        counts.reshape(-1, n_weeks).astype(np.float32),
    )


def later_pairs(early: Window, late: Window, half_life: float) -> LaterPairs:
    """All pairs of products drawn with a chance that grows with the root of their purchases."""
    drawn, times = _drawn_products(early.counts)
    upper = np.triu_indices(len(drawn), 1)

    def of(window: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rates = smoothed_rates(window.counts[drawn], window.visits, half_life).astype(float)
        return joint_orders(window, drawn)[upper], ((rates * window.visits) @ rates.T)[upper]

    orders, expected = of(early)
    later_orders, later_expected = of(late)
    return LaterPairs(
        drawn[upper[0]],
        drawn[upper[1]],
        times[upper[0]] * times[upper[1]],
        orders,
        expected,
        later_orders,
        later_expected,
        joint_orders_at_once(late.baskets),
    )


def _drawn_products(
    counts: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Products by systematic sampling, and how many products each stands for.

    The chance to be drawn is in proportion to the root of a product's purchases, at most 1.
    """
    total = counts.sum(axis=1, dtype=float)
    ranked = np.argsort(-total, kind="stable")
    ranked = ranked[total[ranked] > 0]
    size = np.sqrt(total[ranked])
    if len(ranked) <= _DRAWN:
        return np.sort(ranked), np.ones(len(ranked))
    certain = np.arange(_DRAWN)  # if so many of the most bought are taken for sure
    scale = (_DRAWN - certain) / np.cumsum(size[::-1])[::-1][:_DRAWN]
    scale = scale[np.argmax(scale * size[:_DRAWN] <= 1)]
    chance = np.minimum(scale * size, 1.0)
    at = np.flatnonzero(np.diff(np.floor(np.cumsum(chance) + 0.5), prepend=0.0))
    by_product = np.argsort(ranked[at])
    return ranked[at][by_product], 1 / chance[at][by_product]


def joint_orders(window: Window, products: NDArray[np.int64]) -> NDArray[np.float64]:
    """(products, products) visits of the window that hold both, of these products."""
    part = window.members[:, products]
    return np.asarray((part.T @ part).todense(), dtype=float)


def smoothed_rates(
    counts: NDArray[np.float32], visits: NDArray[np.float64], half_life: float
) -> NDArray[np.float32]:
    """(products, weeks) rate around each week, weeks weighted by their distance."""
    weeks = np.arange(len(visits))
    kernel = 0.5 ** (np.abs(weeks[:, None] - weeks[None, :]) / half_life)
    around = np.maximum(visits @ kernel, 1e-30)  # far from any visit; still above 0 in float32
    return (counts @ kernel.astype(np.float32)) / around.astype(np.float32)
