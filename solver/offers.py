"""Scored offers: the columns of the program, and what each would do in the shop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

ABSENT = -1
"""Stands in ``Offers.products`` after the last product of an offer."""


@dataclass(frozen=True, slots=True)
class Offers:
    """Candidates at their discount levels, each with its expected accounts for the week.

    Arrays have shape (offers,) unless stated; money in cents per week, units per week.
    Offers of one candidate are contiguous and ascend by level.

    Attributes
    ----------
    products
        (offers, width) catalogue indices, ascending; ``ABSENT`` fills the row of an offer of fewer
        products than the largest one made. With pairs alone the width is 2 and nothing is filled.
    candidate
        index of the candidate; ascending, 0 .. n_candidates - 1.
    level
        index into ``discounts.levels`` of the deepest level that was merged into the offer.
    level_mask
        bit l is set where entry l of ``discounts.levels`` leads to this offer (levels that
        coincide after the price ending are merged).
    list_price, bundle_price
        price to the shopper without and with the bundle.
    value
        what the objective earns.
    incremental_margin
        expectation over the posterior of η, net of tax, offer cost and what is
        displaced.
    bundle_units, subsidised_units
        bundles sold, and those sold to shoppers who buy all of its products anyway.
    added_units
        (offers, width) incremental units of each product, 0 where there is none.
    margin_rate
        margin / net revenue of the bundles sold.
    capped
        whether the accounts are those of the response capped at ``deepest_cut``.
    n_scored
        candidates scored before any cut; ``n_candidates`` are left.
    shown_to, capped_in
        bit s is set where the offer is shown to segment s, and where its accounts there are the
        capped ones; None where beliefs hold no segments.
    """

    products: NDArray[np.int32]
    candidate: NDArray[np.int32]
    level: NDArray[np.int16]
    level_mask: NDArray[np.uint64]
    list_price: NDArray[np.int64]
    bundle_price: NDArray[np.int64]
    value: NDArray[np.float64]
    incremental_margin: NDArray[np.float64]
    bundle_units: NDArray[np.float64]
    subsidised_units: NDArray[np.float64]
    added_units: NDArray[np.float64]
    margin_rate: NDArray[np.float64]
    capped: NDArray[np.bool_]
    n_candidates: int
    n_scored: int
    shown_to: NDArray[np.uint64] | None = None
    capped_in: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        return len(self.value)

    @property
    def width(self) -> int:
        """Products of the largest offer."""
        return self.products.shape[1]

    def of_products(self, values: NDArray[Any], absent: Any) -> NDArray[Any]:
        """(offers, width) ``values`` (products,) of each offer's products, else ``absent``."""
        return np.append(values, absent)[self.products]  # ABSENT = -1 reads what was appended

    def entries(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Offer and product of each place that is filled."""
        offer = np.broadcast_to(np.arange(len(self), dtype=np.int32)[:, None], self.products.shape)
        return self.in_entries(offer), self.in_entries(self.products)

    def in_entries(self, values: NDArray[Any]) -> NDArray[Any]:
        """The (offers, width) ``values`` at each place that is filled, as ``entries`` has them."""
        return values.ravel() if self.width == 2 else values[self.products != ABSENT]

    def bundle(self, row: int) -> tuple[int, ...]:
        """The products of one offer, ascending."""
        return tuple(int(product) for product in self.products[row] if product != ABSENT)

    def take(self, rows: NDArray[np.int64] | slice) -> Offers:
        """The offers at these positions; candidates keep their number."""
        return replace(self, **{name: array[rows] for name, array in _arrays(self).items()})


def concatenated(parts: list[Offers]) -> Offers:
    """The offers of several parts, whose candidates are numbered throughout; the parts are used
    up, one array after the other, so that millions of offers are not held twice.
    """
    first, arrays = parts[0], [_arrays(part) for part in parts]
    parts.clear()
    joined = {
        name: np.concatenate([part.pop(name) for part in arrays]) for name in tuple(arrays[0])
    }
    return replace(first, **joined)


def bundle_numbers(products: NDArray[np.int32], n_products: int) -> NDArray[np.int64]:
    """(rows,) a number for each distinct row of ``products`` (rows, width), in their order."""
    number = products[:, 0].astype(np.int64)
    for place in products.T[1:]:
        number = np.unique(number * (n_products + 1) + (place + 1), return_inverse=True)[1]
    return number


def _arrays(offers: Offers) -> dict[str, NDArray]:
    """The arrays by name, those there are."""
    fields = {name: getattr(offers, name) for name in offers.__slots__}
    return {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
