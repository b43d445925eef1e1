"""The Plackett copula against exact rational arithmetic and its own laws."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from bundlewise.models.copula import (
    conditional,
    conditional_step,
    joint_probability,
    joint_step,
    odds_ratio_of,
    rectangle,
)
from hypothesis import given
from hypothesis import strategies as st

PROBABILITY = st.floats(1e-6, 0.95)
ODDS_RATIO = st.floats(np.log(0.05), np.log(1000)).map(lambda x: float(np.exp(x)))
CASES = [
    (u, v, psi)
    for u in (1e-6, 3e-4, 0.02, 0.4, 0.95)
    for v in (1e-6, 0.011, 0.4, 0.9)
    for psi in (0.05, 0.5, 1 - 1e-9, 1.0, 1 + 1e-12, 1 + 1e-6, 4.4, 30.0, 1000.0)
]


def exact(u: Decimal, v: Decimal, psi: Decimal) -> Decimal:
    """The textbook form, with digits to spare."""
    if psi == 1:
        return u * v
    s = 1 + (psi - 1) * (u + v)
    return (s - (s * s - 4 * psi * (psi - 1) * u * v).sqrt()) / (2 * (psi - 1))


@pytest.mark.parametrize(("u", "v", "psi"), CASES)
def test_every_function_keeps_twelve_digits(u: float, v: float, psi: float) -> None:
    step_u, step_v = 0.04 * u, 1e-7 * v
    with localcontext(prec=80):
        a, b, p, e, d = map(Decimal, (u, v, psi, step_u, step_v))
        joint = exact(a, b, p)
        step = exact(a, b + d, p) - joint
        mass = exact(a + e, b + d, p) - exact(a + e, b, p) - step
        h = Decimal("1e-25")
        slope = (exact(a + h, b, p) - exact(a - h, b, p)) / (2 * h)
        slope_after = (exact(a + h, b + d, p) - exact(a - h, b + d, p)) / (2 * h)
    assert joint_probability(u, v, psi) == pytest.approx(float(joint), rel=1e-12)
    assert conditional(u, v, psi) == pytest.approx(float(slope), rel=1e-12)
    assert joint_step(u, v, step_v, psi) == pytest.approx(float(step), rel=1e-12)
    assert rectangle(u, v, step_u, step_v, psi) == pytest.approx(float(mass), rel=1e-12)
    found = conditional_step(u, v, step_v, psi)
    assert found == pytest.approx(float(slope_after - slope), rel=1e-12)


@given(PROBABILITY, PROBABILITY, ODDS_RATIO)
def test_copula_laws(u: float, v: float, psi: float) -> None:
    joint = joint_probability(u, v, psi)
    assert max(0.0, u + v - 1.0) <= joint * (1 + 1e-12)
    assert joint <= min(u, v) * (1 + 1e-12)
    assert joint == pytest.approx(joint_probability(v, u, psi), rel=1e-12)
    assert 0.0 <= conditional(u, v, psi) <= 1.0
    assert (joint > u * v) == (psi > 1.0) or joint == pytest.approx(u * v, rel=1e-9)
    # radial symmetry: the survival copula is the same one
    survival = u + v - 1.0 + joint_probability(1.0 - u, 1.0 - v, psi)
    assert survival == pytest.approx(joint, abs=1e-13)


@given(PROBABILITY, PROBABILITY, ODDS_RATIO)
def test_odds_ratio_is_the_inverse(u: float, v: float, psi: float) -> None:
    joint = joint_probability(u, v, psi)
    # an error of one rounding in J moves ψ by that over the distance to the nearest end
    conditioning = max(1.0, joint / (u - joint), joint / (v - joint), joint / (1 - u - v + joint))
    assert odds_ratio_of(u, v, joint) == pytest.approx(psi, rel=1e-14 * conditioning + 1e-12)


@given(PROBABILITY, PROBABILITY)
def test_smooth_through_independence(u: float, v: float) -> None:
    """∂C/∂ψ at ψ = 1 is uv(1−u)(1−v), from both sides."""
    for psi in (1.0 + 1e-7, 1.0 - 1e-7, 1.0 + 1e-10):
        step = psi - 1.0
        slope = joint_probability(u, v, psi) / (u * v) - 1.0
        assert slope == pytest.approx(step * (1 - u) * (1 - v), abs=1e-15 + 3 * step**2)


def test_odds_ratio_outside_what_is_possible() -> None:
    assert odds_ratio_of(0.2, 0.3, 0.2) == np.inf
    assert odds_ratio_of(0.2, 0.3, 0.0) == 0.0
    assert np.isnan(odds_ratio_of(0.2, 0.3, 0.21))
    assert np.isnan(odds_ratio_of(0.2, 0.3, -1e-9))
    assert np.isnan(odds_ratio_of(0.8, 0.7, 0.4))
    assert np.isnan(odds_ratio_of(0.0, 0.3, 0.0))


def test_arrays_broadcast() -> None:
    u = np.array([0.1, 0.2])[:, None]
    v = np.array([0.3, 0.4, 0.5])
    table = joint_probability(u, v, 2.0)
    assert table.shape == (2, 3)
    assert table[1, 2] == joint_probability(0.2, 0.5, 2.0)
