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

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ..models.copula import (
    discriminant_root,
    joint_given_root,
    joint_probability,
    mean_slope,
    rectangle,
    tilt,
)

_FEW_NODES, _FEW_WEIGHTS = np.polynomial.legendre.leggauss(4)
_MANY_NODES, _MANY_WEIGHTS = np.polynomial.legendre.leggauss(16)
_PANEL_NODES, _PANEL_WEIGHTS = np.polynomial.legendre.leggauss(8)
# Where 4 nodes do (measured: worst error 0.08 %, 99 % of errors below 0.004 %).
_FEW_SPAN = 3.0  # the log-odds move by less than this along the triangle's side
_FEW_PROBABILITY = 0.5  # and neither probability comes near 1
_SHORT = 16.0  # log-odds up to which the short exponential holds


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
def lift(q: float, t: float) -> float:
    """g − q for a shopper whose log-odds rise by t >= 0: q(1−q)·expm1(t)/(1 + q·expm1(t))."""
    m = _expm1(t)
    return q * (1.0 - q) * m / (1.0 + q * m)


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
def _expm1(t: float) -> float:
    """e^t − 1 for t >= 0."""
    return _short_expm1(t) if t < _SHORT else math.exp(t) - 1.0


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
def _short_expm1(t: float) -> float:
    """e^t − 1 for 0 <= t < 16, without a branch or a call, so that loops over it vectorise.

    Ten terms of the series at t/64 (relative error below 3e-14), then six times
    expm1(2x) = expm1(x)·(2 + expm1(x)), which cancels nothing. Products with 1/k, since a
    division takes as long as all the rest.
    """
    x = t * (1 / 64)
    series = 1.0 + x * (1 / 8) * (1.0 + x * (1 / 9) * (1.0 + x * (1 / 10)))
    series = 1.0 + x * (1 / 5) * (1.0 + x * (1 / 6) * (1.0 + x * (1 / 7) * series))
    e = x * (1.0 + x * (1 / 2) * (1.0 + x * (1 / 3) * (1.0 + x * (1 / 4) * series)))
    e *= 2.0 + e
    e *= 2.0 + e
    e *= 2.0 + e
    e *= 2.0 + e
    e *= 2.0 + e
    return e * (2.0 + e)


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


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
def takes_both(
    q1: float,
    q2: float,
    psi: float,
    rate1: float,
    rate2: float,
    step1: float,
    step2: float,
    cut1: float,
    cut2: float,
    discount: float,
) -> float:
    """T, the share of visits that would buy neither and take the bundle, at one η of each.

    The rectangle up to s0, where the second product alone is at its threshold, and beyond it

        ∫ from s0 to b_1 of [C1(g_1(s), g_2(D−s)) − C1(g_1(s), q_2)] dg_1(s)

    Parameters
    ----------
    rate1, rate2
        η/r of each product.
    step1, step2
        u_x − q_x at the bundle's price.
    cut1, cut2
        b_x, money below the price that is credited.
    """
    if cut1 <= 0.0 or cut2 <= 0.0:
        return 0.0
    start = min(max(discount - cut2, 0.0), cut1)
    corner = 0.0
    if start > 0.0:
        corner = rectangle(q1, q2, lift(q1, rate1 * start), step2, psi)
        if start >= cut1:
            return corner
    top = max(q1 + step1, q2 + step2)
    if psi > 1.0 and psi * top >= 1.0:
        return corner + _tied_integral(q1, q2, psi, rate1, rate2, start, cut1, discount)
    span = max(rate1, rate2) * (cut1 - start)
    rise = max(rate1 * cut1, rate2 * cut2)
    if top < _FEW_PROBABILITY and span < _FEW_SPAN and rise < _SHORT:
        return corner + _rare_integral(q1, q2, psi, rate1, rate2, start, cut1, discount)
    return corner + _plain_integral(q1, q2, psi, rate1, rate2, start, cut1, discount)


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _rare_integral(
    q1: float,
    q2: float,
    psi: float,
    rate1: float,
    rate2: float,
    start: float,
    end: float,
    discount: float,
) -> float:
    """The integral of T where ψ·u < 1, u < ½ and the log-odds move little: 4 nodes.

    The same formulas as ``_density``, in the form that they take there (s > 0, and s² − 4ψ(ψ−1)uv
    does not cancel), with one division for several: the loop has no branch and vectorises.
    """
    middle, half = 0.5 * (start + end), 0.5 * (end - start)
    excess = psi - 1.0
    cross = 4.0 * psi * excess
    total = 0.0
    for n in range(4):
        s = middle + half * _FEW_NODES[n]
        m1, m2 = _short_expm1(rate1 * s), _short_expm1(rate2 * (discount - s))
        odds1, odds2 = 1.0 + q1 * m1, 1.0 + q2 * m2
        inverse = 1.0 / (odds1 * odds2)
        not_u = (1.0 - q1) * odds2 * inverse
        u = q1 * (1.0 + m1) * odds2 * inverse
        step = q2 * (1.0 - q2) * m2 * odds1 * inverse
        sum0 = 1.0 + excess * (u + q2)
        sum1 = sum0 + excess * step
        root0 = math.sqrt(sum0 * sum0 - cross * u * q2)
        root1 = math.sqrt(sum1 * sum1 - cross * u * (q2 + step))
        joint = 2.0 * psi * u * q2 / (sum0 + root0)
        slope = psi * q2 - excess * joint  # times 1/root0
        mean = 2.0 * (psi * u - excess * joint)  # times 1/spread
        spread = root0 + root1 + excess * step
        tilted = psi * root0 * spread - excess * (
            slope * spread + mean * root0 - 2.0 * slope * mean
        )
        total += _FEW_WEIGHTS[n] * step * tilted * u * not_u / (root0 * root1 * spread)
    return half * rate1 * total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _plain_integral(
    q1: float,
    q2: float,
    psi: float,
    rate1: float,
    rate2: float,
    start: float,
    end: float,
    discount: float,
) -> float:
    """The integral of T where the tie is weak but the log-odds move far: 16 nodes."""
    middle, half = 0.5 * (start + end), 0.5 * (end - start)
    total = 0.0
    for n in range(len(_MANY_NODES)):
        s = middle + half * _MANY_NODES[n]
        total += _MANY_WEIGHTS[n] * _density(q1, q2, psi, rate1, rate2, s, discount)
    return half * total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _density(
    q1: float, q2: float, psi: float, rate1: float, rate2: float, s: float, discount: float
) -> float:
    """[C1(g_1(s), g_2(D−s)) − C1(g_1(s), q_2)] · g_1'(s), the integrand of T."""
    u = q1 + lift(q1, rate1 * s)
    step = lift(q2, rate2 * (discount - s))
    root = discriminant_root(u, q2, psi)
    after = discriminant_root(u, q2 + step, psi)
    slope = (psi * q2 - (psi - 1.0) * joint_given_root(u, q2, psi, root)) / root
    mean = mean_slope(u, q2, step, psi, root, after)
    return step / after * tilt(psi, slope, mean, mean) * rate1 * u * (1.0 - u)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _tied_integral(
    q1: float,
    q2: float,
    psi: float,
    rate1: float,
    rate2: float,
    start: float,
    end: float,
    discount: float,
) -> float:
    """The integral of T where the tie is strong: ψ·u >= 1, ψ > 1.

    As a function of s the integrand then switches on where g_1(s) = q_2 and off where
    g_1(s) = g_2(D−s), each within a width w set by ψ, as (s − p)/sqrt((s − p)² + w²) does.
    s = p + w·sinh(y) makes such a switch smooth in y, so the panel is halved between the two
    switches and each half is mapped around its own.
    """
    if rate1 <= 0.0 or rate2 <= 0.0:
        return 0.0
    apart = math.log(q2 / (1.0 - q2)) - math.log(q1 / (1.0 - q1))
    on, off = apart / rate1, (apart + rate2 * discount) / (rate1 + rate2)
    length = end - start
    on = min(max(on, start - 10.0 * length), end + 10.0 * length)
    off = min(max(off, start - 10.0 * length), end + 10.0 * length)
    g_off = min(q1 + lift(q1, rate1 * max(off, 0.0)), 1.0 - 1e-12)
    width_on = _switch_width(q2, psi) / rate1
    width_off = _switch_width(g_off, psi) / (rate1 + rate2)
    middle = min(max(0.5 * (on + off), start), end)
    total = 0.0
    if middle > start:
        total += _mapped_panel(
            q1, q2, psi, rate1, rate2, start, middle, discount, on, width_on
        )  # fmt: skip
    if middle < end:
        total += _mapped_panel(
            q1, q2, psi, rate1, rate2, middle, end, discount, off, width_off
        )  # fmt: skip
    return total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _switch_width(g: float, psi: float) -> float:
    """Width, in log-odds, over which C1(u, v) goes from 0 to 1 around u = v = g."""
    variance = g * (1.0 - g)
    return (2.0 * math.sqrt(variance / (psi - 1.0)) + 1.0 / (psi - 1.0)) / variance


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _mapped_panel(
    q1: float,
    q2: float,
    psi: float,
    rate1: float,
    rate2: float,
    low: float,
    high: float,
    discount: float,
    switch: float,
    width: float,
) -> float:
    """∫ of T's integrand from low to high by Gauss–Legendre in y, s = switch + width·sinh(y)."""
    y_low = math.asinh((low - switch) / width)
    y_high = math.asinh((high - switch) / width)
    middle, half = 0.5 * (y_low + y_high), 0.5 * (y_high - y_low)
    total = 0.0
    for n in range(len(_PANEL_NODES)):
        y = middle + half * _PANEL_NODES[n]
        s = min(max(switch + width * math.sinh(y), low), high)
        density = _density(q1, q2, psi, rate1, rate2, s, discount)
        total += _PANEL_WEIGHTS[n] * density * width * math.cosh(y)
    return half * total


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
