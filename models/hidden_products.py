"""The task "what joins this basket": baskets with one product hidden, and how high it is ranked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..instances.orders import Baskets

CUT = 10  # of recall@10 and NDCG@10


@dataclass(frozen=True, slots=True)
class HiddenProducts:
    """Baskets of two or more products, one of which is hidden.

    Attributes
    ----------
    start, shown
        basket b shows ``shown[start[b]:start[b + 1]]``.
    hidden
        (baskets,) the hidden product of each.
    n_products
        candidates; those shown are not ranked.
    """

    start: NDArray[np.int64]
    shown: NDArray[np.int32]
    hidden: NDArray[np.int32]
    n_products: int

    def __len__(self) -> int:
        return len(self.hidden)

    def members(self) -> csr_array:
        """(baskets, products) 1 where the product is shown."""
        ones = np.ones(len(self.shown), dtype=np.float32)
        return csr_array((ones, self.shown, self.start), shape=(len(self), self.n_products))


def hide_one(baskets: Baskets, seed: int) -> HiddenProducts:
    """Hide one product of each basket of two or more, each of its products equally likely."""
    baskets = baskets.select(np.diff(baskets.start) >= 2)
    sizes = np.diff(baskets.start)
    chance = np.random.default_rng(seed).random(len(sizes))
    at = baskets.start[:-1] + (chance * sizes).astype(np.int64)
    shown = np.ones(len(baskets.product), dtype=bool)
    shown[at] = False
    start = np.append(0, np.cumsum(sizes - 1))
    return HiddenProducts(start, baskets.product[shown], baskets.product[at], baskets.n_products)


def ranks_by_company(
    task: HiddenProducts, company: NDArray[np.float32], alone: NDArray[np.float32]
) -> NDArray[np.int32]:
    """(baskets,) rank of the hidden product, 0 being first.

    The score of a product j is alone_j + Σ over shown i of company_ij. Equal scores are ranked
    by position: where products come most bought first, the more popular one first.
    """
    return _ranks(task.start, task.shown, task.hidden, company, alone)


def ranks_by_score(
    task: HiddenProducts, first: int, scores: NDArray[np.float32]
) -> NDArray[np.int32]:
    """The same from (baskets, products) scores of the baskets from ``first`` on."""
    stop = first + len(scores)
    start = task.start[first : stop + 1]
    shown = task.shown[start[0] : start[-1]]
    return _ranks_of_scores(start - start[0], shown, task.hidden[first:stop], scores)


def recall(ranks: NDArray[np.int32]) -> NDArray[np.float64]:
    """(baskets,) recall@10: 1 where the hidden product is among the first ten."""
    return (ranks < CUT).astype(float)


def ndcg(ranks: NDArray[np.int32]) -> NDArray[np.float64]:
    """(baskets,) NDCG@10: 1/log2(rank + 2) among the first ten, else 0."""
    return np.where(ranks < CUT, 1.0 / np.log2(ranks + 2.0), 0.0)


@njit(cache=True, parallel=True)
def _ranks(start, shown, hidden, company, alone):
    out = np.empty(len(hidden), dtype=np.int32)
    for basket in prange(len(hidden)):
        score = alone.copy()
        for position in range(start[basket], start[basket + 1]):
            score += company[shown[position]]
        out[basket] = _rank(score, shown[start[basket] : start[basket + 1]], hidden[basket])
    return out


@njit(cache=True, parallel=True)
def _ranks_of_scores(start, shown, hidden, scores):
    out = np.empty(len(hidden), dtype=np.int32)
    for basket in prange(len(hidden)):
        score = scores[basket].copy()
        out[basket] = _rank(score, shown[start[basket] : start[basket + 1]], hidden[basket])
    return out


@njit(cache=True)
def _rank(score, shown, hidden):
    """Products before the hidden one; those shown are taken out of ``score``."""
    for product in shown:
        score[product] = -np.inf
    own = score[hidden]
    before = 0
    for product in range(len(score)):
        if score[product] > own or (score[product] == own and product < hidden):
            before += 1
    return before
