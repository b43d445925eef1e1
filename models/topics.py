"""Topics: groups of products whose words the same shoppers care for.

Latent semantic analysis (Deerwester et al. 1990) with shoppers in the place of documents: of the
table of shoppers by words (of what they bought, viewed and searched for), normalised on both
sides, the leading singular vectors place words that the same shoppers use near each other. A
product stands where its words stand, weighted by how much they tell it from others (tf-idf), and
k-means on the directions of the products gives the topics. On the Complete Journey topics of
words by shoppers foretell what is bought better than factors of the products' texts alone
(docs/shoppers.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.extmath import randomized_svd

from .product_features import ProductFeatures
from .shoppers import Shoppers

NO_TOPIC = -1
"""Topic of products and searches without a word that shoppers have shown something about."""

_WORD = r"[^\W\d_]{3,}"  # sizes and codes are no words
_LEAST_USES = 20.0  # of a word; rarer ones would be placed by chance (5 and 80: no better)
_LARGEST_SAMPLE = 4_000  # products that the topics are formed on, most bought first
_STARTS = 3  # of k-means
_NAMED = 2  # categories, or words, in a name


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics and what is needed to tell the topic of a text.

    Attributes
    ----------
    name
        (topics,) for people: main categories, or words where the table has no categories.
    product_topic
        (products,) topic of each product, or ``NO_TOPIC``.
    word
        (words,) vocabulary, sorted.
    place
        (words, dimensions) where each word stands, its weight included.
    centre
        (topics, dimensions) of unit length.
    """

    name: NDArray[np.object_]
    product_topic: NDArray[np.int32]
    word: NDArray[np.object_]
    place: NDArray[np.float64]
    centre: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.centre)

    def of_texts(self, texts: NDArray[np.object_]) -> NDArray[np.int32]:
        """(texts,) topic of each text, such as the words of a search."""
        if not len(texts) or not len(self.word):
            return np.full(len(texts), NO_TOPIC, dtype=np.int32)
        return _nearest(_word_uses(texts, self.word) @ self.place, self.centre)


@dataclass(frozen=True, slots=True)
class Texts:
    """The products' words.

    Attributes
    ----------
    word
        (words,) vocabulary, sorted.
    uses
        (products, words) 1 where the text of a product has the word.
    """

    word: NDArray[np.object_]
    uses: sparse.csr_array


def product_texts(features: ProductFeatures) -> Texts:
    """The words of titles, descriptions, categories and brands."""
    texts = [
        " ".join(map(str, parts))
        for parts in zip(
            features.title,
            features.description,
            features.category_name[features.category],
            features.brand_name[features.brand],
            strict=True,
        )
    ]
    vectorizer = _vectorizer()
    try:
        found: Any = vectorizer.fit_transform(texts)
    except ValueError:  # no text has a word
        return Texts(np.zeros(0, dtype=object), sparse.csr_array((len(texts), 0)))
    words = np.asarray(vectorizer.get_feature_names_out(), dtype=object)
    uses: Any = sparse.csr_array(found, dtype=np.float64)
    return Texts(words, uses)


def fit_topics(
    texts: Texts,
    places: NDArray[np.float64],
    shoppers: Shoppers,
    features: ProductFeatures,
    most: int,
) -> Topics:
    """At most ``most`` topics of the products; fewer where there are too few words or products.

    Parameters
    ----------
    places
        (words, dimensions) ``word_places``, of which the first ``most - 1`` are used.
    """
    place = places[:, : most - 1]
    return _clustered(texts, texts.uses @ place, place, shoppers, features, most)


def word_places(texts: Texts, shoppers: Shoppers, dimensions: int) -> NDArray[np.float64]:
    """(words, dimensions) singular vectors of shoppers by words, the first of them left out.

    With n_cw the uses of word w by shopper c, the table is n_cw/√(n_c·n_w): its first singular
    vector says only how much everybody buys, the others how they differ. A word's place is
    divided by √n_w (so that frequent words stand no farther out) and weighted by its idf.
    """
    used = (shoppers.bought + shoppers.viewed) @ texts.uses
    if len(shoppers.query) and len(texts.word):
        asked = _word_uses(shoppers.query, texts.word)
        searches = np.arange(len(shoppers.query))
        of_shopper = sparse.csr_array(
            (np.ones(len(searches)), (shoppers.searcher, searches)),
            shape=(len(shoppers), len(searches)),
        )
        used = used + of_shopper @ asked
    by_word = np.asarray(used.sum(axis=0), dtype=np.float64).ravel()
    by_shopper = np.asarray(used.sum(axis=1), dtype=np.float64).ravel()
    rank = min(dimensions, min(used.shape) - 1)
    if rank < 1 or not by_word.any():
        return np.zeros((len(texts.word), 0))
    table = (
        sparse.diags_array(1 / np.sqrt(np.maximum(by_shopper, 1.0)))
        @ used
        @ sparse.diags_array(1 / np.sqrt(np.maximum(by_word, 1.0)))
    )
    _, value, vector = randomized_svd(table, rank + 1, random_state=0)
    place = (vector[1:].T * value[1:]) / np.sqrt(np.maximum(by_word, 1.0))[:, None]
    place[by_word < _LEAST_USES] = 0.0
    holding = np.asarray(texts.uses.sum(axis=0), dtype=np.float64).ravel()
    idf = np.log((1 + texts.uses.shape[0]) / (1 + holding)) + 1
    return place * idf[:, None]


def _clustered(
    texts: Texts,
    products: NDArray[np.float64],
    place: NDArray[np.float64],
    shoppers: Shoppers,
    features: ProductFeatures,
    most: int,
) -> Topics:
    """k-means on the directions of the most bought products; the others join the nearest."""
    bought = np.asarray(shoppers.bought.sum(axis=0), dtype=np.float64).ravel()
    length = np.linalg.norm(products, axis=1) if products.size else np.zeros(len(features))
    placed = np.flatnonzero((length > 0) & (bought > 0))
    sample = placed[np.argsort(-bought[placed], kind="stable")][:_LARGEST_SAMPLE]
    direction = products[sample] / length[sample, None] if len(sample) else products[sample]
    n_topics = min(most, len(np.unique(direction.round(9), axis=0)))
    if n_topics < 1:
        none = np.full(len(features), NO_TOPIC, dtype=np.int32)
        return Topics(np.zeros(0, dtype=object), none, texts.word, place, np.zeros((0, 0)))
    # roots: else the few most bought products would be topics of their own
    means: Any = KMeans(n_topics, n_init=_STARTS, random_state=0)  # pyright: ignore[reportArgumentType]
    fitted = means.fit(direction, sample_weight=np.sqrt(bought[sample]))
    centre = fitted.cluster_centers_
    centre = centre / np.maximum(np.linalg.norm(centre, axis=1, keepdims=True), 1e-12)
    topic = _nearest(products, centre)
    sold = np.bincount(topic[topic >= 0], bought[topic >= 0], minlength=n_topics)
    order = np.argsort(-sold, kind="stable")  # most bought first
    number = np.argsort(order).astype(np.int32)
    topic = np.where(topic >= 0, number[topic], NO_TOPIC).astype(np.int32)
    name = _names(topic, n_topics, bought, texts, features)
    return Topics(name, topic, texts.word, place, centre[order])


def _nearest(places: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.int32]:
    """The centre with the nearest direction; ``NO_TOPIC`` for what has no place."""
    if not centre.size:
        return np.full(len(places), NO_TOPIC, dtype=np.int32)
    somewhere = np.abs(places).max(axis=1) > 0
    return np.where(somewhere, (places @ centre.T).argmax(axis=1), NO_TOPIC).astype(np.int32)


def _names(
    topic: NDArray[np.int32],
    n_topics: int,
    bought: NDArray[np.float64],
    texts: Texts,
    features: ProductFeatures,
) -> NDArray[np.object_]:
    """Names by what a topic holds most of, beside the other topics.

    Categories where the table has them, else words: those with the highest n·log(n/expected),
    the part of the topic's relative entropy that each contributes.
    """
    kept = topic >= 0
    member = sparse.csr_array(
        (bought[kept], (topic[kept], np.flatnonzero(kept))), shape=(n_topics, len(topic))
    )
    named = features.category_name != ""
    if named.any():
        labels, counts = features.category_name, _by_category(member, features)
        counts[:, ~named] = 0.0
    else:
        labels, counts = texts.word, np.asarray((member @ texts.uses).todense())
    total = max(counts.sum(), 1.0)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / total
    telling = counts * np.log(np.where(counts > 0, counts, 1.0) / np.maximum(expected, 1e-12))
    telling[counts <= 0] = 0.0
    names: list[str] = []
    for row in telling:
        best = [str(labels[i]).lower() for i in np.argsort(-row, kind="stable") if row[i] > 0]
        parts = best[:_NAMED]
        while _title(parts) in names and len(parts) < len(best):
            parts = best[: len(parts) + 1]
        name = _title(parts) or "Other"
        again = names.count(name)
        names.append(f"{name} {again + 1}" if again else name)
    return np.array(names, dtype=object)


def _by_category(member: sparse.csr_array, features: ProductFeatures) -> NDArray[np.float64]:
    n = len(features)
    column = sparse.csr_array(
        (np.ones(n), (np.arange(n), features.category)), shape=(n, features.n_categories)
    )
    return np.asarray((member @ column).todense())


def _title(parts: list[str]) -> str:
    text = ", ".join(parts).replace(";", ",")  # plans join names of segments by ";"
    return text[:1].upper() + text[1:]


def _word_uses(texts: NDArray[np.object_], words: NDArray[np.object_]) -> sparse.csr_array:
    """(texts, words) 1 where the text has the word."""
    found: Any = _vectorizer(vocabulary=list(words)).transform(texts)
    uses: Any = sparse.csr_array(found, dtype=np.float64)
    return uses


def _vectorizer(vocabulary: list[str] | None = None) -> CountVectorizer:
    return CountVectorizer(token_pattern=_WORD, binary=True, vocabulary=vocabulary)
