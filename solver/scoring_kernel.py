"""The kernel that turns shares of visits into the accounts of every offer, in parallel."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .candidates import CandidatePairs
from .economics import unit_gain
from .posterior import sensitivity_nodes
from .shares import expected_rows

_TILE = 256  # pairs a thread takes at a time, so that costly pairs are spread over the threads
MARGIN, REVENUE, UNITS, AFFINITY = range(4)
_OBJECTIVES = {
    "margin": MARGIN,
    "revenue": REVENUE,
    "units": UNITS,
    "affinity": AFFINITY,
}


class ProductTable(NamedTuple):
    """What the kernel reads of each product; arrays have shape (products,), money in cents.

    Attributes
    ----------
    probability, price, funding
        q, r and supplier funding.
    gain
        what an added unit earns at the reference price: r/(1 + tax) − cost, less what it
        displaces.
    reach
        ``deepest_cut`` · r: money off up to which the capped response is credited.
    rate, weight
        (products, nodes) η/r at the nodes of the posterior of η, and their weights; 0 for
        products that may not be in a bundle.
    """

    probability: NDArray[np.float64]
    price: NDArray[np.float64]
    funding: NDArray[np.float64]
    gain: NDArray[np.float64]
    reach: NDArray[np.float64]
    rate: NDArray[np.float64]
    weight: NDArray[np.float64]


class Terms(NamedTuple):
    """The scenario's figures that hold for every offer.

    Attributes
    ----------
    net
        1 + tax rate.
    visits
        visits that see the offer: visits × exposure.
    subsidy
        factor on the row of those who buy both anyway: 1/exposure where redemption is automatic,
        else 1.
    offer_cost
        cents an offer costs.
    objective
        code of ``objective.maximize``.
    """

    net: float
    visits: float
    subsidy: float
    offer_cost: float
    objective: int


class Scores(NamedTuple):
    """Accounts of offers as in ``Offers``; shape (candidates, levels), 0 where not offered."""

    value: NDArray[np.float64]
    incremental_margin: NDArray[np.float64]
    bundle_units: NDArray[np.float64]
    subsidised_units: NDArray[np.float64]
    added_first: NDArray[np.float64]
    added_second: NDArray[np.float64]
    capped: NDArray[np.bool_]


def product_table(
    instance: Instance,
    beliefs: Beliefs,
    n_nodes: int,
    products: NDArray[np.int64] | None = None,
) -> ProductTable:
    """The kernel's view of the products of an instance.

    Parameters
    ----------
    products
        catalogue indices of those that will be asked for, all of them by default; others are
        filled as if they could not be in a bundle.
    """
    catalogue = instance.catalogue
    usable = catalogue.available & (beliefs.purchase_probability > 0.0)
    used = np.flatnonzero(usable) if products is None else products[usable[products]]
    price = catalogue.reference_price.astype(np.float64)
    rate = np.zeros((len(catalogue), n_nodes))
    weight = np.zeros((len(catalogue), n_nodes))
    nodes, weight[used] = sensitivity_nodes(beliefs, used, n_nodes)
    rate[used] = nodes / price[used, None]
    return ProductTable(
        probability=beliefs.purchase_probability,
        price=price,
        funding=catalogue.supplier_funding.astype(np.float64),
        gain=unit_gain(instance, beliefs.displaced),
        reach=beliefs.deepest_cut * price,
        rate=rate,
        weight=weight,
    )


def terms_of(instance: Instance) -> Terms:
    """The terms of a scenario."""
    assumptions = instance.scenario.assumptions
    automatic = assumptions.redemption == "automatic"
    return Terms(
        net=1.0 + assumptions.tax_rate,
        visits=instance.visits * assumptions.exposure,
        subsidy=1.0 / assumptions.exposure if automatic else 1.0,
        offer_cost=100.0 * assumptions.offer_cost,
        objective=_OBJECTIVES[instance.scenario.objective.maximize],
    )


def score_pairs(
    pairs: CandidatePairs, discount: NDArray[np.int64], table: ProductTable, terms: Terms
) -> Scores:
    """The accounts of every pair at every level.

    Parameters
    ----------
    discount
        (candidates, levels) cents off, D; 0 where the level is not offered.
    """
    shape = discount.shape
    scores = Scores(*(np.zeros(shape) for _ in range(6)), capped=np.zeros(shape, dtype=np.bool_))
    _score(
        pairs.first, pairs.second, pairs.joint_probability, pairs.odds_ratio,
        discount, table, terms, get_num_threads(), scores,
    )  # fmt: skip
    return scores


class _Pair(NamedTuple):
    """The figures of one pair: what ``ProductTable`` holds of its two products."""

    first: int
    second: int
    q1: float
    q2: float
    joint: float
    odds_ratio: float
    price1: float
    price2: float
    gain1: float
    gain2: float
    funding: float


class _Accounts(NamedTuple):
    value: float
    margin: float
    bundles: float
    subsidised: float
    added1: float
    added2: float


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _score(
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    joint: NDArray[np.float64],
    odds_ratio: NDArray[np.float64],
    discount: NDArray[np.int64],
    table: ProductTable,
    terms: Terms,
    n_threads: int,
    scores: Scores,
) -> None:
    """Each thread takes every ``n_threads``-th tile of pairs.

    Arrays are read and written here only, and what is called gets numbers: handing arrays on
    inside tuples costs an atomic count of references each time, more than the formulas do.
    """
    probability, price, funding, gain, reach, rate, weight = table
    value, margin, bundles, subsidised, added1, added2, capped = scores
    n_candidates, n_levels = discount.shape
    for thread in prange(n_threads):
        for tile in range(thread * _TILE, n_candidates, n_threads * _TILE):
            for c in range(tile, min(tile + _TILE, n_candidates)):
                a, b = int(first[c]), int(second[c])
                pair = _Pair(
                    a, b, probability[a], probability[b], joint[c], odds_ratio[c],
                    price[a], price[b], gain[a], gain[b], funding[a] + funding[b],
                )  # fmt: skip
                for level in range(n_levels):
                    money_off = float(discount[c, level])
                    if money_off <= 0.0:
                        continue
                    best = _accounts(pair, terms, money_off, price[a], price[b], rate, weight)
                    is_capped = False
                    reach1, reach2 = min(price[a], reach[a]), min(price[b], reach[b])
                    if min(money_off, price[a]) > reach1 or min(money_off, price[b]) > reach2:
                        # the smaller of the two values counts, and its accounts with it
                        careful = _accounts(pair, terms, money_off, reach1, reach2, rate, weight)
                        is_capped = _is_smaller(careful, best, terms.objective)
                        if is_capped:
                            best = careful
                    value[c, level] = best.value
                    margin[c, level] = best.margin
                    bundles[c, level] = best.bundles
                    subsidised[c, level] = best.subsidised
                    added1[c, level] = best.added1
                    added2[c, level] = best.added2
                    capped[c, level] = is_capped


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
def _accounts(
    pair: _Pair,
    terms: Terms,
    discount: float,
    reach1: float,
    reach2: float,
    rate: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> _Accounts:
    """The table of design section 2 in expectation over η, summed into accounts.

    Incremental margin = visits × Σ share × gain − offer cost, where every bundle sold gains
    F − D/(1 + tax) and every added unit what it earns at the reference price.
    """
    adds2, adds1, both = expected_rows(
        pair.q1, pair.q2, pair.odds_ratio, pair.first, pair.second, rate, weight,
        reach1, reach2, discount,
    )  # fmt: skip
    subsidised = terms.visits * pair.joint * terms.subsidy
    added1 = terms.visits * (adds1 + both)
    added2 = terms.visits * (adds2 + both)
    bundles = subsidised + terms.visits * (adds1 + adds2 + both)
    margin = (
        added1 * pair.gain1
        + added2 * pair.gain2
        + bundles * (pair.funding - discount / terms.net)
        - terms.offer_cost
    )
    if terms.objective == MARGIN:
        value = margin
    elif terms.objective == REVENUE:
        value = (added1 * pair.price1 + added2 * pair.price2 - bundles * discount) / terms.net
    elif terms.objective == UNITS:
        value = added1 + added2
    else:
        value = pair.q1 * pair.q2 * math.log(pair.joint)
    return _Accounts(value, margin, bundles, subsidised, added1, added2)


@njit(cache=True)
def _is_smaller(careful: _Accounts, other: _Accounts, objective: int) -> bool:
    """Whether the capped accounts are the smaller ones, by value; affinity knows no response."""
    if objective == AFFINITY:
        return careful.margin < other.margin
    return careful.value < other.value
