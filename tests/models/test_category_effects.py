"""Means of effects over categories, and how their errors go together."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.models.category_effects import mean_covariance, no_effects, spread_moments
from numpy.typing import NDArray

CATEGORIES = 150


def errors_of(random: np.random.Generator, correlation: float) -> NDArray[np.float64]:
    """(categories, 2, 2) covariances of a category's two estimates, from precise to vague."""
    scale = random.uniform(0.2, 1.5, (CATEGORIES, 2))
    square = np.array([[1.0, correlation], [correlation, 1.0]])
    return scale[:, :, None] * square * scale[:, None, :]


@pytest.mark.parametrize(
    ("of_errors", "between", "alike"), [(-0.7, 0.4, -0.6), (0.6, 0.5, 0.5), (-0.5, 0.0, 0.0)]
)
def test_errors_of_two_means_are_what_repeated_shops_show(
    of_errors: float, between: float, alike: float
) -> None:
    random = np.random.default_rng(1)
    variance = errors_of(random, of_errors)
    differ = between**2 * np.array([[1.0, alike], [alike, 1.0]])
    draw = np.linalg.cholesky(variance + differ)
    means, claimed = [], []
    for _ in range(1_000):
        own = 0.3 + np.einsum("cij,cj->ci", draw, random.normal(size=(CATEGORIES, 2)))
        moments = [spread_moments(own[:, i], variance[:, i, i]) for i in range(2)]
        means.append([mean for mean, _, _ in moments])
        spread = np.array([spread for _, spread, _ in moments])
        claimed.append(mean_covariance(own, variance, spread))
        errors = np.sqrt(np.diagonal(claimed[-1]))
        np.testing.assert_allclose(errors, [error for _, _, error in moments])
    shown, said = np.cov(np.array(means).T), np.mean(claimed, axis=0)
    of_sum = float(said.sum()) ** 0.5 / float(shown.sum()) ** 0.5
    assert of_sum == pytest.approx(1.0, abs=0.1)
    apart = float(np.trace(said)) ** 0.5 / float(shown.sum()) ** 0.5
    assert abs(apart - 1.0) > 0.15  # as if the two erred by themselves
    assert said[0, 1] == pytest.approx(shown[0, 1], rel=0.12)


def test_one_category_has_the_errors_of_its_own_estimates() -> None:
    variance = np.array([[[0.04, -0.03], [-0.03, 0.09]]])
    found = mean_covariance(np.array([[0.2, 0.1]]), variance, np.zeros(2))
    np.testing.assert_allclose(found, variance[0])


def test_before_anything_is_known_there_is_no_error() -> None:
    effects = no_effects(3, 2)
    np.testing.assert_array_equal(effects.error, np.zeros(2))
    assert effects.covariance.shape == (3, 2, 2)
