"""Pairs that stand out: the mixture of two gammas, against integrals and against simulations."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.models.later_pairs import LaterPairs
from bundlewise.models.lift_mixture import Kind, LiftMixture, fitted_mixture
from scipy.integrate import quad
from scipy.stats import gamma, poisson

MIXTURE = LiftMixture((Kind(0.05, 3.0, 1.5), Kind(0.01, 12.0, 2.5)), others_factor=4.0)
K = 3.0


def density(x: float, mixture: LiftMixture) -> float:
    """Prior of λ/λ0."""
    share = sum(kind.share for kind in mixture.kinds)
    level = (1 - sum(kind.share * kind.level for kind in mixture.kinds)) / (1 - share)
    k = K * mixture.others_factor
    total = (1 - share) * gamma(k, scale=level / k).pdf(x)
    for kind in mixture.kinds:
        total += kind.share * gamma(kind.shape, scale=kind.level / kind.shape).pdf(x)
    return total


def moment(mixture: LiftMixture, seen, power: int, of=lambda x: 1.0) -> float:
    def weighted(x: float) -> float:
        return of(x) * x**power * density(x, mixture) * seen(x)

    return sum(quad(weighted, *ends, limit=200)[0] for ends in ((0, 1), (1, 3), (3, 10), (10, 300)))


def test_its_mean_is_one():
    assert moment(MIXTURE, lambda x: 1.0, 1) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize(("orders", "expected"), [(0, 0.3), (4, 1.2), (12, 2.0), (40, 35.0)])
def test_the_posterior_is_that_of_bayes_by_quadrature(orders: int, expected: float):
    def seen(x: float) -> float:
        return float(poisson.pmf(orders, expected * x))

    known = MIXTURE.known(np.array([orders]), np.array([expected]), np.array([K]), 1.0)
    total = moment(MIXTURE, seen, 0)
    mean = moment(MIXTURE, seen, 1) / total
    assert known.mean[0] == pytest.approx(mean, rel=1e-6)
    variance = moment(MIXTURE, seen, 2) / total - mean**2
    assert known.variance[0] == pytest.approx(variance, rel=1e-5)
    log_mean = moment(MIXTURE, seen, 0, np.log) / total
    log_square = moment(MIXTURE, seen, 0, lambda x: np.log(x) ** 2) / total
    assert known.log_spread[0] == pytest.approx(np.sqrt(log_square - log_mean**2), rel=1e-4)


@pytest.mark.parametrize("below", [1, 5])
def test_a_pair_of_few_joint_orders_has_its_conditional_mean(below: int):
    def seen(x: float) -> float:
        return float(poisson.cdf(below - 1, 4.0 * x))

    truth = moment(MIXTURE, seen, 1) / moment(MIXTURE, seen, 0)
    found = MIXTURE.unseen(np.array([4.0]), np.array([K]), below)
    assert found[0] == pytest.approx(truth, rel=1e-6)


def drawn_pairs(rng: np.random.Generator, lift: np.ndarray, expected: np.ndarray) -> LaterPairs:
    n = np.arange(len(lift))
    return LaterPairs(
        n, n + 1, np.ones(len(lift)),
        rng.poisson(expected * lift).astype(float), expected,
        rng.poisson(0.4 * expected * lift).astype(float), 0.4 * expected, 1.0,
    )  # fmt: skip


def a_shop(seed: int, share: float) -> tuple[LaterPairs, np.ndarray, np.ndarray]:
    """Pairs of λ0 that differ; of all, a share is three times as often together."""
    rng = np.random.default_rng(seed)
    n = 40_000
    prior = np.exp(rng.normal(0, 0.3, n))
    expected = np.exp(rng.normal(0.5, 1.2, n))
    high = rng.random(n) < share
    factor = np.where(high, rng.gamma(4.0, 3.0 / 4.0, n), rng.gamma(30.0, 1 / 30.0, n))
    return drawn_pairs(rng, prior * factor, expected), prior, factor


def test_it_finds_the_pairs_that_stand_out():
    pairs, prior, factor = a_shop(1, share=0.02)
    k = np.full(len(prior), 6.0)  # about what one gamma for all would have
    mixture = fitted_mixture(pairs, prior, k, 1.0)
    assert mixture is not None
    (kind,) = mixture.kinds
    assert 0.01 < kind.share < 0.04
    assert 2.0 < kind.level < 4.0
    known = mixture.known(pairs.orders, pairs.expected * prior, k, 1.0)
    many = pairs.expected * prior > 5
    alone = (pairs.orders + k) / (pairs.expected * prior + k)
    error, error_alone = ((np.log(x[many] / factor[many]) ** 2).mean() for x in (known.mean, alone))
    assert error < 0.75 * error_alone
    inside = np.abs(np.log(known.mean) - np.log(factor)) < 1.645 * known.log_spread
    assert 0.85 < inside[many].mean() < 0.95


def test_where_no_pair_stands_out_one_gamma_does():
    rng = np.random.default_rng(2)
    pairs, prior, _ = a_shop(2, share=0.0)
    lift = prior * rng.gamma(6.0, 1 / 6.0, len(prior))
    pairs = drawn_pairs(rng, lift, pairs.expected)
    assert fitted_mixture(pairs, prior, np.full(len(prior), 6.0), 1.0) is None


def test_repeated_joint_orders_tell_less():
    """Ten joint orders of one shopper are no ten of ten."""
    ten, one, k = np.array([10.0]), np.array([1.0]), np.array([K])
    sure, unsure = (MIXTURE.known(ten, one, k, phi) for phi in (1.0, 4.0))
    assert sure.chance[1, 0] > unsure.chance[1, 0] > MIXTURE.kinds[0].share
    assert sure.log_spread[0] < unsure.log_spread[0]


def test_a_pair_that_was_never_expected_has_the_mean_of_all():
    known = MIXTURE.known(np.zeros(1), np.zeros(1), np.array([K]), 1.0)
    assert known.mean[0] == pytest.approx(1.0)


def test_the_fit_does_not_hang_on_the_last_digit():
    pairs, prior, _ = a_shop(3, share=0.02)
    k = np.full(len(prior), 6.0)
    one, other = (fitted_mixture(pairs, prior * by, k, 1.0) for by in (1.0, 1.0 + 1e-10))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.kinds, other.kinds, rtol=1e-3)
