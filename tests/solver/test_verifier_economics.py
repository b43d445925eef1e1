"""The verifier's own economics against dense quadrature, simulated shoppers and limits by hand."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.instances.synthetic import make_shop
from bundlewise.instances.synthetic_shoppers import simulate_bundles
from bundlewise.solver.verifier_economics import (
    Side,
    draw_sensitivity,
    plackett,
    plackett_slope,
    sensitivity_nodes,
    shares,
)
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import truncnorm


@pytest.mark.parametrize("odds_ratio", [0.05, 0.3, 1 - 1e-9, 1.0, 1 + 1e-9, 4.0, 50.0, 1000.0])
def test_plackett_satisfies_the_odds_ratio_equation(odds_ratio: float) -> None:
    u, v = np.meshgrid([1e-6, 1e-3, 0.05, 0.4, 0.9], [1e-5, 0.01, 0.3, 0.8])
    joint = plackett(u, v, odds_ratio)
    assert np.all(joint > np.maximum(u + v - 1, 0))
    assert np.all(joint < np.minimum(u, v))
    np.testing.assert_allclose(
        joint * (1 - u - v + joint), odds_ratio * (u - joint) * (v - joint), rtol=1e-6
    )


@pytest.mark.parametrize("odds_ratio", [0.05, 1.0, 4.0, 1000.0])
def test_slope_is_the_derivative_of_the_copula(odds_ratio: float) -> None:
    u, v = np.meshgrid([1e-3, 0.05, 0.4, 0.9], [0.01, 0.3, 0.8])
    step = 1e-6 * u
    difference = plackett(u + step, v, odds_ratio) - plackett(u - step, v, odds_ratio)
    np.testing.assert_allclose(
        plackett_slope(u, v, odds_ratio), difference / (2 * step), rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize("odds_ratio", [0.05, 0.5, 1.0, 4.0, 30.0, 1000.0])
@pytest.mark.parametrize(
    ("q", "eta", "price", "money_off", "reach"),
    [
        ((0.02, 0.05), (2.0, 3.0), (399, 599), 150, (150, 150)),
        ((1e-6, 0.01), (1.0, 4.0), (1000, 1000), 300, (300, 300)),
        ((0.3, 0.6), (5.0, 1.5), (250, 900), 320, (250, 320)),  # D above one product's price
        ((0.3, 0.01), (5.0, 1.5), (900, 250), 320, (320, 250)),
        ((0.02, 0.05), (6.0, 3.0), (399, 599), 200, (40, 200)),  # capped on one side
        ((0.02, 0.05), (6.0, 3.0), (399, 599), 200, (40, 90)),  # both: a rectangle
    ],
)
def test_triangle_agrees_with_adaptive_quadrature(
    odds_ratio: float, q: tuple, eta: tuple, price: tuple, money_off: int, reach: tuple
) -> None:
    first, second = (Side(q[k], eta[k], price[k], reach[k]) for k in (0, 1))
    found = shares(first, second, odds_ratio, money_off)

    def rank(k: int, short: float) -> float:
        return float(expit(logit(q[k]) + eta[k] * short / price[k]))

    def gained(short: float) -> float:
        u, limit = rank(0, short), rank(1, min(reach[1], money_off - short))
        inner = plackett_slope(u, limit, odds_ratio) - plackett_slope(u, q[1], odds_ratio)
        return float(inner) * eta[0] / price[0] * u * (1 - u)

    expected, _ = quad(
        gained, 0, reach[0], limit=400, epsabs=0, epsrel=1e-9, points=[max(money_off - reach[1], 0)]
    )
    assert float(found.both) == pytest.approx(expected, rel=2e-4)


def test_shares_are_those_of_simulated_shoppers() -> None:
    shop = make_shop(1, 60)
    discount = np.round(0.2 * shop.reference_price[shop.ties].sum(axis=1)).astype(int)
    seen = simulate_bundles(shop, shop.ties, discount, 200_000, 3)
    deviations = []
    for k, (i, j) in enumerate(shop.ties):
        sides = [
            Side(
                shop.purchase_probability[x],
                shop.price_sensitivity[x],
                float(shop.reference_price[x]),
                float(min(discount[k], shop.reference_price[x])),
            )
            for x in (i, j)
        ]
        found = shares(sides[0], sides[1], shop.odds_ratio[k], float(discount[k]))
        rows = {
            "subsidised": found.subsidised,
            "adds_b": found.adds_second,
            "adds_a": found.adds_first,
            "both": found.both,
        }
        for name, share in rows.items():
            deviations.append((seen[name][k] - float(share)) / seen[f"{name}_se"][k])
    deviations = np.array(deviations)
    # 120 comparisons of a standard normal: the largest is below 4 in 99.2 % of all seeds.
    assert np.abs(deviations).max() < 4
    assert 0.8 < deviations.std() < 1.2


@pytest.mark.parametrize(
    ("location", "scale"), [(2.0, 0.5), (0.3, 1.0), (-4.0, 1.0), (11.5, 2.0), (3.0, 0.0)]
)
def test_expectation_over_sensitivity(location: float, scale: float) -> None:
    belief = {
        "sensitivity_location": location,
        "sensitivity_scale": scale,
        "sensitivity_cap": 12.0,
    }
    nodes, weights = sensitivity_nodes(belief)
    drawn = draw_sensitivity(belief, (np.arange(200_000) + 0.5) / 200_000)
    if scale == 0:
        assert nodes.tolist() == [location]
        assert set(drawn) == {location}
        return
    truth = truncnorm(-location / scale, (12.0 - location) / scale, location, scale)
    assert weights.sum() == pytest.approx(1)
    assert np.dot(weights, nodes) == pytest.approx(truth.mean(), rel=1e-6)
    assert np.dot(weights, np.exp(0.2 * nodes)) == pytest.approx(
        truth.expect(lambda eta: np.exp(0.2 * eta)), rel=1e-6
    )
    assert drawn.mean() == pytest.approx(truth.mean(), rel=1e-4)
    assert np.quantile(drawn, 0.95) == pytest.approx(truth.ppf(0.95), rel=1e-3)
