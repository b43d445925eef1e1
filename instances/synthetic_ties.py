"""How the willingness to pay of two products hangs together: copulas of synthetic shoppers.

Ranks are uniform, 0 paying most. ``plackett`` is the dependence that learning assumes: its odds
ratio is the same at every pair of prices. ``gaussian`` and ``clayton`` have the same odds ratio at
the reference prices only; Clayton ties those who pay most, Gauss everybody.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

DEPENDENCES = ("plackett", "gaussian", "clayton")

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_HALVINGS = 60
_EDGE = 1e-300  # logarithms and powers of ranks are taken from here on


def tied_uniform(given: Floats, uniform: Floats, odds_ratio: Floats | float) -> Floats:
    """The second of two uniforms tied by a Plackett copula, given the first.

    Solves ∂C_ψ(u, v)/∂u = t for v, u ``given`` and t an independent ``uniform`` (conditional
    inversion; Nelsen 2006, section 3.3.1):

        a = t(1 − t),  b = ψ + a(ψ − 1)²,  c = 2a(uψ² + 1 − u) + ψ(1 − 2a),
        d = √ψ·√(ψ + 4a·u(1 − u)(1 − ψ)²),  v = (c − (1 − 2t)d)/(2b).
    """
    psi = np.asarray(odds_ratio, dtype=np.float64)
    a = uniform * (1 - uniform)
    b = psi + a * (psi - 1) ** 2
    c = 2 * a * (given * psi**2 + 1 - given) + psi * (1 - 2 * a)
    d = np.sqrt(psi) * np.sqrt(psi + 4 * a * given * (1 - given) * (1 - psi) ** 2)
    return np.clip((c - (1 - 2 * uniform) * d) / (2 * b), 0.0, 1.0)


def second_rank(given: Floats, uniform: Floats, strength: ArrayLike, dependence: str) -> Floats:
    """The second rank of a tied pair given the first, from an independent uniform.

    Parameters
    ----------
    strength
        the copula's parameter, see ``tie_strength``.
    """
    s = np.asarray(strength, dtype=np.float64)
    if dependence == "gaussian":
        return ndtr(s * ndtri(given) + np.sqrt(1 - s**2) * ndtri(uniform))
    if dependence == "clayton":
        u = np.maximum(given, _EDGE)
        grown = u ** (-s) * (uniform ** (-s / (1 + s)) - 1)
        return (1 + grown) ** (-1 / s)
    return tied_uniform(given, uniform, s)


def share_below(given: ArrayLike, below: ArrayLike, strength: ArrayLike, dependence: str) -> Floats:
    """P(second rank <= ``below`` | first rank = ``given``) = ∂C(u, v)/∂u; arrays broadcast.

    Plackett (ψv − (ψ−1)C)/R, with C and R as in the design's copula; Gauss
    Φ((Φ⁻¹v − ρΦ⁻¹u)/√(1−ρ²)); Clayton (1 + u^θ(v^−θ − 1))^(−1/θ − 1).
    """
    u, v, s = (np.asarray(x, dtype=np.float64) for x in (given, below, strength))
    if dependence == "gaussian":
        return ndtr((ndtri(v) - s * ndtri(u)) / np.sqrt(1 - s**2))
    if dependence == "clayton":
        return (1 + u**s * (np.maximum(v, _EDGE) ** (-s) - 1)) ** (-1 / s - 1)
    total = 1 + (s - 1) * (u + v)
    root = np.sqrt(np.maximum(total**2 - 4 * s * (s - 1) * u * v, 0.0))
    return (s * v - (s - 1) * 2 * s * u * v / (total + root)) / root


def joint_below(a: ArrayLike, b: ArrayLike, strength: ArrayLike, dependence: str) -> Floats:
    """P(first rank <= a, second rank <= b), by Gauss–Legendre over the first rank.

    With u = a·x³, so that nodes crowd where Clayton's density is steep.
    """
    a, b, s = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (a, b, strength)))
    x = 0.5 * (1 + _NODES)
    given = a[..., None] * x**3
    slope = share_below(given, b[..., None], s[..., None], dependence)
    return a * (slope * (0.5 * _WEIGHTS * 3 * x**2)).sum(axis=-1)


def tie_strength(a: Floats, b: Floats, odds_ratio: Floats, dependence: str) -> Floats:
    """The copula's parameter at which the 2×2 table cut at ranks a and b has this odds ratio.

    ψ itself for Plackett, the correlation for Gauss, θ > 0 for Clayton; by halving.

    Raises
    ------
    ValueError
        for an odds ratio below 1 with Clayton, which knows no such tie.
    """
    if dependence == "plackett":
        return np.asarray(odds_ratio, dtype=np.float64)
    if dependence == "clayton" and np.any(odds_ratio <= 1):
        raise ValueError("odds ratios above 1 expected: Clayton ties are positive")
    wanted = joint_below(a, b, odds_ratio, "plackett")
    first, last = (-0.999, 0.999) if dependence == "gaussian" else (1e-4, 20.0)
    low, high = np.full(len(wanted), first), np.full(len(wanted), last)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        short = joint_below(a, b, middle, dependence) < wanted
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return 0.5 * (low + high)
