"""The tie of a pair within segments: what of its odds ratio segments leave to explain.

Where segments differ in what they buy, part of a pooled odds ratio is that the same segments buy
both. Within each segment the same ψ_w is taken, the one under which the segments' joint purchases
add up to those of all:

    Σ_s share_s·C_ψw(q_as, q_bs) = J
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ..models.copula import discriminant_root, joint_given_root

LARGEST_TIE = 1e8
"""ψ_w where even purchases that always go together would not add up to J."""

_CLOSE = 1e-12  # of J
_ROUNDS = 200  # a bound that is never met: each round at least halves the interval in two


def within_odds_ratio(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    share: NDArray[np.float64],
    joint: NDArray[np.float64],
    odds_ratio: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(pairs,) ψ_w.

    Parameters
    ----------
    first, second
        (pairs, segments) q of the two products in each segment.
    share
        (segments,) share of the visits.
    joint, odds_ratio
        (pairs,) J and ψ of all shoppers.

    Returns
    -------
    numpy.ndarray
        ``LARGEST_TIE`` for a pair whose J no odds ratio within the segments makes up; the joint
        purchases of its segments then fall short of J.
    """
    found = np.empty(len(joint))
    _solve(first, second, share, joint, odds_ratio, found)
    return found


@njit(cache=True, parallel=True, error_model="numpy")
def _solve(first, second, share, joint, odds_ratio, found):
    for pair in prange(len(joint)):
        found[pair] = _root(first, second, share, pair, joint[pair], odds_ratio[pair])


@njit(cache=True, error_model="numpy")
def _root(first, second, share, pair, joint, odds_ratio):
    """The root in log ψ by regula falsi with halved ends (Illinois; Dowell and Jarratt 1971)."""
    low, high = -math.log(LARGEST_TIE), math.log(LARGEST_TIE)
    at_high = _excess(first, second, share, pair, joint, high)
    if at_high <= 0.0:
        return LARGEST_TIE
    at_low = _excess(first, second, share, pair, joint, low)
    if at_low >= 0.0:
        return 1.0 / LARGEST_TIE
    # a first guess on either side of the pooled ψ makes the interval short at once
    for guess in (math.log(odds_ratio), math.log(odds_ratio) - 1.0):
        if low < guess < high:
            value = _excess(first, second, share, pair, joint, guess)
            if value > 0.0:
                high, at_high = guess, value
            else:
                low, at_low = guess, value
    side = 0
    middle = 0.5 * (low + high)
    for step in range(_ROUNDS):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if step % 8 == 7 or not low < middle < high:
            middle = 0.5 * (low + high)
        value = _excess(first, second, share, pair, joint, middle)
        if abs(value) <= _CLOSE * joint or high - low < 1e-13:
            break
        if value > 0.0:
            high, at_high = middle, value
            if side > 0:
                at_low *= 0.5
            side = 1
        else:
            low, at_low = middle, value
            if side < 0:
                at_high *= 0.5
            side = -1
    return math.exp(middle)


@njit(cache=True, error_model="numpy")
def _excess(first, second, share, pair, joint, log_psi):
    """Σ_s share_s·C_ψ(q_as, q_bs) − J."""
    psi = math.exp(log_psi)
    total = -joint
    for s in range(len(share)):
        u, v = first[pair, s], second[pair, s]
        total += share[s] * joint_given_root(u, v, psi, discriminant_root(u, v, psi))
    return total
