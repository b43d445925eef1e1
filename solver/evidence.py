"""What speaks for each chosen bundle: orders, odds ratio, price sensitivity, with intervals."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from ..models.product_sets import ABSENT, MAX_SIZE
from .break_even import break_even_discounts, gain_conditions
from .intervals import HIGH, LOW, truncated_normal
from .offers import Offers

Bundle = tuple[int, ...]


def plan_evidence(
    instance: Instance, beliefs: Beliefs, chosen: Offers, rows: pd.DataFrame
) -> dict[str, dict[str, Any]]:
    """By bundle id: what is known of it, and what follows for its discount; plain JSON values.

    ``orders`` hold all of its products, ``orders_expected`` would if they were bought
    independently; null where fewer than were counted, or not kept. ``odds_ratio`` with its 90 %
    interval stands beside ``trip_size_odds_ratio``, what the trips that each product is bought on
    make it (pairs only). A larger bundle has a list ``pairs`` of the same facts. ``gain_condition``
    is Σ of ``gain_parts`` by product, above 1 where a small discount gains.
    ``break_even_discount`` is a share of the list price, null where the bundle gains at any
    discount that may be offered. ``products`` has of each its price sensitivity with a 90 %
    interval, and its deepest cut.
    """
    parts = gain_conditions(instance, beliefs, chosen)
    break_even = break_even_discounts(instance, beliefs, chosen)
    place = {chosen.bundle(k): k for k in range(len(chosen))}
    ids = [str(name) for name in beliefs.product_ids]
    evidence = {}
    for name, products in zip(rows["bundle_id"], rows["products"], strict=True):
        bundle = tuple(sorted(products))
        k = place[bundle]
        evidence[str(name)] = {
            **_together(beliefs, bundle),
            "gain_condition": sum(parts[k].values()),
            "gain_parts": {ids[product]: parts[k][product] for product in products},
            "break_even_discount": break_even[k],
            "products": {ids[product]: _response(beliefs, product) for product in products},
        }
    return evidence


def _together(beliefs: Beliefs, bundle: Bundle) -> dict[str, Any]:
    """How often the products are bought together, and are expected to be."""
    if len(bundle) == 2:
        return _pair(beliefs, bundle)
    sets = beliefs.product_sets
    padded = np.array([*bundle, *[ABSENT] * (MAX_SIZE - len(bundle))], dtype=np.int32)
    row = -1 if sets is None else int(sets.find(padded[None, :])[0])
    counted = sets is not None and row >= 0
    independent = float(beliefs.purchase_probability[list(bundle)].prod())
    return {
        "orders": int(sets.orders[row]) if sets is not None and counted else None,
        "orders_expected": None if sets is None else sets.visits * independent,
        "pairs": [
            {"product_ids": [str(beliefs.product_ids[p]) for p in pair], **_pair(beliefs, pair)}
            for pair in combinations(bundle, 2)
        ],
    }


def _pair(beliefs: Beliefs, pair: Bundle) -> dict[str, Any]:
    a, b = pair
    row = np.flatnonzero((beliefs.pair_a == a) & (beliefs.pair_b == b))
    counted = len(row) == 1

    def of_counted(values: np.ndarray | None) -> float | None:
        return float(values[row[0]]) if counted and values is not None else None

    facts = beliefs.pairs_of(np.array([a]), np.array([b]))
    psi, spread = float(facts["odds_ratio"][0]), float(facts["odds_spread"][0])
    low, high = (psi * float(np.exp(spread * ndtri(end))) for end in (LOW, HIGH))
    return {
        "orders": int(beliefs.pair_orders[row[0]]) if counted else None,
        "orders_expected": of_counted(beliefs.pair_expected),
        "odds_ratio": psi,
        "odds_ratio_low": low,
        "odds_ratio_high": high,
        "trip_size_odds_ratio": of_counted(beliefs.pair_trip_odds),
    }


def _response(beliefs: Beliefs, product: int) -> dict[str, float]:
    """A product's price sensitivity with its 90 % interval, and its deepest cut."""
    location = float(beliefs.sensitivity_location[product])
    scale, cap = float(beliefs.sensitivity_scale[product]), float(beliefs.sensitivity_cap[product])
    known = min(max(location, 0.0), cap)
    ends = [
        known if scale <= 0.0 else float(truncated_normal(np.array([end]), location, scale, cap)[0])
        for end in (LOW, HIGH)
    ]
    return {
        "price_sensitivity": float(beliefs.price_sensitivity[product]),
        "price_sensitivity_low": ends[0],
        "price_sensitivity_high": ends[1],
        "deepest_cut": float(beliefs.deepest_cut[product]),
    }
