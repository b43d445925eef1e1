"""The Plackett copula: the tie between two purchases whose odds ratio holds at every price.

Plackett, R. L. (1965), A class of bivariate distributions, J. Am. Stat. Assoc. 60, 516-522.

All functions take NumPy arrays that broadcast, and are called from other Numba kernels as
scalars. Differences are formed algebraically, never by subtracting two values of the copula, so
every result keeps its relative accuracy at purchase probabilities of 1e-6 and below and for any
odds ratio, 1 included: with ψ the odds ratio, C the smaller root of
(ψ−1)C² − sC + ψuv = 0 and R = s − 2(ψ−1)C the root of its discriminant, a step of d in v moves C by

    C(u, v + d) − C(u, v) = 2dN / (R + R' + (ψ−1)d),   N = ψu − (ψ−1)C(u, v)

with R' taken at v + d, in which nothing cancels for ψ > 1.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit, vectorize

Reals = Any  # a float, or an array of them; several broadcast


@vectorize(cache=True)
def joint_probability(u: Reals, v: Reals, psi: Reals) -> Reals:
    """C_ψ(u, v): probability of buying both, of two products bought with u and v.

    Parameters
    ----------
    u, v
        purchase probabilities in [0, 1].
    psi
        odds ratio of the 2×2 table of the two purchases, > 0.
    """
    return joint_given_root(u, v, psi, discriminant_root(u, v, psi))


@vectorize(cache=True)
def conditional(u: Reals, v: Reals, psi: Reals) -> Reals:
    """C1 = ∂C/∂u = (ψv − (ψ−1)C)/R: probability that V <= v for a shopper with U = u."""
    root = discriminant_root(u, v, psi)
    return (psi * v - (psi - 1.0) * joint_given_root(u, v, psi, root)) / root


@vectorize(cache=True)
def odds_ratio_of(u: Reals, v: Reals, joint: Reals) -> Reals:
    """The ψ with C_ψ(u, v) = joint: J(1 − u − v + J)/((u − J)(v − J)).

    0 and inf at the ends of what is possible, max(0, u + v − 1) and min(u, v); nan beyond them.
    """
    only_u, only_v, neither = u - joint, v - joint, 1.0 - u - v + joint
    if not (joint >= 0.0 and only_u >= 0.0 and only_v >= 0.0 and neither >= 0.0):
        return math.nan
    apart = only_u * only_v
    together = joint * neither
    if apart > 0.0:
        return together / apart
    return math.inf if together > 0.0 else math.nan


@vectorize(cache=True)
def joint_step(u: Reals, v: Reals, step: Reals, psi: Reals) -> Reals:
    """C_ψ(u, v + step) − C_ψ(u, v), to full relative accuracy for however small a step >= 0."""
    root = discriminant_root(u, v, psi)
    return step * mean_slope(u, v, step, psi, root, discriminant_root(u, v + step, psi))


@vectorize(cache=True)
def conditional_step(u: Reals, v: Reals, step: Reals, psi: Reals) -> Reals:
    """C1(u, v + step) − C1(u, v), to full relative accuracy for however small a step >= 0."""
    root, root_after = discriminant_root(u, v, psi), discriminant_root(u, v + step, psi)
    slope = (psi * v - (psi - 1.0) * joint_given_root(u, v, psi, root)) / root
    mean = mean_slope(u, v, step, psi, root, root_after)
    return step / root_after * tilt(psi, slope, mean, mean)


@vectorize(cache=True)
def rectangle(u: Reals, v: Reals, step_u: Reals, step_v: Reals, psi: Reals) -> Reals:
    """Mass of [u, u + step_u] × [v, v + step_v]: the mixed difference of C_ψ, without cancelling.

    Relative accuracy holds for however small the steps, which are >= 0.
    """
    v_after = v + step_v
    root, root_v = discriminant_root(u, v, psi), discriminant_root(u, v_after, psi)
    root_u = discriminant_root(u + step_u, v, psi)
    root_uv = discriminant_root(u + step_u, v_after, psi)
    along_u = mean_slope(v, u, step_u, psi, root, root_u)
    along_v = mean_slope(u, v, step_v, psi, root, root_v)
    along_v_after = mean_slope(u + step_u, v, step_v, psi, root_u, root_uv)
    scale = root_v + root_uv + (psi - 1.0) * step_u
    return 2.0 * step_u * step_v / scale * tilt(psi, along_u, along_v, along_v_after)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def discriminant_root(u: float, v: float, psi: float) -> float:
    """R = sqrt(s² − 4ψ(ψ−1)uv) as a sum of terms that are not negative."""
    excess = psi - 1.0
    if excess > 0.0:
        high, low = max(u, v), min(u, v)
        spread = 1.0 + excess * (high - low)
        return math.sqrt(spread * spread + 4.0 * excess * low * (1.0 - high))
    s = 1.0 + excess * (u + v)
    return math.sqrt(s * s - 4.0 * psi * excess * u * v)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def joint_given_root(u: float, v: float, psi: float, root: float) -> float:
    """C from R, by the form of the root of the quadratic that does not cancel."""
    s = 1.0 + (psi - 1.0) * (u + v)
    if s >= 0.0:
        return 2.0 * psi * u * v / (s + root)
    return 0.5 * (s - root) / (psi - 1.0)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def mean_slope(
    u: float, v: float, step: float, psi: float, root: float, root_after: float
) -> float:
    """[C(u, v + step) − C(u, v)] / step, the mean of ∂C/∂v over the step."""
    numerator = psi * u - (psi - 1.0) * joint_given_root(u, v, psi, root)
    return 2.0 * numerator / (root + root_after + (psi - 1.0) * step)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def tilt(psi: float, a: float, b: float, b_after: float) -> float:
    """ψ − (ψ−1)(b(1−a) + a(1−b')) for a, b, b' in [0, 1], written so that every term is positive.

    Follows from N' = N + ψd − (ψ−1)bd and R' = R + (ψ−1)d(1−2b) when the quotient N/R, or the
    mean slope along u, is stepped in v.
    """
    if psi >= 1.0:
        return 1.0 + (psi - 1.0) * ((1.0 - a) * (1.0 - b) + a * b_after)
    return psi + (1.0 - psi) * (b * (1.0 - a) + a * (1.0 - b_after))
