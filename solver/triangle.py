"""The share of visits that would buy neither product of a pair and take the bundle.

T is the mass of the copula below both thresholds of the bundle: the rectangle up to s0, where the
second product alone is at its threshold, and beyond it

    ∫ from s0 to b_1 of [C1(g_1(s), g_2(D−s)) − C1(g_1(s), q_2)] dg_1(s)

by Gauss–Legendre, with as many nodes and in such a variable as the pair needs. The loops over
nodes that matter have no branch, call nothing that is not inlined and do not know how many nodes
there are (else they are unrolled before they can be vectorised): they run on vectors. Small
functions are inlined by force, since a call costs as much as they do.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..models.copula import (
    discriminant_root,
    joint_given_root,
    mean_slope,
    rectangle,
    tilt,
)

_RULES = {n: np.polynomial.legendre.leggauss(n) for n in (4, 8, 16)}
_NODES16, _WEIGHTS16 = _RULES[16]
_NODES = np.concatenate([_RULES[4][0], _RULES[8][0]])  # rules of 4 and 8 nodes, one after the other
_WEIGHTS = np.concatenate([_RULES[4][1], _RULES[8][1]])
# Worst errors measured in their ranges: 4 nodes 0.08 %, 8 nodes 0.001 %, 16 nodes 0.1 % (at
# probabilities near 1), two mapped panels 0.07 %.
_RARE = 0.5  # no probability above this
_SPAN4, _SPAN8 = 3.0, 9.0  # log-odds along the triangle's side
_NO_RATE = 1e-100  # log-odds per unit of money below which no probability changes
_LARGEST_RISE = 64.0  # log-odds beyond which nothing changes any more


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
def lift(q: float, t: float) -> float:
    """g − q for a shopper whose log-odds rise by t >= 0: q(1−q)·expm1(t)/(1 + q·expm1(t))."""
    m = _expm1(t)
    return q * (1.0 - q) * m / (1.0 + q * m)


@njit(cache=True, forceinline=True, error_model="numpy", fastmath={"contract"})
def _expm1(t: float) -> float:
    """e^t − 1 for t > −20, without a branch or a call, so that loops over it vectorise.

    Twelve terms of the series at t/64 (relative error below 1e-15 up to t = 16, 2e-10 at 64),
    then six times expm1(2x) = expm1(x)·(2 + expm1(x)). Products with 1/k, since a division takes
    as long as all the rest.
    """
    x = min(t, _LARGEST_RISE) * (1 / 64)
    series = 1.0 + x * (1 / 10) * (1.0 + x * (1 / 11) * (1.0 + x * (1 / 12)))
    series = 1.0 + x * (1 / 7) * (1.0 + x * (1 / 8) * (1.0 + x * (1 / 9) * series))
    series = 1.0 + x * (1 / 4) * (1.0 + x * (1 / 5) * (1.0 + x * (1 / 6) * series))
    e = x * (1.0 + x * (1 / 2) * (1.0 + x * (1 / 3) * series))
    e *= 2.0 + e
    e *= 2.0 + e
    e *= 2.0 + e
    e *= 2.0 + e
    e *= 2.0 + e
    return e * (2.0 + e)


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
    """T at one price sensitivity of each product.

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
    if top < _RARE and span < _SPAN4:
        return corner + _rare_integral(
            q1, q2, psi, rate1, rate2, start, cut1, discount, 0, 4
        )  # fmt: skip
    if top < _RARE and span < _SPAN8:
        return corner + _rare_integral(
            q1, q2, psi, rate1, rate2, start, cut1, discount, 4, 12
        )  # fmt: skip
    return corner + _common_integral(q1, q2, psi, rate1, rate2, start, cut1, discount)


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _rare_integral(
    q1: float,
    q2: float,
    psi: float,
    rate1: float,
    rate2: float,
    start: float,
    end: float,
    discount: float,
    first: int,
    stop: int,
) -> float:
    """The integral of T where ψ·u < 1 and u < ½, by the rule at ``first`` to ``stop`` of the table.

    There s > 0 in the copula and s² − 4ψ(ψ−1)uv does not cancel; one division serves for several.
    """
    middle, half = 0.5 * (start + end), 0.5 * (end - start)
    excess = psi - 1.0
    cross = 4.0 * psi * excess
    total = 0.0
    for n in range(first, stop):
        s = middle + half * _NODES[n]
        m1, m2 = _expm1(rate1 * s), _expm1(rate2 * (discount - s))
        odds1, odds2 = 1.0 + q1 * m1, 1.0 + q2 * m2
        inverse = 1.0 / (odds1 * odds2)
        u, not_u = q1 * (1.0 + m1) * odds2 * inverse, (1.0 - q1) * odds2 * inverse
        step = q2 * (1.0 - q2) * m2 * odds1 * inverse
        sum0 = 1.0 + excess * (u + q2)
        sum1 = sum0 + excess * step
        root0 = math.sqrt(sum0 * sum0 - cross * u * q2)
        root1 = math.sqrt(sum1 * sum1 - cross * u * (q2 + step))
        joint = 2.0 * psi * u * q2 / (sum0 + root0)
        slope = psi * q2 - excess * joint  # C1 times root0
        mean = 2.0 * (psi * u - excess * joint)  # mean ∂C/∂v over the step, times spread
        spread = root0 + root1 + excess * step
        apart = slope * spread + mean * root0 - 2.0 * slope * mean
        tilted = psi * root0 * spread - excess * apart
        total += _WEIGHTS[n] * step * tilted * u * not_u / (root0 * root1 * spread)
    return half * rate1 * total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _common_integral(
    q1: float,
    q2: float,
    psi: float,
    rate1: float,
    rate2: float,
    start: float,
    end: float,
    discount: float,
) -> float:
    """The integral of T where the tie is weak but purchases are common: 16 nodes."""
    middle, half = 0.5 * (start + end), 0.5 * (end - start)
    total = 0.0
    for n in range(16):
        s = middle + half * _NODES16[n]
        u = q1 + lift(q1, rate1 * s)
        step = lift(q2, rate2 * (discount - s))
        root = discriminant_root(u, q2, psi)
        after = discriminant_root(u, q2 + step, psi)
        slope = (psi * q2 - (psi - 1.0) * joint_given_root(u, q2, psi, root)) / root
        mean = mean_slope(u, q2, step, psi, root, after)
        density = step / after * tilt(psi, slope, mean, mean) * u * (1.0 - u)
        total += _WEIGHTS16[n] * density
    return half * rate1 * total


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
    if rate1 < _NO_RATE or rate2 < _NO_RATE:
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
            q1, q2, psi, rate1, rate2, start, middle, discount, on, width_on,
            4, 12,
        )  # fmt: skip
    if middle < end:
        total += _mapped_panel(
            q1, q2, psi, rate1, rate2, middle, end, discount, off, width_off,
            4, 12,
        )  # fmt: skip
    return total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _switch_width(g: float, psi: float) -> float:
    """Width, in log-odds, over which C1(u, v) goes from 0 to 1 around u = v = g."""
    variance = g * (1.0 - g)
    return (2.0 * math.sqrt(variance / (psi - 1.0)) + 1.0 / (psi - 1.0)) / variance


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
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
    first: int,
    stop: int,
) -> float:
    """∫ of T's integrand from low to high by Gauss–Legendre in y, s = switch + width·sinh(y).

    For ψ > 1: the copula in the form in which every term is positive.
    """
    excess = psi - 1.0
    y_low = math.asinh((low - switch) / width)
    y_high = math.asinh((high - switch) / width)
    middle, half = 0.5 * (y_low + y_high), 0.5 * (y_high - y_low)
    total = 0.0
    for n in range(first, stop):
        m = _expm1(middle + half * _NODES[n])
        inverse_m = 1.0 / (1.0 + m)
        sinh, cosh = 0.5 * m * (2.0 + m) * inverse_m, 1.0 + 0.5 * m * m * inverse_m
        s = min(max(switch + width * sinh, low), high)
        m1, m2 = _expm1(rate1 * s), _expm1(rate2 * (discount - s))
        odds1, odds2 = 1.0 + q1 * m1, 1.0 + q2 * m2
        inverse = 1.0 / (odds1 * odds2)
        u, not_u = q1 * (1.0 + m1) * odds2 * inverse, (1.0 - q1) * odds2 * inverse
        step = q2 * (1.0 - q2) * m2 * odds1 * inverse
        v = q2 + step
        apart0 = 1.0 + excess * abs(u - q2)
        apart1 = 1.0 + excess * abs(u - v)
        root0 = math.sqrt(apart0 * apart0 + 4.0 * excess * min(u, q2) * (1.0 - max(u, q2)))
        root1 = math.sqrt(apart1 * apart1 + 4.0 * excess * min(u, v) * (1.0 - max(u, v)))
        joint = 2.0 * psi * u * q2 / (1.0 + excess * (u + q2) + root0)
        slope = psi * q2 - excess * joint  # C1 times root0
        mean = 2.0 * (psi * u - excess * joint)  # mean ∂C/∂v over the step, times spread
        spread = root0 + root1 + excess * step
        tilted = root0 * spread + excess * ((root0 - slope) * (spread - mean) + slope * mean)
        density = step * tilted * u * not_u / (root0 * root1 * spread)
        total += _WEIGHTS[n] * density * cosh
    return half * width * rate1 * total
