"""The nodes that stand for the posterior of the price sensitivity."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.solver.posterior import NODES, truncated_normal_nodes
from bundlewise.solver.shares import offer_shares
from scipy.stats import truncnorm

POSTERIORS = [(2.0, 0.5, 8.0), (1.0, 1.5, 8.0), (-3.0, 1.0, 8.0), (9.0, 1.0, 8.0), (0.2, 4.0, 6.0)]


@pytest.mark.parametrize("n_nodes", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("location", "scale", "cap"), POSTERIORS)
def test_moments_are_exact(location: float, scale: float, cap: float, n_nodes: int) -> None:
    """n nodes give the moments up to order 2n − 1 of the truncated normal."""
    nodes, weights = truncated_normal_nodes(*np.array([[location], [scale], [cap]]), n_nodes)
    exact = truncnorm((0 - location) / scale, (cap - location) / scale, location, scale)
    assert ((nodes > 0) & (nodes < cap)).all()
    assert (np.diff(nodes[0]) > 0).all()
    for order in range(2 * n_nodes):
        moment = (weights[0] * nodes[0] ** order).sum()
        assert moment == pytest.approx(float(exact.moment(order)) if order else 1.0, rel=1e-7)


def test_no_scale_is_a_point() -> None:
    location, scale, cap = np.array([[2.0, -1.0, 9.0], [0.0, 0.0, 0.0], [8.0, 8.0, 8.0]])
    nodes, weights = truncated_normal_nodes(location, scale, cap, 3)
    assert nodes.tolist() == [[2.0] * 3, [0.0] * 3, [8.0] * 3]
    assert weights.sum(axis=1) == pytest.approx(1.0)


def test_nodes_are_enough_for_offers() -> None:
    """Expected shares against 14 nodes a product, over posteriors as wide as they come."""
    random = np.random.default_rng(8)
    n, fine = 200, 14
    location = random.uniform(-1.0, 5.0, (n, 2))
    scale = random.uniform(0.1, 1.5, (n, 2))
    q = np.exp(random.uniform(np.log(1e-4), np.log(0.2), (n, 2)))
    psi = np.exp(random.normal(1.5, 1.0, n))
    price = np.exp(random.normal(0.0, 0.5, (n, 2)))
    discount = price.sum(axis=1) * random.choice([0.05, 0.1, 0.2, 0.3], n)

    def expected(n_nodes: int) -> np.ndarray:
        rule = [
            truncated_normal_nodes(location[:, k], scale[:, k], np.full(n, 8.0), n_nodes)
            for k in range(2)
        ]
        total = np.zeros((n, 4))
        for i in range(n_nodes):
            for j in range(n_nodes):
                eta = np.stack([rule[0][0][:, i], rule[1][0][:, j]], axis=1)
                weight = rule[0][1][:, i] * rule[1][1][:, j]
                total += weight[:, None] * offer_shares(q, psi, eta, price, price, discount)
        return total

    error = np.abs(expected(NODES) / expected(fine) - 1.0)
    assert error.max() < 1e-2
    assert np.quantile(error, 0.99) < 1e-3
    at_the_mean = np.abs(expected(1) / expected(fine) - 1.0)
    assert np.median(at_the_mean[:, 3]) > 0.03, "the mean of η alone would not do"
