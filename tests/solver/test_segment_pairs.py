"""Ties within segments: their joint purchases add up to those of all shoppers."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.models.copula import joint_probability, odds_ratio_of
from bundlewise.solver.segment_pairs import LARGEST_TIE, within_odds_ratio

SHARE = np.array([0.5, 0.3, 0.2])


def pairs(n: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """(pairs, segments) q of two products that vary between segments."""
    rng = np.random.default_rng(4)
    q = np.exp(rng.normal(-4, 1.5, (n, 2, 1)) + spread * rng.normal(0, 1, (n, 2, 3)))
    q = np.minimum(q, 0.8)
    return q[:, 0], q[:, 1]


@pytest.mark.parametrize("true", [1e-3, 0.4, 1.0, 3.0, 80.0, 3000.0])
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.5])
def test_the_tie_within_segments_is_found_again(true: float, spread: float) -> None:
    first, second = pairs(200, spread)
    with np.errstate(invalid="ignore"):  # the branch not taken at ψ = 1
        joint = joint_probability(first, second, true) @ SHARE
    pooled = np.asarray(odds_ratio_of(first @ SHARE, second @ SHARE, joint))
    found = within_odds_ratio(first, second, SHARE, joint, pooled)
    assert np.allclose(found, true, rtol=1e-6)
    with np.errstate(invalid="ignore"):
        again = joint_probability(first, second, found[:, None]) @ SHARE
    assert np.allclose(again, joint, rtol=1e-11)


def test_segments_that_buy_alike_keep_the_pooled_tie() -> None:
    first = np.full((1, 3), 0.02)
    joint = joint_probability(first[:, 0], first[:, 0], 4.0)
    found = within_odds_ratio(first, first, SHARE, joint, np.array([4.0]))
    assert found == pytest.approx(4.0, rel=1e-9)


def test_a_tie_that_is_all_between_segments_is_none_within() -> None:
    first = np.array([[0.1, 0.001, 0.001]])
    joint = (first * first) @ SHARE
    pooled = np.asarray(odds_ratio_of(first @ SHARE, first @ SHARE, joint))
    assert pooled[0] > 2
    found = within_odds_ratio(first, first, SHARE, joint, pooled)
    assert found == pytest.approx(1.0, rel=1e-6)


def test_what_cannot_add_up_is_at_the_bound() -> None:
    first, second = np.array([[0.1, 0.0001, 0.0001]]), np.array([[0.0001, 0.1, 0.0001]])
    joint = np.array([0.5 * min(float((first @ SHARE)[0]), float((second @ SHARE)[0]))])
    found = within_odds_ratio(first, second, SHARE, joint, np.array([50.0]))
    assert found[0] == LARGEST_TIE
