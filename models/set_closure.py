"""What the joint probabilities of the smaller sets say of a set of three or four products.

A *table* has a row a set and a column a subset: column m is the probability that a visit holds
all products whose bit is set in m. Column 0 is 1, column 2**size − 1 is the whole set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .affinity import highest_joint, lowest_joint

Floats = NDArray[np.float64]


def set_size(table: Floats) -> int:
    """Products of each set."""
    return table.shape[1].bit_length() - 1


def members(subset: int) -> list[int]:
    """The places of the products of a subset."""
    return [place for place in range(subset.bit_length()) if subset >> place & 1]


def closure(table: Floats) -> Floats:
    """(sets,) the probability of the whole set if nothing but the smaller sets tied it together.

        log p_S = Σ over B ⊂ S of (−1)^(size − 1 − |B|) log p_B

    which for three products is Π of the pairs over Π q (Kirkwood's superposition, 1935): the
    log-linear model without an interaction of all of them, as it is for rare products.
    """
    size, whole = set_size(table), table.shape[1] - 1
    logs = np.zeros(len(table))
    for subset in range(1, whole):
        logs += (-1) ** (size - 1 - subset.bit_count()) * np.log(table[:, subset])
    return np.exp(logs)


def possible_range(table: Floats, visits: float) -> tuple[Floats, Floats]:
    """(sets,) the least and the most that the whole set's probability may be.

    Whatever A a visit may hold of the set and nothing else of it, that has a probability:

        Σ over B ⊇ A of (−1)^|B∖A| p_B >= 0

    (the bounds of Fréchet are among them). Two products are never certain to come together, or
    apart, in the visits that hold the others: there ``highest_joint`` and ``lowest_joint`` hold.
    The least lies above the most where the smaller sets contradict each other.

    Parameters
    ----------
    visits
        visits that the probabilities were learned from.
    """
    size = set_size(table)
    whole = table.shape[1] - 1
    low, high = np.zeros(len(table)), np.full(len(table), np.inf)
    for held in range(whole):
        missing = size - held.bit_count()
        rest = np.zeros(len(table))
        for subset in range(held, whole):
            if subset & held == held:
                rest += (-1) ** (subset ^ held).bit_count() * table[:, subset]
        if missing % 2:
            high = np.minimum(high, rest)
        else:
            low = np.maximum(low, -rest)
        if missing == 2:
            one, other = (table[:, held | 1 << place] for place in members(whole ^ held))
            given = table[:, held]
            u, v = one / given, other / given
            high = np.minimum(high, given * highest_joint(u, v, given * visits))
            low = np.maximum(low, given * lowest_joint(u, v, given * visits))
    return low, high


def bounded(joint: Floats, table: Floats, visits: float) -> tuple[Floats, NDArray[np.bool_]]:
    """(sets,) the probabilities within their range, and whether they had to be moved there.

    Where the smaller sets contradict each other the most that is possible is taken.
    """
    low, high = possible_range(table, visits)
    inside = np.minimum(np.maximum(joint, low), high)
    return inside, inside != joint
