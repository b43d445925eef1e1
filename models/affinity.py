"""Affinity: how much more often products are bought together than their rates would make them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import betainc, polygamma

from ..instances.orders import Baskets
from .copula import joint_probability, odds_ratio_of
from .gamma_poisson import fitted_strength
from .pair_counts import PairCounts
from .product_features import ProductFeatures

# Weeks, of the smoothing of weekly rates. At 0.5 the weeks beside a week weigh a quarter of it, so
# every week is nearly a stratum of its own (as in Mantel and Haenszel's odds ratio) and chance in
# its own counts is matched as well: most data choose it. Shorter is not better: the expectation
# of a week with few visits would be made of the very joint orders that are held against it.
_HALF_LIVES = (0.5, 1.0, 2.0, 4.0, 10.0, np.inf)
_FIRST_HALF_LIFE = 0.5  # for the prior that the half-lives are compared under
_FREQUENT = 4_000  # the most frequent products, of which
_DENSE = 800  # evenly from most to least frequent, have all their pairs fit the strengths
_ROUNDS = 3  # of category lifts and product lifts in turn


@dataclass(frozen=True, slots=True)
class PriorLift:
    """Prior mean of λ_ab = category_lift[c_a, c_b] · product_lift_a · product_lift_b.

    Attributes
    ----------
    category
        (products,) codes.
    category_lift
        (codes, codes) symmetric, shrunk to the mean of all.
    product_lift
        (products,) mostly the size of the trips a product is bought on; shrunk to 1.
    """

    category: NDArray[np.int32]
    category_lift: NDArray[np.float64]
    product_lift: NDArray[np.float64]

    def of(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        """(pairs,) prior mean of λ."""
        return (
            self.category_lift[self.category[a], self.category[b]]
            * self.product_lift[a]
            * self.product_lift[b]
        )


@dataclass(frozen=True, slots=True)
class Affinity:
    """Gamma-Poisson lifts on matched bases: a_S ~ Poisson(E_S·λ_S), λ_S ~ Gamma.

    Attributes
    ----------
    prior
        prior means of λ.
    strength
        shape k of the gamma, fitted.
    half_life
        weeks, of the two-sided smoothing of the weekly rates that E_S is built on.
    visits
        (weeks,) visits.
    rates
        (products, weeks) smoothed purchase rates.
    """

    prior: PriorLift
    strength: float
    half_life: float
    visits: NDArray[np.float64]
    rates: NDArray[np.float32]

    def expected(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        """(pairs,) E = Σ over weeks of visits · q_a · q_b at that week's level."""
        return _expected(self.rates, self.visits, a.astype(np.int64), b.astype(np.int64))

    def lift(
        self,
        a: NDArray[np.integer],
        b: NDArray[np.integer],
        orders: NDArray[np.integer] | NDArray[np.float64],
        expected: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """(pairs,) posterior mean of λ: λ0·(a + k)/(E·λ0 + k)."""
        prior = self.prior.of(a, b)
        return prior * (orders + self.strength) / (expected * prior + self.strength)

    def lift_spread(self, orders: NDArray[np.integer]) -> NDArray[np.float64]:
        """(pairs,) posterior standard deviation of log λ, a gamma of shape a + k."""
        values, at = np.unique(orders, return_inverse=True)
        return np.sqrt(np.asarray(polygamma(1, values + self.strength)))[at]


def unseen_lift(
    prior: NDArray[np.float64], expected: NDArray[np.float64], strength: float, below: int
) -> NDArray[np.float64]:
    """Mean of λ for pairs of which only "fewer than ``below`` joint orders" is known.

    E[λ | a < m] = λ0·P(a' < m)/P(a < m), with a negative binomial of shape k and a' of shape
    k + 1, both with success probability k/(k + E·λ0); for m = 1 it is λ0·k/(k + E·λ0).
    """
    success = strength / (strength + expected * prior)
    return prior * betainc(strength + 1, below, success) / betainc(strength, below, success)


def highest_joint(
    q_a: NDArray[np.float64], q_b: NDArray[np.float64], visits: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """(pairs,) the most that J may be: P(commoner | rarer) <= 1 − 2(1 − q of the commoner)/(n + 2).

    That is Laplace's rule of succession for the rarer product's n visits, the two added visits
    holding the commoner at its own rate: n purchases, every one with the other product, do not
    make the next one certain to be. The limit is never below independence.
    """
    rarer, commoner = np.minimum(q_a, q_b), np.maximum(q_a, q_b)
    return rarer * (1 - 2 * (1 - commoner) / (rarer * visits + 2))


def lowest_joint(
    q_a: NDArray[np.float64], q_b: NDArray[np.float64], visits: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """(pairs,) the least that J may be: what ``highest_joint`` leaves of buying one alone."""
    a_alone = highest_joint(q_a, 1 - q_b, visits)
    b_alone = highest_joint(1 - q_a, q_b, visits)
    return np.maximum(q_a - a_alone, q_b - b_alone)


def fit_affinity(
    baskets: Baskets, features: ProductFeatures, first_week: int, end_week: int
) -> Affinity:
    """Learn prior lifts and their strength from baskets of the weeks from first to before end.

    Half-life and strength are those with the highest marginal likelihood on all pairs of some
    hundred products from frequent to rare, pairs never bought together included.
    """
    category, n_categories = features.category, features.n_categories
    inside = (baskets.week >= first_week) & (baskets.week < end_week)
    baskets = baskets.select(inside)
    week = (baskets.week - first_week).astype(np.int64)
    n_weeks = end_week - first_week
    visits = np.bincount(week, minlength=n_weeks).astype(float)
    visit = np.repeat(np.arange(baskets.n_visits), np.diff(baskets.start))
    key = baskets.product.astype(np.int64) * n_weeks + week[visit]
    counts = np.bincount(key, minlength=baskets.n_products * n_weeks)
    counts = counts.reshape(-1, n_weeks).astype(np.float32)
    members = _members(baskets, visit)
    dense = _spread_products(counts)
    together = np.asarray((members[:, dense].T @ members[:, dense]).todense(), dtype=float)
    upper = np.triu_indices(len(dense), 1)

    rates = _smoothed(counts, visits, _FIRST_HALF_LIFE)
    prior = _prior_lift(baskets, members, rates, visits, category, n_categories)
    lift = prior.of(dense[upper[0]], dense[upper[1]])
    best = (-np.inf, np.inf, 1.0)
    for half_life in _HALF_LIVES:
        block = _smoothed(counts[dense], visits, half_life).astype(float)
        expected = ((block * visits) @ block.T)[upper] * lift
        strength, score = fitted_strength(together[upper], expected)
        if score > best[0]:
            best = (score, half_life, strength)
    _, half_life, strength = best
    if half_life != _FIRST_HALF_LIFE:
        rates = _smoothed(counts, visits, half_life)
        prior = _prior_lift(baskets, members, rates, visits, category, n_categories)
    return Affinity(prior, strength, half_life, visits, rates)


@dataclass(frozen=True, slots=True)
class PairBeliefs:
    """(pairs,) λ carried to the planned week; ``n_bounded`` pairs were held at a limit."""

    joint_probability: NDArray[np.float64]
    odds_ratio: NDArray[np.float64]
    odds_spread: NDArray[np.float64]
    n_bounded: int


def carry_to_week(
    affinity: Affinity, pairs: PairCounts, probability: NDArray[np.float64]
) -> PairBeliefs:
    """Turn lifts into odds ratios, and these into joint probabilities of the planned week.

    ψ is read at the level at which the pair was counted, q̄ with q̄_a·q̄_b = E/visits and
    J̄ = λ·E/visits, and held: J = C_ψ(q_a, q_b). J̄ is kept between ``lowest_joint`` and
    ``highest_joint``; pairs so bounded are counted.

    Parameters
    ----------
    probability
        (products,) q at the reference prices of the planned week.
    """
    a, b = pairs.first, pairs.second
    expected = affinity.expected(a, b)
    lift = affinity.lift(a, b, pairs.orders, expected)
    psi, slope, bounded = odds_at_base(affinity, a, b, expected, lift)
    joint = joint_probability(probability[a], probability[b], psi)
    spread = affinity.lift_spread(pairs.orders) * slope
    spread = np.minimum(spread, _widest_spread(affinity, a, b, expected))
    return PairBeliefs(joint, psi, spread, int(bounded.sum()))


def odds_at_base(
    affinity: Affinity,
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    expected: NDArray[np.float64],
    lift: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """(pairs,) ψ, d log ψ/d log λ, and whether J̄ was bounded."""
    u, v = _base(affinity, a, b, expected)
    total = affinity.visits.sum()
    low, high = lowest_joint(u, v, total), highest_joint(u, v, total)
    joint = lift * u * v
    bounded = (joint > high) | (joint < low)
    joint = np.clip(joint, low, high)
    slope = 1 + joint * (1 / (1 - u - v + joint) + 1 / (u - joint) + 1 / (v - joint))
    return odds_ratio_of(u, v, joint), slope, bounded


def _widest_spread(
    affinity: Affinity,
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    expected: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(pairs,) the spread of log ψ whose 90 % interval is all that the limits of J allow."""
    u, v = _base(affinity, a, b, expected)
    total = affinity.visits.sum()
    low, high = (odds_ratio_of(u, v, end(u, v, total)) for end in (lowest_joint, highest_joint))
    return np.log(high / low) / (2 * 1.645)


def _base(
    affinity: Affinity,
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    expected: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(pairs,) q̄_a and q̄_b. A product found in every visit is not certain to be in the next:
    by the rule of succession no rate is above (n + 1)/(n + 2)."""
    total = affinity.visits.sum()
    mean_rate = affinity.rates.astype(float) @ affinity.visits / total
    matched = np.sqrt(expected / total / (mean_rate[a] * mean_rate[b]))
    most = 1 - 1 / (total + 2)
    return np.minimum(mean_rate[a] * matched, most), np.minimum(mean_rate[b] * matched, most)


def _spread_products(counts: NDArray[np.float32]) -> NDArray[np.int64]:
    """every so many of the most frequent products: the very frequent alone have lifts that
    vary less than those of the others."""
    total = counts.sum(axis=1)
    ranked = np.argsort(-total, kind="stable")[:_FREQUENT]
    ranked = ranked[total[ranked] > 0]
    at = np.unique(np.linspace(0, max(len(ranked) - 1, 0), min(_DENSE, len(ranked))).astype(int))
    return np.sort(ranked[at])


def _members(baskets: Baskets, visit: NDArray[np.int64]) -> csr_array:
    """(visits, products) 1 where the visit holds the product."""
    return csr_array(
        (np.ones(len(baskets.product), dtype=np.float32), baskets.product, baskets.start),
        shape=(baskets.n_visits, baskets.n_products),
    )


def _smoothed(
    counts: NDArray[np.float32], visits: NDArray[np.float64], half_life: float
) -> NDArray[np.float32]:
    """(products, weeks) rate around each week, weeks weighted by their distance."""
    weeks = np.arange(len(visits))
    kernel = 0.5 ** (np.abs(weeks[:, None] - weeks[None, :]) / half_life)
    around = np.maximum(visits @ kernel, 1e-30)  # far from any visit; still above 0 in float32
    return (counts @ kernel.astype(np.float32)) / around.astype(np.float32)


def _prior_lift(
    baskets: Baskets,
    members: csr_array,
    rates: NDArray[np.float32],
    visits: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
) -> PriorLift:
    """Fit category-pair lifts and product lifts in turn, without forming any pair of products.

    Joint orders of two categories are Σ over visits of the products of their basket counts;
    those of a product with all others are Σ over its visits of (size − 1).
    """
    belongs = csr_array(
        (np.ones(len(category), dtype=np.float32), (np.arange(len(category)), category)),
        shape=(len(category), n_categories),
    )
    by_category = members @ belongs
    together = np.asarray((by_category.T @ by_category).todense(), dtype=float)
    together[np.diag_indices(n_categories)] -= by_category.sum(axis=0)
    others = np.diff(baskets.start).astype(float) - 1.0
    of_product = np.asarray(members.T @ others)
    # Pairs of one visit come together: a visit is worth one observation, not size − 1 of them.
    cluster = max(float((others**2).sum() / max(others.sum(), 1.0)), 1.0)

    product_lift = np.ones(len(category))
    category_lift = np.ones((n_categories, n_categories))
    weekly = rates.astype(float)
    for _ in range(_ROUNDS):
        raised = weekly * product_lift[:, None]
        level = np.asarray(belongs.T @ raised)  # (codes, weeks)
        expected = (level * visits) @ level.T
        own = np.bincount(category, (raised**2) @ visits, minlength=n_categories)
        expected[np.diag_indices(n_categories)] -= own
        category_lift = _shrunk(together, np.maximum(expected, 0.0))
        around = (category_lift @ level)[category]
        around -= np.diagonal(category_lift)[category][:, None] * raised
        alone = (weekly * np.maximum(around, 0.0)) @ visits
        product_lift = _shrunk(of_product / cluster, alone / cluster)
    return PriorLift(category, category_lift, product_lift)


def _shrunk(seen: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ratios seen/expected, shrunk to the ratio of all by a gamma of fitted strength."""
    some = expected > 0
    mean = seen[some].sum() / max(expected[some].sum(), 1e-300)
    if mean <= 0:
        return np.ones_like(expected)
    strength, _ = fitted_strength(seen[some], expected[some] * mean)
    return mean * (seen + strength) / (expected * mean + strength)


@njit(cache=True)
def _expected(rates, visits, a, b):
    out = np.zeros(len(a))
    for i in range(len(a)):
        total = 0.0
        for w in range(len(visits)):
            total += visits[w] * rates[a[i], w] * rates[b[i], w]
        out[i] = total
    return out
