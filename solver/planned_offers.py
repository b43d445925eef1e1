"""The offers of a finished plan, and what another scenario would make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.bundle_ids import split_bundle_id
from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .bundle_scores import as_candidates
from .candidate_sets import CandidateSets, consistent, of_one_category
from .candidates import forced_bundles, named_pairs
from .offers import ABSENT, Offers, concatenated
from .posterior import NODES
from .price_endings import nearest_price
from .scorer import SCORED, Candidates, Scorer, filled, products_of

Refusals = dict[str, list[str]]
"""What an offer breaks -> ids of the bundles."""

MISSING = "data.products"
"""A product is not in the scenario's products table."""
UNAVAILABLE = "products.active"
"""A product is inactive, promoted or without a price in the planned week."""
UNKNOWN = "data.orders"
"""A product was never bought, or nothing possible is known of the bundle's joint purchases."""
GIVEN_AWAY = "price-of-one"
"""The bundle costs no more than its products without the cheapest."""
NO_LEVEL = "discounts.levels"
"""No level of the scenario leads to the bundle's price."""

IMPOSSIBLE = (MISSING, UNAVAILABLE, UNKNOWN, GIVEN_AWAY)
"""What an offer is refused for that could not be made at all."""


@dataclass(frozen=True, slots=True)
class PlannedOffer:
    """A row of plan.csv, as far as another scenario needs it; money in cents.

    Attributes
    ----------
    products
        product ids.
    level
        discount as a share, before the price ending.
    """

    bundle_id: str
    products: tuple[str, ...]
    level: float
    list_price: int
    bundle_price: int


def planned_offers(rows: pd.DataFrame) -> tuple[PlannedOffer, ...]:
    """The offers of a plan as ``plan_folder.PlanFolder`` holds them."""
    names = ("bundle_id", "level", "list_price", "bundle_price")
    return tuple(
        PlannedOffer(
            str(bundle), split_bundle_id(str(bundle)), float(level), _cents(whole), _cents(price)
        )
        for bundle, level, whole, price in zip(*(rows[name] for name in names), strict=True)
    )


class Restaging:
    """Makes the offers of plans as a scenario would: its prices, costs, assumptions and beliefs.

    Where a bundle's shelf prices come to the same sum the offer keeps its price, else its level:
    the price is then what the scenario makes of it.
    """

    def __init__(self, instance: Instance, beliefs: Beliefs, width: int) -> None:
        self._instance, self._beliefs = instance, beliefs
        ids = instance.catalogue.product_ids
        self._position = {str(name): k for k, name in enumerate(ids)}
        self._scorer = Scorer(instance, beliefs, NODES, 0, width, dict.fromkeys(SCORED, 0))

    def offers(self, plan: Sequence[PlannedOffer]) -> tuple[Offers, Refusals]:
        """The offers that the scenario can make, and what speaks against any of the plan's.

        Offers refused for one of ``IMPOSSIBLE`` are not made, nor those whose level would be no
        discount there; the others are, whatever speaks against them.
        """
        refused: Refusals = {}
        self._scorer.done = 0
        known = self._without(plan, refused, self._unknown)
        made = concatenated([self._made(group, refused) for group in _by_size(known)])
        return replace(made, n_candidates=len(made), n_scored=len(made)), refused

    def _unknown(self, offer: PlannedOffer) -> str | None:
        """Why the scenario has no such products, None where it has."""
        places = [self._position.get(product, -1) for product in offer.products]
        if min(places) < 0:
            return MISSING
        if not self._instance.catalogue.available[places].all():
            return UNAVAILABLE
        bought = self._beliefs.purchase_probability[places] > 0.0
        return None if bought.all() else UNKNOWN

    def _without(
        self,
        plan: Sequence[PlannedOffer],
        refused: Refusals,
        reason: Callable[[PlannedOffer], str | None],
    ) -> list[PlannedOffer]:
        """The offers that there is no reason against; the others are noted under it."""
        left = []
        for offer in plan:
            why = reason(offer)
            if why is None:
                left.append(offer)
            else:
                refused.setdefault(why, []).append(offer.bundle_id)
        return left

    def _made(self, group: list[PlannedOffer], refused: Refusals) -> Offers:
        """The offers of one size."""
        group = self._without(group, refused, self._priceless)
        places = [self._places(offer) for offer in group]
        size = len(places[0]) if places else 2
        products = np.array(places, dtype=np.int32).reshape(-1, size)
        candidates = as_candidates(self._beliefs, products)
        tied = _possible(candidates, self._beliefs)
        _note(refused, UNKNOWN, group, ~tied)
        candidates = candidates.take(tied)
        group = [offer for offer, is_tied in zip(group, tied, strict=True) if is_tied]
        for key, broken in self._not_candidates(products_of(candidates)):
            _note(refused, key, group, broken)
        price = np.array([self._price(offer) for offer in group], dtype=np.int64)[:, None]
        mask = self._levels(products_of(candidates), price)
        _note(refused, NO_LEVEL, group, mask[:, 0] == 0)
        offers = self._scorer.score(candidates, (price, mask))
        deepest = [int(bits).bit_length() - 1 for bits in offers.level_mask]
        return replace(offers, level=np.array(deepest, dtype=np.int16))

    def _places(self, offer: PlannedOffer) -> list[int]:
        return sorted(self._position[product] for product in offer.products)

    def _price(self, offer: PlannedOffer) -> int:
        """Cents: the plan's where shelf prices come to the same, else what the level makes."""
        whole = self._instance.catalogue.reference_price[self._places(offer)].sum(keepdims=True)
        if int(whole[0]) == offer.list_price:
            return offer.bundle_price
        ending = self._instance.scenario.discounts.price_ending
        return int(nearest_price(whole, offer.level, ending)[0])

    def _priceless(self, offer: PlannedOffer) -> str | None:
        """Why the offer has no price there, None where it has."""
        each = self._instance.catalogue.reference_price[self._places(offer)]
        price = self._price(offer)
        if not 0 < price < each.sum():
            return NO_LEVEL
        return GIVEN_AWAY if price <= each.sum() - each.min() else None

    def _levels(self, products: NDArray[np.int32], price: NDArray[np.int64]) -> NDArray[np.uint64]:
        """(bundles, 1) mask of the scenario's levels that lead to each price."""
        each = self._instance.catalogue.reference_price[products]
        offered, mask = self._scorer.prices(each, each.sum(axis=1))
        return np.where(offered == price, mask, np.uint64(0)).max(axis=1, keepdims=True)

    def _not_candidates(
        self, products: NDArray[np.int32]
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Keys of the scenario, and (bundles,) which it would not have as candidates for them."""
        instance, settings = self._instance, self._instance.scenario.candidates
        size, n_products = products.shape[1], np.int64(len(instance.catalogue))
        wanted = forced_bundles(instance, size)
        forced = (products[:, None, :] == wanted[None, :, :]).all(axis=2).any(axis=1)
        yield "candidates.max_size", np.full(len(products), size > settings.max_size)
        few = _orders(self._beliefs, products) < settings.min_support
        yield "candidates.min_support", few & ~forced
        if not settings.allow_same_category:
            if size == 2:  # last week's are not excepted
                key = products[:, 0] * n_products + products[:, 1]
                forced = np.isin(key, named_pairs(instance))
            barred = of_one_category(instance.catalogue.category[products])
            yield "candidates.allow_same_category", barred & ~forced


def _by_size(plan: list[PlannedOffer]) -> list[list[PlannedOffer]]:
    """The offers by number of products, ascending; one empty group where there is none."""
    sizes = sorted({len(offer.products) for offer in plan})
    return [[o for o in plan if len(o.products) == size] for size in sizes] or [[]]


def _possible(candidates: Candidates, beliefs: Beliefs) -> NDArray[np.bool_]:
    """(candidates,) whether an odds ratio describes what is known of the bundle."""
    if isinstance(candidates, CandidateSets):
        return consistent(beliefs, candidates.table)
    return (candidates.odds_ratio > 0.0) & np.isfinite(candidates.odds_ratio)


def _orders(beliefs: Beliefs, products: NDArray[np.int32]) -> NDArray[np.int64]:
    """(bundles,) orders that hold all products, 0 where they were too few to be counted."""
    if products.shape[1] == 2:
        n = np.int64(len(beliefs.product_ids))
        counted = beliefs.pair_a * n + beliefs.pair_b
        wanted = products[:, 0] * n + products[:, 1]
        row = np.searchsorted(counted, wanted)
        row[row == len(counted)] = -1
        if len(counted):
            row[counted[row] != wanted] = -1
        orders = beliefs.pair_orders
    elif beliefs.product_sets is None:
        return np.zeros(len(products), dtype=np.int64)
    else:
        row = beliefs.product_sets.find(filled(products, 4, ABSENT))
        orders = beliefs.product_sets.orders
    return np.where(row >= 0, np.append(orders, 0)[row], 0)


def _note(
    refused: Refusals, key: str, group: list[PlannedOffer], broken: NDArray[np.bool_]
) -> None:
    ids = [offer.bundle_id for offer, is_broken in zip(group, broken, strict=True) if is_broken]
    if ids:
        refused.setdefault(key, []).extend(ids)


def _cents(money: float) -> int:
    return round(100 * money)
