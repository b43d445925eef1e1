"""What is known of two products beside how often they were bought together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .category_lift import CategoryLift
from .graph_filter import GraphFilter
from .product_features import ProductFeatures
from .title_words import TitleWords

_LEAST_LIFT = 0.05  # a low-pass lift may be 0 or below; its log is taken from here up

NAMES = (
    "constant",
    "log_lift",  # of categories and products
    "same_brand",
    "title_similarity",  # cosine of weighted words
    "same_category",
    "price_gap",  # |log price ratio|
    "price_gap_within",  # the same where the category is the same
)


@dataclass(frozen=True, slots=True)
class PairFeatures:
    """Features of any pair in factored form: nothing here grows with the number of pairs.

    Attributes
    ----------
    lift
        of categories and products.
    graph
        low-pass lifts; each of its ranks is a feature after those of ``NAMES``.
    words
        of the titles.
    brand
        (products,) codes, -1 where unknown.
    log_price
        (products,) nan where unknown.
    bought
        (products,) whether the product was ever bought.
    """

    lift: CategoryLift
    graph: GraphFilter
    words: TitleWords
    brand: NDArray[np.int32]
    log_price: NDArray[np.float64]
    bought: NDArray[np.bool_]

    @property
    def names(self) -> tuple[str, ...]:
        return (*NAMES, *(f"graph_filter_{rank}" for rank in self.graph.ranks))

    def of(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        """(pairs, features) in the order of ``names``; what is unknown of a pair is 0."""
        out = np.empty((len(a), len(self.names)))
        lift, words = self.lift, self.words
        _fill(
            a.astype(np.int64), b.astype(np.int64), np.log(self.lift.of(a, b)), lift.category,
            self.brand, self.log_price, words.start, words.word, words.weight,
            self.graph.embedding, np.array(self.graph.ranks, dtype=np.int64), out,
        )  # fmt: skip
        return out

    def as_if_new(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        """(pairs, features) as they would be if neither product had ever been bought."""
        made = self.of(a, b)
        category, lift = self.lift.category, self.lift.category_lift
        made[:, NAMES.index("log_lift")] = np.log(lift[category[a], category[b]])
        made[:, len(NAMES) :] = 0.0
        return made

    def take(self, products: NDArray[np.integer]) -> PairFeatures:
        """The features of these products, -1 one of which nothing is known."""
        new = products < 0
        category, product_lift = self.lift.category[products], self.lift.product_lift[products]
        brand, log_price = self.brand[products], self.log_price[products]
        category[new], product_lift[new], brand[new], log_price[new] = 0, 1.0, -1, np.nan
        return PairFeatures(
            CategoryLift(category, self.lift.category_lift, product_lift),
            self.graph.take(products),
            self.words.take(products),
            brand,
            log_price,
            self.bought[products] & ~new,
        )


def pair_features(
    lift: CategoryLift,
    graph: GraphFilter,
    features: ProductFeatures,
    words: TitleWords,
    bought: NDArray[np.bool_],
) -> PairFeatures:
    """Put together what was learned and what the tables say."""
    named = np.array([name != "" for name in features.brand_name], dtype=bool)
    price = np.where(features.price > 0, features.price, np.nan)
    return PairFeatures(
        lift,
        graph,
        words,
        np.where(named[features.brand], features.brand, -1).astype(np.int32),
        np.log(price),
        bought,
    )


@njit(cache=True)
def _fill(
    a, b, log_lift, category, brand, log_price, start, word, weight, embedding, ranks, out
):  # fmt: skip
    for i in range(len(a)):
        x, y = a[i], b[i]
        out[i, 0] = 1.0
        out[i, 1] = log_lift[i]
        out[i, 2] = 1.0 if brand[x] == brand[y] and brand[x] >= 0 else 0.0
        out[i, 3] = _cosine(start, word, weight, x, y)
        same = 1.0 if category[x] == category[y] else 0.0
        out[i, 4] = same
        gap = abs(log_price[x] - log_price[y])
        if not gap >= 0.0:  # nan: a price is unknown
            gap = 0.0
        out[i, 5] = gap
        out[i, 6] = gap * same
        product = np.float32(0.0)
        column = 0
        for r in range(len(ranks)):
            product += _dot(embedding[x, column : ranks[r]], embedding[y, column : ranks[r]])
            column = ranks[r]
            out[i, 7 + r] = np.log(max(product, _LEAST_LIFT)) if _known(embedding, x, y) else 0.0


@njit(cache=True, fastmath=True)  # sums in any order, or it would take four times as long
def _dot(x, y):
    total = np.float32(0.0)
    for i in range(len(x)):
        total += x[i] * y[i]
    return total


@njit(cache=True)
def _known(embedding, x, y):
    """Whether both were ever bought: the first direction is then above or below 0, never at it."""
    return embedding[x, 0] != 0.0 and embedding[y, 0] != 0.0


@njit(cache=True)
def _cosine(start, word, weight, x, y):
    i, j = start[x], start[y]
    total = 0.0
    while i < start[x + 1] and j < start[y + 1]:
        if word[i] == word[j]:
            total += weight[i] * weight[j]
            i += 1
            j += 1
        elif word[i] < word[j]:
            i += 1
        else:
            j += 1
    return total
