"""A file of shoppers, read for recommendations: it stays where it is, and no id leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ..instances.columns import Table
from ..instances.errors import InputError
from ..instances.tables import read_columns
from ..models.personal import personal_probability, personal_strength
from .recommendation import PlannedBundles

_LINES = ("customer_id", "order_id", "product_id")


@dataclass(frozen=True, slots=True)
class ShopperFile:
    """Shoppers and what they bought.

    Attributes
    ----------
    customer_ids
        (shoppers,) ids by first appearance.
    visits
        (shoppers,) orders of each.
    bought
        (shoppers, catalogue) orders that hold each product.
    left_out
        lines that were not used, by reason.
    """

    customer_ids: NDArray[np.object_]
    visits: NDArray[np.float64]
    bought: sparse.csr_array
    left_out: dict[str, int]


def read_shoppers(
    shoppers: Path, orders: Path | None, product_ids: NDArray[np.object_]
) -> ShopperFile:
    """Read a table of shoppers and their order lines.

    Parameters
    ----------
    shoppers
        a table with ``customer_id``, and with ``order_id`` and ``product_id`` unless ``orders``
        is given.
    orders
        a table of order lines; only the lines of the shoppers asked for are used.

    Raises
    ------
    InputError
        a file or a column is missing, or no row names a customer.
    """
    asked, _ = read_columns(shoppers, _LINES if orders is None else _LINES[:1])
    wanted = asked.get("customer_id")
    known = wanted.codes[~wanted.missing]
    if not len(known):
        raise InputError(shoppers, "column customer_id", "no customer in any row", "ids")
    ids = wanted.values[pd.unique(known)]
    lines = asked if orders is None else read_columns(orders, _LINES)[0]
    return _counted(lines, ids, product_ids)


def _counted(
    lines: Table, ids: NDArray[np.object_], product_ids: NDArray[np.object_]
) -> ShopperFile:
    customer = lines.get("customer_id").positions(ids)
    order = lines.get("order_id")
    product = lines.get("product_id").positions(product_ids)
    causes = {
        "lines without a customer": lines.get("customer_id").missing,
        "lines of other customers": customer < 0,
        "lines without an order_id": order.missing,
        "lines of products that the products table lacks": product < 0,
    }
    used, left_out = np.ones(lines.rows, dtype=bool), {}
    for text, hit in causes.items():
        if number := int((hit & used).sum()):
            left_out[text] = number
        used &= ~hit
    # an order counts as a visit even where no product of it is known
    in_order = (customer >= 0) & ~order.missing
    visits = np.unique(np.stack([customer[in_order], order.codes[in_order]]), axis=1)
    once = np.unique(np.stack([customer[used], order.codes[used], product[used]]), axis=1)
    bought = sparse.csr_array(
        (np.ones(once.shape[1]), (once[0], once[2])), shape=(len(ids), len(product_ids))
    )
    return ShopperFile(
        customer_ids=ids,
        visits=np.bincount(visits[0], minlength=len(ids)).astype(np.float64),
        bought=bought,
        left_out=left_out,
    )


def shopper_beliefs(
    bundles: PlannedBundles, shoppers: ShopperFile
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(shoppers, products) q of each for the plan's products, and (shoppers,) the group of each.

    The prior strength of ``personal_probability`` is fitted to the shoppers of the file.
    """
    group = np.zeros(len(shoppers.visits), dtype=np.int64)
    if bundles.segments is not None:
        group = bundles.segments.grouping.segment_of(shoppers.visits, shoppers.bought)
    of_group = bundles.probability.T[group]
    bought = shoppers.bought[:, bundles.position].toarray()
    strength = personal_strength(shoppers.visits, bought, of_group)
    return personal_probability(shoppers.visits, bought, of_group, strength), group
