"""What the verifier judges: a plan's written offers beside the tables they speak of."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.scenario import Assumptions, Limits
from .verifier_sets import subsets
from .verifier_tables import PlanFiles, WrittenOffer

_ENDINGS = {"x.x9": (10, 9), ".99": (100, 99), ".95": (100, 95), ".00": (100, 0)}


@dataclass(frozen=True)
class Case:
    """A plan with its instance; ``position`` maps product ids to catalogue indices."""

    instance: Instance
    files: PlanFiles
    position: dict[str, int]

    @property
    def offers(self) -> tuple[WrittenOffer, ...]:
        return self.files.offers

    @property
    def assumptions(self) -> Assumptions:
        return self.instance.scenario.assumptions

    @property
    def limits(self) -> Limits:
        return self.instance.scenario.limits

    @property
    def net(self) -> float:
        """What a price is divided by to be net of tax."""
        return 1.0 + self.assumptions.tax_rate

    @property
    def automatic(self) -> bool:
        return self.assumptions.redemption == "automatic"

    @cached_property
    def levels(self) -> tuple[Decimal, ...]:
        """The levels as they are spelled in the scenario."""
        return tuple(Decimal(repr(level)) for level in self.instance.scenario.discounts.levels)

    @cached_property
    def products(self) -> tuple[str, ...]:
        """Ids of the products in the plan, sorted."""
        return tuple(sorted({name for offer in self.offers for name in offer.product_ids}))

    @cached_property
    def unit_gain(self) -> NDArray[np.float64]:
        """(products,) cents an added unit earns: (1 − φ)(r/(1 + tax) − cost) − δ·category's mean.

        δ is the scenario's, or else believed; φ, purchases brought forward, is believed. Both are
        0 of products that are not in the plan."""
        catalogue = self.instance.catalogue
        margin = catalogue.reference_price / self.net - catalogue.unit_cost
        lost = np.zeros(len(catalogue))
        stated = self.assumptions.diversion
        for name in self.products:
            row, believed = self.position[name], self.files.product_beliefs[name]
            delta = (believed.get("diversion") or 0.0) if stated is None else stated
            lost[row] = (believed.get("pull_forward") or 0.0) * margin[row]
            if delta:
                alike = catalogue.category == catalogue.category[row]
                lost[row] += delta * margin[alike & (catalogue.reference_price > 0)].mean()
        return margin - lost

    def support(self, offer: WrittenOffer) -> int:
        """Orders that hold all products of the offer, lines sold in a bundle left out."""
        holding = [self._visits[row] for row in self.rows(offer)]
        return len(set.intersection(*(set(visits.tolist()) for visits in holding)))

    @cached_property
    def _visits(self) -> dict[int, NDArray[np.int32]]:
        """Orders that hold each product of the plan."""
        orders = self.instance.orders
        planned = np.array([self.position[name] for name in self.products], dtype=np.int32)
        lines = np.flatnonzero(np.isin(orders.product, planned) & ~orders.bundled)
        product, visit = orders.product[lines], orders.visit[lines]
        return {int(row): visit[product == row] for row in planned}

    def rows(self, offer: WrittenOffer) -> list[int]:
        """Catalogue indices of the offer's products, in the order of its ids."""
        return [self.position[name] for name in offer.product_ids]

    def table(self, offer: WrittenOffer) -> dict[frozenset[int], float]:
        """The believed probability of each subset of the offer's products, by their places."""
        table = {
            frozenset({place}): float(self.files.product_beliefs[name]["purchase_probability"])
            for place, name in enumerate(offer.product_ids)
        }
        return table | self.of_subsets(offer, "joint_probability")

    def of_subsets(self, offer: WrittenOffer, column: str) -> dict[frozenset[int], float]:
        """A column of the beliefs for each pair and larger subset of the offer, by places.

        ``spread`` is that of log ψ for pairs, and of log p for larger ones; these have no
        ``odds_ratio``.
        """
        found: dict[frozenset[int], float] = {}
        for subset in subsets(len(offer.product_ids)):
            names = frozenset(offer.product_ids[place] for place in subset)
            pair = len(names) == 2
            row = self.files.pair_beliefs[names] if pair else self.files.set_beliefs[names]
            key = column
            if column == "spread":
                key = "odds_spread" if pair else "set_spread"
            if pair or column != "odds_ratio":
                found[subset] = float(row[key])
        return found

    def answers_to(self, offer: WrittenOffer, level: float) -> bool:
        """Whether this entry of discounts.levels leads to the offer's price."""
        return self.price_at(offer.list_price, Decimal(repr(level))) == offer.bundle_price

    def answering(self, offer: WrittenOffer) -> list[int]:
        """Places in discounts.levels of the entries that lead to the offer's price."""
        return [
            place
            for place, level in enumerate(self.levels)
            if self.price_at(offer.list_price, level) == offer.bundle_price
        ]

    def price_at(self, list_price: int, level: Decimal) -> int:
        """Cents of list·(1 − level) after the price ending: nearest such price, ties down."""
        exact = list_price * (1 - level)
        step, ending = _ENDINGS.get(self.instance.scenario.discounts.price_ending, (1, 0))
        below = int((exact - ending) // step) * step + ending
        return below if exact - below <= below + step - exact else below + step
