"""What share of visits each kind of shopper makes up, for one pair at one price.

The rows of the table of design section 2, at purchase probabilities q, odds ratio ψ and with
u_x = g_x(b_x) the probability at the price of the bundle:

    adds the second   C_ψ(q_1, u_2) − J
    adds the first    C_ψ(u_1, q_2) − J
    takes both        T, the triangle below both thresholds

All of them are masses of the copula over rectangles, or integrals of such masses, and are formed
as such: nothing is subtracted, so each keeps its digits however rare the products are.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ..models.copula import discriminant_root, joint_given_root, joint_probability
from .triangle import lift, takes_both


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
def expected_rows(
    q1: float,
    q2: float,
    psi: float,
    first: int,
    second: int,
    rate: NDArray[np.float64],
    weight: NDArray[np.float64],
    reach1: float,
    reach2: float,
    discount: float,
) -> tuple[float, float, float]:
    """Shares that add the second, add the first and take both, in expectation over η.

    Parameters
    ----------
    first, second
        rows of the two products in ``rate`` and ``weight``.
    rate, weight
        (products, nodes) η/r at the nodes of each product's posterior, ascending, and their
        weights. (Whole arrays, since a view of a row costs an atomic count of references.)
    reach1, reach2
        money below its price up to which a product's response is credited: b = min(D, reach).
    discount
        money off, D.
    """
    cut1, cut2 = min(discount, reach1), min(discount, reach2)
    excess = psi - 1.0
    root = discriminant_root(q1, q2, psi)
    joint = joint_given_root(q1, q2, psi, root)
    slope1, slope2 = 2.0 * (psi * q2 - excess * joint), 2.0 * (psi * q1 - excess * joint)
    n_nodes = rate.shape[1]
    adds_second = adds_first = both = 0.0
    for k in range(n_nodes):
        rate1, weight1 = rate[first, k], weight[first, k]
        step1 = lift(q1, rate1 * cut1)
        after1 = discriminant_root(q2, q1 + step1, psi)
        adds_first += weight1 * step1 * slope1 / (root + after1 + excess * step1)
        for m in range(n_nodes):
            rate2, weight2 = rate[second, m], weight[second, m]
            step2 = lift(q2, rate2 * cut2)
            if k == 0:
                after2 = discriminant_root(q1, q2 + step2, psi)
                adds_second += weight2 * step2 * slope2 / (root + after2 + excess * step2)
            both += (
                weight1
                * weight2
                * takes_both(q1, q2, psi, rate1, rate2, step1, step2, cut1, cut2, discount)
            )
    return adds_second, adds_first, both


def offer_shares(
    probability: NDArray[np.float64],
    odds_ratio: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    price: NDArray[np.float64],
    reach: NDArray[np.float64],
    discount: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The four shares of many offers, each at one price sensitivity per product.

    Parameters
    ----------
    probability, sensitivity
        (n, 2) q and η.
    odds_ratio
        (n,) ψ.
    price
        (n, 2) reference prices.
    reach
        (n, 2) money below the price up to which the response is credited: the price itself, or
        ``deepest_cut`` times it.
    discount
        (n,) money off.

    Returns
    -------
    numpy.ndarray
        (n, 4) shares of the visits that see the offer: buys both anyway, buys the first and adds
        the second, buys the second and adds the first, takes both.
    """
    shares = np.empty((len(discount), 4))
    shares[:, 0] = joint_probability(probability[:, 0], probability[:, 1], odds_ratio)
    rate = (sensitivity / price).reshape(-1, 1)
    _fill_shares(probability, odds_ratio, rate, np.ones_like(rate), reach, discount, shares)
    return shares


def expected_shares(
    probability: NDArray[np.float64],
    odds_ratio: float,
    rate: NDArray[np.float64],
    weight: NDArray[np.float64],
    reach: NDArray[np.float64],
    discount: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The four shares of one pair at many discounts, in expectation over η.

    Parameters
    ----------
    probability, reach
        (2,) q, and money below the price up to which the response is credited.
    rate, weight
        (2, nodes) η/r at the nodes of each product's posterior, and their weights.
    discount
        (n,) money off.

    Returns
    -------
    numpy.ndarray
        (n, 4) as ``offer_shares`` gives them.
    """
    n = len(discount)
    shares = np.empty((n, 4))
    shares[:, 0] = joint_probability(probability[0], probability[1], odds_ratio)
    _fill_shares(
        np.tile(probability, (n, 1)), np.full(n, odds_ratio), np.tile(rate, (n, 1)),
        np.tile(weight, (n, 1)), np.tile(reach, (n, 1)), discount, shares,
    )  # fmt: skip
    return shares


@njit(cache=True, parallel=True, error_model="numpy", fastmath={"contract"})
def _fill_shares(
    probability: NDArray[np.float64],
    odds_ratio: NDArray[np.float64],
    rate: NDArray[np.float64],
    weight: NDArray[np.float64],
    reach: NDArray[np.float64],
    discount: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> None:
    for n in prange(len(discount)):
        shares[n, 1], shares[n, 2], shares[n, 3] = expected_rows(
            probability[n, 0], probability[n, 1], odds_ratio[n],
            2 * n, 2 * n + 1, rate, weight,
            reach[n, 0], reach[n, 1], discount[n],
        )  # fmt: skip
