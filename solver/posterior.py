"""The posterior of the price sensitivity as a few nodes and weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..models.beliefs import Beliefs

NODES = 4  # exact for polynomials of degree 7 in η; 99 % of shares are within 0.06 %, all 0.6 %
_FINE = 64  # points that stand for the density while the few nodes are made
_TAIL = 36.0  # the density is followed down to e^−36 of its highest value


def sensitivity_nodes(
    beliefs: Beliefs, products: NDArray[np.int64], n_nodes: int = NODES
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of the posterior of η of some products.

    Returns
    -------
    tuple
        nodes, ascending, and weights that sum to 1, both (len(products), n_nodes).
    """
    return truncated_normal_nodes(
        beliefs.sensitivity_location[products],
        beliefs.sensitivity_scale[products],
        beliefs.sensitivity_cap[products],
        n_nodes,
    )


def truncated_normal_nodes(
    location: NDArray[np.float64],
    scale: NDArray[np.float64],
    cap: NDArray[np.float64],
    n_nodes: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss quadrature for normals truncated to [0, cap], one a row.

    The rule of n nodes is exact for polynomials of degree 2n − 1, so mean and spread are those of
    the posterior. Its nodes are the eigenvalues of the Jacobi matrix of the polynomials that are
    orthogonal under the density (Golub & Welsch 1969), found by Stieltjes' procedure on a fine
    Gauss–Legendre grid. A scale of 0 means a point: all weight is on the location.

    Returns
    -------
    tuple
        nodes, ascending, and weights that sum to 1, both (rows, n_nodes).
    """
    spread = np.where(scale > 0.0, scale, 1.0)
    mode = np.clip(location, 0.0, cap)
    reach = np.sqrt((mode - location) ** 2 + 2.0 * _TAIL * spread**2)
    low = np.maximum(location - reach, 0.0)
    high = np.minimum(location + reach, cap)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)

    point, weight = np.polynomial.legendre.leggauss(_FINE)
    eta = middle[:, None] + half[:, None] * point
    exponent = (eta - location[:, None]) ** 2 - ((mode - location) ** 2)[:, None]
    density = weight * np.exp(-0.5 * exponent / spread[:, None] ** 2)
    density /= density.sum(axis=1, keepdims=True)

    x, w = _gauss_rule(point, density, n_nodes)
    certain = (scale <= 0.0) | (cap <= 0.0)
    nodes = np.where(certain[:, None], mode[:, None], middle[:, None] + half[:, None] * x)
    return nodes, np.where(certain[:, None], 1.0 / n_nodes, w)


def _gauss_rule(
    point: NDArray[np.float64], mass: NDArray[np.float64], n_nodes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The n-node Gauss rules of measures with ``mass`` (rows, points) on ``point`` (points,)."""
    n_rows = len(mass)
    jacobi = np.zeros((n_rows, n_nodes, n_nodes))
    before = np.zeros_like(mass)
    current = np.ones_like(mass)
    norm_before = np.ones(n_rows)
    for k in range(n_nodes):
        norm = (mass * current**2).sum(axis=1)
        centre = (mass * current**2 * point).sum(axis=1) / norm
        jacobi[:, k, k] = centre
        ratio = norm / norm_before if k else np.zeros(n_rows)
        if k:
            jacobi[:, k, k - 1] = jacobi[:, k - 1, k] = np.sqrt(ratio)
        before, current = current, (point - centre[:, None]) * current - ratio[:, None] * before
        norm_before = norm
    nodes, vectors = np.linalg.eigh(jacobi)
    return nodes, vectors[:, 0, :] ** 2
