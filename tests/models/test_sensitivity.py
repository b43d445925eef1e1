"""Price sensitivity: what the estimate must find, and what it must not be fooled by."""

from __future__ import annotations

import numpy as np
from bundlewise.models.sensitivity import (
    Promotions,
    Sensitivity,
    fit_sensitivity,
    truncated_moments,
)
from numpy.typing import NDArray
from scipy.stats import truncnorm

from .simulate import buy, panel_of, promotions

WEEKS = 52
VISITS = np.full((2, WEEKS), 1_500.0)


def learned(
    baskets: NDArray[np.float64],
    cut: NDArray[np.float64],
    category: NDArray[np.int32] | None = None,
) -> Sensitivity:
    panel = panel_of(baskets, 100.0 * (1 - cut), VISITS)
    codes = np.zeros(len(cut), dtype=np.int32) if category is None else category
    return fit_sensitivity(panel, np.full(len(cut), 100.0), codes, int(codes.max()) + 1)


def ends(found: Sensitivity, share: float) -> NDArray[np.float64]:
    """(2, products) central interval of the truncated normal posterior."""
    low, high = -found.location / found.scale, (found.cap - found.location) / found.scale
    tails = np.array([[(1 - share) / 2], [(1 + share) / 2]])
    return truncnorm.ppf(tails, low, high, loc=found.location, scale=found.scale)


def test_intervals_cover_the_truth_over_many_products():
    rng = np.random.default_rng(1)
    n = 800
    category = rng.integers(0, 10, n).astype(np.int32)
    truth = np.maximum(rng.normal(rng.normal(3.0, 0.8, 10)[category], 1.0), 0.0)
    q = np.exp(rng.normal(np.log(0.004), 0.8, n))
    cut = promotions(rng, n, WEEKS)
    found = learned(buy(rng, q, truth, cut, VISITS), cut, category)
    low, high = ends(found, 0.90)
    assert 0.85 <= np.mean((truth >= low) & (truth <= high)) <= 0.95
    low, high = ends(found, 0.50)
    assert 0.43 <= np.mean((truth >= low) & (truth <= high)) <= 0.57
    assert abs(np.mean(found.mean - truth)) < 0.1
    assert np.corrcoef(found.mean, truth)[0, 1] > 0.8


def test_a_price_that_only_buyers_show_does_not_bias_the_slope():
    """Rare products: most weeks show no price, and those that do are mostly cheap ones."""
    rng = np.random.default_rng(2)
    n = 3_000
    truth, q = np.full(n, 4.0), np.full(n, 0.0004)
    cut = promotions(rng, n, WEEKS)
    baskets = buy(rng, q, truth, cut, VISITS)
    assert np.mean(baskets[0] > 0) < 0.6
    found = learned(baskets, cut)
    assert abs(found.fit["pooled_slope"] - 4.0) < 0.2
    assert abs(np.mean(found.mean) - 4.0) < 0.3


def test_no_response_is_found_where_there_is_none():
    rng = np.random.default_rng(3)
    n = 1_000
    cut = promotions(rng, n, WEEKS)
    found = learned(buy(rng, np.full(n, 0.003), np.zeros(n), cut, VISITS), cut)
    assert abs(found.fit["pooled_slope"]) < 0.1
    assert np.mean(found.mean) < 0.3


def test_a_seasonal_product_cheap_in_season_is_not_price_sensitive():
    """Three months at five times the usual sales and 30 % off: melons, of which η is 1."""
    rng = np.random.default_rng(4)
    n = 60
    weeks = np.arange(WEEKS)
    season = np.exp(-(((weeks - 26) / 7.0) ** 2))  # slow, and the same for the whole category
    cut = 0.3 * np.tile(season, (n, 1)) + promotions(rng, n, WEEKS, 0.15, 0.2)
    truth = np.ones(n)
    baskets = buy(rng, np.full(n, 0.004), truth, cut, VISITS, np.log(5.0) * season)
    naive = np.polyfit(cut.ravel(), np.log(baskets.sum(axis=0).ravel() + 0.5), 1)[0]
    assert naive > 3.0
    found = learned(baskets, cut)
    assert np.mean(found.mean) < 1.6
    assert found.mean.max() < 3.0


def test_a_week_in_which_the_whole_category_sells_is_not_a_price_effect():
    """A holiday week sells three times as much; half of the products are on promotion then."""
    rng = np.random.default_rng(5)
    n = 80
    holidays = np.zeros(WEEKS)
    holidays[[6, 17, 30, 44]] = np.log(3.0)
    cut = promotions(rng, n, WEEKS, 0.1, 0.2)
    cut[: n // 2, holidays > 0] = 0.2
    baskets = buy(rng, np.full(n, 0.004), np.full(n, 1.5), cut, VISITS, holidays)
    found = learned(baskets, cut)
    assert abs(np.mean(found.mean[: n // 2]) - 1.5) < 0.6


def test_products_without_price_changes_take_their_category():
    rng = np.random.default_rng(6)
    n = 400
    category = (np.arange(n) % 2).astype(np.int32)
    truth = np.where(category == 0, 1.0, 5.0)
    cut = promotions(rng, n, WEEKS)
    silent = np.arange(n) >= n - 20
    cut[silent] = 0.0
    found = learned(buy(rng, np.full(n, 0.004), truth, cut, VISITS), cut, category)
    assert (found.information[silent] == 0).all()
    for code, eta in ((0, 1.0), (1, 5.0)):
        taken = found.mean[silent & (category == code)]
        assert np.ptp(taken) == 0
        assert abs(taken[0] - eta) < 0.6


def test_a_shop_whose_prices_never_moved_claims_to_know_little():
    rng = np.random.default_rng(17)
    none = np.zeros((20, WEEKS))
    found = learned(buy(rng, np.full(20, 0.01), np.full(20, 3.0), none, VISITS), none)
    low, high = ends(found, 0.90)
    assert (low < 1.0).all()
    assert (high > 5.0).all()


def test_shrinkage_grows_as_evidence_falls():
    """Of two products with the same excess, the thin one stays closer to the population."""
    rng = np.random.default_rng(7)
    n = 600
    q = np.where(np.arange(n) % 2 == 0, 0.02, 0.0005)
    truth = rng.normal(3.0, 0.8, n)
    cut = promotions(rng, n, WEEKS)
    found = learned(buy(rng, q, truth, cut, VISITS), cut)
    thick, thin = found.mean[q > 0.01], found.mean[q < 0.01]
    assert np.std(thin) < 0.8 * np.std(thick)
    assert np.median(found.scale[q < 0.01]) > 2 * np.median(found.scale[q > 0.01])


def test_the_checks_tell_signal_from_noise():
    rng = np.random.default_rng(8)
    n = 600
    truth = np.maximum(rng.normal(3.0, 1.5, n), 0.0)
    cut = promotions(rng, n, WEEKS)
    real = learned(buy(rng, np.full(n, 0.008), truth, cut, VISITS), cut).fit
    none = learned(buy(rng, np.full(n, 0.008), np.full(n, 3.0), cut, VISITS), cut).fit
    assert real["split_half_reliability"] > 0.6
    assert abs(none["split_half_reliability"]) < 0.25
    assert abs(real["placebo_slope"]) < 0.1


def test_stocking_up_is_taken_off():
    """A quarter of what a cut adds is missing from the week after it: of η = 3, 2.25 is net."""
    rng = np.random.default_rng(14)
    n = 600
    cut = promotions(rng, n, WEEKS, 0.15, 0.4)
    after = np.roll(cut, 1, axis=1)
    after[:, 0] = 0.0
    none, some = (
        learned(buy(rng, np.full(n, 0.01), np.full(n, 3.0), cut, VISITS, level), cut)
        for level in (0 * cut, -0.75 * after)
    )
    assert abs(none.fit["pull_forward_share"]) < 0.03
    assert np.mean(none.pull_forward) < 0.04
    assert 0.2 < some.fit["pull_forward_share"] < 0.3
    assert abs(np.mean(some.mean) - 3.0) < 0.15
    assert abs(np.mean(some.pull_forward) - 0.25) < 0.05


def test_only_categories_that_stock_up_are_corrected():
    rng = np.random.default_rng(18)
    n = 600
    category = (np.arange(n) % 6).astype(np.int32)
    cut = promotions(rng, n, WEEKS, 0.15, 0.4)
    after = np.roll(cut, 1, axis=1)
    after[:, 0] = 0.0
    level = np.where(category[:, None] < 3, -1.0, 0.0) * after
    found = learned(buy(rng, np.full(n, 0.02), np.full(n, 3.0), cut, VISITS, level), cut, category)
    assert abs(np.mean(found.pull_forward[category < 3]) - 1 / 3) < 0.08
    assert np.mean(found.pull_forward[category >= 3]) < 0.05


def test_sensitivity_is_net_of_display_and_mailer_where_a_table_tells_of_them():
    """Every other cut comes with a shelf end that doubles sales, and some shelf ends without."""
    rng = np.random.default_rng(19)
    n = 500
    cut = promotions(rng, n, WEEKS, 0.25, 0.4)
    display = np.where(cut > 0, rng.random((n, WEEKS)) < 0.5, rng.random((n, WEEKS)) < 0.05)
    mailer = np.where(cut > 0, rng.random((n, WEEKS)) < 0.3, rng.random((n, WEEKS)) < 0.05)
    level = np.log(2.0) * display + 0.3 * mailer
    baskets = buy(rng, np.full(n, 0.01), np.full(n, 2.0), cut, VISITS, level)
    panel = panel_of(baskets, 100.0 * (1 - cut), VISITS)
    base, category = np.full(n, 100.0), np.zeros(n, dtype=np.int32)
    told = Promotions(display.astype(np.float32), mailer.astype(np.float32))
    gross, net = (fit_sensitivity(panel, base, category, 1, table) for table in (None, told))
    assert np.mean(gross.mean) > 2.8
    assert abs(np.mean(net.mean) - 2.0) < 0.15
    assert abs(net.fit["display_effect"] - np.log(2.0)) < 0.1
    assert abs(net.fit["mailer_effect"] - 0.3) < 0.1
    assert net.fit["pooled_slope_without_promotions"] > net.fit["pooled_slope"] + 0.5
    factor = net.promotion_factor(told)
    assert abs(np.mean(factor[display & ~mailer]) - 2.0) < 0.2


def test_moments_of_the_truncated_normal_are_those_of_scipy():
    location = np.array([-15.0, -3.0, 0.0, 2.0, 7.9, 12.0])
    scale = np.array([1.0, 0.8, 1.0, 0.1, 2.0, 0.7])
    reference = truncnorm(-location / scale, (8.0 - location) / scale, location, scale)
    mean, spread = truncated_moments(location, scale, 8.0)
    np.testing.assert_allclose(mean, reference.mean(), rtol=1e-6)
    np.testing.assert_allclose(spread, reference.std(), rtol=1e-3)
    collapsed = truncated_moments(np.array([-60.0, 60.0]), np.ones(2), 8.0)
    assert collapsed[0].tolist() == [0.0, 8.0]


def test_weeks_at_absurd_prices_are_set_aside_and_counted():
    rng = np.random.default_rng(9)
    n = 50
    cut = promotions(rng, n, WEEKS)
    baskets = buy(rng, np.full(n, 0.02), np.full(n, 3.0), cut, VISITS)
    cut[:, 10] = -4.0  # five times the price
    found = learned(baskets, cut)
    assert found.fit["weeks_set_aside_for_price"] == 2 * n
    assert abs(np.mean(found.mean) - 3.0) < 0.4


def test_responses_that_differ_between_occasions_widen_the_posterior():
    """The same purchases, but η of every four weeks strays by 1 from the product's own."""
    rng = np.random.default_rng(16)
    n = 400
    truth = rng.normal(4.0, 0.7, n)
    stray = np.repeat(rng.normal(0.0, 1.0, (n, WEEKS // 4)), 4, axis=1)
    cut = promotions(rng, n, WEEKS)
    q = np.full(n, 0.03)
    steady = learned(buy(rng, q, truth, cut, VISITS), cut)
    straying = learned(buy(rng, q, truth, cut, VISITS, stray * cut), cut)
    assert steady.fit["between_occasions"] < 0.3
    assert 0.7 < straying.fit["between_occasions"] < 1.3
    low, high = ends(straying, 0.90)
    assert 0.84 <= np.mean((truth >= low) & (truth <= high)) <= 0.96
    assert np.median(straying.scale) > 1.5 * np.median(steady.scale)


def test_a_small_shop_does_not_take_chance_for_purchases_brought_forward():
    shares, weeks, n = [], 20, 6
    for seed in range(12):
        rng = np.random.default_rng(seed)
        cut, visits = promotions(rng, n, weeks), np.full((2, weeks), 25.0)
        baskets = buy(rng, np.full(n, 0.2), np.full(n, 2.0), cut, visits)
        panel = panel_of(baskets, 100.0 * (1 - cut), visits)
        category = (np.arange(n) % 3).astype(np.int32)
        shares.append(fit_sensitivity(panel, np.full(n, 100.0), category, 3).pull_forward)
    assert np.mean(shares) < 0.15
    assert np.max(shares) < 0.6
