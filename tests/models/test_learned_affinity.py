"""Affinity: lifts, odds ratios and what must not pass for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.instances.orders import Baskets
from bundlewise.models.affinity import (
    carry_to_week,
    fit_affinity,
    highest_joint,
    lowest_joint,
    odds_at_base,
)
from bundlewise.models.copula import joint_probability, odds_ratio_of
from bundlewise.models.lift_prior import unseen_lift
from bundlewise.models.pair_counts import count_pairs
from bundlewise.models.product_features import features_of_codes
from scipy.integrate import quad
from scipy.stats import gamma, poisson

from .simulate import trips

WEEKS = 20


def one_category(baskets: Baskets, n_weeks: int = WEEKS):
    codes = np.zeros(baskets.n_products, dtype=np.int32)
    return fit_affinity(baskets, features_of_codes(codes, 1), 0, n_weeks)


def baskets_rate(baskets: Baskets):
    """(products,) share of the visits that hold each product."""
    return np.bincount(baskets.product, minlength=baskets.n_products) / baskets.n_visits


def test_odds_ratios_are_recovered_with_intervals_that_cover():
    """Six kinds of trip with tastes of their own make 7,140 pairs of many strengths."""
    rng = np.random.default_rng(1)
    by_class = 0.01 * rng.gamma(1.5, 1 / 1.5, (120, 6)) * np.exp(rng.normal(0, 0.3, (120, 1)))
    baskets = trips(rng, by_class, 60_000, WEEKS)
    q = by_class.mean(axis=1)
    pairs = count_pairs(baskets, 1)
    affinity = one_category(baskets)
    found = carry_to_week(affinity, pairs, q)
    a, b = pairs.first, pairs.second
    true_joint = (by_class[a] * by_class[b]).mean(axis=1)
    truth = np.log(odds_ratio_of(q[a], q[b], true_joint))
    enough = affinity.expected(a, b) >= 3  # chosen by what is expected, never by what was seen
    assert enough.sum() > 1_000
    error = np.log(found.odds_ratio)[enough] - truth[enough]
    assert abs(np.mean(error)) < 0.05
    assert 0.85 <= np.mean(np.abs(error) < 1.645 * found.odds_spread[enough]) <= 0.95


def test_joint_probability_and_odds_ratio_agree():
    rng = np.random.default_rng(2)
    baskets = trips(rng, 0.05 * rng.gamma(1.0, 1.0, (40, 4)).clip(0, 10), 20_000, WEEKS)
    pairs = count_pairs(baskets, 5)
    q = rng.uniform(0.001, 0.2, 40)
    found = carry_to_week(one_category(baskets), pairs, q)
    u, v = q[pairs.first], q[pairs.second]
    np.testing.assert_allclose(found.joint_probability, joint_probability(u, v, found.odds_ratio))
    assert (found.joint_probability < np.minimum(u, v)).all()
    assert (found.joint_probability > 0).all()


def test_drift_makes_no_false_affinity():
    """Products that fade, and others that rise, are independent within every week."""
    rng = np.random.default_rng(3)
    n, visits = 60, 60_000
    week = np.sort(rng.integers(0, WEEKS, visits)).astype(np.int32)
    fading = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    rate = 0.02 * np.exp(2.5 * fading[:, None] * (0.5 - np.arange(WEEKS) / (WEEKS - 1)))
    held = rng.random((visits, n)) < rate.T[week]
    start = np.append(0, np.cumsum(held.sum(axis=1)))
    baskets = Baskets(start, np.nonzero(held)[1].astype(np.int32), week, n)
    pairs = count_pairs(baskets, 1)
    same = fading[pairs.first] == fading[pairs.second]
    q = rate.mean(axis=1)
    pooled = pairs.orders / (visits * q[pairs.first] * q[pairs.second])
    assert np.mean(pooled[same]) > 1.3
    found = carry_to_week(one_category(baskets), pairs, q)
    assert abs(np.mean(np.log(found.odds_ratio[same]))) < 0.1
    assert abs(np.mean(np.log(found.odds_ratio[~same]))) < 0.1


def test_independent_products_have_odds_ratios_near_one():
    """Each pair has some 11 joint orders, give or take 3; the lifts must not follow that noise."""
    rng = np.random.default_rng(7)
    rate = np.exp(rng.normal(np.log(0.03), 0.6, (60, 1)))
    baskets = trips(rng, rate, 10_000, WEEKS)
    pairs = count_pairs(baskets, 1)
    affinity = one_category(baskets)
    found = carry_to_week(affinity, pairs, baskets_rate(baskets))
    assert affinity.strength > 200
    assert np.std(np.log(found.odds_ratio)) < 0.03


def test_a_handful_of_pairs_keeps_its_uncertainty():
    rng = np.random.default_rng(8)
    baskets = trips(rng, np.full((3, 1), 0.3), 40, 2)
    pairs = count_pairs(baskets, 1)
    found = carry_to_week(one_category(baskets, 2), pairs, baskets_rate(baskets))
    assert (found.odds_spread > 0.25).all()


def test_thin_pairs_go_to_the_lift_of_their_categories():
    rng = np.random.default_rng(4)
    n = 100
    category = (np.arange(n) % 2).astype(np.int32)
    by_class = np.full((n, 2), 0.01)
    by_class[category == 0] = [0.019, 0.001]  # category 0 shops together, lift 1.81
    baskets = trips(rng, by_class, 30_000, WEEKS)
    affinity = fit_affinity(baskets, features_of_codes(category, 2), 0, WEEKS)
    prior = affinity.prior
    a, b = np.array([0, 0, 1]), np.array([2, 1, 3])
    np.testing.assert_allclose(prior.of(a, b), [1.81, 1.0, 1.0], atol=0.25)
    thin = affinity.lift(a, b, np.zeros(3), np.full(3, 0.01))
    np.testing.assert_allclose(thin, prior.of(a, b), rtol=0.02)


@pytest.mark.parametrize("below", [1, 5])
def test_the_lift_of_an_uncounted_pair_is_its_conditional_mean(below: int):
    strength, prior, expected = 2.5, 3.0, 4.0
    density = gamma(strength, scale=prior / strength).pdf

    def weighted(lift: float, power: int) -> float:
        return lift**power * density(lift) * poisson.cdf(below - 1, expected * lift)

    moments = [quad(weighted, 0, 60, args=(power,), limit=200)[0] for power in (0, 1)]
    found = unseen_lift(np.array([prior]), np.array([expected]), strength, below)
    np.testing.assert_allclose(found, moments[1] / moments[0], rtol=1e-6)


def test_products_always_bought_together_stay_feasible():
    rng = np.random.default_rng(5)
    visits = 5_000
    held = rng.random((visits, 30)) < 0.01
    held[:, 1] = held[:, 0]
    start = np.append(0, np.cumsum(held.sum(axis=1)))
    week = np.sort(rng.integers(0, WEEKS, visits)).astype(np.int32)
    baskets = Baskets(start, np.nonzero(held)[1].astype(np.int32), week, 30)
    pairs = count_pairs(baskets, 1)
    q = held.mean(axis=0)
    found = carry_to_week(one_category(baskets), pairs, q)
    together = (pairs.first == 0) & (pairs.second == 1)
    assert np.isfinite(found.odds_ratio).all()
    assert np.isfinite(found.odds_spread).all()
    assert found.joint_probability[together][0] > 0.3 * q[0]  # 50 times independence
    assert (found.joint_probability < np.minimum(q[pairs.first], q[pairs.second])).all()


def test_products_in_every_visit_are_held_to_be_neither_friends_nor_foes():
    rng = np.random.default_rng(9)
    held = rng.random((1_000, 6)) < 0.3
    held[:, :2] = True
    start = np.append(0, np.cumsum(held.sum(axis=1)))
    week = np.sort(rng.integers(0, WEEKS, 1_000)).astype(np.int32)
    baskets = Baskets(start, np.nonzero(held)[1].astype(np.int32), week, 6)
    pairs = count_pairs(baskets, 1)
    found = carry_to_week(one_category(baskets), pairs, held.mean(axis=0).clip(0, 0.999))
    assert np.isfinite(found.joint_probability).all()
    both = (pairs.first == 0) & (pairs.second == 1)
    assert 0.5 < found.odds_ratio[both][0] < 2
    assert 3 < found.odds_spread[both][0] < 10  # says nothing, and is finite


@pytest.mark.parametrize("visits", [0.0, 3.0, 1e4])
def test_the_limits_of_a_joint_probability_hold_independence_and_every_table(visits: float):
    u, v = (axis.ravel() for axis in np.meshgrid(*2 * [np.linspace(0.001, 0.999, 41)]))
    low, high = lowest_joint(u, v, visits), highest_joint(u, v, visits)
    assert (low <= u * v * (1 + 1e-12)).all()
    assert (high >= u * v * (1 - 1e-12)).all()
    assert (high < np.minimum(u, v)).all()
    assert (low > np.maximum(0, u + v - 1)).all()


def test_a_year_and_a_half_without_visits_leaves_rates_finite():
    """One order of a wrong date is enough for such a gap."""
    rng = np.random.default_rng(10)
    near = trips(rng, np.full((10, 1), 0.1), 2_000, WEEKS)
    week = near.week + 500
    week[0] = 0
    far = Baskets(near.start, near.product, week, 10)
    affinity = one_category(far, 500 + WEEKS)
    a, b = np.triu_indices(10, 1)
    assert np.isfinite(affinity.expected(a, b)).all()


def test_an_impossible_lift_is_bounded_and_said_to_be():
    rng = np.random.default_rng(6)
    affinity = one_category(trips(rng, np.full((20, 1), 0.02), 5_000, WEEKS))
    a, b = np.array([0, 2]), np.array([1, 3])
    expected = affinity.expected(a, b)
    psi, slope, bounded = odds_at_base(affinity, a, b, expected, np.array([2.0, 1e4]))
    assert bounded.tolist() == [False, True]
    assert np.isfinite(psi).all()
    assert np.isfinite(slope).all()


def test_products_never_on_sale_at_once_keep_the_odds_of_their_prior():
    """In a long history E is 0 in double precision; and so it is of one that no visit holds."""
    rng = np.random.default_rng(20)
    affinity = one_category(trips(rng, np.full((10, 1), 0.1), 2_000, WEEKS))
    rates = affinity.rates.copy()
    rates[0, : WEEKS // 2] = rates[1, WEEKS // 2 :] = rates[2] = 0.0
    apart = replace(affinity, rates=rates)
    a, b = np.array([0, 0, 2]), np.array([1, 2, 3])
    expected = apart.expected(a, b)
    assert (expected == 0).all()
    lift = np.array([0.5, 1.0, 2.0])
    psi, slope, bounded = odds_at_base(apart, a, b, expected, lift)
    assert not bounded.any()
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(np.log(psi), np.log(lift), atol=0.2)
