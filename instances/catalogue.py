"""The products of an instance: what they are, cost, sell for, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products, one position each; every array has shape (products,). Money in cents.

    Attributes
    ----------
    product_ids, title, category, department, brand, description
        text; "" where the table does not say (``title`` falls back on the id).
    reference_price
        shelf price in the planned week, tax included; -1 where nothing tells it.
    price_source
        "prices", "list_price", "list median", "paid median" or "".
    unit_cost
        net of tax; -1 where unknown (only where the reference price is unknown too).
    cost_assumed
        whether the cost comes from ``assumptions.gross_margin``.
    stock
        units; inf where the table does not say.
    min_price
        lowest price allowed in a bundle; 0 where none.
    supplier_funding
        cents per unit sold in a bundle.
    available
        whether the product may be in a bundle: active, priced and not promoted.
    """

    product_ids: NDArray[np.object_]
    title: NDArray[np.object_]
    category: NDArray[np.object_]
    department: NDArray[np.object_]
    brand: NDArray[np.object_]
    description: NDArray[np.object_]
    reference_price: NDArray[np.int64]
    price_source: NDArray[np.object_]
    unit_cost: NDArray[np.int64]
    cost_assumed: NDArray[np.bool_]
    stock: NDArray[np.float64]
    min_price: NDArray[np.int64]
    supplier_funding: NDArray[np.int64]
    available: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.product_ids)
