"""The four shares of a pair: against slow quadrature, against simulated shoppers, and by law."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from bundlewise.models.copula import joint_probability
from bundlewise.solver.shares import offer_shares
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from .reference_shares import PairCase, reference_shares

TRIANGLE_TOLERANCE = 1e-3  # the worst case; 99 % are 50 times closer
ROW_TOLERANCE = 1e-12


def kernel(cases: Iterable[PairCase]) -> NDArray[np.float64]:
    cases = list(cases)
    return offer_shares(
        np.array([case.q for case in cases]),
        np.array([case.psi for case in cases]),
        np.array([case.eta for case in cases]),
        np.array([case.price for case in cases]),
        np.array([case.reach for case in cases]),
        np.array([case.discount for case in cases]),
    )


def random_cases(n: int, seed: int) -> list[PairCase]:
    """ψ 0.05 to 1000, q 1e-6 to 0.9, η to 8, prices far apart, D above a product's price."""
    random = np.random.default_rng(seed)
    psi = np.exp(random.uniform(np.log(0.05), np.log(1000), n))
    q = np.exp(random.uniform(np.log(1e-6), np.log(0.9), (n, 2)))
    eta = random.uniform(0.05, 8.0, (n, 2))
    price = np.exp(random.normal(0.0, 1.0, (n, 2)))
    cut = np.where(random.random((n, 2)) < 0.5, 1.0, random.uniform(0.05, 1.0, (n, 2)))
    discount = price.sum(axis=1) * random.uniform(0.005, 0.6, n)
    return [
        PairCase(tuple(q[k]), tuple(eta[k]), psi[k], tuple(price[k]), discount[k], tuple(cut[k]))
        for k in range(n)
    ]


CASE = st.builds(
    PairCase,
    q=st.tuples(*[st.floats(1e-6, 0.9)] * 2),
    eta=st.tuples(*[st.floats(1e-6, 8.0) | st.just(0.0)] * 2),
    psi=st.floats(np.log(0.05), np.log(1000)).map(lambda x: float(np.exp(x))),
    price=st.tuples(*[st.floats(0.1, 50.0)] * 2),
    discount=st.floats(1e-4, 60.0),
    cut=st.tuples(*[st.floats(0.0, 1.0)] * 2),
)


def test_agrees_with_slow_quadrature() -> None:
    cases = random_cases(1_500, seed=11)
    found = kernel(cases)
    expected = np.array([reference_shares(case) for case in cases])
    error = np.abs(found / expected - 1.0)
    assert error[:, :3].max() < ROW_TOLERANCE
    assert error[:, 3].max() < TRIANGLE_TOLERANCE
    assert np.quantile(error[:, 3], 0.99) < TRIANGLE_TOLERANCE / 20


@pytest.mark.parametrize("discount", [1e-4, 1e-2, 0.3, 1.2, 2.5])
@pytest.mark.parametrize("psi", [0.05, 1.0, 4.4, 40.0, 1000.0])
@pytest.mark.parametrize("q", [(1e-6, 1e-6), (1e-6, 0.3), (0.02, 0.05), (0.6, 0.85)])
def test_grid_of_ties_and_discounts(q: tuple[float, float], psi: float, discount: float) -> None:
    """Prices 1 and 2, so that discounts of 1.2 and 2.5 exceed one and both of them."""
    case = PairCase(q, (2.5, 1.5), psi, (1.0, 2.0), discount)
    found, expected = kernel([case])[0], reference_shares(case)
    assert found[:3] == pytest.approx(expected[:3], rel=1e-10)
    assert found[3] == pytest.approx(expected[3], rel=TRIANGLE_TOLERANCE)


SIMULATED = [
    PairCase((0.10, 0.15), (2.0, 3.0), 4.4, (3.0, 2.0), 0.75),
    PairCase((0.05, 0.30), (4.0, 1.5), 0.3, (2.0, 2.0), 1.20),
    PairCase((0.20, 0.22), (3.0, 3.0), 60.0, (4.0, 1.0), 0.80),
    PairCase((0.30, 0.10), (1.5, 2.5), 1.0, (1.0, 5.0), 1.60),  # D above the first one's price
    PairCase((0.12, 0.60), (2.0, 2.0), 0.05, (1.0, 1.0), 0.50),
    PairCase((0.08, 0.09), (5.0, 4.0), 1000.0, (2.0, 3.0), 1.00),
]


@pytest.mark.parametrize("case", SIMULATED, ids=lambda case: f"psi={case.psi}")
def test_agrees_with_simulated_shoppers(case: PairCase) -> None:
    """Each shopper takes the best of nothing, one product, both apart, or the bundle."""
    n_batch, n_batches = 500_000, 8
    random = np.random.default_rng(20_260)
    count = np.zeros(4)
    for _ in range(n_batches):
        count += _shoppers(case, random.random((2, n_batch)))
    share = count / (n_batch * n_batches)
    error = np.sqrt(share * (1.0 - share) / (n_batch * n_batches))
    assert (error < 0.02 * share).all(), "too few shoppers for the test to mean anything"
    assert (np.abs(kernel([case])[0] - share) < 3.0 * error).all()


def _shoppers(case: PairCase, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many shoppers are in each row of the table."""
    u, w = uniform
    # V given U = u by inverting the conditional of the Plackett copula at w
    psi, a = case.psi, w * (1.0 - w)
    b = psi + a * (psi - 1.0) ** 2
    c = 2.0 * a * (u * psi**2 + 1.0 - u) + psi * (1.0 - 2.0 * a)
    d = np.sqrt(psi) * np.sqrt(psi + 4.0 * a * u * (1.0 - u) * (1.0 - psi) ** 2)
    v = (c - (1.0 - 2.0 * w) * d) / (2.0 * b)
    # the price at which a shopper of rank u would just buy: σ(logit q + η(1 − p/r)) = u
    worth = [
        price * (1.0 - (np.log(x / (1.0 - x)) - np.log(q / (1.0 - q))) / eta)
        for x, q, eta, price in zip((u, v), case.q, case.eta, case.price, strict=True)
    ]
    gain1, gain2 = worth[0] - case.price[0], worth[1] - case.price[1]
    bundle = np.where((worth[0] >= 0.0) & (worth[1] >= 0.0), gain1 + gain2 + case.discount, -np.inf)
    options = np.stack([np.zeros_like(u), gain1, gain2, gain1 + gain2, bundle])
    takes = options.argmax(axis=0) == 4
    has1, has2 = gain1 >= 0.0, gain2 >= 0.0
    rows = (has1 & has2, has1 & ~has2, ~has1 & has2, ~has1 & ~has2)
    return np.array([(takes & row).sum() for row in rows], dtype=np.float64)


@given(CASE)
@settings(max_examples=300, deadline=None)
def test_shares_are_shares(case: PairCase) -> None:
    shares = kernel([case])[0]
    assert (shares >= 0.0).all()
    assert shares.sum() <= 1.0 + 1e-9


@given(CASE)
@settings(max_examples=200, deadline=None)
def test_order_of_the_products_does_not_matter(case: PairCase) -> None:
    swapped = PairCase(
        case.q[::-1], case.eta[::-1], case.psi, case.price[::-1], case.discount, case.cut[::-1]
    )
    here, there = kernel([case])[0], kernel([swapped])[0]
    assert here[:3] == pytest.approx(there[[0, 2, 1]], rel=1e-11)
    assert here[3] == pytest.approx(there[3], rel=2 * TRIANGLE_TOLERANCE, abs=1e-300)


@given(CASE, st.floats(1.0, 1.5))
@settings(max_examples=200, deadline=None)
def test_more_off_or_less_caution_brings_more_shoppers(case: PairCase, factor: float) -> None:
    deeper = PairCase(case.q, case.eta, case.psi, case.price, case.discount * factor, case.cut)
    bolder = PairCase(case.q, case.eta, case.psi, case.price, case.discount)
    shares, at_deeper, uncapped = kernel([case, deeper, bolder])
    slack = np.array([1e-12, 1e-11, 1e-11, TRIANGLE_TOLERANCE])
    assert (shares <= at_deeper * (1.0 + 2.0 * slack)).all()
    assert (shares <= uncapped * (1.0 + 2.0 * slack)).all()


@given(CASE)
@settings(max_examples=100, deadline=None)
def test_no_discount_changes_nothing(case: PairCase) -> None:
    same = PairCase(case.q, case.eta, case.psi, case.price, 0.0, case.cut)
    expected = [joint_probability(*case.q, case.psi), 0.0, 0.0, 0.0]
    assert kernel([same])[0].tolist() == expected


@given(CASE)
@settings(max_examples=100, deadline=None)
def test_smooth_through_independence(case: PairCase) -> None:
    shares = kernel(
        [
            PairCase(case.q, case.eta, psi, case.price, case.discount, case.cut)
            for psi in (1.0 - 1e-7, 1.0, 1.0 + 1e-7)
        ]
    )
    assert shares[0] == pytest.approx(shares[1], rel=1e-5)
    assert shares[2] == pytest.approx(shares[1], rel=1e-5)


def test_half_the_rectangle_would_be_wrong() -> None:
    """Why T is integrated: half the rectangle is off by a quarter at the median, and more."""
    cases = [
        case
        for case in random_cases(400, seed=3)
        if case.discount < min(case.reach) and case.psi < 20
    ]
    found = kernel(cases)[:, 3]
    half = []
    for case in cases:
        u1, u2 = (
            q
            * np.exp(eta * case.discount / price)
            / (1 + q * np.expm1(eta * case.discount / price))
            for q, eta, price in zip(case.q, case.eta, case.price, strict=True)
        )
        corners = joint_probability(
            np.array([u1, u1, case.q[0], case.q[0]]),
            np.array([u2, case.q[1], u2, case.q[1]]),
            case.psi,
        )
        half.append(0.5 * (corners[0] - corners[1] - corners[2] + corners[3]))
    assert np.median(np.abs(np.array(half) / found - 1.0)) > 0.1
