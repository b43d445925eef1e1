"""Bundles of three and four products for tests: consistent tables, and shops that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from bundlewise.instances.instance import Instance
from bundlewise.instances.rules import Rule
from bundlewise.instances.scenario import Assumptions, Candidates, Data, Limits
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.copula import odds_ratio_of
from bundlewise.models.product_sets import ProductSets
from bundlewise.models.set_prior import SetPrior

from .factories import make_beliefs, make_catalogue, make_instance, make_scenario


def random_table(random: np.random.Generator, size: int) -> np.ndarray:
    """(2**size,) probabilities of the subsets, of a random mix of kinds of trip."""
    level = np.exp(random.uniform(np.log(0.003), np.log(0.3), (size, 1)))
    taste = np.minimum(level * random.gamma(0.7, 1 / 0.7, (size, 6)), 0.9)
    table = np.ones(1 << size)
    for subset in range(1, 1 << size):
        held = [place for place in range(size) if subset >> place & 1]
        table[subset] = taste[held].prod(axis=0).mean()
    return table


def independent_table(q: Sequence[float]) -> np.ndarray:
    """(2**size,) the same of independent products."""
    return np.array(
        [
            np.prod([value for place, value in enumerate(q) if subset >> place & 1])
            for subset in range(1 << len(q))
        ]
    )


def shop_of_sets(
    q: Sequence[float],
    *,
    sensitivity: float = 3.0,
    scale: float = 0.0,
    deepest_cut: float = 0.5,
    max_size: int = 3,
    visits: float = 100_000.0,
    levels: tuple[float, ...] = (0.05, 0.1, 0.2),
    price: Sequence[int] | None = None,
    limits: Limits | None = None,
    rules: Sequence[Rule] = (),
    assumptions: Assumptions | None = None,
    lift: float = 1.0,
) -> tuple[Instance, Beliefs]:
    """Products of 10.00 that cost 5.00, all pairs, triples and sets of four counted.

    Every pair is bought ``lift`` times as often as if independent, larger sets as their closure.
    """
    n = len(q)
    catalogue = make_catalogue([f"{k}" for k in range(n)], category=["c"] * n, price=price)
    scenario = make_scenario(limits, rules, levels=levels, assumptions=assumptions).model_copy(
        update={
            "candidates": Candidates(max_size=max_size),
            "data": Data(orders=Path("o"), products=Path("p"), beliefs=Path("beliefs")),
        }
    )
    instance = make_instance(catalogue, scenario, visits=visits)
    values, eta = np.array(q), np.full(n, sensitivity)
    first, second = np.triu_indices(n, 1)
    joint = lift * values[first] * values[second]
    held = [c for size in (3, 4)[: max_size - 2] for c in combinations(range(n), size)]
    products = np.array([[*c, *[-1] * (4 - len(c))] for c in held], dtype=np.int32).reshape(-1, 4)
    products = products[np.lexsort(products.T[::-1])]
    probability = np.array(
        [
            lift ** (len(kept) * (len(kept) - 1) / 2) * values[kept].prod()
            for row in products
            for kept in [row[row >= 0]]
        ]
    )
    sets = ProductSets(
        products=products,
        orders=np.full(len(products), 50),
        joint_probability=probability,
        spread=np.full(len(products), 0.1),
        priors=(SetPrior(strength=50.0),) * (max_size - 2),
        least_orders=(5,) * (max_size - 2),
        visits=1e6,
    )
    beliefs = replace(
        make_beliefs(catalogue, purchase_probability=q),
        purchase_spread=np.full(n, 0.05),
        price_sensitivity=eta,
        sensitivity_location=eta,
        sensitivity_scale=np.full(n, scale),
        deepest_cut=np.full(n, deepest_cut),
        pair_a=first.astype(np.int32),
        pair_b=second.astype(np.int32),
        pair_orders=np.full(len(first), 100),
        pair_joint=joint,
        odds_ratio=np.asarray(odds_ratio_of(values[first], values[second], joint)),
        odds_spread=np.full(len(first), 0.1),
        product_sets=sets if max_size > 2 else None,
    )
    return instance, beliefs
