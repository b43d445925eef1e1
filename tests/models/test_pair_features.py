"""Features of pairs: titles, brands, prices, and what is not known of them."""

from __future__ import annotations

import numpy as np
from bundlewise.models.category_lift import CategoryLift
from bundlewise.models.graph_filter import GraphFilter
from bundlewise.models.pair_features import PairFeatures, pair_features
from bundlewise.models.product_features import ProductFeatures
from bundlewise.models.title_words import title_words
from sklearn.feature_extraction.text import TfidfVectorizer

TITLES = np.array(["whole milk 1 gal", "Milk skim", "", "milk skim", "dog food", "x"], dtype=object)


def text(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)


def features() -> PairFeatures:
    """Six products; the last was never bought, and has neither brand nor price."""
    known = ProductFeatures(
        category=np.array([0, 0, 0, 0, 1, 1], dtype=np.int32),
        department=np.zeros(6, dtype=np.int32),
        brand=np.array([1, 1, 0, 2, 1, 0], dtype=np.int32),
        category_name=text(["dairy", "pets"]),
        department_name=text([""]),
        brand_name=text(["", "Acme", "Best"]),
        title=TITLES,
        description=text([""] * 6),
        price=np.array([100.0, 200.0, 100.0, 100.0, 400.0, np.nan]),
    )
    lift = CategoryLift(
        known.category, np.array([[2.0, 0.5], [0.5, 3.0]]), np.array([1, 1, 1.5, 1, 1, 1.0])
    )
    embedding = np.array([[1, 1], [1, -1], [1, 0], [2, 0], [1, 2], [0, 0]], dtype=np.float32)
    bought = embedding.any(axis=1)
    return pair_features(lift, GraphFilter(embedding, (1, 2)), known, title_words(TITLES), bought)


def of(a: int, b: int) -> dict[str, float]:
    known = features()
    return dict(zip(known.names, known.of(np.array([a]), np.array([b]))[0], strict=True))


def test_what_the_tables_say_of_a_pair():
    pair = of(0, 1)
    assert pair["constant"] == 1
    assert np.isclose(pair["log_lift"], np.log(2))
    assert pair["same_brand"] == 1
    assert pair["same_category"] == 1
    assert np.isclose(pair["price_gap"], np.log(2))
    assert np.isclose(pair["price_gap_within"], np.log(2))
    assert 0 < pair["title_similarity"] < 1
    assert pair["graph_filter_1"] == 0  # log 1
    assert np.isclose(pair["graph_filter_2"], np.log(0.05))  # 0 taken from there up
    other = of(0, 4)
    assert other["same_category"] == other["price_gap_within"] == 0
    assert np.isclose(other["price_gap"], np.log(4))
    assert np.isclose(other["graph_filter_2"], np.log(3), atol=1e-6)


def test_as_if_new_only_the_tables_speak():
    known = features()
    made = known.as_if_new(np.array([0]), np.array([2]))[0]
    pair = dict(zip(known.names, made, strict=True))
    assert np.isclose(pair["log_lift"], np.log(2))  # without the 1.5 of the third product
    assert pair["same_category"] == 1
    assert pair["graph_filter_1"] == pair["graph_filter_2"] == 0


def test_titles_that_say_the_same_are_alike_and_empty_ones_are_not():
    assert np.isclose(of(1, 3)["title_similarity"], 1)
    assert of(2, 5)["title_similarity"] == 0
    assert of(0, 4)["title_similarity"] == 0


def test_what_is_unknown_is_no_likeness():
    assert of(2, 5)["same_brand"] == 0  # neither has one
    unknown = of(4, 5)
    assert unknown["price_gap"] == 0
    assert unknown["graph_filter_1"] == 0
    assert np.isclose(unknown["log_lift"], np.log(3))


def test_similarity_is_the_cosine_of_weighted_words():
    words = title_words(TITLES)
    distinct = list(dict.fromkeys(TITLES))
    table = TfidfVectorizer().fit_transform(distinct).toarray()
    at = [distinct.index(title) for title in TITLES]
    found = np.zeros((6, table.shape[1]))
    for p in range(6):
        entries = slice(words.start[p], words.start[p + 1])
        found[p, words.word[entries]] = words.weight[entries]
    np.testing.assert_allclose(found @ found.T, (table @ table.T)[np.ix_(at, at)], atol=1e-6)


def test_shops_without_titles_have_no_words():
    words = title_words(text(["", "", "a"]))
    assert words.start.tolist() == [0, 0, 0, 0]
    assert len(words.word) == 0


def test_products_taken_keep_their_features_and_new_ones_have_none():
    known = features()
    taken = known.take(np.array([3, -1, 1]))
    np.testing.assert_array_equal(
        taken.of(np.array([0]), np.array([2])), known.of(np.array([3]), np.array([1]))
    )
    new = dict(zip(taken.names, taken.of(np.array([0]), np.array([1]))[0], strict=True))
    assert taken.bought.tolist() == [True, False, True]
    for name in ("same_brand", "title_similarity", "price_gap", "graph_filter_1"):
        assert new[name] == 0
