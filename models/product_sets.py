"""Joint probabilities of three and four products: what is kept of them, and asked of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .set_closure import bounded, closure, members
from .set_prior import SetPrior

if TYPE_CHECKING:
    from .beliefs import Beliefs

ABSENT = -1
"""Fills the row of a set of three products."""

MAX_SIZE = 4


@dataclass(frozen=True, slots=True)
class ProductSets:
    """Sets of three and four products found together in enough visits.

    Attributes
    ----------
    products
        (sets, 4) product indices, ascending, ``ABSENT`` after the third of three; the rows are
        sorted.
    orders
        (sets,) orders that hold all of them.
    joint_probability
        (sets,) p_S at the reference prices.
    spread
        (sets,) posterior standard deviation of log p_S, the smaller sets taken as known.
    priors
        by size, 3 first: what is believed of sets that were not counted.
    least_orders
        by size: every set in at least so many visits is here, and no other.
    visits
        visits that sets were counted in.
    """

    products: NDArray[np.int32]
    orders: NDArray[np.int64]
    joint_probability: NDArray[np.float64]
    spread: NDArray[np.float64]
    priors: tuple[SetPrior, ...]
    least_orders: tuple[int, ...]
    visits: float

    def __len__(self) -> int:
        return len(self.orders)

    def of_size(self, size: int) -> NDArray[np.int64]:
        """The rows of sets of three, or of four, products."""
        return np.flatnonzero((self.products[:, 3] != ABSENT) == (size == 4))

    def find(self, products: NDArray[np.integer]) -> NDArray[np.int64]:
        """(n,) row of each of these sets (n, 4), rows as in ``products``; -1 where not counted.

        Four indices do not fit one key, so the first two become the number of a counted pair.
        """
        if not len(self):
            return np.full(len(products), -1, dtype=np.int64)
        base = np.int64(max(int(self.products.max()), int(products.max(initial=0))) + 2)
        head, tail = _halves(self.products, base)
        heads, number = np.unique(head, return_inverse=True)
        keys = number * base**2 + tail
        head, tail = _halves(products, base)
        number = np.minimum(np.searchsorted(heads, head), len(heads) - 1)
        wanted = number * base**2 + tail
        row = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((heads[number] == head) & (keys[row] == wanted), row, -1)


def set_table(beliefs: Beliefs, products: NDArray[np.integer]) -> NDArray[np.float64]:
    """(n, 2**size) the probability that a visit holds each subset of these sets (n, size).

    Column m is of the products whose places are bits of m (``set_closure``). Counted sets answer
    as they were learned; others with what their smaller sets and the prior say, given that they
    were found too seldom to be counted; without learned sets, with the closure alone.
    """
    size = products.shape[1]
    table = np.ones((len(products), 1 << size))
    for subset in range(1, 1 << size):
        places = members(subset)
        of_subset = products[:, places]
        if len(places) == 1:
            table[:, subset] = beliefs.purchase_probability[of_subset[:, 0]]
        elif len(places) == 2:
            table[:, subset] = beliefs.joint_probability(of_subset[:, 0], of_subset[:, 1])
        else:
            within = [sum(1 << places[k] for k in members(m)) for m in range(1 << len(places))]
            table[:, subset] = _whole_sets(beliefs, of_subset, table[:, within])
    return table


def set_probability(beliefs: Beliefs, products: NDArray[np.integer]) -> NDArray[np.float64]:
    """(n,) the probability that a visit holds all of each row of products.

    Parameters
    ----------
    products
        (n, width) two to four different product indices a row, ``ABSENT`` where there are fewer.
    """
    ordered = np.sort(np.where(products == ABSENT, np.iinfo(np.int32).max, products), axis=1)
    size = (products != ABSENT).sum(axis=1)
    joint = np.empty(len(products))
    for n in np.unique(size):
        rows = np.flatnonzero(size == n)
        joint[rows] = set_table(beliefs, ordered[rows, :n])[:, -1]
    return joint


def _whole_sets(
    beliefs: Beliefs, products: NDArray[np.integer], table: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) p_S of sets of three or four; the table's last column is not looked at."""
    sets, size = beliefs.product_sets, products.shape[1]
    joint = np.zeros(len(products))
    row = np.full(len(products), -1, dtype=np.int64)
    if sets is not None and len(sets.priors) > size - 3:
        row = sets.find(_padded(products))
    new = np.flatnonzero((row < 0) & (table[:, 1:-1] > 0).all(axis=1))
    if len(new):
        apart = closure(table[new])
        visits = 1e300  # without learned sets the closure is taken as certain
        if sets is not None and len(sets.priors) > size - 3:
            visits = sets.visits
            below, prior = sets.least_orders[size - 3], sets.priors[size - 3]
            apart = apart * prior.unseen(closeness(table[new]), visits * apart, below)
        joint[new], _ = bounded(apart, table[new], visits)
    if sets is not None:
        joint[row >= 0] = sets.joint_probability[row[row >= 0]]
    return joint


def reordered_sets(sets: ProductSets, target: NDArray[np.int64]) -> ProductSets:
    """The sets with products renumbered: ``target`` (products,) of each old index, -1 if gone."""
    new = np.append(target, ABSENT)[sets.products]
    kept = np.flatnonzero(((new >= 0) == (sets.products != ABSENT)).all(axis=1))
    last = np.iinfo(np.int32).max
    new = np.sort(np.where(new[kept] == ABSENT, last, new[kept]), axis=1)
    new = np.where(new == last, ABSENT, new).astype(np.int32)
    order = np.lexsort(new.T[::-1])
    rows = kept[order]
    return replace(
        sets,
        products=new[order],
        orders=sets.orders[rows],
        joint_probability=sets.joint_probability[rows],
        spread=sets.spread[rows],
    )


def repriced_sets(before: Beliefs, after: Beliefs, sets: ProductSets) -> ProductSets:
    """The sets at other reference prices: their share of the closure stays, as ψ of pairs does.

    Parameters
    ----------
    before, after
        the beliefs at the old and at the new prices; their own sets are not looked at.
    """
    joint = sets.joint_probability.copy()
    before, after = replace(before, product_sets=sets), replace(after, product_sets=sets)
    for size in (3, MAX_SIZE):
        rows = sets.of_size(size)
        old, new = (set_table(b, sets.products[rows, :size]) for b in (before, after))
        moved = joint[rows] * closure(new) / closure(old)
        joint[rows], _ = bounded(moved, new, sets.visits)
        after = replace(after, product_sets=replace(sets, joint_probability=joint))
    return replace(sets, joint_probability=joint)


def closeness(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """(sets,) what the prior of sets of this size leans on (``set_prior.SetPrior``)."""
    if table.shape[1] > 8:
        return np.zeros(len(table))
    return np.log(closure(table) / (table[:, 1] * table[:, 2] * table[:, 4]))


def _padded(products: NDArray[np.integer]) -> NDArray[np.int32]:
    """(n, 4) the sets as ``ProductSets.products`` writes them."""
    filler = np.full((len(products), MAX_SIZE - products.shape[1]), ABSENT)
    return np.hstack([products, filler]).astype(np.int32)


def _halves(
    products: NDArray[np.integer], base: np.int64
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) the first two and the last two products of each set (n, 4) as one number each."""
    p = products.astype(np.int64)
    return p[:, 0] * base + p[:, 1], (p[:, 2] + 1) * base + p[:, 3] + 1
