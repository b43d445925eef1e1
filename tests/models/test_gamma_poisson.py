"""The strength of a gamma-Poisson prior: found where counts tell it, modest where they do not."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.models.gamma_poisson import fitted_strength


@pytest.mark.parametrize("strength", [0.3, 2.0, 12.0])
def test_the_strength_that_counts_vary_with_is_found(strength: float):
    rng = np.random.default_rng(1)
    expected = rng.uniform(1.0, 20.0, 4_000)
    seen = rng.poisson(expected * rng.gamma(strength, 1 / strength, 4_000)).astype(float)
    found, _ = fitted_strength(seen, expected)
    assert found == pytest.approx(strength, rel=0.15)


def test_many_counts_that_never_stray_are_all_but_certain():
    rng = np.random.default_rng(2)
    expected = np.full(2_000, 11.0)
    found, _ = fitted_strength(rng.poisson(expected).astype(float), expected)
    assert found > 200


def test_a_few_counts_claim_no_certainty():
    found, _ = fitted_strength(np.full(3, 5.0), np.full(3, 5.0))
    assert 1 < found < 20
    none, _ = fitted_strength(np.empty(0), np.empty(0))
    assert none == pytest.approx(1.0, rel=0.05)  # the mode of (log k + 1/k)/2
