"""The seed's relation model: P(G_ij) = σ(W_G · G_ij + b_G), whether two products go together.

G_ij are the features of the pair and its own count; the event is that the pair is found together
in at least so many visits of coming weeks. It is the learned prior of λ in logistic form. It says
whether, not how often, so plans are made from λ; the two are compared on held-out weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from .affinity import Affinity

_PENALTY = 1.0  # standard deviation of a standardised weight


@dataclass(frozen=True, slots=True)
class RelationModel:
    """P(G_ij) = σ(W_G · G_ij + b_G).

    Attributes
    ----------
    weights, intercept
        W_G (features,) and b_G.
    least_orders
        visits that must hold both.
    """

    weights: NDArray[np.float64]
    intercept: float
    least_orders: int

    def probability(self, relations: NDArray[np.float64]) -> NDArray[np.float64]:
        """(pairs,) P(G_ij) of pairs with the features (pairs, features) of ``relations_of``."""
        return expit(relations @ self.weights + self.intercept)


def relations_of(
    affinity: Affinity,
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    orders: NDArray[np.float64],
    expected: NDArray[np.float64],
    coming: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(pairs, features) G_ij: the features of the prior, and the counts on the log scale.

    Parameters
    ----------
    orders, expected
        joint orders so far, and those of independent products.
    coming
        joint orders to come, were the products independent.
    """
    features = affinity.prior.features.of(a, b)[:, 1:]  # b_G is the constant
    return np.column_stack([features, np.log1p(orders), np.log1p(expected), np.log(coming)])


def fit_relation_model(
    relations: NDArray[np.float64],
    seen: NDArray[np.float64],
    times: NDArray[np.float64],
    least_orders: int,
) -> RelationModel:
    """Fit W_G and b_G by penalised likelihood to what came.

    Parameters
    ----------
    relations
        (pairs, features) as they were before.
    seen
        (pairs,) visits that then held both.
    times
        (pairs,) pairs that each stands for.
    """
    from sklearn.linear_model import LogisticRegression  # slow to import

    together = seen >= least_orders
    n = relations.shape[1]
    if not len(seen) or together.all() or not together.any():
        share = (float(times @ together) + 0.5) / (float(times.sum()) + 1.0)
        return RelationModel(np.zeros(n), float(np.log(share / (1 - share))), least_orders)
    centre, scale = relations.mean(axis=0), relations.std(axis=0)
    scale[scale == 0] = 1.0
    model = LogisticRegression(C=_PENALTY**2, max_iter=200)
    model.fit((relations - centre) / scale, together, sample_weight=times)
    weights = np.ravel(model.coef_) / scale
    return RelationModel(
        weights, float(np.ravel(model.intercept_)[0] - weights @ centre), least_orders
    )
