"""What a bundle of three or four products earns, worked out once more: the verifier's own formulas.

Subsets of the bundle are named by the places of their products: ``frozenset({0, 2})`` is its first
and third product. Probabilities may be numbers or arrays over draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from .verifier_economics import Side, plackett, shares

Floats = NDArray[np.float64]
Subset = frozenset[int]
Table = Mapping[Subset, ArrayLike]

_OFF_THE_END = 1e-9  # share of the most that a joint probability keeps off the ends of its range


def subsets(size: int) -> list[Subset]:
    """All subsets of two or more places, small ones first."""
    return [
        frozenset(places) for n in range(2, size + 1) for places in combinations(range(size), n)
    ]


def adds_one(table: Table, place: int, side: Side) -> Floats:
    """Share of visits that hold all but one product and add it: C_ψ(p_{S∖l}, u_l) − p_S."""
    whole = max(table, key=len)
    others = np.asarray(table[whole - {place}], dtype=np.float64)
    q = np.asarray(table[frozenset({place})], dtype=np.float64)
    joint, psi = _tie(others, q, np.asarray(table[whole], dtype=np.float64))
    eta = np.asarray(side.sensitivity, dtype=np.float64)
    cut = np.asarray(side.reach, dtype=np.float64)
    reached = expit(logit(q) + eta / side.price * cut)
    return plackett(others, reached, psi) - joint


def adds_two(
    table: Table, places: tuple[int, int], sides: tuple[Side, Side], off: ArrayLike
) -> Floats:
    """Share of visits that hold all but two products and add both: those who have the others,
    times the ``both`` of a pair as these visits buy it."""
    whole = max(table, key=len)
    held = whole - set(places)
    given = np.asarray(table[held], dtype=np.float64)
    u, v = (np.asarray(table[held | {place}], dtype=np.float64) / given for place in places)
    _, psi = _tie(u, v, np.asarray(table[whole], dtype=np.float64) / given)
    first, second = (
        Side(probability, side.sensitivity, side.price, side.reach)
        for probability, side in zip((u, v), sides, strict=True)
    )
    return given * shares(first, second, psi, off).both


def possible(table: Table, subset: Subset) -> tuple[Floats, Floats]:
    """The least and the most that a subset's probability may be, given those of its own subsets.

    Of each part of it, the visits that hold that part and nothing else of it are not below 0.
    """
    low, high = np.asarray(0.0), np.asarray(np.inf)
    for n in range(len(subset)):
        for part in map(frozenset, combinations(sorted(subset), n)):
            rest = np.asarray(0.0)
            for m in range(n, len(subset)):
                for larger in map(frozenset, combinations(sorted(subset), m)):
                    if part <= larger:
                        known = np.asarray(table[larger] if larger else 1.0, dtype=np.float64)
                        rest = rest + (-1) ** (m - n) * known
            if (len(subset) - n) % 2:
                high = np.minimum(high, rest)
            else:
                low = np.maximum(low, -rest)
    return low, high


def closed(table: Table, subset: Subset) -> Floats:
    """The subset's probability if nothing but smaller ones tied it: of three, Π pairs/Π q."""
    logs = np.asarray(0.0)
    for n in range(1, len(subset)):
        for part in map(frozenset, combinations(sorted(subset), n)):
            sign = (-1) ** (len(subset) - 1 - n)
            logs = logs + sign * np.log(np.asarray(table[part], dtype=np.float64))
    return np.exp(logs)


def drawn_table(
    believed: Table,
    probability: list[Floats],
    odds_ratio: Mapping[Subset, float],
    spread: Mapping[Subset, float],
    normal: Callable[[], Floats],
) -> dict[Subset, Floats]:
    """Probabilities of the subsets under draws of q, of each pair's log ψ, and of the factor of
    each larger subset on the closure of the smaller ones."""
    drawn: dict[Subset, Floats] = {frozenset({k}): q for k, q in enumerate(probability)}
    for subset in subsets(len(probability)):
        noise = np.exp(spread[subset] * normal())
        if len(subset) == 2:
            u, v = (probability[place] for place in sorted(subset))
            drawn[subset] = plackett(u, v, odds_ratio[subset] * noise)
        else:
            kept = np.asarray(believed[subset]) / closed(believed, subset)
            low, high = possible(drawn, subset)
            drawn[subset] = np.minimum(np.maximum(kept * closed(drawn, subset) * noise, low), high)
    return drawn


def _tie(u: Floats, v: Floats, joint: Floats) -> tuple[Floats, Floats]:
    """The joint probability, held inside what is possible, and its odds ratio."""
    least, most = np.maximum(u + v - 1, 0), np.minimum(u, v)
    aside = _OFF_THE_END * most
    joint = np.minimum(np.maximum(joint, least + aside), most - aside)
    return joint, joint * (1 - u - v + joint) / ((u - joint) * (v - joint))
