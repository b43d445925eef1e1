"""Lifts of categories and of products: how often pairs are bought together, without any pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..instances.orders import Baskets
from .gamma_poisson import fitted_strength

_ROUNDS = 3  # of category lifts and product lifts in turn


@dataclass(frozen=True, slots=True)
class CategoryLift:
    """λ_ab = category_lift[c_a, c_b] · product_lift_a · product_lift_b.

    Attributes
    ----------
    category
        (products,) codes.
    category_lift
        (codes, codes) symmetric, shrunk to the mean of all.
    product_lift
        (products,) mostly the size of the trips a product is bought on; shrunk to 1.
    """

    category: NDArray[np.int32]
    category_lift: NDArray[np.float64]
    product_lift: NDArray[np.float64]

    def of(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        """(pairs,) λ."""
        return (
            self.category_lift[self.category[a], self.category[b]]
            * self.product_lift[a]
            * self.product_lift[b]
        )


def fit_category_lift(
    baskets: Baskets,
    members: csr_array,
    rates: NDArray[np.float32],
    visits: NDArray[np.float64],
    category: NDArray[np.int32],
    n_categories: int,
) -> CategoryLift:
    """Fit category-pair lifts and product lifts in turn, without forming any pair of products.

    Joint orders of two categories are Σ over visits of the products of their basket counts;
    those of a product with all others are Σ over its visits of (size − 1).

    Parameters
    ----------
    members
        (visits, products) 1 where the visit holds the product.
    rates, visits
        (products, weeks) purchase rates that expectations are built on, and (weeks,) visits.
    """
    belongs = csr_array(
        (np.ones(len(category), dtype=np.float32), (np.arange(len(category)), category)),
        shape=(len(category), n_categories),
    )
    by_category = members @ belongs
    together = np.asarray((by_category.T @ by_category).todense(), dtype=float)
    together[np.diag_indices(n_categories)] -= by_category.sum(axis=0)
    others = np.diff(baskets.start).astype(float) - 1.0
    of_product = np.asarray(members.T @ others)
    cluster = joint_orders_at_once(baskets)

    product_lift = np.ones(len(category))
    category_lift = np.ones((n_categories, n_categories))
    weekly = rates.astype(float)
    for _ in range(_ROUNDS):
        raised = weekly * product_lift[:, None]
        level = np.asarray(belongs.T @ raised)  # (codes, weeks)
        expected = (level * visits) @ level.T
        own = np.bincount(category, (raised**2) @ visits, minlength=n_categories)
        expected[np.diag_indices(n_categories)] -= own
        category_lift = _shrunk(together, np.maximum(expected, 0.0))
        around = (category_lift @ level)[category]
        around -= np.diagonal(category_lift)[category][:, None] * raised
        alone = (weekly * np.maximum(around, 0.0)) @ visits
        product_lift = _shrunk(of_product / cluster, alone / cluster)
    return CategoryLift(category, category_lift, product_lift)


def joint_orders_at_once(baskets: Baskets) -> float:
    """How many joint orders of a product come with one, itself included: pairs of one visit come
    together, and a visit is worth one observation, not size − 1 of them."""
    others = np.diff(baskets.start).astype(float) - 1.0
    return max(float((others**2).sum() / max(others.sum(), 1.0)), 1.0)


def _shrunk(seen: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ratios seen/expected, shrunk to the ratio of all by a gamma of fitted strength."""
    some = expected > 0
    mean = seen[some].sum() / max(expected[some].sum(), 1e-300)
    if mean <= 0:
        return np.ones_like(expected)
    strength, _ = fitted_strength(seen[some], expected[some] * mean)
    return mean * (seen + strength) / (expected * mean + strength)
