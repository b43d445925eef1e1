"""Score every candidate pair at every discount level: what each offer would do in the shop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .candidates import CandidatePairs, candidate_pairs
from .last_week import NOT_ON_OFFER, not_on_offer, stability_rules
from .offers import Offers, concatenated
from .posterior import NODES
from .price_endings import level_prices
from .scoring_kernel import ProductTable, product_table, score_pairs, terms_of

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
        not made because the bundle would cost no more than one of its products; "candidates
        cut" to ``max_candidates``; "last week's bundles not on offer", where a rule asks for
        them; what ``candidate_pairs`` left out; what the mask counted.
    """
    pairs, counts = candidate_pairs(instance, beliefs)
    counts["candidates"] = len(pairs)
    counts.update(dict.fromkeys(("offers scored", "offers capped", "offers below one price"), 0))
    table = product_table(instance, beliefs, n_nodes)
    parts: list[Offers] = []
    for start in range(0, max(len(pairs), 1), _CHUNK):
        chunk = pairs.take(slice(start, start + _CHUNK))
        scored = _score_chunk(instance, table, chunk, start, len(pairs), counts)
        keep = _kept(instance, scored, mask, counts)
        parts.append(scored.take(np.flatnonzero(keep)))
    parts = _cut(parts, instance, pairs, counts)
    offers = concatenated(parts)
    if any(rule.min_share is not None for rule in stability_rules(instance)):
        counts[NOT_ON_OFFER] = len(not_on_offer(instance, offers))
    return offers, counts


def _score_chunk(
    instance: Instance,
    table: ProductTable,
    pairs: CandidatePairs,
    start: int,
    n_scored: int,
    counts: dict[str, int],
) -> Offers:
    """Offers of some candidates, numbered from ``start``."""
    discounts = instance.scenario.discounts
    price_of = instance.catalogue.reference_price
    each = np.stack([price_of[pairs.first], price_of[pairs.second]], axis=1)
    list_price = each.sum(axis=1)
    price, level_mask = level_prices(list_price, discounts.levels, discounts.price_ending)
    too_cheap = (price > 0) & (price <= each.max(axis=1)[:, None])
    counts["offers below one price"] += int(too_cheap.sum())
    price[too_cheap] = 0
    if instance.scenario.objective.maximize == "affinity":
        # affinity says nothing about prices: the smallest level that is offered at all
        price[np.cumsum(price > 0, axis=1) > 1] = 0
    discount = np.where(price > 0, list_price[:, None] - price, 0)
    scores = score_pairs(pairs, discount, table, terms_of(instance))
    counts["offers scored"] += int((price > 0).sum())
    counts["offers capped"] += int(scores.capped.sum())

    row, level = np.nonzero(price)
    cost = instance.catalogue.unit_cost - instance.catalogue.supplier_funding
    net_price = price[row, level] / (1.0 + instance.scenario.assumptions.tax_rate)
    net_cost = (cost[pairs.first] + cost[pairs.second])[row]
    return Offers(
        products=np.stack([pairs.first, pairs.second], axis=1)[row],
        candidate=(start + row).astype(np.int32),
        level=level.astype(np.int16),
        level_mask=level_mask[row, level],
        list_price=list_price[row],
        bundle_price=price[row, level],
        value=scores.value[row, level],
        incremental_margin=scores.incremental_margin[row, level],
        bundle_units=scores.bundle_units[row, level],
        subsidised_units=scores.subsidised_units[row, level],
        added_units=np.stack(
            [scores.added_first[row, level], scores.added_second[row, level]], axis=1
        ),
        margin_rate=(net_price - net_cost) / net_price,
        capped=scores.capped[row, level],
        n_candidates=n_scored,
        n_scored=n_scored,
    )


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
    for reason, number in reasons.items():
        counts[reason] = counts.get(reason, 0) + number
    return keep


def _cut(
    parts: list[Offers], instance: Instance, pairs: CandidatePairs, counts: dict[str, int]
) -> list[Offers]:
    """The candidates with the highest best value, renumbered; forced ones are never cut.

    Ties go to the candidate that comes first by its products.
    """
    limit = instance.scenario.candidates.max_candidates
    best = np.full(len(pairs), -np.inf)
    alive = np.zeros(len(pairs), dtype=np.bool_)
    for part in parts:
        np.maximum.at(best, part.candidate, part.value)
        alive[part.candidate] = True
    order = np.lexsort((np.arange(len(pairs)), -best, ~pairs.forced, ~alive))
    n_alive = int(alive.sum())
    n_kept = min(n_alive, max(limit, int((alive & pairs.forced).sum())))
    counts["candidates cut"] = n_alive - n_kept
    kept = np.zeros(len(pairs), dtype=np.bool_)
    kept[order[:n_kept]] = True
    number = (np.cumsum(kept) - 1).astype(np.int32)
    left = []
    for part in parts:
        rows = np.flatnonzero(kept[part.candidate])
        part = part if len(rows) == len(part) else part.take(rows)
        left.append(replace(part, candidate=number[part.candidate], n_candidates=n_kept))
    return left
