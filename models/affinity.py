"""Affinity: how much more often products are bought together than their rates would make them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..instances.orders import Baskets
from .category_lift import CategoryLift, fit_category_lift
from .copula import joint_probability, odds_ratio_of
from .gamma_poisson import fitted_strength
from .graph_filter import fit_graph_filter
from .later_pairs import Window, joint_orders, later_pairs, smoothed_rates, window_of
from .lift_prior import LiftPrior, carried_prior, fitted_prior, plain_prior
from .pair_counts import PairCounts
from .pair_features import PairFeatures, pair_features
from .product_features import ProductFeatures
from .title_words import title_words

# Weeks, of the smoothing of weekly rates. At 0.5 the weeks beside a week weigh a quarter of it, so
# every week is nearly a stratum of its own (as in Mantel and Haenszel's odds ratio) and chance in
# its own counts is matched as well: most data choose it. Shorter is not better: the expectation
# of a week with few visits would be made of the very joint orders that are held against it.
_HALF_LIVES = (0.5, 1.0, 2.0, 4.0, 10.0, np.inf)
_FIRST_HALF_LIFE = 0.5  # for the prior that the half-lives are compared under
_FREQUENT = 4_000  # the most frequent products, of which
_DENSE = 800  # evenly from most to least frequent, have all their pairs fit the strengths
_LATER = 0.25  # of the weeks are foretold from the others to fit the prior
_LEAST_WEEKS = 8  # with fewer, a quarter of them says too little


@dataclass(frozen=True, slots=True)
class Affinity:
    """Gamma-Poisson lifts on matched bases: a_S ~ Poisson(E_S·λ_S), λ_S gamma or a mixture.

    Attributes
    ----------
    prior
        of the λ of every pair: a gamma, or a mixture.
    half_life
        weeks, of the two-sided smoothing of the weekly rates that E_S is built on.
    visits
        (weeks,) visits.
    rates
        (products, weeks) smoothed purchase rates.
    """

    prior: LiftPrior
    half_life: float
    visits: NDArray[np.float64]
    rates: NDArray[np.float32]

    @property
    def strength(self) -> float:
        """Shape k of the gamma of a pair that is hardly ever expected."""
        return self.prior.strength

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
        """(pairs,) posterior mean of λ; that of one gamma is λ0·(a + k)/(E·λ0 + k)."""
        return self.prior.posterior(orders.astype(float), expected, self.prior.of(a, b))

    def lift_spread(
        self,
        a: NDArray[np.integer],
        b: NDArray[np.integer],
        orders: NDArray[np.integer] | NDArray[np.float64],
        expected: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """(pairs,) posterior standard deviation of log λ."""
        return self.prior.spread(orders.astype(float), expected, self.prior.of(a, b))


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
    baskets: Baskets,
    features: ProductFeatures,
    first_week: int,
    end_week: int,
    customer: NDArray[np.integer] | None = None,
) -> Affinity:
    """Learn the prior of lifts from baskets of the weeks from first to before end.

    The half-life, and the strength that the prior starts from, have the highest marginal
    likelihood on all pairs of some hundred products from frequent to rare, pairs never bought
    together included. From eight weeks on the prior is fitted to foretell the last quarter of
    them from the others, and then carried to features of all weeks.

    Parameters
    ----------
    customer
        (visits,) codes, -1 where unknown: a shopper of this one visit, as all are without it.
    """
    if customer is None:
        customer = np.full(baskets.n_visits, -1)
    every = window_of(baskets, customer, first_week, end_week)
    words = title_words(features.title)
    lift, half_life, strength = _category_affinity(every, features)

    def known_of(window: Window, lift: CategoryLift) -> PairFeatures:
        bought = window.counts.sum(axis=1) > 0
        return pair_features(lift, fit_graph_filter(window.purchases()), features, words, bought)

    prior = plain_prior(known_of(every, lift), strength)
    visits, rates = every.visits, smoothed_rates(every.counts, every.visits, half_life)
    n_weeks = end_week - first_week
    if n_weeks >= _LEAST_WEEKS:
        split = end_week - max(round(n_weeks * _LATER), 1)
        early = window_of(baskets, customer, first_week, split)
        late = window_of(baskets, customer, split, end_week)
        if len(early.baskets.product) and len(late.baskets.product):
            early_rates = smoothed_rates(early.counts, early.visits, half_life)
            early_lift = _lift_of(early, early_rates, features)
            plain = plain_prior(known_of(early, early_lift), strength)
            fitted = fitted_prior(plain, later_pairs(early, late, half_life).sold())
            prior = carried_prior(fitted, prior.features)
    return Affinity(prior, half_life, visits, rates)


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
    spread = affinity.lift_spread(a, b, pairs.orders, expected) * slope
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
    by the rule of succession no rate is above (n + 1)/(n + 2). Nor is one that was never bought
    outside bundles, or never while the other was on sale, certain not to be: where E is 0 there is
    nothing to match, and no rate is below 1/(n + 2)."""
    total = affinity.visits.sum()
    mean_rate = affinity.rates.astype(float) @ affinity.visits / total
    q_a, q_b, met = mean_rate[a], mean_rate[b], expected > 0
    squared = np.divide(expected / total, q_a * q_b, out=np.ones_like(q_a), where=met)
    matched, least = np.sqrt(squared), np.where(met, 0.0, 1 / (total + 2))
    most = 1 - 1 / (total + 2)
    return np.clip(q_a * matched, least, most), np.clip(q_b * matched, least, most)


def _category_affinity(
    window: Window, features: ProductFeatures
) -> tuple[CategoryLift, float, float]:
    """Lifts of categories and products, the half-life of rates, and one strength for all pairs."""
    dense = _spread_products(window.counts)
    upper = np.triu_indices(len(dense), 1)
    together = joint_orders(window, dense)[upper]
    lift = _lift_of(
        window, smoothed_rates(window.counts, window.visits, _FIRST_HALF_LIFE), features
    )
    prior = lift.of(dense[upper[0]], dense[upper[1]])
    best = (-np.inf, np.inf, 1.0)
    for half_life in _HALF_LIVES:
        block = smoothed_rates(window.counts[dense], window.visits, half_life).astype(float)
        expected = ((block * window.visits) @ block.T)[upper] * prior
        strength, score = fitted_strength(together, expected)
        if score > best[0]:
            best = (score, half_life, strength)
    _, half_life, strength = best
    if half_life != _FIRST_HALF_LIFE:
        lift = _lift_of(window, smoothed_rates(window.counts, window.visits, half_life), features)
    return lift, half_life, strength


def _lift_of(window: Window, rates: NDArray[np.float32], features: ProductFeatures) -> CategoryLift:
    return fit_category_lift(
        window.baskets, window.members, rates, window.visits, features.category,
        features.n_categories,
    )  # fmt: skip


def _spread_products(counts: NDArray[np.float32]) -> NDArray[np.int64]:
    """every so many of the most frequent products: the very frequent alone have lifts that
    vary less than those of the others."""
    total = counts.sum(axis=1)
    ranked = np.argsort(-total, kind="stable")[:_FREQUENT]
    ranked = ranked[total[ranked] > 0]
    at = np.unique(np.linspace(0, max(len(ranked) - 1, 0), min(_DENSE, len(ranked))).astype(int))
    return np.sort(ranked[at])


@njit(cache=True)
def _expected(rates, visits, a, b):
    out = np.zeros(len(a))
    for i in range(len(a)):
        total = 0.0
        for w in range(len(visits)):
            total += visits[w] * rates[a[i], w] * rates[b[i], w]
        out[i] = total
    return out
