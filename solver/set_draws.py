"""What beliefs say of a bundle of three or four products, under draws from their posterior."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..models.beliefs import Beliefs
from ..models.copula import joint_probability
from ..models.product_sets import ABSENT, MAX_SIZE, set_table
from ..models.set_closure import bounded, closure, members

Floats = NDArray[np.float64]


def set_spread(beliefs: Beliefs, products: tuple[int, ...]) -> float:
    """Posterior standard deviation of log p_S, the smaller sets taken as known."""
    sets = beliefs.product_sets
    if sets is None:
        return 0.0
    padded = np.array([*products, *[ABSENT] * (MAX_SIZE - len(products))], dtype=np.int32)
    row = int(sets.find(padded[None, :])[0])
    if row >= 0:
        return float(sets.spread[row])
    known = len(sets.priors) > len(products) - 3
    return float(sets.priors[len(products) - 3].spread(np.zeros(1))[0]) if known else 0.0


def table_draws(
    beliefs: Beliefs,
    products: tuple[int, ...],
    probability: Floats,
    normals: Callable[[tuple[int, ...]], Floats],
) -> Floats:
    """(draws, 2**size) probabilities of the subsets of one bundle under draws.

    q is drawn, and log ψ of each pair; log p of each larger set is that of the closure of the
    drawn smaller ones, moved by its own spread and kept to what these allow.

    Parameters
    ----------
    probability
        (draws, size) q of each product.
    normals
        (draws,) standard normal draws for a pair or larger set of products.
    """
    n, size = probability.shape
    believed = set_table(beliefs, np.array([products], dtype=np.int32))
    visits = 1e300 if beliefs.product_sets is None else beliefs.product_sets.visits
    drawn = np.ones((n, 1 << size))
    for subset in sorted(range(1, 1 << size), key=int.bit_count):
        places = members(subset)
        held = tuple(products[place] for place in places)
        if len(places) == 1:
            drawn[:, subset] = probability[:, places[0]]
        elif len(places) == 2:
            facts = beliefs.pairs_of(np.array([held[0]]), np.array([held[1]]))
            psi, spread = float(facts["odds_ratio"][0]), float(facts["odds_spread"][0])
            u, v = (probability[:, place] for place in places)
            drawn[:, subset] = joint_probability(u, v, psi * np.exp(spread * normals(held)))
        else:
            within = [sum(1 << places[k] for k in members(m)) for m in range(1 << len(places))]
            kappa = believed[0, subset] / closure(believed[:, within])
            kappa = kappa * np.exp(set_spread(beliefs, held) * normals(held))
            table = drawn[:, within]
            drawn[:, subset], _ = bounded(kappa * closure(table), table, visits)
    return drawn


def subsets_of_plan(bundles: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The pairs and larger sets within bundles, each once, by size and products."""
    found = {
        held
        for bundle in bundles
        for size in range(2, len(bundle) + 1)
        for held in combinations(sorted(bundle), size)
    }
    return sorted(found, key=lambda held: (len(held), held))
