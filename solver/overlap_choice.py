"""The best set of disjoint bundles for each simulated shopper."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

EXACT = 10  # wanted bundles up to which every set is tried


@njit(cache=True)
def best_choices(
    wanted: NDArray[np.bool_],
    surplus: NDArray[np.float64],
    gain: NDArray[np.float64],
    conflicts: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """What shoppers earn the shop: all wanted bundles summed, and the set they would take.

    They take the set of wanted bundles without conflict that has the highest total surplus; the
    first found wins a tie. Up to ``EXACT`` wanted bundles every set is tried, beyond that
    bundles are taken by surplus, highest first, as far as they fit.

    Parameters
    ----------
    wanted, surplus, gain
        (shoppers, offers).
    conflicts
        (offers, offers) whether two offers share a product.

    Returns
    -------
    tuple
        (shoppers,) gain of the wanted bundles one by one; (shoppers,) gain of the best set; how
        many shoppers chose greedily.
    """
    n_shoppers, n_offers = wanted.shape
    alone, together = np.zeros(n_shoppers), np.zeros(n_shoppers)
    mine = np.zeros(n_offers, dtype=np.int64)
    clash = np.zeros(EXACT, dtype=np.int64)
    fits = np.zeros(1 << EXACT, dtype=np.bool_)
    worth = np.zeros(1 << EXACT)
    taken = np.zeros(n_offers, dtype=np.bool_)
    crowded = 0
    for shopper in range(n_shoppers):
        count = 0
        for offer in range(n_offers):
            if wanted[shopper, offer]:
                mine[count] = offer
                count += 1
                alone[shopper] += gain[shopper, offer]
        if count <= 1:
            together[shopper] = alone[shopper]
        elif count <= EXACT:
            best = _best_set(mine[:count], surplus[shopper], conflicts, clash, fits, worth)
            for k in range(count):
                if best >> k & 1:
                    together[shopper] += gain[shopper, mine[k]]
        else:
            crowded += 1
            _greedy_set(mine[:count], surplus[shopper], conflicts, taken)
            for offer in mine[:count]:
                if taken[offer]:
                    together[shopper] += gain[shopper, offer]
    return alone, together, crowded


@njit(cache=True)
def _best_set(
    mine: NDArray[np.int64],
    surplus: NDArray[np.float64],
    conflicts: NDArray[np.bool_],
    clash: NDArray[np.int64],
    fits: NDArray[np.bool_],
    worth: NDArray[np.float64],
) -> int:
    """Bits of the conflict-free subset with the highest surplus, by trying them all."""
    for a in range(len(mine)):
        clash[a] = 0
        for b in range(len(mine)):
            if a != b and conflicts[mine[a], mine[b]]:
                clash[a] |= 1 << b
    fits[0], worth[0] = True, 0.0
    best = 0
    for subset in range(1, 1 << len(mine)):
        lowest = 0
        while not subset >> lowest & 1:
            lowest += 1
        rest = subset & (subset - 1)
        fits[subset] = fits[rest] and clash[lowest] & rest == 0
        worth[subset] = worth[rest] + surplus[mine[lowest]]
        if fits[subset] and worth[subset] > worth[best]:
            best = subset
    return best


@njit(cache=True)
def _greedy_set(
    mine: NDArray[np.int64],
    surplus: NDArray[np.float64],
    conflicts: NDArray[np.bool_],
    taken: NDArray[np.bool_],
) -> None:
    """Mark the wanted bundles taken one after the other by surplus, as far as they fit."""
    taken[:] = False
    for position in np.argsort(-surplus[mine], kind="mergesort"):
        offer = mine[position]
        free = True
        for other in mine:
            if taken[other] and conflicts[offer, other]:
                free = False
        taken[offer] = free
