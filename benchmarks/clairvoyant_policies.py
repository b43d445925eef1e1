"""Other ways to choose from the same learned beliefs: more careful ones, and one less so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from bundlewise.instances.instance import Instance
from bundlewise.models.beliefs import Beliefs
from bundlewise.solver.intervals import margin_draws
from bundlewise.solver.offers import Offers
from bundlewise.solver.scoring import score_offers
from numpy.typing import NDArray

from .clairvoyant_choice import Chosen, best_plan
from .clairvoyant_shops import BUNDLES, LEVELS

Floats = NDArray[np.float64]

QUANTILE = 0.25
MOST_RISK = 0.10
# A careful plan is made of each product's best partners, as far as these are among the best pairs,
# each at its best level or the one below.
_PARTNERS, _PAIRS_DRAWN = 6, 300


def other_plans(instance: Instance, beliefs: Beliefs) -> dict[str, Chosen]:
    """Plans under other policies, by name.

    ``mean`` is the policy of ``solve``, by the study's own planner; ``quantile`` values an offer
    at the 25 % quantile of its margin over the draws of the posterior; ``floor`` takes no offer
    that loses money in more than 10 % of the draws; ``half`` offers half as many bundles; ``told``
    knows that bundles take nothing from substitutes (``assumptions.diversion = 0``);
    ``uncapped`` credits responses beyond the deepest price cuts the data support; ``one level``
    gives the same discount on all bundles, one plan a level.
    """
    offers, _ = score_offers(instance, beliefs)
    everywhere = replace(beliefs, deepest_cut=np.ones_like(beliefs.deepest_cut))
    pairs, off, value, rows = by_pair(offers)
    plans = {
        "mean": best_plan(pairs, off, value, BUNDLES),
        "told": best_plan(
            *by_pair(score_offers(_without_diversion(instance), beliefs)[0])[:3], BUNDLES
        ),
        "half": best_plan(pairs, off, value, BUNDLES // 2),
        "uncapped": best_plan(*by_pair(score_offers(instance, everywhere)[0])[:3], BUNDLES),
    }
    for level in range(len(LEVELS)):
        only = np.where(np.arange(len(LEVELS)) == level, value, -np.inf)
        plans[f"one level {level}"] = best_plan(pairs, off, only, BUNDLES)
    low, risk = _drawn(instance, beliefs, offers, pairs, value, rows)
    plans["quantile"] = best_plan(pairs, off, low, BUNDLES)
    safe = np.where(risk <= MOST_RISK, value, -np.inf)
    plans["floor"] = best_plan(pairs, off, safe, BUNDLES)
    return plans


def _without_diversion(instance: Instance) -> Instance:
    scenario = instance.scenario
    assumptions = scenario.assumptions.model_copy(update={"diversion": 0.0})
    return replace(instance, scenario=scenario.model_copy(update={"assumptions": assumptions}))


def by_pair(
    offers: Offers,
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, NDArray[np.int64]]:
    """(pairs, 2) products; (pairs, levels) cents off, value and row of the offer, -1 for none."""
    _, first, row = np.unique(offers.candidate, return_index=True, return_inverse=True)
    shape = (len(first), len(LEVELS))
    off, value = np.zeros(shape, dtype=np.int64), np.full(shape, -np.inf)
    rows = np.full(shape, -1)
    off[row, offers.level] = offers.list_price - offers.bundle_price
    value[row, offers.level] = offers.value
    rows[row, offers.level] = np.arange(len(offers))
    return offers.products[first].astype(np.int64)[:, :2], off, value, rows


def _drawn(
    instance: Instance,
    beliefs: Beliefs,
    offers: Offers,
    pairs: NDArray[np.int64],
    value: Floats,
    rows: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    """(pairs, levels) quantile of the margin and probability of a loss, of the best pairs."""
    low, risk = np.full(value.shape, -np.inf), np.ones(value.shape)
    best = _best_partners(pairs, value.max(axis=1))
    level = np.argmax(value[best], axis=1)
    row, level = np.tile(best, 2), np.concatenate([level, np.maximum(level - 1, 0)])
    there = rows[row, level] >= 0
    row, level = row[there], level[there]
    draws = margin_draws(instance, beliefs, offers.take(rows[row, level]))
    low[row, level] = np.quantile(draws, QUANTILE, axis=0)
    risk[row, level] = (draws < 0).mean(axis=0)
    return low, risk


def _best_partners(pairs: NDArray[np.int64], value: Floats) -> NDArray[np.int64]:
    """Rows of the most valuable pairs, none of whose products is in too many before it."""
    held = np.zeros(pairs.max(initial=0) + 1, dtype=np.int64)
    rows: list[int] = []
    for row in np.argsort(-value, kind="stable"):
        if len(rows) < _PAIRS_DRAWN and held[pairs[row]].max() < _PARTNERS:
            held[pairs[row]] += 1
            rows.append(int(row))
    return np.array(rows, dtype=np.int64)
