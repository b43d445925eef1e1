"""Scores candidates of one size, some at a time, at every discount level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .candidate_sets import CandidateSets
from .candidates import CandidatePairs
from .offers import ABSENT, Offers
from .price_endings import level_prices
from .scoring_kernel import product_table, score_pairs, terms_of
from .segment_scoring import LOOSE_PAIRS, score_by_segment
from .set_kernel import score_sets

Candidates = CandidatePairs | CandidateSets

CHUNK = 100_000
"""Candidates scored before their offers are looked through."""

SCORED: tuple[str, ...] = ("offers scored", "offers capped", "offers below one price")
"""What is counted of the offers as they are scored."""


class Scorer:
    """Scores candidates some at a time, and numbers them throughout."""

    def __init__(
        self,
        instance: Instance,
        beliefs: Beliefs,
        n_nodes: int,
        n_candidates: int,
        width: int,
        counts: dict[str, int],
    ) -> None:
        self.instance, self.counts = instance, counts
        self.table = product_table(instance, beliefs, n_nodes)
        self.terms = terms_of(instance)
        self.n_candidates, self.width, self.done = n_candidates, width, 0
        self.segments, self.target = beliefs.segments, instance.scenario.segments.target
        if self.segments is not None:
            self.counts.setdefault(LOOSE_PAIRS, 0)

    def chunks(self, candidates: Candidates) -> Iterator[Offers]:
        """The offers of candidates of one size, some at a time."""
        for part in pieces(len(candidates)):
            yield self.score(candidates.take(part))

    def score(
        self,
        candidates: Candidates,
        prices: tuple[NDArray[np.int64], NDArray[np.uint64]] | None = None,
    ) -> Offers:
        """The offers of some candidates of one size, at the levels' prices or at given ones.

        Parameters
        ----------
        prices
            as ``level_prices`` gives them; the columns need not be the levels.
        """
        catalogue = self.instance.catalogue
        products = products_of(candidates)
        each = catalogue.reference_price[products]
        list_price = each.sum(axis=1)
        price, level_mask = self.prices(each, list_price) if prices is None else prices
        discount = np.where(price > 0, list_price[:, None] - price, 0)
        row, level = np.nonzero(price)
        masks: dict[str, NDArray[np.uint64]] = {}
        if isinstance(candidates, CandidatePairs) and self.segments is not None:
            found = score_by_segment(
                candidates, discount, self.table, self.terms, self.segments, target=self.target
            )
            self.counts[LOOSE_PAIRS] += found.loose_pairs
            scores = found.scores
            added = np.stack([scores.added_first[row, level], scores.added_second[row, level]], 1)
            masks = {
                "shown_to": found.shown_to[row, level],
                "capped_in": found.capped_in[row, level],
            }
        elif isinstance(candidates, CandidatePairs):
            scores = score_pairs(candidates, discount, self.table, self.terms)
            added = np.stack([scores.added_first[row, level], scores.added_second[row, level]], 1)
        else:
            scores = score_sets(candidates, discount, self.table, self.terms)
            added = scores.added[row, level]
        self.counts["offers scored"] += len(row)
        self.counts["offers capped"] += int(scores.capped.sum())

        cost = catalogue.unit_cost - catalogue.supplier_funding
        net_price = price[row, level] / self.terms.net
        net_cost = cost[products].sum(axis=1)[row]
        number = self.done + row
        self.done += len(candidates)
        return Offers(
            products=filled(products[row], self.width, ABSENT),
            candidate=number.astype(np.int32),
            level=level.astype(np.int16),
            level_mask=level_mask[row, level],
            list_price=list_price[row],
            bundle_price=price[row, level],
            value=scores.value[row, level],
            incremental_margin=scores.incremental_margin[row, level],
            bundle_units=scores.bundle_units[row, level],
            subsidised_units=scores.subsidised_units[row, level],
            added_units=filled(added, self.width, 0.0),
            margin_rate=(net_price - net_cost) / net_price,
            capped=scores.capped[row, level],
            n_candidates=self.n_candidates,
            n_scored=self.n_candidates,
            **masks,
        )

    def prices(
        self, each: NDArray[np.int64], list_price: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """(candidates, levels) bundle prices, 0 where not offered, and the levels' masks.

        A bundle that costs no more than its products without the cheapest would give that one
        away, also to shoppers who do not want it: willingness to pay says nothing of them.
        """
        discounts = self.instance.scenario.discounts
        price, level_mask = level_prices(list_price, discounts.levels, discounts.price_ending)
        without_cheapest = list_price - each.min(axis=1)
        too_cheap = (price > 0) & (price <= without_cheapest[:, None])
        self.counts["offers below one price"] += int(too_cheap.sum())
        price[too_cheap] = 0
        if self.instance.scenario.objective.maximize == "affinity":
            # affinity says nothing about prices: the smallest level that is offered at all
            price[np.cumsum(price > 0, axis=1) > 1] = 0
        return price, level_mask


def pieces(n_candidates: int) -> Iterator[slice]:
    """Chunks of candidates, one at least."""
    for start in range(0, max(n_candidates, 1), CHUNK):
        yield slice(start, start + CHUNK)


def products_of(candidates: Candidates) -> NDArray[np.int32]:
    """(candidates, size) their products."""
    if isinstance(candidates, CandidatePairs):
        return np.stack([candidates.first, candidates.second], axis=1)
    return candidates.products


def width_of(groups: Sequence[Candidates]) -> int:
    """Products of the largest candidate, 2 where there is none."""
    return max(products_of(group.take(slice(0, 0))).shape[1] for group in groups)


def filled(values: NDArray[Any], width: int, filler: float) -> NDArray[Any]:
    """(rows, width) the values, with the filler on the right."""
    missing = width - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=filler) if missing else values
