"""Score every candidate at every discount level: what each offer would do in the shop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .candidate_sets import all_candidates
from .last_week import NOT_ON_OFFER, not_on_offer, stability_rules
from .offers import Offers, concatenated
from .posterior import NODES
from .prepared import Prepared
from .scorer import SCORED, Scorer, width_of

Mask = Callable[[Offers], tuple[NDArray[np.bool_], dict[str, int]]]


def score_offers(
    instance: Instance,
    beliefs: Beliefs,
    *,
    mask: Mask | None = None,
    n_nodes: int = NODES,
    prepared: Prepared | None = None,
) -> tuple[Offers, dict[str, int]]:
    """Make all offers, score them, and keep the best candidates.

    Parameters
    ----------
    mask
        says which offers of a chunk the program can use, and counts why others went. Without
        one, offers with a value above 0 are kept, and all of them where affinity is maximised.
    n_nodes
        nodes of the posterior of each product's price sensitivity.
    prepared
        offers scored before, of the same instance and beliefs (``Prepared.check``).

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
    groups, counts = all_candidates(instance, beliefs)
    forced = np.concatenate([group.forced for group in groups])
    counts["candidates"] = len(forced)
    counts.update(dict.fromkeys(SCORED, 0))
    scorer = Scorer(instance, beliefs, n_nodes, len(forced), width_of(groups), counts)
    if prepared is not None:
        _add(counts, prepared.counts)
    parts: list[Offers] = []
    for group in groups:
        for scored in scorer.chunks(group) if prepared is None else prepared.chunks(group, scorer):
            keep = _kept(instance, scored, mask, counts)
            parts.append(scored.take(np.flatnonzero(keep)))
    parts = _cut(parts, instance, forced, counts)
    offers = concatenated(parts)
    if any(rule.min_share is not None for rule in stability_rules(instance)):
        counts[NOT_ON_OFFER] = len(not_on_offer(instance, offers))
    return offers, counts


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
