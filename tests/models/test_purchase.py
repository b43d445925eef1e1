"""Purchase probability: levels, recency, shrinkage and spread."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.models.drift import forecast_origins
from bundlewise.models.purchase import fit_purchase

from .simulate import buy, panel_of, promotions

WEEKS = 52
VISITS = np.full((2, WEEKS), 1_500.0)


def fitted(baskets, cut, sensitivity, category=None, **options):
    panel = panel_of(baskets, 100.0 * (1 - cut), VISITS)
    n = len(cut)
    codes = np.zeros(n, dtype=np.int32) if category is None else category
    base = np.full(n, 100.0)
    return fit_purchase(
        panel, base, sensitivity, 0 * sensitivity, codes, int(codes.max()) + 1, horizon=1, **options
    )


def test_constant_rates_are_recovered_with_intervals_that_cover():
    rng = np.random.default_rng(1)
    n = 800
    q = np.exp(rng.normal(np.log(0.002), 1.0, n))
    none = np.zeros((n, WEEKS))
    found = fitted(buy(rng, q, np.zeros(n), none, VISITS), none, np.zeros(n))
    assert found.level.memory > 0.6  # little is forgotten
    error = np.log(found.probability) - np.log(q)
    assert abs(np.mean(error)) < 0.05
    assert 0.85 <= np.mean(np.abs(error) < 1.645 * found.spread) <= 0.96


def test_drifting_rates_are_followed_with_intervals_that_cover():
    rng = np.random.default_rng(2)
    n = 800
    q = np.exp(rng.normal(np.log(0.004), 0.7, n))
    drift = np.cumsum(rng.normal(0.0, 0.12, (n, WEEKS + 1)), axis=1)
    none = np.zeros((n, WEEKS))
    found = fitted(buy(rng, q, np.zeros(n), none, VISITS, drift[:, :-1]), none, np.zeros(n))
    assert found.level.memory < 0.5
    error = np.log(found.probability) - np.log(q) - drift[:, -1]
    assert 0.82 <= np.mean(np.abs(error) < 1.645 * found.spread) <= 0.97


def test_promoted_weeks_do_not_raise_the_level_at_the_reference_price():
    """Half of the weeks at 30 % off and η = 4 sell 70 % more than q says."""
    rng = np.random.default_rng(3)
    n = 300
    q, eta = np.full(n, 0.01), np.full(n, 4.0)
    cut = np.where(rng.random((n, WEEKS)) < 0.5, 0.3, 0.0)
    baskets = buy(rng, q, eta, cut, VISITS)
    net, gross = (fitted(baskets, cut, slope).probability for slope in (eta, 0 * eta))
    assert abs(np.mean(net) / 0.01 - 1) < 0.05
    assert np.mean(gross) > 1.5 * 0.01


def test_thin_products_go_to_their_category():
    rng = np.random.default_rng(4)
    n = 600
    category = (np.arange(n) % 2).astype(np.int32)
    q = np.where(category == 0, 0.00004, 0.002) * np.exp(rng.normal(0.0, 0.3, n))
    none = np.zeros((n, WEEKS))
    baskets = buy(rng, q, np.zeros(n), none, VISITS)
    found = fitted(baskets, none, np.zeros(n), category)
    raw = baskets.sum(axis=(0, 2)) / VISITS.sum()
    once = (baskets.sum(axis=(0, 2)) > 0) & (category == 0)
    rare = np.log(found.probability[once] / q[once])
    assert np.sqrt(np.mean(rare**2)) < np.sqrt(np.mean(np.log(raw[once] / q[once]) ** 2))


def test_the_category_strength_is_the_shape_that_rates_vary_with():
    rng = np.random.default_rng(7)
    n = 800
    q = 0.004 * rng.gamma(2.0, 0.5, n)
    none = np.zeros((n, WEEKS))
    found = fitted(buy(rng, q, np.zeros(n), none, VISITS), none, np.zeros(n))
    assert 1.6 < found.level.category_strength < 2.5


@pytest.mark.parametrize("weeks", [1, 2, 3, 8, 23, 40, 53])
def test_no_single_forecast_decides_how_much_the_past_weighs(weeks: int):
    """However far ahead a plan is, the settings are those of many forecasts, not of the last."""
    origins = forecast_origins(weeks)
    assert len(origins) >= min(weeks // 2, 8)
    assert all(weeks / 3 <= origin < weeks for origin in origins)


def test_what_was_never_bought_has_probability_zero():
    rng = np.random.default_rng(5)
    q = np.full(20, 0.01)
    none = np.zeros((20, WEEKS))
    baskets = buy(rng, q, np.zeros(20), none, VISITS)
    baskets[:, 3] = 0
    found = fitted(baskets, none, np.zeros(20))
    assert found.probability[3] == 0
    assert (np.delete(found.probability, 3) > 0).all()
    assert np.isfinite(found.spread).all()


def test_a_half_of_the_customers_has_its_own_level():
    rng = np.random.default_rng(6)
    n = 100
    none = np.zeros((n, WEEKS))
    baskets = buy(rng, np.full(n, 0.02), np.zeros(n), none, VISITS)
    baskets[1] = buy(rng, np.full(n, 0.04), np.zeros(n), none, VISITS)[1]
    found = fitted(baskets, none, np.zeros(n), half=1).probability
    assert abs(np.mean(found) / 0.04 - 1) < 0.05


def test_a_product_that_left_the_shelf_is_not_expected_back():
    """Three products in ten stop selling for good some time in the year."""
    rng = np.random.default_rng(8)
    n = 1_000
    left = np.where(rng.random(n) < 0.3, rng.integers(10, WEEKS, n), WEEKS)
    none = np.zeros((n, WEEKS))
    baskets = buy(rng, np.full(n, 0.002), np.zeros(n), none, VISITS)
    baskets[:, np.arange(WEEKS) >= left[:, None]] = 0
    found = fitted(baskets, none, np.zeros(n))
    gone, there = (left < WEEKS - 4) & (left > 20), left == WEEKS
    assert np.mean(found.probability[gone]) < 0.0001
    assert abs(np.mean(found.probability[there]) / 0.002 - 1) < 0.1


def test_a_price_nobody_showed_is_not_taken_for_the_last_one():
    """Rare products at 5-40 % off in a fifth of the weeks, one week at a time, and η = 5.

    Cheap weeks show their price more often than others. Carried forward as they stand, they would
    make the product look promoted half of the time, and q a fifth too low.
    """
    rng = np.random.default_rng(9)
    n = 3_000
    q, eta = np.full(n, 0.0004), np.full(n, 5.0)
    cut = promotions(rng, n, WEEKS)
    found = fitted(buy(rng, q, eta, cut, VISITS), cut, eta)
    assert found.held < 0.2
    assert abs(np.mean(found.probability) / 0.0004 - 1) < 0.05


def test_a_price_that_lasts_is_carried():
    """Prices that change three times a year say as much in weeks that do not show them."""
    rng = np.random.default_rng(10)
    n = 2_000
    steps = np.sort(rng.integers(0, WEEKS, (n, 3)), axis=1)
    era = (np.arange(WEEKS) >= steps[:, :, None]).sum(axis=1)
    cut = np.take_along_axis(rng.uniform(0.0, 0.4, (n, 4)), era, axis=1)
    found = fitted(buy(rng, np.full(n, 0.0006), np.full(n, 3.0), cut, VISITS), cut, np.full(n, 3.0))
    assert found.held > 0.7
