"""Which offers a rule of the scenario speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..instances.catalogue import Catalogue
from ..instances.errors import InputError
from ..instances.instance import Instance
from ..instances.rules import Rule, SameLevel
from .offers import ABSENT, Offers


def named_rules(instance: Instance) -> list[tuple[str, Rule]]:
    """The rules with their names: the given one, else kind and position, ``locked[2]``."""
    seen: dict[str, int] = {}
    named = []
    for rule in instance.scenario.rules:
        seen[rule.kind] = seen.get(rule.kind, 0) + 1
        named.append((rule.name or f"{rule.kind}[{seen[rule.kind]}]", rule))
    return named


class Matcher:
    """Finds the offers that rules name, by product, category, brand and level."""

    def __init__(self, instance: Instance) -> None:
        self._path = instance.scenario.path
        self._levels = instance.scenario.discounts.levels
        self._catalogue: Catalogue = instance.catalogue

    @cached_property
    def _position(self) -> dict[str, int]:
        return {str(product): i for i, product in enumerate(self._catalogue.product_ids)}

    def positions(self, products: tuple[str, ...], rule: str) -> NDArray[np.int64]:
        """Catalogue indices of product ids.

        Raises
        ------
        InputError
            for an id that the products table lacks.
        """
        for product in products:
            if product not in self._position:
                raise InputError(
                    self._path, f"rule {rule}", f"no product {product!r}", "a product_id"
                )
        return np.array([self._position[product] for product in products], dtype=np.int64)

    def exactly(
        self, offers: Offers, products: tuple[str, ...], rule: str, level: float | None = None
    ) -> NDArray[np.bool_]:
        """(offers,) those of exactly these products, at this level where one is given."""
        wanted = np.sort(self.positions(products, rule))
        if len(wanted) > offers.width:
            return np.zeros(len(offers), dtype=bool)
        matches = np.all(offers.products == _filled(wanted, offers.width), axis=1)
        if level is not None:
            bit = np.uint64(self._level_entry(level, rule))
            matches &= (offers.level_mask >> bit) & np.uint64(1) == 1
        return matches

    def number_of(self, offers: Offers, bundles: Sequence[tuple[str, ...]]) -> NDArray[np.int64]:
        """(offers,) position in ``bundles`` of the one that has the offer's products, else -1.

        Bundles of products that the catalogue lacks have no offer.
        """
        places = [sorted(self._position.get(product, -1) for product in b) for b in bundles]
        there = [k for k, held in enumerate(places) if held[0] >= 0 and len(held) <= offers.width]
        if not there:
            return np.full(len(offers), -1, dtype=np.int64)
        wanted = np.array([_filled(places[k], offers.width) for k in there])
        # Products that no bundle names share a label of their own: with labels as digits, keys of
        # four products fit 64 bits for up to 55,000 products named.
        named = np.unique(wanted[wanted >= 0])
        label = np.full(len(self._catalogue) + 1, len(named) + 1, dtype=np.int64)
        label[named] = np.arange(1, len(named) + 1)
        label[ABSENT] = 0
        key = _keys(label, wanted, len(named) + 2)
        known, first = np.unique(key[::-1], return_index=True)  # of the same twice, the later
        number = np.array(there, dtype=np.int64)[::-1][first]
        found = _keys(label, offers.products, len(named) + 2)
        at = np.minimum(np.searchsorted(known, found), len(known) - 1)
        return np.where(known[at] == found, number[at], -1)

    def in_line(self, offers: Offers, rule: SameLevel, name: str) -> NDArray[np.bool_]:
        """(offers,) those that a same-level rule keeps at one level."""
        if rule.category is not None:
            return self.in_category(offers, rule.category, name)
        for bundle in rule.bundles or ():
            self.positions(bundle, name)
        return self.number_of(offers, rule.bundles or ()) >= 0

    def category_members(self, category: str) -> NDArray[np.bool_]:
        """(products,) whether the product is of the category."""
        return np.asarray(self._catalogue.category == category, dtype=bool)

    def units_of(self, offers: Offers, products: tuple[str, ...], rule: str) -> NDArray[np.float64]:
        """(offers,) incremental units of these products."""
        member = np.zeros(len(self._catalogue), dtype=bool)
        member[self.positions(products, rule)] = True
        return (offers.added_units * offers.of_products(member, False)).sum(axis=1)

    def touching(self, offers: Offers, products: tuple[str, ...], rule: str) -> NDArray[np.bool_]:
        """(offers,) those that hold at least one of these products."""
        return self._count(offers, self.positions(products, rule)) > 0

    def holding_two(
        self, offers: Offers, products: tuple[str, ...], rule: str
    ) -> NDArray[np.bool_]:
        """(offers,) those that hold two or more of these products."""
        return self._count(offers, self.positions(products, rule)) > 1

    def in_category(self, offers: Offers, category: str, rule: str) -> NDArray[np.bool_]:
        """(offers,) those that hold a product of the category."""
        return self._labelled(offers, self._catalogue.category, category, rule)

    def in_brand(self, offers: Offers, brand: str, rule: str) -> NDArray[np.bool_]:
        """(offers,) those that hold a product of the brand."""
        return self._labelled(offers, self._catalogue.brand, brand, rule)

    def _labelled(
        self, offers: Offers, labels: NDArray[np.object_], wanted: str, rule: str
    ) -> NDArray[np.bool_]:
        members = np.flatnonzero(np.asarray(labels == wanted, dtype=bool))
        if len(members) == 0:
            raise InputError(
                self._path, f"rule {rule}", f"no product in {wanted!r}", "a name in the table"
            )
        return self._count(offers, members) > 0

    def _count(self, offers: Offers, members: NDArray[np.int64]) -> NDArray[np.int8]:
        marked = np.zeros(len(self._catalogue) + 1, dtype=np.int8)
        marked[members] = 1  # the last entry answers for ABSENT
        count = np.zeros(len(offers), dtype=np.int8)
        for place in range(offers.width):
            count += marked[offers.products[:, place]]
        return count

    def _level_entry(self, level: float, rule: str) -> int:
        for entry, known in enumerate(self._levels):
            if np.isclose(known, level, rtol=0, atol=1e-9):
                return entry
        raise InputError(
            self._path, f"rule {rule}", f"level {level} is not offered", "one of discounts.levels"
        )


def _filled(places: Sequence[int] | NDArray[np.int64], width: int) -> list[int]:
    """The products of a bundle as ``Offers.products`` writes them."""
    return [*map(int, places), *[ABSENT] * (width - len(places))]


def _keys(
    label: NDArray[np.int64], products: NDArray[np.integer], n_labels: int
) -> NDArray[np.int64]:
    """(rows,) the labels of each row's products as digits of one number."""
    key = np.zeros(len(products), dtype=np.int64)
    for place in products.T:
        key = key * n_labels + label[place]
    return key
