"""One split of an order history: what is learned before it, for everything scored after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.orders import Baskets, Orders
from .affinity import Affinity, fit_affinity
from .all_pairs import AllPairs, all_pairs
from .demand import Demand, fit_demand
from .history import most_bought, only_products, orders_before
from .pair_counts import PairCounts, count_pairs
from .panel import Panel, weekly_panel
from .product_features import ProductFeatures
from .score_demand import SCORED_HALF

TOP_PRODUCTS = 4_000
TEST_WEEKS = 13
LEAST_WEEKS = 8  # with fewer, a quarter held out leaves too little to learn from


@dataclass(frozen=True)
class HeldOut:
    """The most bought products of the training weeks, and what is learned of them there.

    Everything learned is made when first asked for, once, from the weeks before ``split_week``.

    Attributes
    ----------
    orders
        lines of the scored products, most bought first; every visit.
    features
        of the scored products.
    first_week, split_week, end_week
        learned from the first to before the split, scored from there to before the end.
    instance
        where the orders come from; None where there is no scenario.
    scored
        (products,) catalogue index of the scored products.
    """

    orders: Orders
    features: ProductFeatures
    first_week: int
    split_week: int
    end_week: int
    instance: Instance | None
    scored: NDArray[np.int64]

    @property
    def weeks(self) -> tuple[int, int, int]:
        """first, split and end, as the scores take them."""
        return self.first_week, self.split_week, self.end_week

    @cached_property
    def baskets(self) -> Baskets:
        return self.orders.baskets()

    @cached_property
    def train(self) -> Baskets:
        """Baskets to learn from."""
        return self.baskets.select(self.baskets.week < self.split_week)

    @cached_property
    def test(self) -> Baskets:
        """Baskets to score on."""
        return self.baskets.select(self.baskets.week >= self.split_week)

    @cached_property
    def events(self) -> pd.DataFrame | None:
        """The events of the instance, with ``product`` as position among the scored ones, or -1."""
        events = None if self.instance is None else self.instance.events
        if events is None or self.instance is None:
            return None
        position = np.full(len(self.instance.catalogue) + 1, -1, dtype=np.int64)
        position[self.scored] = np.arange(len(self.scored))
        return events.assign(product=position[events["product"].to_numpy()])  # -1 stays -1

    @cached_property
    def panel(self) -> Panel:
        """The weekly panel of all weeks; ``panel.before`` gives what was known in a week."""
        return weekly_panel(self.orders, self.first_week, self.end_week)

    @cached_property
    def base_price(self) -> NDArray[np.float64]:
        """(products,) cents: the usual price of the training weeks."""
        return self.panel.before(self.split_week - self.first_week).usual_price()

    @cached_property
    def demand(self) -> Demand:
        """Learned for the scored half of the customers, a week ahead of the split."""
        features = self.features
        return fit_demand(
            self.panel.before(self.split_week - self.first_week),
            self.base_price,
            features.category,
            features.n_categories,
            horizon=1,
            half=SCORED_HALF,
        )

    @cached_property
    def known_features(self) -> ProductFeatures:
        """The features with the usual prices of the training weeks."""
        return replace(self.features, price=self.base_price)

    @cached_property
    def affinity(self) -> Affinity:
        known, first, split = self.known_features, self.first_week, self.split_week
        return fit_affinity(self.train, known, first, split, self.train_customer)

    @property
    def train_customer(self) -> NDArray[np.int32]:
        """(training baskets,) customer codes, -1 where unknown."""
        return self.orders.customer[self.orders.week < self.split_week]

    @cached_property
    def pairs(self) -> AllPairs:
        """What is believed of every pair."""
        return all_pairs(self.affinity, self.seen, self.orders.n_products)

    @cached_property
    def seen(self) -> PairCounts:
        """Every pair found together before the split."""
        return count_pairs(self.train, 1, max_basket=self.orders.n_products)

    @cached_property
    def seen_later(self) -> PairCounts:
        """Every pair found together from the split on."""
        return count_pairs(self.test, 1, max_basket=self.orders.n_products)


def split_history(
    orders: Orders,
    features: ProductFeatures,
    first_week: int,
    end_week: int,
    instance: Instance | None = None,
) -> HeldOut | str:
    """Hold out the last weeks: 13, or a quarter of what there is; or why that cannot be done."""
    weeks = end_week - first_week
    if weeks < LEAST_WEEKS:
        return f"{weeks} weeks of orders; held-out scores need {LEAST_WEEKS}"
    split = end_week - min(TEST_WEEKS, weeks // 4)
    if not (orders.week[orders.visit] >= split).any():
        return "nothing was bought in the held-out weeks"
    held_out = hold_out(orders, features, (first_week, split, end_week), instance)
    if len(held_out.scored) < 2:
        return "fewer than two products were bought before the held-out weeks"
    return held_out


def hold_out(
    orders: Orders,
    features: ProductFeatures,
    weeks: tuple[int, int, int],
    instance: Instance | None = None,
) -> HeldOut:
    """The split at given weeks: first (that of the orders), split, end."""
    orders = orders_before(orders, weeks[2])
    products = most_bought(orders, *weeks[:2], TOP_PRODUCTS)
    return HeldOut(
        only_products(orders, products), features.take(products), *weeks, instance, products
    )
