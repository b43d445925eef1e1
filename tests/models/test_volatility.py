"""How far weeks stray from their forecast: products told apart, thin ones taken for their kind."""

from __future__ import annotations

import numpy as np
from bundlewise.models.volatility import fit_volatility

WEEKS = 30


def weeks_of(variance, mean, rng, known=0.0):
    """Baskets of ``WEEKS`` weeks of products, all flattened, and whose they are."""
    product = np.repeat(np.arange(len(variance)), WEEKS)
    mean = np.broadcast_to(mean, len(variance))[product].astype(float)
    shape = 1 / (variance[product] + known)
    seen = rng.poisson(mean * rng.gamma(shape) / shape).astype(float)
    age = np.tile(np.arange(WEEKS)[::-1], len(variance))
    return seen, mean, np.full(len(seen), known), age, product


def test_each_product_has_its_own():
    """Of 30 weeks, the older ones half forgotten, a variance is known to within a third."""
    rng = np.random.default_rng(1)
    variance = np.exp(rng.normal(np.log(0.05), 1.0, 300))
    none = np.zeros(300, dtype=np.int32)
    found = fit_volatility(*weeks_of(variance, 200.0, rng), none, 1)
    error = np.log(found.variance / variance)
    assert abs(np.mean(error)) < 0.15  # a mean of κ lies above its middle
    assert np.std(error) < 0.4
    assert 0.7 < found.within < 1.4
    assert 0.03 < found.typical < 0.08


def test_what_the_forecast_left_open_is_not_the_products_own():
    rng = np.random.default_rng(2)
    variance = np.full(300, 0.04)
    none = np.zeros(300, dtype=np.int32)
    found = fit_volatility(*weeks_of(variance, 50.0, rng, known=0.1), none, 1)
    assert abs(np.mean(found.variance) / 0.04 - 1) < 0.2


def test_a_product_without_weeks_takes_that_of_its_category():
    rng = np.random.default_rng(3)
    category = (np.arange(200) % 2).astype(np.int32)
    variance = np.where(category == 0, 0.01, 0.3)
    weeks = weeks_of(variance, 40.0, rng)
    told = weeks[-1] < 160
    found = fit_volatility(*(figure[told] for figure in weeks), category, 2)
    steady, volatile = (found.variance[160:][category[160:] == code] for code in (0, 1))
    assert np.ptp(steady) == np.ptp(volatile) == 0
    assert 0.005 < steady[0] < 0.03
    assert 0.2 < volatile[0] < 0.5


def test_no_weeks_tell_nothing():
    none, nobody = np.zeros(0), np.zeros(0, dtype=np.int64)
    found = fit_volatility(none, none, none, nobody, nobody, np.zeros(5, dtype=np.int32), 1)
    np.testing.assert_array_equal(found.variance, np.zeros(5))


def test_thousands_of_baskets_a_week_and_one_product_are_no_trouble():
    rng = np.random.default_rng(4)
    found = fit_volatility(
        *weeks_of(np.array([0.02]), 50_000.0, rng), np.zeros(1, dtype=np.int32), 1
    )
    assert 0.01 < found.variance[0] < 0.04


def test_what_happened_long_ago_is_forgotten():
    """Products that strayed by a factor of ten in the first of 30 weeks, and never again."""
    rng = np.random.default_rng(5)
    seen, mean, known, age, product = weeks_of(np.full(40, 0.01), 100.0, rng)
    none = np.zeros(40, dtype=np.int32)
    early, late = (
        fit_volatility(np.where(age == when, 10 * mean, seen), mean, known, age, product, none, 1)
        for when in (29, 0)
    )
    assert np.mean(early.variance) < 0.5 * np.mean(late.variance)
