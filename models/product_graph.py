"""The product graph as a table: each counted pair, beside what trips alone would make of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .affinity import Affinity, odds_at_base
from .beliefs import Beliefs
from .pair_counts import PairCounts


def graph_of(beliefs: Beliefs) -> pd.DataFrame:
    """A row an edge: a pair of products that was counted.

    Returns
    -------
    product_a, product_b
        ids.
    orders, expected_orders
        visits that held both, and the number that independent products would have made.
    odds_ratio, spread
        learned ψ, and the posterior standard deviation of its log.
    trip_odds_ratio
        the baseline: ψ from nothing but the trips that each product is bought on, mostly their
        size. Nan, as expected orders are, in beliefs of before they were kept.
    beyond_trips
        odds_ratio/trip_odds_ratio: above 1, more than the size of trips explains.
    """
    ids, missing = beliefs.product_ids, np.full(len(beliefs.pair_a), np.nan)
    expected = missing if beliefs.pair_expected is None else beliefs.pair_expected
    trips = missing if beliefs.pair_trip_odds is None else beliefs.pair_trip_odds
    return pd.DataFrame(
        {
            "product_a": pd.Series(ids[beliefs.pair_a], dtype="str"),
            "product_b": pd.Series(ids[beliefs.pair_b], dtype="str"),
            "orders": beliefs.pair_orders,
            "expected_orders": expected,
            "odds_ratio": beliefs.odds_ratio,
            "spread": beliefs.odds_spread,
            "trip_odds_ratio": trips,
            "beyond_trips": beliefs.odds_ratio / trips,
        }
    )


def trip_odds(
    affinity: Affinity, pairs: PairCounts
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(pairs,) E, and ψ if λ were the mean lift of all times the lifts of the two products."""
    a, b = pairs.first, pairs.second
    expected = affinity.expected(a, b)
    product_lift = affinity.prior.product_lift
    lift = _mean_category_lift(affinity) * product_lift[a] * product_lift[b]
    return expected, odds_at_base(affinity, a, b, expected, lift)[0]


def _mean_category_lift(affinity: Affinity) -> float:
    """Lift of category pairs, each weighted by the joint orders expected of its products."""
    lift = affinity.prior.features.lift
    level = np.zeros((len(lift.category_lift), len(affinity.visits)))
    np.add.at(level, lift.category, affinity.rates * lift.product_lift[:, None])
    expected = (level * affinity.visits) @ level.T
    return float((expected * lift.category_lift).sum() / max(expected.sum(), 1e-300))
