"""What offers truly earn where products replace each other, by simulated shoppers.

Of a group of substitutes a visit buys at most one, the one with the highest surplus. A shopper
takes a bundle where its surplus is at least that of her best choice without it in both groups,
and the shop loses the margin of what she then leaves.
"""

from __future__ import annotations

import numpy as np
from bundlewise.instances.synthetic import SyntheticShop
from numba import njit, prange
from numpy.typing import NDArray

from .clairvoyant_truth import true_gain

Floats = NDArray[np.float64]


def substituted_gain(
    shop: SyntheticShop,
    pairs: NDArray[np.int64],
    discount: NDArray[np.int64],
    draws: int,
    seed: int,
) -> tuple[Floats, Floats]:
    """Cents a visit that offers earn, and the standard error.

    Drawn are shoppers who would buy each of the two products with the whole of the deepest
    discount on it, the only ones who can take the bundle; their probability is the weight. What
    is simulated is the difference that substitutes make; it is added to the exact value without.

    Parameters
    ----------
    discount
        (pairs, levels) cents off; the levels of a pair meet the same shoppers.

    Returns
    -------
    tuple
        (pairs, levels) means and standard errors. Two products of a group earn 0: nobody wants
        both.
    """
    assert shop.substitutes is not None
    assert shop.curve == "logistic"
    assert shop.dependence == "plackett"
    partner = np.full(shop.n_products, -1)
    ratio = np.ones(shop.n_products)
    for side, other in ((0, 1), (1, 0)):
        partner[shop.ties[:, side]] = shop.ties[:, other]
        ratio[shop.ties[:, side]] = shop.odds_ratio
    q = shop.purchase_probability
    change, error = _changes(
        pairs.astype(np.int64),
        discount.astype(np.float64),
        _mates(shop.substitutes),
        partner,
        ratio,
        np.log(q / (1 - q)),
        shop.price_sensitivity,
        shop.reference_price.astype(np.float64),
        (shop.reference_price - shop.unit_cost).astype(np.float64),
        draws,
        seed,
    )
    exact = np.stack([true_gain(shop, pairs, one) for one in discount.T], axis=1)
    group = shop.substitutes[pairs]
    together = (group[:, 0] == group[:, 1]) & (group[:, 0] >= 0)
    return np.where(together[:, None], 0.0, exact + change), error


def _mates(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """(products, most) the other members of each product's group, -1 where there is none."""
    sizes = np.bincount(group[group >= 0])
    mates = np.full((len(group), max(int(sizes.max()) - 1, 1)), -1)
    for number in range(len(sizes)):
        members = np.flatnonzero(group == number)
        for product in members:
            mates[product, : len(members) - 1] = members[members != product]
    return mates


@njit(cache=True)
def _tied(u: float, t: float, psi: float) -> float:
    """The rank tied to u; see ``synthetic_ties.tied_uniform``."""
    a = t * (1 - t)
    b = psi + a * (psi - 1) ** 2
    c = 2 * a * (u * psi**2 + 1 - u) + psi * (1 - 2 * a)
    d = np.sqrt(psi) * np.sqrt(psi + 4 * a * u * (1 - u) * (1 - psi) ** 2)
    return min(max((c - (1 - 2 * t) * d) / (2 * b), 0.0), 1.0)


@njit(cache=True)
def _below(u: float, v: float, psi: float) -> float:
    """P(second rank <= v | first rank = u); see ``synthetic_ties.share_below``."""
    s = 1 + (psi - 1) * (u + v)
    root = np.sqrt(s * s - 4 * psi * (psi - 1) * u * v)
    return (psi * v - (psi - 1) * 2 * psi * u * v / (s + root)) / root


@njit(cache=True)
def _uniform() -> float:
    return np.random.random()  # noqa: NPY002 (compiled threads have no Generator of their own)


@njit(cache=True)
def _start(seed: int) -> None:
    """Each pair starts its thread's generator, so that threads change no result."""
    np.random.seed(seed)  # noqa: NPY002


@njit(cache=True)
def _logit(rank: float) -> float:
    rank = min(max(rank, 1e-300), 1 - 1e-15)
    return np.log(rank / (1 - rank))


@njit(cache=True)
def _rank_of(product, ids, ranks, n_drawn, partner, ratio):
    """A rank for one more product, tied to its partner where that is drawn already."""
    t = _uniform()
    for k in range(n_drawn):
        if partner[product] == ids[k]:
            return _tied(ranks[k], t, ratio[product])
    return t


@njit(cache=True, parallel=True)
def _changes(pairs, off, mates, partner, ratio, log_odds, eta, price, margin, draws, seed):
    n, n_levels = off.shape
    n_mates = mates.shape[1]
    means, errors = np.zeros((n, n_levels)), np.zeros((n, n_levels))
    for row in prange(n):
        i, j = pairs[row, 0], pairs[row, 1]
        _start(seed + row)
        deepest = off[row].max()
        limit_i = 1 / (1 + np.exp(-log_odds[i] - eta[i] * min(deepest / price[i], 1.0)))
        limit_j = 1 / (1 + np.exp(-log_odds[j] - eta[j] * min(deepest / price[j], 1.0)))
        ids, ranks = np.zeros(2 + 2 * n_mates, np.int64), np.zeros(2 + 2 * n_mates)
        square = np.zeros(n_levels)
        for _ in range(draws):
            ids[0], ids[1] = i, j
            ranks[0] = _uniform() * limit_i
            if partner[i] == j:
                within = _below(ranks[0], limit_j, ratio[i])
                ranks[1] = _tied(ranks[0], _uniform() * within, ratio[i])
            else:
                within = limit_j
                ranks[1] = _uniform() * within
            n_drawn = 2
            # What she does without the bundle, with substitutes and as if there were none: her
            # surplus and the margin she leaves; and what both products are worth above r.
            surplus, left, plain_surplus, plain_left, above = 0.0, 0.0, 0.0, 0.0, 0.0
            for side in range(2):
                own = ids[side]
                short = (_logit(ranks[side]) - log_odds[own]) / eta[own]
                above -= price[own] * short
                best, best_margin = 0.0, 0.0
                if short <= 0:
                    best, best_margin = -price[own] * short, margin[own]
                plain_surplus += best
                plain_left += best_margin
                for m in range(n_mates):
                    mate = mates[own, m]
                    if mate < 0:
                        continue
                    rank = _rank_of(mate, ids, ranks, n_drawn, partner, ratio)
                    ids[n_drawn], ranks[n_drawn] = mate, rank
                    n_drawn += 1
                    saved = price[mate] * (log_odds[mate] - _logit(rank)) / eta[mate]
                    if saved > best:
                        best, best_margin = saved, margin[mate]
                surplus += best
                left += best_margin
            for level in range(n_levels):
                discount = off[row, level]
                value = 0.0
                if discount > 0 and above + discount >= surplus:
                    value += margin[i] + margin[j] - discount - left
                if discount > 0 and above + discount >= plain_surplus:
                    value -= margin[i] + margin[j] - discount - plain_left
                value *= limit_i * within
                means[row, level] += value
                square[level] += value * value
        for level in range(n_levels):
            means[row, level] /= draws
            variance = max(square[level] / draws - means[row, level] ** 2, 0.0)
            errors[row, level] = np.sqrt(variance / draws)
    return means, errors
