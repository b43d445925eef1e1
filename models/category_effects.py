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
    mean, spread
        (K,) mean over categories, and spread between them.
    mean_covariance
        (K, K) of the errors of ``mean``.
    of_category
        (categories, K) posterior mean.
    covariance
        (categories, K, K) of the posterior, the mean of all taken as known.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    mean_covariance: NDArray[np.float64]
    of_category: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        """(K,) standard errors of ``mean``."""
        return np.sqrt(np.diagonal(self.mean_covariance))

    def factor(
        self, category: NDArray[np.int32], covariates: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(rows,) exp(Σ_k β_ck·z_k) of rows in these categories; ``covariates`` is (K, rows)."""
        return np.exp(np.einsum("rk,kr->r", self.of_category[category], covariates))


def no_effects(n_categories: int, n_covariates: int) -> CategoryEffects:
    """Before anything is known."""
    none, square = np.zeros(n_covariates), np.zeros((n_covariates, n_covariates))
    of_category = np.zeros((n_categories, n_covariates))
    return CategoryEffects(none, none, square, of_category, np.tile(square, (n_categories, 1, 1)))


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
    mean, spread, _ = (np.array(part) for part in zip(*moments, strict=True))
    prior = np.diag(1.0 / np.maximum(spread, _LEAST_SPREAD) ** 2)
    covariance = _inverse(information + prior)
    pull = gradient - (present - mean) @ prior
    posterior = present + np.einsum("cij,cj->ci", covariance, pull)
    return CategoryEffects(
        mean, spread, mean_covariance(own, variance, spread), posterior, covariance
    )


def mean_covariance(
    own: NDArray[np.float64], variance: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(K, K) covariance of the errors of the K means of ``spread_moments``.

    Estimates of one category err together (the cut of a week is often that of the week before
    too), and categories may differ in two coefficients alike. With V_c the former, T_ij the latter,
    and w_ci the weights of the mean of i,

        Cov(i, j) = Σ_c w_ci·w_cj·(V_cij + T_ij) / (Σ_c w_ci · Σ_c w_cj)

    T_ii is ``spread``²; T_ij by moments, as that is, from the products of deviations weighted by
    a_c = (V_cii·V_cjj)^-½ (Jackson, White and Thompson 2010, Extending DerSimonian and Laird's
    methodology to perform multivariate random effects meta-analyses, Statistics in Medicine 29),
    and at most the product of the two spreads.

    Parameters
    ----------
    own, variance
        (categories, K) estimates, and (categories, K, K) of their errors.
    """
    k = own.shape[1]
    diagonal = np.diagonal(variance, axis1=1, axis2=2)
    weight = 1.0 / (diagonal + spread**2)
    weight /= weight.sum(axis=0)
    found = np.empty((k, k))
    for i in range(k):
        for j in range(i + 1):
            alike = spread[i] ** 2 if i == j else _spread_alike(own, variance, spread, i, j)
            both = weight[:, i] * weight[:, j]
            found[i, j] = found[j, i] = float(both @ (variance[:, i, j] + alike))
    return found


def _spread_alike(
    own: NDArray[np.float64],
    variance: NDArray[np.float64],
    spread: NDArray[np.float64],
    i: int,
    j: int,
) -> float:
    """T_ij of ``mean_covariance``: E Σ a·d_i·d_j = Σ a·(V_ij + T_ij)·(1 − a/Σa)."""
    a = 1.0 / np.sqrt(variance[:, i, i] * variance[:, j, j])
    left = a * (1.0 - a / a.sum())
    if left.sum() <= 0:
        return 0.0
    deviation = own[:, [i, j]] - a @ own[:, [i, j]] / a.sum()
    excess = float(a @ deviation.prod(axis=1) - left @ variance[:, i, j])
    most = float(spread[i] * spread[j])
    return min(max(excess / float(left.sum()), -most), most)


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
