"""Effects beside the price of the week, a coefficient for each category.

Baskets of a week are Poisson with mean visits · season · exp(a_block + η·x + Σ_k β_ck·z_k). The
covariates z are what a price cut comes with (display, mailer) or leaves behind (cuts of the weeks
before); η is net of them because both are found in turn. Given a block's sum the levels drop out,
as in ``price_response``. With g and H the gradient and information of a category's own likelihood
at β, its own estimate β + H⁻¹g is shrunk to the mean of all categories, whose spread is found by
moments (DerSimonian and Laird 1986, Meta-analysis in clinical trials, Controlled Clinical Trials
7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .price_response import ResponseData, expected_baskets

_RIDGE = 1e-6  # information of a category that says nothing: its own estimate then weighs nothing
_LEAST_SPREAD = 1e-3  # of coefficients between categories


@dataclass(frozen=True, slots=True)
class CategoryEffects:
    """Coefficients of K covariates, on the logarithm of purchases.

    Attributes
    ----------
    mean, spread, error
        (K,) mean over categories, spread between them, and standard error of the mean.
    of_category
        (categories, K) posterior mean.
    covariance
        (categories, K, K) of the posterior, the mean of all taken as known.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    error: NDArray[np.float64]
    of_category: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def factor(
        self, category: NDArray[np.int32], covariates: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(rows,) exp(Σ_k β_ck·z_k) of rows in these categories; ``covariates`` is (K, rows)."""
        return np.exp(np.einsum("rk,kr->r", self.of_category[category], covariates))


def no_effects(n_categories: int, n_covariates: int) -> CategoryEffects:
    """Before anything is known."""
    none = np.zeros(n_covariates)
    square = np.zeros((n_categories, n_covariates, n_covariates))
    return CategoryEffects(none, none, none, np.zeros((n_categories, n_covariates)), square)


def refined_effects(
    effects: CategoryEffects,
    data: ResponseData,
    covariates: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    dispersion: NDArray[np.float64],
    category: NDArray[np.int32],
) -> CategoryEffects:
    """One step of Newton's method on β given η, then shrinkage.

    Parameters
    ----------
    data
        with the present effects in its exposure.
    covariates
        (K, rows) z.
    """
    n_categories, k = effects.of_category.shape
    of_row = category[data.product]
    expected, share = expected_baskets(data, sensitivity, data.exposure)
    centred = [z - np.bincount(data.block, z * share)[data.block] for z in covariates]
    weight = 1.0 / dispersion[data.product]
    gradient, information = np.zeros((n_categories, k)), np.zeros((n_categories, k, k))
    for i in range(k):
        residual = weight * (data.baskets - expected) * centred[i]
        gradient[:, i] = np.bincount(of_row, residual, minlength=n_categories)
        for j in range(i + 1):
            moment = weight * expected * centred[i] * centred[j]
            information[:, i, j] = np.bincount(of_row, moment, minlength=n_categories)
            information[:, j, i] = information[:, i, j]
    return _shrunk(effects.of_category, gradient, information)


def _shrunk(
    present: NDArray[np.float64], gradient: NDArray[np.float64], information: NDArray[np.float64]
) -> CategoryEffects:
    variance = _inverse(information + _RIDGE * np.eye(information.shape[1]))
    own = present + np.einsum("cij,cj->ci", variance, gradient)
    moments = [spread_moments(own[:, i], variance[:, i, i]) for i in range(own.shape[1])]
    mean, spread, error = (np.array(part) for part in zip(*moments, strict=True))
    prior = np.diag(1.0 / np.maximum(spread, _LEAST_SPREAD) ** 2)
    covariance = _inverse(information + prior)
    pull = gradient - (present - mean) @ prior
    posterior = present + np.einsum("cij,cj->ci", covariance, pull)
    return CategoryEffects(mean, spread, error, posterior, covariance)


def _inverse(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.inv(matrices).astype(np.float64)


def spread_moments(
    own: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Mean over categories, spread between them, and standard error of the mean."""
    weight = 1.0 / variance
    mean = float(weight @ own / weight.sum())
    excess = float(weight @ (own - mean) ** 2) - (len(own) - 1)
    base = float(weight.sum() - (weight**2).sum() / weight.sum())
    between = max(excess / base, 0.0) if base > 0 else 0.0
    weight = 1.0 / (variance + between)
    return float(weight @ own / weight.sum()), float(np.sqrt(between)), float(weight.sum() ** -0.5)
