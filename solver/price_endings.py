"""From discount levels to prices a shop would print: the nearest price with the wanted ending."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

# ending -> (modulus, remainder) of the price in cents
_ENDINGS = {"none": (1, 0), "x.x9": (10, 9), ".99": (100, 99), ".95": (100, 95), ".00": (100, 0)}
_LARGEST_DENOMINATOR = 1_000_000  # a level with six decimals is exact


def nearest_price(list_price: NDArray[np.int64], level: float, ending: str) -> NDArray[np.int64]:
    """The price nearest to list_price · (1 − level) with an ending, ties down, in cents.

    The level is taken for the decimal number it is written as, and the arithmetic is in whole
    numbers, so 0.15 off 9.90 is exactly 8.415 and a tie is a tie.

    Parameters
    ----------
    list_price
        (n,) cents, > 0.
    level
        discount as a share of the list price.
    ending
        "none", "x.x9", ".99", ".95" or ".00".
    """
    modulus, remainder = _ENDINGS[ending]
    share = 1 - Fraction(repr(float(level))).limit_denominator(_LARGEST_DENOMINATOR)
    # with the exact price N/d, the price is remainder + modulus·k for the whole number k next to
    # (N/d − remainder)/modulus: k = ceil of that less one half, which sends ties down
    numerator = 2 * (list_price * share.numerator - remainder * share.denominator)
    denominator = 2 * modulus * share.denominator
    k = -((modulus * share.denominator - numerator) // denominator)
    return remainder + modulus * k


def level_prices(
    list_price: NDArray[np.int64], levels: tuple[float, ...], ending: str
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Bundle prices of candidates at every level, levels that coincide merged.

    A price that is not above 0 and below the list price is not offered, nor one below the price
    of the top level to the cent (an ending can round to more than the deepest discount allowed).

    Parameters
    ----------
    list_price
        (candidates,) cents.
    levels
        ascending shares, at most 64.

    Returns
    -------
    price
        (candidates, levels) cents; 0 where the level is not offered, or is merged into a deeper
        one with the same price.
    level_mask
        (candidates, levels) bit l is set where entry l of the levels leads to the price.
    """
    price = np.stack([nearest_price(list_price, level, ending) for level in levels], axis=1)
    floor = nearest_price(list_price, levels[-1], "none")
    price[(price <= 0) | (price >= list_price[:, None]) | (price < floor[:, None])] = 0
    mask = np.where(price > 0, np.uint64(1) << np.arange(len(levels), dtype=np.uint64), 0)
    mask = mask.astype(np.uint64)
    for k in range(1, len(levels)):
        same = (price[:, k] > 0) & (price[:, k] == price[:, k - 1])
        mask[same, k] |= mask[same, k - 1]
        price[same, k - 1] = 0
        mask[same, k - 1] = 0
    return price, mask
