"""What share of visits each group of shoppers of a bundle makes up, in expectation over η.

The rows of the table of design section 2, for any bundle and any money off: who buys all of it
anyway, who adds one product to the others, who adds two. They are the sums that the scoring
kernels (``scoring_kernel``, ``set_kernel``) take, kept apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from ..models.product_sets import set_table
from .offers import Offers
from .posterior import NODES
from .scoring_kernel import product_table
from .segment_views import segment_views
from .set_kernel import expected_set_shares
from .shares import expected_shares

Bundle = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GroupShares:
    """The groups of a bundle; those who buy all of it anyway come first.

    Attributes
    ----------
    buys, adds
        products that each group buys anyway, and that it adds, ascending catalogue indices.
    share
        (discounts, groups) of the visits that see the offer.
    """

    buys: tuple[Bundle, ...]
    adds: tuple[Bundle, ...]
    share: NDArray[np.float64]


class GroupsOf:
    """The groups of shoppers of bundles under the beliefs of one shop, or of one segment."""

    def __init__(self, instance: Instance, beliefs: Beliefs, products: NDArray[np.int64]) -> None:
        self.beliefs = beliefs
        self._table = product_table(instance, beliefs, NODES, products)

    def shares(self, bundle: Bundle, discount: NDArray[np.float64], *, capped: bool) -> GroupShares:
        """The groups at some discounts.

        Parameters
        ----------
        bundle
            ascending catalogue indices.
        discount
            (n,) cents off, D >= 0.
        capped
            whether response is credited up to the deepest cut only: b = min(D, deepest_cut·r).
        """
        held = list(bundle)
        price = self._table.price[held]
        reach = np.minimum(price, self._table.reach[held]) if capped else price
        rate, weight = self._table.rate[held], self._table.weight[held]
        adds = [*combinations(bundle, 1), *combinations(bundle, 2)]
        if len(bundle) == 2:
            facts = self.beliefs.pairs_of(*(np.array([product]) for product in bundle))
            found = expected_shares(
                self._table.probability[held], float(facts["odds_ratio"][0]), rate, weight,
                reach, discount,
            )  # fmt: skip
            share = found[:, [0, 2, 1, 3]]  # who adds the first stands before who adds the second
        else:
            table = set_table(self.beliefs, np.array([bundle], dtype=np.int32))[0]
            one, two = expected_set_shares(table, rate, weight, reach, discount)
            anyway = np.full((len(discount), 1), table[-1])
            upper = np.triu_indices(len(bundle), 1)
            share = np.hstack([anyway, one, two[:, upper[0], upper[1]]])
        return GroupShares(
            buys=(bundle, *(tuple(p for p in bundle if p not in added) for added in adds)),
            adds=((), *adds),
            share=share,
        )


@dataclass(frozen=True, slots=True)
class Audience:
    """Shoppers that offers are scored for together: all of them, or a segment.

    Attributes
    ----------
    groups
        their groups.
    visits
        their visits in the week.
    rows
        positions of the offers that they are shown.
    capped
        (rows,) whether each offer's accounts among them are the capped ones.
    """

    groups: GroupsOf
    visits: float
    rows: NDArray[np.int64]
    capped: NDArray[np.bool_]


def audiences(instance: Instance, beliefs: Beliefs, offers: Offers) -> Iterator[Audience]:
    """The shoppers that offers were scored for: one audience, or one a segment."""
    products = np.unique(offers.entries()[1]).astype(np.int64)
    if beliefs.segments is None:
        rows = np.arange(len(offers), dtype=np.int64)
        yield Audience(GroupsOf(instance, beliefs, products), instance.visits, rows, offers.capped)
        return
    for view, of_segment, shown, rows in segment_views(instance, beliefs, beliefs.segments, offers):
        yield Audience(GroupsOf(view, of_segment, products), view.visits, rows, shown.capped)
