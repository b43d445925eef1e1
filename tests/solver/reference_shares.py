"""The four shares computed slowly: textbook formulas, digits to spare, adaptive quadrature."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

Real = np.longdouble
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(12)


@dataclass(frozen=True)
class PairCase:
    """One pair at one discount; ``cut`` is the share of each price that is credited at most."""

    q: tuple[float, float]
    eta: tuple[float, float]
    psi: float
    price: tuple[float, float]
    discount: float
    cut: tuple[float, float] = (1.0, 1.0)

    @property
    def reach(self) -> tuple[float, float]:
        return self.cut[0] * self.price[0], self.cut[1] * self.price[1]


def copula(u: Any, v: Any, psi: Any) -> Any:
    """C_ψ(u, v) by the quadratic formula as it is printed."""
    if psi == 1:
        return u * v
    s = 1 + (psi - 1) * (u + v)
    return (s - np.sqrt(s * s - 4 * psi * (psi - 1) * u * v)) / (2 * (psi - 1))


def conditional(u: Any, v: Any, psi: Any) -> Any:
    """∂C/∂u."""
    s = 1 + (psi - 1) * (u + v)
    root = np.sqrt(s * s - 4 * psi * (psi - 1) * u * v)
    return (psi * v - (psi - 1) * copula(u, v, psi)) / root


def demand(q: Any, eta: Any, cut: Any) -> Any:
    """σ(logit q + η·cut), cut being a share of the price."""
    odds = q / (1 - q) * np.exp(eta * cut)
    return odds / (1 + odds)


def reference_shares(case: PairCase, tolerance: float = 1e-9) -> np.ndarray:
    """(4,) shares in the order of ``offer_shares``.

    Rows and corner in decimal arithmetic of 60 digits, the integral in 80-bit floats.
    """
    b1, b2 = (min(case.discount, value) for value in case.reach)
    start = min(max(case.discount - b2, 0.0), b1)
    with localcontext(prec=60):
        q1, q2, psi = Decimal(case.q[0]), Decimal(case.q[1]), Decimal(case.psi)
        u1 = _demand(q1, case.eta[0], b1, case.price[0])
        u2 = _demand(q2, case.eta[1], b2, case.price[1])
        at_start = _demand(q1, case.eta[0], start, case.price[0])
        joint = _copula(q1, q2, psi)
        adds2, adds1 = _copula(q1, u2, psi) - joint, _copula(u1, q2, psi) - joint
        corner = _copula(at_start, u2, psi) - _copula(at_start, q2, psi) - adds2

    def integrand(s: Any) -> Any:
        q = Real(case.q[0]), Real(case.q[1])
        g1 = demand(q[0], Real(case.eta[0]), s / Real(case.price[0]))
        g2 = demand(q[1], Real(case.eta[1]), (Real(case.discount) - s) / Real(case.price[1]))
        psi = Real(case.psi)
        step = conditional(g1, g2, psi) - conditional(g1, q[1], psi)
        return step * case.eta[0] / case.price[0] * g1 * (1 - g1)

    both = float(corner) + float(_settled(integrand, Real(start), Real(b1), tolerance))
    return np.array([float(joint), float(adds2), float(adds1), both])


def _demand(q: Decimal, eta: float, cut: float, price: float) -> Decimal:
    odds = q / (1 - q) * (Decimal(eta) * Decimal(cut) / Decimal(price)).exp()
    return odds / (1 + odds)


def _copula(u: Decimal, v: Decimal, psi: Decimal) -> Decimal:
    if psi == 1:
        return u * v
    s = 1 + (psi - 1) * (u + v)
    return (s - (s * s - 4 * psi * (psi - 1) * u * v).sqrt()) / (2 * (psi - 1))


def _settled(function: Any, low: Any, high: Any, tolerance: float) -> Any:
    """Gauss–Legendre on more and more panels until the integral stays the same."""
    if low >= high:
        return Real(0)
    before, panels = None, 8
    while panels <= 8_192:
        edge = np.linspace(Real(0), Real(1), panels + 1)[:-1, None] * (high - low) + low
        half = (high - low) / panels / 2
        total = (WEIGHTS * function(edge + half * (1 + POINTS))).sum() * half
        if before is not None and abs(total - before) <= tolerance * abs(total):
            return total
        before, panels = total, panels * 2
    raise AssertionError("the quadrature does not settle")
