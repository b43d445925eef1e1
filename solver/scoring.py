"""Score every candidate at every discount level: what each offer would do in the shop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .candidate_sets import CandidateSets, candidate_sets
from .candidates import CandidatePairs, candidate_pairs
from .last_week import NOT_ON_OFFER, not_on_offer, stability_rules
from .offers import ABSENT, Offers, concatenated
from .posterior import NODES
from .price_endings import level_prices
from .scoring_kernel import product_table, score_pairs, terms_of
from .segment_scoring import LOOSE_PAIRS, score_by_segment
from .set_kernel import score_sets

Mask = Callable[[Offers], tuple[NDArray[np.bool_], dict[str, int]]]

_CHUNK = 100_000  # candidates scored between two calls of the mask


def score_offers(
    instance: Instance, beliefs: Beliefs, *, mask: Mask | None = None, n_nodes: int = NODES
) -> tuple[Offers, dict[str, int]]:
    """Make all offers, score them, and keep the best candidates.

    Parameters
    ----------
    mask
        says which offers of a chunk the program can use, and counts why others went. Without
        one, offers with a value above 0 are kept, and all of them where affinity is maximised.
    n_nodes
        nodes of the posterior of each product's price sensitivity.

    Returns
    -------
    tuple
        the offers, and counts: "candidates" scored; "offers scored"; "offers capped", whose
        accounts are those of the response capped at the deepest cut; "offers below one price",
        not made because they would give one of their products away: the bundle would cost no
        more than the others do; "candidates cut" to ``max_candidates``; "last week's bundles not
        on offer", where a rule asks for them; what ``candidate_pairs`` and ``candidate_sets``
        left out; what the mask counted.
    """
    pairs, counts = candidate_pairs(instance, beliefs)
    groups: list[CandidatePairs | CandidateSets] = [pairs]
    for size in range(3, instance.scenario.candidates.max_size + 1):
        sets, left_out = candidate_sets(instance, beliefs, size)
        groups += [sets] if len(sets) else []
        _add(counts, left_out)
        _add(counts, {f"candidates of {size} products": len(sets)})
    forced = np.concatenate([group.forced for group in groups])
    counts["candidates"] = len(forced)
    counts.update(dict.fromkeys(("offers scored", "offers capped", "offers below one price"), 0))
    scorer = _Scorer(instance, beliefs, n_nodes, len(forced), _width(groups), counts)
    parts: list[Offers] = []
    for group in groups:
        for start in range(0, max(len(group), 1), _CHUNK):
            scored = scorer.score(group.take(slice(start, start + _CHUNK)))
            keep = _kept(instance, scored, mask, counts)
            parts.append(scored.take(np.flatnonzero(keep)))
    parts = _cut(parts, instance, forced, counts)
    offers = concatenated(parts)
    if any(rule.min_share is not None for rule in stability_rules(instance)):
        counts[NOT_ON_OFFER] = len(not_on_offer(instance, offers))
    return offers, counts


class _Scorer:
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
            self.counts[LOOSE_PAIRS] = 0

    def score(self, candidates: CandidatePairs | CandidateSets) -> Offers:
        """The offers of some candidates of one size."""
        catalogue = self.instance.catalogue
        products = _products(candidates)
        each = catalogue.reference_price[products]
        list_price = each.sum(axis=1)
        price, level_mask = self._prices(each, list_price)
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
            products=_filled(products[row], self.width, ABSENT),
            candidate=number.astype(np.int32),
            level=level.astype(np.int16),
            level_mask=level_mask[row, level],
            list_price=list_price[row],
            bundle_price=price[row, level],
            value=scores.value[row, level],
            incremental_margin=scores.incremental_margin[row, level],
            bundle_units=scores.bundle_units[row, level],
            subsidised_units=scores.subsidised_units[row, level],
            added_units=_filled(added, self.width, 0.0),
            margin_rate=(net_price - net_cost) / net_price,
            capped=scores.capped[row, level],
            n_candidates=self.n_candidates,
            n_scored=self.n_candidates,
            **masks,
        )

    def _prices(
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


def _products(candidates: CandidatePairs | CandidateSets) -> NDArray[np.int32]:
    """(candidates, size) their products."""
    if isinstance(candidates, CandidatePairs):
        return np.stack([candidates.first, candidates.second], axis=1)
    return candidates.products


def _width(groups: list[CandidatePairs | CandidateSets]) -> int:
    """Products of the largest candidate, 2 where there is none."""
    return max(_products(group.take(slice(0, 0))).shape[1] for group in groups)


def _filled(values: NDArray[Any], width: int, filler: float) -> NDArray[Any]:
    """(rows, width) the values, with the filler on the right."""
    missing = width - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=filler) if missing else values


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number


def _kept(
    instance: Instance, offers: Offers, mask: Mask | None, counts: dict[str, int]
) -> NDArray[np.bool_]:
    """Which offers of a chunk stay, with the reasons for the others counted."""
    if mask is not None:
        keep, reasons = mask(offers)
    elif instance.scenario.objective.maximize == "affinity":
        keep, reasons = np.ones(len(offers), dtype=np.bool_), {}
    else:
        keep = offers.value > 0.0
        reasons = {"value": int((~keep).sum())}
    _add(counts, reasons)
    return keep


def _cut(
    parts: list[Offers], instance: Instance, forced: NDArray[np.bool_], counts: dict[str, int]
) -> list[Offers]:
    """The candidates with the highest best value, renumbered; forced ones are never cut.

    Ties go to the candidate that comes first by its products.
    """
    limit = instance.scenario.candidates.max_candidates
    best = np.full(len(forced), -np.inf)
    alive = np.zeros(len(forced), dtype=np.bool_)
    for part in parts:
        np.maximum.at(best, part.candidate, part.value)
        alive[part.candidate] = True
    order = np.lexsort((np.arange(len(forced)), -best, ~forced, ~alive))
    n_alive = int(alive.sum())
    n_kept = min(n_alive, max(limit, int((alive & forced).sum())))
    counts["candidates cut"] = n_alive - n_kept
    kept = np.zeros(len(forced), dtype=np.bool_)
    kept[order[:n_kept]] = True
    number = (np.cumsum(kept) - 1).astype(np.int32)
    left = []
    for part in parts:
        rows = np.flatnonzero(kept[part.candidate])
        part = part if len(rows) == len(part) else part.take(rows)
        left.append(replace(part, candidate=number[part.candidate], n_candidates=n_kept))
    return left
