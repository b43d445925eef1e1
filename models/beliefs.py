"""Everything learned, as arrays, and the folder it is saved to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Beliefs about one planned week. Products are in the catalogue's order.

    Attributes
    ----------
    product_ids
        (products,) text ids.
    purchase_probability
        (products,) q per visit at the reference price; 0 where nothing was ever bought.
    purchase_spread
        (products,) posterior standard deviation of log q.
    price_sensitivity
        (products,) posterior mean of η, >= 0.
    sensitivity_location, sensitivity_scale
        (products,) the normal whose truncation to [0, ``sensitivity_cap``] is the posterior of η.
    sensitivity_cap
        (products,) upper end of that truncation.
    reference_price
        (products,) cents; -1 where unknown.
    deepest_cut
        (products,) largest relative price cut the data support, a share of the reference price.
    usual_quantity
        (products,) mean units of a basket that holds the product, >= some positive number.
    pair_a, pair_b
        (pairs,) catalogue indices, pair_a < pair_b, sorted by (pair_a, pair_b): the pairs with
        at least ``min_support`` joint orders.
    pair_orders
        (pairs,) orders that hold both.
    joint_probability
        (pairs,) J = C_ψ(q_a, q_b) at the reference prices.
    odds_ratio
        (pairs,) ψ, posterior centre.
    odds_spread
        (pairs,) posterior standard deviation of log ψ.
    category_code, category_lift
        (products,) code of the product's category, and (codes, codes) prior lift λ by
        category pair, which answers for pairs that were never counted.
    manifest
        versions, training window, held-out scores, input hashes, fitted hyperparameters.
    """

    product_ids: NDArray[np.object_]
    purchase_probability: NDArray[np.float64]
    purchase_spread: NDArray[np.float64]
    price_sensitivity: NDArray[np.float64]
    sensitivity_location: NDArray[np.float64]
    sensitivity_scale: NDArray[np.float64]
    sensitivity_cap: NDArray[np.float64]
    reference_price: NDArray[np.int64]
    deepest_cut: NDArray[np.float64]
    usual_quantity: NDArray[np.float64]
    pair_a: NDArray[np.int32]
    pair_b: NDArray[np.int32]
    pair_orders: NDArray[np.int64]
    joint_probability: NDArray[np.float64]
    odds_ratio: NDArray[np.float64]
    odds_spread: NDArray[np.float64]
    category_code: NDArray[np.int32]
    category_lift: NDArray[np.float64]
    manifest: dict[str, Any]
