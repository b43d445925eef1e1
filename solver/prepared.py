"""What scenarios have in common, scored once: every offer, before any rule or limit is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..instances.sections import Scenario
from ..models.beliefs import Beliefs
from .candidate_sets import all_candidates
from .offers import ABSENT, Offers, bundle_numbers, concatenated
from .posterior import NODES
from .scorer import SCORED, Candidates, Scorer, filled, pieces, products_of, width_of
from .segment_views import planned_by_segment

_CATALOGUE = (
    "product_ids",
    "category",
    "reference_price",
    "unit_cost",
    "supplier_funding",
    "available",
)
"""Columns of the catalogue that candidates and their accounts depend on."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Every candidate that no rule had to force, scored at every level.

    Memory is some 100 bytes an offer: scenarios' own rules may need any of them.

    Attributes
    ----------
    instance, beliefs
        what it was prepared for.
    products
        size -> (candidates, size) the candidates scored, sorted.
    offers
        size -> their offers, numbered from 0 within the size.
    counts
        what scoring them counted, as ``score_offers`` names it.
    """

    instance: Instance
    beliefs: Beliefs
    products: dict[int, NDArray[np.int32]]
    offers: dict[int, Offers]
    counts: dict[str, int]

    def check(self, instance: Instance, beliefs: Beliefs) -> None:
        """ValueError where scores of this instance and these beliefs could be others."""
        differs = None
        if beliefs is not self.beliefs:
            differs = "beliefs"
        elif instance.visits != self.instance.visits:
            differs = "visits"
        elif scoring_key(instance.scenario) != scoring_key(self.instance.scenario):
            differs = "assumptions, candidates, discounts, objective or segments"
        elif not _same_catalogue(instance, self.instance):
            differs = "products, prices or costs"
        if differs is not None:
            raise ValueError(f"prepared for another instance: the {differs} differ")

    def chunks(self, candidates: Candidates, scorer: Scorer) -> Iterator[Offers]:
        """The offers of candidates of one size, some at a time; those not known are scored."""
        products = products_of(candidates)
        size = products.shape[1]
        known = self.products.get(size, products[:0])
        place = _places(known, products, len(self.instance.catalogue))
        for part in pieces(len(products)):
            yield self._chunk(candidates.take(part), place[part], size, scorer)

    def _chunk(
        self, candidates: Candidates, place: NDArray[np.int64], size: int, scorer: Scorer
    ) -> Offers:
        """Offers of a chunk of candidates; ``place`` is where they are known, -1: nowhere."""
        known = place >= 0
        at = np.flatnonzero(known)
        if len(at) == 0:
            return scorer.score(candidates)
        offers = self.offers[size]
        first, last = place[at[0]], place[at[-1]]
        rows = slice(*np.searchsorted(offers.candidate, [first, last + 1]))
        found = offers.take(rows)  # of a run of candidates, so that nothing is copied
        number = (scorer.done + at)[found.candidate - first].astype(np.int32)
        found = replace(
            found,
            candidate=number,
            products=filled(found.products, scorer.width, ABSENT),
            added_units=filled(found.added_units, scorer.width, 0.0),
            n_candidates=scorer.n_candidates,
            n_scored=scorer.n_candidates,
        )
        if known.all():
            scorer.done += len(candidates)
            return found
        start = scorer.done
        more = scorer.score(candidates.take(~known))
        number = (start + np.flatnonzero(~known))[more.candidate - start].astype(np.int32)
        scorer.done = start + len(candidates)
        both = concatenated([found, replace(more, candidate=number)])
        return both.take(np.argsort(both.candidate, kind="stable"))


def prepare(instance: Instance, beliefs: Beliefs, *, n_nodes: int = NODES) -> Prepared:
    """Score once what scenarios have in common that differ in limits, rules, solver or name only.

    Candidates that rules of this instance force are left to ``solve``, which scores what rules
    add. Filters, which depend on limits and rules, are ``solve``'s as well.
    """
    planned = planned_by_segment(beliefs, instance.scenario.objective.maximize)
    free = instance.scenario.model_copy(update={"rules": ()})
    without_rules = replace(instance, scenario=free, previous_plan=None)
    groups, _ = all_candidates(without_rules, planned)
    counts: dict[str, int] = dict.fromkeys(SCORED, 0)
    products: dict[int, NDArray[np.int32]] = {}
    offers: dict[int, Offers] = {}
    for group in groups:
        scorer = Scorer(without_rules, planned, n_nodes, len(group), width_of([group]), counts)
        size = products_of(group).shape[1]
        products[size] = products_of(group)
        offers[size] = concatenated(list(scorer.chunks(group)))
    return Prepared(instance, beliefs, products, offers, counts)


def scoring_key(scenario: Scenario) -> tuple[Any, ...]:
    """Everything of a scenario, its tables and beliefs aside, that scores depend on."""
    candidates = scenario.candidates.model_copy(update={"max_candidates": 1})
    return (
        scenario.assumptions.model_dump_json(),
        candidates.model_dump_json(),
        scenario.discounts.model_dump_json(),
        scenario.objective.maximize,
        scenario.segments.target,
    )


def _same_catalogue(one: Instance, other: Instance) -> bool:
    if one.catalogue is other.catalogue:
        return True
    return all(
        np.array_equal(getattr(one.catalogue, name), getattr(other.catalogue, name))
        for name in _CATALOGUE
    )


def _places(
    known: NDArray[np.int32], wanted: NDArray[np.int32], n_products: int
) -> NDArray[np.int64]:
    """(wanted,) row in ``known``, -1 where it is not there; both sorted, all of known wanted."""
    if len(known) == len(wanted):
        return np.arange(len(known))
    number = bundle_numbers(np.vstack([known, wanted]), n_products)
    place = np.full(len(wanted), -1, dtype=np.int64)
    place[np.searchsorted(number[len(known) :], number[: len(known)])] = np.arange(len(known))
    return place
