"""The rows that keep a line of offers at one level (rule same-level)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .offers import Offers

MOST_ROWS = 5_000
"""Rows of one line before a coarser kind of cell is taken."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Parts of a line whose offers stand at the same levels; each becomes a row.

    Attributes
    ----------
    column, cell
        (entries,) offer and the cell it is in; an offer may be in several.
    mask
        (cells,) bit l is set where the cell's offers answer to level l.
    most
        (cells,) most offers of the cell that a plan can hold.
    label
        (cells,) catalogue index of the product, or column of the offer, that the cell is about;
        -1 where it is what is left of the line at these levels.
    by
        what ``label`` counts: "offer" or "product".
    """

    column: NDArray[np.int64]
    cell: NDArray[np.int64]
    mask: NDArray[np.uint64]
    most: NDArray[np.float64]
    label: NDArray[np.int64]
    by: str


def line_cells(
    offers: Offers,
    line: NDArray[np.int64],
    members: NDArray[np.bool_] | None,
    *,
    max_bundles: int,
    max_bundles_per_product: int,
    most_rows: int = MOST_ROWS,
) -> Cells:
    """Cut a line into cells, as fine as ``most_rows`` rows allow.

    With y_l = 1 for the line's level, a cell C of offers that answer to the levels A gives

        Σ_{j in C} x_j <= M·Σ_{l in A} y_l,    M = the most offers of C that a plan can hold,

    which says the same in whole numbers whatever the cells are, as long as each offer is in one.
    Their size decides how much of it the linear relaxation feels:

    * a cell an offer has M = 1, but as many rows as the line has offers;
    * a cell a product and level has M = ``max_bundles_per_product`` at most. Where that is 1 it
      implies the rows of its offers, with a fraction of their number, so it is taken;
    * a cell a level has M = ``max_bundles`` at most: few rows, little felt. It takes what is left
      where rows run out: they go to the products (or offers) with the most valuable offers, which
      are those that the relaxation would mix levels of.

    Parameters
    ----------
    line
        (n,) columns of the line's offers.
    members
        (products,) the category that makes the line; None for a line of listed bundles.
    """
    mask = offers.level_mask[line]
    one_each = max_bundles_per_product == 1
    if members is not None and (one_each or len(line) > most_rows):
        of_line = offers.take(line)
        entry, place = np.nonzero(of_line.of_products(members, False))
        label = of_line.products[entry, place].astype(np.int64)
        column, by, most = line[entry], "product", max_bundles_per_product
    else:
        column, label, by, most = line, line, "offer", 1
    spare = max(most_rows - len(np.unique(mask)), 0)
    label = _most_valuable(label, offers.level_mask[column], offers.value[column], spare)
    kept = label >= 0
    rest = np.setdiff1d(line, column[kept])
    column = np.concatenate([column[kept], rest])
    label = np.concatenate([label[kept], np.full(len(rest), -1, dtype=np.int64)])
    return _cells(column, offers.level_mask[column], label, by, min(most, max_bundles), max_bundles)


def _most_valuable(
    label: NDArray[np.int64],
    mask: NDArray[np.uint64],
    value: NDArray[np.float64],
    most_cells: int,
) -> NDArray[np.int64]:
    """(entries,) the labels, -1 for those past ``most_cells`` cells, the best offers first."""
    if len(label) == 0:
        return label
    names, place = np.unique(label, return_inverse=True)
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, place, value)
    cells = np.zeros(len(names), dtype=np.int64)
    order = np.lexsort((mask, place))
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(place[order]) != 0) | (mask[order][1:] != mask[order][:-1])
    np.add.at(cells, place[order[new]], 1)
    ranked = np.argsort(-best, kind="stable")
    kept = np.zeros(len(names), dtype=np.bool_)
    kept[ranked[np.cumsum(cells[ranked]) <= most_cells]] = True
    return np.where(kept[place], label, -1)


def _cells(
    column: NDArray[np.int64],
    mask: NDArray[np.uint64],
    label: NDArray[np.int64],
    by: str,
    most: int,
    max_bundles: int,
) -> Cells:
    """A cell for each label and mask that occur together."""
    order = np.lexsort((mask, label))
    column, mask, label = column[order], mask[order], label[order]
    new = np.ones(len(column), dtype=np.bool_)
    new[1:] = (mask[1:] != mask[:-1]) | (label[1:] != label[:-1])
    cell = np.cumsum(new) - 1
    limit = np.where(label[new] >= 0, most, max_bundles)
    size = np.minimum(np.bincount(cell), limit).astype(np.float64)
    return Cells(column, cell, mask[new], size, label[new], by)


def levels_of(mask: int) -> list[int]:
    """Entries of ``discounts.levels`` whose bit is set."""
    return [level for level in range(mask.bit_length()) if mask >> level & 1]


def fewest_levels(masks: Sequence[int]) -> int:
    """The smallest number of levels such that every offer answers to one of them.

    Levels merged by a price ending lie side by side, so the masks are intervals: take the last
    level of the interval that ends first, drop what it serves, and go on.
    """
    left, used = sorted(masks, key=int.bit_length), 0
    while left:
        level = 1 << (left[0].bit_length() - 1)
        left = [mask for mask in left if not mask & level]
        used += 1
    return used
