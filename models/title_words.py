"""Titles as weighted words, so that how alike two of them are is a scalar product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class TitleWords:
    """Words of each title in compressed rows, weighted by how rare they are, of length 1.

    Attributes
    ----------
    start
        (products + 1,) product p has the entries ``start[p]:start[p + 1]``.
    word
        (entries,) codes, ascending within a product.
    weight
        (entries,) tf·idf, scaled so that the squares of a product's weights add up to 1.
    """

    start: NDArray[np.int64]
    word: NDArray[np.int32]
    weight: NDArray[np.float32]

    def take(self, products: NDArray[np.integer]) -> TitleWords:
        """The words of these products, none for -1."""
        sizes = np.where(products >= 0, np.diff(self.start)[products], 0)
        start = np.append(0, np.cumsum(sizes))
        within = np.arange(start[-1]) - np.repeat(start[:-1], sizes)
        entry = np.repeat(self.start[products], sizes) + within
        return TitleWords(start, self.word[entry], self.weight[entry])


def title_words(titles: NDArray[np.object_]) -> TitleWords:
    """Weigh the words of titles by how few of the distinct titles hold them."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # slow to import

    code: dict[str, int] = {}
    at = np.fromiter((code.setdefault(str(t), len(code)) for t in titles), np.int64, len(titles))
    vectorizer = TfidfVectorizer()
    analyze = vectorizer.build_analyzer()
    if not any(analyze(title) for title in code):
        empty = np.zeros(0)
        none = np.zeros(len(titles) + 1, dtype=np.int64)
        return TitleWords(none, empty.astype(np.int32), empty.astype(np.float32))
    table = csr_array(cast(Any, vectorizer.fit_transform(code)))
    table.sort_indices()
    words = TitleWords(
        table.indptr.astype(np.int64),
        table.indices.astype(np.int32),
        table.data.astype(np.float32),
    )
    return words.take(at)
