"""Learning the joint probabilities of three and four products from the baskets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..instances.orders import Baskets
from .affinity import Affinity
from .beliefs import Beliefs
from .product_sets import ABSENT, MAX_SIZE, ProductSets, closeness, set_table
from .set_closure import bounded, closure, possible_range
from .set_counts import MOST_SETS, SetCounts, count_sets
from .set_prior import SetPrior, fit_set_prior

FREQUENT = 400  # the most bought products, of which, evenly from most to least bought,
DENSE = (100, 40)  # so many have all their triples, and all their sets of four, fit the priors


@dataclass(frozen=True, slots=True)
class LearnedSets:
    """What was learned, and what the manifest says of each size: a dictionary, 3 first."""

    sets: ProductSets
    facts: tuple[dict[str, float], ...]


def learn_sets(
    beliefs: Beliefs,
    affinity: Affinity,
    baskets: Baskets,
    min_support: int,
    max_size: int,
    *,
    most: int = MOST_SETS,
) -> LearnedSets:
    """Count sets of three, and of four where asked for, and say how probable each is.

    With E = (Σ over weeks of visits · Π q at that week's level)·closure/Π q, a_S is Poisson with
    mean E·κ_S, κ_S gamma about its prior (``set_prior``), and p_S = E[κ_S]·closure. The smaller
    sets come first, so that sets of four are closed from triples that were learned. p_S stays in
    the range that the smaller sets leave; those moved there are counted, and so are those of
    which the smaller sets leave none.

    Parameters
    ----------
    beliefs
        with everything but the sets.
    baskets
        the baskets of the weeks that ``affinity`` was learned from.
    most
        sets of each size that are kept.
    """
    counted = count_sets(baskets, min_support, max_size, most=most)
    none = np.zeros(0)
    sets = ProductSets(
        products=np.zeros((0, MAX_SIZE), dtype=np.int32),
        orders=np.zeros(0, dtype=np.int64),
        joint_probability=none,
        spread=none,
        priors=(),
        least_orders=(),
        visits=float(baskets.n_visits),
    )
    facts = []
    for counts in counted:
        beliefs = replace(beliefs, product_sets=sets)
        prior = _fitted_prior(beliefs, affinity, baskets, counts.products.shape[1])
        sets, found = _with(sets, beliefs, affinity, counts, prior)
        facts.append(found)
    return LearnedSets(sets, tuple(facts))


def _with(
    sets: ProductSets, beliefs: Beliefs, affinity: Affinity, counts: SetCounts, prior: SetPrior
) -> tuple[ProductSets, dict[str, float]]:
    """The sets with those of one size more, and what the manifest says of these."""
    size = counts.products.shape[1]
    table = set_table(beliefs, counts.products)
    expected = _expected(affinity, counts.products, table)
    kappa = prior.posterior(closeness(table), counts.orders, expected)
    low, high = possible_range(table, sets.visits)
    joint, moved = bounded(kappa * closure(table), table, sets.visits)
    filler = np.full((len(counts), MAX_SIZE - size), ABSENT, dtype=np.int32)
    products = np.vstack([sets.products, np.hstack([counts.products, filler])])
    order = np.lexsort(products.T[::-1])
    grown = ProductSets(
        products=products[order],
        orders=np.append(sets.orders, counts.orders)[order],
        joint_probability=np.append(sets.joint_probability, joint)[order],
        spread=np.append(sets.spread, prior.spread(counts.orders))[order],
        priors=(*sets.priors, prior),
        least_orders=(*sets.least_orders, counts.least_orders),
        visits=sets.visits,
    )
    return grown, {
        "size": size,
        "visits": sets.visits,
        "sets": len(counts),
        "least_orders": counts.least_orders,
        "sets_left_out": counts.n_left_out,
        "sets_bounded": int((moved & (low <= high)).sum()),
        "sets_contradicted": int((low > high).sum()),
        "level": prior.level,
        "slope": prior.slope,
        "strength": prior.strength,
    }


def _fitted_prior(beliefs: Beliefs, affinity: Affinity, baskets: Baskets, size: int) -> SetPrior:
    """The prior that tells best how often all sets of some products were bought, never included."""
    frequency = np.bincount(baskets.product, minlength=baskets.n_products)
    ranked = np.argsort(-frequency, kind="stable")[:FREQUENT]
    ranked = ranked[(frequency[ranked] > 0) & (beliefs.purchase_probability[ranked] > 0)]
    n_dense = min(DENSE[size - 3], len(ranked))
    if n_dense < size:
        return SetPrior()
    dense = np.sort(ranked[np.unique(np.linspace(0, len(ranked) - 1, n_dense).astype(int))])
    places = np.array(list(combinations(range(n_dense), size)), dtype=np.int32)
    table = set_table(beliefs, dense[places])
    expected = _expected(affinity, dense[places], table)
    orders = orders_of_all(only_products(baskets, dense), size)
    assert len(orders) == comb(n_dense, size)
    return fit_set_prior(orders, expected, closeness(table))


def orders_of_all(baskets: Baskets, size: int) -> NDArray[np.float64]:
    """(sets,) visits that hold each set of ``size`` products, in the order of combinations."""
    n = baskets.n_products
    seen = count_sets(baskets, 1, size, most=comb(n, size))[size - 3]
    position = np.zeros(len(seen), dtype=np.int64)
    before = np.full(len(seen), -1, dtype=np.int64)
    for place in range(size):  # combinations that come first differ in an earlier place
        member = seen.products[:, place].astype(np.int64)
        left = size - place
        position += _choose(n - before - 1, left) - _choose(n - member, left)
        before = member
    orders = np.zeros(comb(n, size))
    orders[position] = seen.orders
    return orders


def _choose(n: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """n over k."""
    product = np.ones_like(n)
    for j in range(k):
        product = product * (n - j) // (j + 1)
    return product


def only_products(baskets: Baskets, products: NDArray[np.int64]) -> Baskets:
    """The baskets with these products alone, numbered as given."""
    place = np.full(baskets.n_products, -1, dtype=np.int32)
    place[products] = np.arange(len(products), dtype=np.int32)
    kept = place[baskets.product] >= 0
    start = np.append(0, np.cumsum(kept))[baskets.start]
    return Baskets(start, place[baskets.product[kept]], baskets.week, len(products))


def _expected(
    affinity: Affinity, products: NDArray[np.integer], table: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(sets,) visits that the closure lets expect, at every week's own level."""
    size = products.shape[1]
    apart = np.prod([table[:, 1 << place] for place in range(size)], axis=0)
    matched = _matched(affinity.rates, affinity.visits, products.astype(np.int64))
    return np.maximum(matched * closure(table) / apart, 1e-300)


@njit(cache=True)
def _matched(rates, visits, products):
    """Σ over weeks of visits · Π of the products' rates in that week."""
    out = np.zeros(len(products))
    for n in range(len(products)):
        for week in range(len(visits)):
            apart = visits[week]
            for product in products[n]:
                apart *= rates[product, week]
            out[n] += apart
    return out
