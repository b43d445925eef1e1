"""The learned prior of lifts: what features foretell, and how sure it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.instances.orders import Baskets
from bundlewise.models.affinity import Affinity, carry_to_week, fit_affinity
from bundlewise.models.copula import odds_ratio_of
from bundlewise.models.pair_counts import count_pairs
from bundlewise.models.product_features import ProductFeatures, features_of_codes

from .simulate import trips

WEEKS, PRODUCTS = 24, 160


def tastes(rng: np.random.Generator, groups: int = 8) -> np.ndarray:
    """(products, kinds of trip) rates: each product belongs to one group, which one kind of trip
    buys three times as often; products vary about that."""
    group = np.arange(PRODUCTS) % groups
    rate = np.exp(rng.normal(np.log(0.008), 0.5, (PRODUCTS, 1)))
    raised = np.where(group[:, None] == np.arange(groups)[None, :], 3.0, 0.7)
    return rate * raised * np.exp(rng.normal(0, 0.2, (PRODUCTS, groups)))


def with_titles(by_group: bool) -> ProductFeatures:
    plain = features_of_codes(np.zeros(PRODUCTS, dtype=np.int32), 1)
    if not by_group:
        return plain
    words = ["apple", "bread", "cheese", "dates", "eggs", "figs", "grapes", "honey"]
    titles = [f"{words[i % 8]} item{i}" for i in range(PRODUCTS)]
    return replace(plain, title=np.array(titles, dtype=object))


def error_of(affinity: Affinity, baskets: Baskets, by_class: np.ndarray, below: float) -> float:
    """Root mean square error of log λ over pairs of which few joint orders are expected."""
    a, b = np.triu_indices(PRODUCTS, 1)
    expected = affinity.expected(a, b)
    few = (expected > 0) & (expected < below)
    a, b, expected = a[few], b[few], expected[few]
    pairs = count_pairs(baskets, 1)
    table = np.zeros((PRODUCTS, PRODUCTS))
    table[pairs.first, pairs.second] = pairs.orders
    q = by_class.mean(axis=1)
    truth = (by_class[a] * by_class[b]).mean(axis=1) / (q[a] * q[b])
    return float(np.sqrt(np.mean(np.log(affinity.lift(a, b, table[a, b], expected) / truth) ** 2)))


def test_titles_foretell_the_lift_of_thin_pairs():
    rng = np.random.default_rng(1)
    by_class = tastes(rng)
    baskets = trips(rng, by_class, 30_000, WEEKS)
    titled = fit_affinity(baskets, with_titles(by_group=True), 0, WEEKS)
    untitled = fit_affinity(baskets, with_titles(by_group=False), 0, WEEKS)
    weights = dict(zip(titled.prior.features.names, titled.prior.weights, strict=True))
    assert weights["title_similarity"] > 0.3
    assert error_of(titled, baskets, by_class, 3) < 0.9 * error_of(untitled, baskets, by_class, 3)


def test_a_product_never_bought_has_the_affinities_that_its_title_foretells():
    rng = np.random.default_rng(7)
    by_class = tastes(rng)
    by_class[0] = 0  # new: an apple, as products 8, 16, … are
    baskets = trips(rng, by_class, 30_000, WEEKS)
    prior = fit_affinity(baskets, with_titles(by_group=True), 0, WEEKS).prior
    others = np.arange(1, PRODUCTS)
    lift = prior.of(np.zeros_like(others), others)
    assert np.isfinite(lift).all()
    assert lift[others % 8 == 0].mean() > 1.3 * lift[others % 8 != 0].mean()
    assert prior.strength_at(np.zeros(1))[0] > 0


def test_shoppers_who_come_again_reveal_what_goes_together():
    """Customers are of one kind for good, so what they buy on other days tells of the pair."""
    rng = np.random.default_rng(2)
    by_class = tastes(rng)
    kind = rng.integers(0, 8, 1_000)
    customer = rng.integers(0, 1_000, 30_000).astype(np.int32)
    held = rng.random((30_000, PRODUCTS)) < by_class.T[kind[customer]]
    week = np.sort(rng.integers(0, WEEKS, 30_000)).astype(np.int32)
    start = np.append(0, np.cumsum(held.sum(axis=1)))
    baskets = Baskets(start, np.nonzero(held)[1].astype(np.int32), week, PRODUCTS)
    features = with_titles(by_group=False)
    known = fit_affinity(baskets, features, 0, WEEKS, customer)
    unknown = fit_affinity(baskets, features, 0, WEEKS)
    half = fit_affinity(baskets, features, 0, WEEKS, np.where(customer < 500, customer, -1))
    errors = [error_of(fit, baskets, by_class, 3) for fit in (known, half, unknown)]
    assert errors[0] < 0.8 * errors[2]
    assert errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize("titled", [False, True])
def test_intervals_cover_under_a_prior_of_many_features(titled: bool):
    rng = np.random.default_rng(3)
    by_class = tastes(rng)
    baskets = trips(rng, by_class, 60_000, WEEKS)
    affinity = fit_affinity(baskets, with_titles(titled), 0, WEEKS)
    pairs = count_pairs(baskets, 1)
    q = by_class.mean(axis=1)
    found = carry_to_week(affinity, pairs, q)
    a, b = pairs.first, pairs.second
    truth = np.log(odds_ratio_of(q[a], q[b], (by_class[a] * by_class[b]).mean(axis=1)))
    enough = affinity.expected(a, b) >= 3  # chosen by what is expected, never by what was seen
    assert enough.sum() > 1_000
    error = np.log(found.odds_ratio)[enough] - truth[enough]
    assert abs(np.mean(error)) < 0.05
    assert 0.85 <= np.mean(np.abs(error) < 1.645 * found.odds_spread[enough]) <= 0.98


def test_independent_products_are_foretold_to_be_so():
    rng = np.random.default_rng(4)
    rate = np.exp(rng.normal(np.log(0.02), 0.5, (PRODUCTS, 1)))
    baskets = trips(rng, rate, 20_000, WEEKS)
    affinity = fit_affinity(baskets, with_titles(by_group=True), 0, WEEKS)
    a, b = np.triu_indices(PRODUCTS, 1)
    assert np.std(np.log(affinity.prior.of(a, b))) < 0.05
    assert affinity.prior.dispersion < 1.1


def test_few_weeks_or_few_products_leave_the_lift_of_the_categories():
    rng = np.random.default_rng(5)
    few_weeks = trips(rng, tastes(rng), 3_000, 6)
    short = fit_affinity(few_weeks, with_titles(by_group=True), 0, 6)
    few = trips(rng, np.full((6, 1), 0.2), 3_000, WEEKS)
    small = fit_affinity(few, features_of_codes(np.zeros(6, dtype=np.int32), 1), 0, WEEKS)
    for prior in (short.prior, small.prior):
        weights = dict(zip(prior.features.names, prior.weights, strict=True))
        assert weights.pop("log_lift") == 1
        assert not any(weights.values())
        assert prior.strength_exponent == 0
        assert prior.dispersion == 1


def test_the_order_of_visits_within_a_week_does_not_matter():
    rng = np.random.default_rng(6)
    baskets = trips(rng, tastes(rng), 5_000, 12)
    customer = rng.integers(-1, 50, 5_000)
    order = np.lexsort((rng.random(5_000), baskets.week))
    visit = np.repeat(np.arange(5_000), np.diff(baskets.start))
    rows = [baskets.product[visit == v] for v in order]
    start = np.append(0, np.cumsum([len(row) for row in rows]))
    mixed = Baskets(start, np.concatenate(rows), baskets.week[order], PRODUCTS)
    one = fit_affinity(baskets, with_titles(by_group=True), 0, 12, customer)
    other = fit_affinity(mixed, with_titles(by_group=True), 0, 12, customer[order])
    a, b = np.triu_indices(PRODUCTS, 1)
    np.testing.assert_allclose(one.prior.of(a, b), other.prior.of(a, b), rtol=1e-3)
