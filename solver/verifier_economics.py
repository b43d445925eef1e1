"""What an offer earns, worked out once more: the verifier's own formulas.

Nothing here is shared with the scoring kernel, and the triangle is reached another way: the
kernel adds a corner in closed form and an integral beside it, here everything that happens below
the thresholds is one integral over the rank of the first product, with many nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr, ndtri

Floats = NDArray[np.float64]

_NUMBERS_AT_ONCE = 20_000  # of an array, so that it stays in the processor's cache
_SHARE_NODES = np.polynomial.legendre.leggauss(24)
_SENSITIVITY_NODES = np.polynomial.legendre.leggauss(32)
_NEGLIGIBLE = 1e-8  # share of the weights that a node may be left out for
_LARGEST_PROBABILITY = 0.999


@dataclass(frozen=True, slots=True)
class Side:
    """One product of a pair; fields are numbers or arrays that broadcast together.

    Attributes
    ----------
    probability, sensitivity
        q at the reference price, and η.
    price
        reference price, cents; one number.
    reach
        largest shortfall of willingness to pay that the offer is credited with closing, cents:
        min(D, r), or min(D, deepest_cut·r) where the response is capped.
    """

    probability: ArrayLike
    sensitivity: ArrayLike
    price: float
    reach: ArrayLike


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of the visits that see an offer (design section 2, the four rows)."""

    subsidised: Floats
    adds_second: Floats
    adds_first: Floats
    both: Floats


def shares(first: Side, second: Side, odds_ratio: ArrayLike, money_off: ArrayLike) -> Shares:
    """The four rows of the table of design section 2, for arrays of beliefs and discounts.

    Ranks u are uniform and small for eager shoppers: product i is bought at its reference price
    where u_i <= q_i, and g_i(s) = σ(logit q_i + η_i s/r_i) is the rank of a shortfall s. The
    second product is within reach of one whose first falls short by s where
    u_j <= g_j(min(b_j, D − s)), so

        both = ∫_0^{b_i} [C1(g_i(s), g_j(min(b_j, D − s))) − C1(g_i(s), q_j)] g_i'(s) ds,

    C1 = ∂C/∂u. The integral is split at s = D − b_j, where the inner limit starts to fall, and
    where g_i(s) = g_j(D − s), near which C1 turns fast when ψ is large.
    """
    q_i, q_j = (np.asarray(side.probability, dtype=np.float64) for side in (first, second))
    eta_i, eta_j = (np.asarray(side.sensitivity, dtype=np.float64) for side in (first, second))
    psi = np.asarray(odds_ratio, dtype=np.float64)
    reach_i, reach_j, off = (
        np.asarray(value, dtype=np.float64) for value in (first.reach, second.reach, money_off)
    )
    q_i, q_j, eta_i, eta_j, psi, reach_i, reach_j, off = np.broadcast_arrays(
        q_i, q_j, eta_i, eta_j, psi, reach_i, reach_j, off
    )
    slope_i, slope_j = eta_i / first.price, eta_j / second.price
    logit_i, logit_j = logit(q_i), logit(q_j)
    joint = plackett(q_i, q_j, psi)
    full_i = expit(logit_i + slope_i * reach_i)
    full_j = expit(logit_j + slope_j * reach_j)

    corner = np.minimum(np.maximum(off - reach_j, 0.0), reach_i)
    level = (logit_j + slope_j * reach_j - logit_i) / np.maximum(slope_i, 1e-300)
    cross = (logit_j + slope_j * off - logit_i) / np.maximum(slope_i + slope_j, 1e-300)
    cuts = (
        np.zeros_like(q_i),
        np.clip(level, 0.0, corner),
        corner,
        np.clip(cross, corner, reach_i),
        reach_i,
    )
    both = np.zeros_like(q_i)
    nodes, weights = _SHARE_NODES
    at_once = max(_NUMBERS_AT_ONCE // max(both.size, 1), 1)
    for low, high in pairwise(cuts):
        half = (high - low) / 2
        if not np.any(half > 0):
            continue
        for part in range(0, len(nodes), at_once):
            node = nodes[part : part + at_once].reshape(-1, *(1,) * both.ndim)
            short = low + half * (node + 1)
            rank = expit(logit_i + slope_i * short)
            limit = expit(logit_j + slope_j * np.minimum(reach_j, off - short))
            gained = plackett_slope(rank, limit, psi) - plackett_slope(rank, q_j, psi)
            density = slope_i * rank * (1 - rank)
            both += half * np.tensordot(weights[part : part + at_once], gained * density, 1)
    return Shares(
        subsidised=joint,
        adds_second=plackett(q_i, full_j, psi) - joint,
        adds_first=plackett(full_i, q_j, psi) - joint,
        both=both,
    )


def plackett(first: ArrayLike, second: ArrayLike, odds_ratio: ArrayLike) -> Floats:
    """P(U <= u, V <= v): the root of the odds-ratio equation (Plackett 1965).

    C(1 − u − v + C) = ψ(u − C)(v − C) is quadratic in C; of the two forms of its lower root the
    one without cancellation is taken.
    """
    u, v, psi = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (first, second, odds_ratio))
    )
    return _lower_root(u, v, psi, np.sqrt(_discriminant(u, v, psi)))


def plackett_slope(first: ArrayLike, second: ArrayLike, odds_ratio: ArrayLike) -> Floats:
    """∂C/∂u = P(V <= v | U = u), from the implicit derivative of the odds-ratio equation."""
    u, v, psi = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (first, second, odds_ratio))
    )
    root = np.sqrt(_discriminant(u, v, psi))
    return (psi * v - (psi - 1) * _lower_root(u, v, psi, root)) / root


def _lower_root(u: Floats, v: Floats, psi: Floats, root: Floats) -> Floats:
    """C = 2ψuv/(s + R), or (s − R)/(2(ψ − 1)) where s = 1 + (ψ − 1)(u + v) is negative."""
    plus = 1 + (psi - 1) * (u + v)
    negative = plus < 0
    if not np.any(negative):
        return 2 * psi * u * v / (plus + root)
    with np.errstate(divide="ignore", invalid="ignore"):
        other = (plus - root) / (2 * (psi - 1))
        return np.where(negative, other, 2 * psi * u * v / (plus + root))


def _discriminant(u: Floats, v: Floats, psi: Floats) -> Floats:
    """R² = (1 + (ψ−1)(u+v))² − 4ψ(ψ−1)uv as a sum of positive terms, on either side of ψ = 1."""
    large, small = np.maximum(u, v), np.minimum(u, v)
    above = (1 + (psi - 1) * (large - small)) ** 2 + 4 * (psi - 1) * small * (1 - large)
    if np.all(psi >= 1):
        return above
    below = (1 + (psi - 1) * (u + v)) ** 2 + 4 * psi * (1 - psi) * u * v
    return np.where(psi >= 1, above, below)


def sensitivity_nodes(belief: dict[str, Any]) -> tuple[Floats, Floats]:
    """Values of η and their weights under its truncated normal, Σ weights = 1."""
    location, scale = float(belief["sensitivity_location"]), float(belief["sensitivity_scale"])
    cap = float(belief["sensitivity_cap"])
    mode = min(max(location, 0.0), cap)
    if scale <= 0:
        return np.array([mode]), np.array([1.0])
    # Where the density has fallen to e^-40 of its height nothing is left to add.
    width = float(np.sqrt((mode - location) ** 2 + 80 * scale**2))
    low, high = max(location - width, 0.0), min(location + width, cap)
    nodes, weights = _SENSITIVITY_NODES
    eta = low + (high - low) * (nodes + 1) / 2
    density = weights * np.exp(-((eta - location) ** 2 - (mode - location) ** 2) / (2 * scale**2))
    counts = density > _NEGLIGIBLE * density.sum()
    return eta[counts], density[counts] / density[counts].sum()


def draw_sensitivity(belief: dict[str, Any], uniform: Floats) -> Floats:
    """η at these quantiles of its truncated normal."""
    location, scale = float(belief["sensitivity_location"]), float(belief["sensitivity_scale"])
    cap = float(belief["sensitivity_cap"])
    if scale <= 0:
        return np.full_like(uniform, min(max(location, 0.0), cap))
    # Upper tails, so that a location far below 0 keeps its digits.
    upper_low, upper_high = ndtr(location / scale), ndtr((location - cap) / scale)
    drawn = location - scale * ndtri(upper_low + (upper_high - upper_low) * uniform)
    return np.clip(drawn, 0.0, cap)


def draw_probability(belief: dict[str, Any], normal: Floats) -> Floats:
    """q at these standard normal draws of its logarithm, kept below 0.999.

    The probability believed is the mean of a log-normal, so its median is lower by exp(−spread²/2).
    """
    spread = belief["purchase_spread"]
    drawn = belief["purchase_probability"] * np.exp(spread * normal - spread**2 / 2)
    return np.minimum(drawn, _LARGEST_PROBABILITY)
