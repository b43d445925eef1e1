"""Tags and segments of shoppers, on a shop whose three kinds of shoppers are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundlewise.models.clustering import blank_grouping, grouped
from bundlewise.models.interests import Interests, learn_interests
from bundlewise.models.learn_segments import Learned, learn_segments, segments_of_visits
from bundlewise.models.score_interests import score_interests
from bundlewise.models.score_segments import score_segments
from bundlewise.models.segment_demand import (
    bounded_ratios,
    purchase_ratios,
    sensitivity_factors,
    splits_of,
)
from bundlewise.models.segments_folder import read_segments, write_segments
from bundlewise.models.shoppers import shoppers_of
from bundlewise.models.topic_shares import dirichlet_strength, smoothed_shares
from bundlewise.models.topics import NO_TOPIC

from .shopper_groups import (
    CUSTOMERS,
    FIRST,
    PRODUCTS,
    THEMES,
    TRUE_RATIO,
    WEEKS,
    searches,
    shop_features,
    shop_orders,
    true_kind,
)

END = FIRST + WEEKS


@pytest.fixture(scope="module")
def interests() -> Interests:
    orders = shop_orders()
    found = learn_interests(orders, None, shop_features(orders)[0], FIRST, END)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def learned() -> Learned:
    return learn(count=3)


def learn(**settings: object) -> Learned:
    orders = shop_orders()
    features, panel, base = shop_features(orders)
    q, eta = np.full(PRODUCTS, 0.06), np.full(PRODUCTS, 2.0)
    options = {"count": "auto", "min_customers": 20, **settings}
    found = learn_segments(orders, None, features, panel, base, q, eta, **options)  # pyright: ignore[reportArgumentType]
    assert isinstance(found, Learned)
    return found


def test_topics_are_the_themes_that_the_same_shoppers_buy(interests: Interests) -> None:
    theme, topic = np.arange(PRODUCTS) // 20, interests.topics.product_topic
    assert (topic >= 0).all()
    for t in range(len(interests.topics)):
        assert len(set(theme[topic == t])) == 1  # a topic may be a part of a theme, never a mix


def test_a_search_is_of_the_topic_of_its_words(interests: Interests) -> None:
    texts = np.array([*THEMES, "a puppy for my garden shed", "9 x", "unheard of"], dtype=object)
    topic = interests.topics.of_texts(texts)
    for theme in range(3):
        assert (
            interests.topics.product_topic[theme * 20 : theme * 20 + 20]
            .tolist()
            .count(topic[theme])
        )
    assert topic[4] == topic[5] == NO_TOPIC


def test_tags_are_probabilities_and_give_the_common_shares_to_the_unknown(
    interests: Interests,
) -> None:
    shoppers = shoppers_of(shop_orders(), None, FIRST, END)
    probability = interests.probabilities(shoppers)
    assert np.allclose(probability.sum(axis=1), 1)
    assert probability.min() > 0
    nobody = replace(shoppers, bought=shoppers.bought * 0.0)
    assert np.allclose(interests.probabilities(nobody)[0], interests.share, atol=0.05)


def test_tags_foretell_later_purchases_better_than_the_majority() -> None:
    orders = shop_orders()
    score = score_interests(orders, None, shop_features(orders)[0], FIRST, FIRST + 16, END)
    assert score["log_loss"]["learned"] < score["log_loss"]["majority"] - 0.2
    assert score["accuracy"]["learned"] > score["accuracy"]["majority"] + 0.1
    assert score["main_tag"]["learned"] > 0.6


def test_searched_words_move_the_tags_of_shoppers_who_bought_nothing() -> None:
    orders, kind = shop_orders(), true_kind()
    words = {c: THEMES[kind[c]] for c in range(CUSTOMERS)}
    new = {CUSTOMERS: "puppy", CUSTOMERS + 1: "baking"}
    events = searches(orders, words | new)
    found = learn_interests(orders, events, shop_features(orders)[0], FIRST, END)
    assert found is not None
    tags = found.probabilities(shoppers_of(orders, events, FIRST, END))
    of_theme = np.zeros((len(found.topics), 3))
    np.add.at(of_theme, (found.topics.product_topic, np.arange(PRODUCTS) // 20), 1.0)
    theme = tags @ (of_theme > 0)
    assert theme[CUSTOMERS].argmax() == 0
    assert theme[CUSTOMERS + 1].argmax() == 2


def test_the_strength_of_a_dirichlet_is_found_again() -> None:
    rng, share = np.random.default_rng(3), np.array([0.5, 0.3, 0.2])
    counts = np.stack([rng.multinomial(40, p) for p in rng.dirichlet(8 * share, 2_000)])
    assert dirichlet_strength(counts.astype(float), share) == pytest.approx(8, rel=0.1)
    assert np.allclose(smoothed_shares(np.zeros((1, 3)), share, 8.0), share)


def test_segments_are_the_three_kinds(learned: Learned) -> None:
    segments, shoppers = learned.segments, shoppers_of(shop_orders(), None, FIRST, END)
    assert len(segments) == 3
    found = segments.grouping.segment_of(shoppers.visits, shoppers.bought)
    kind, active = true_kind(), shoppers.visits > 0
    agreed = np.zeros((3, 3))
    np.add.at(agreed, (found[active], kind[active]), 1.0)
    assert agreed.max(axis=1).sum() > 0.93 * active.sum()
    assert segments.customers.sum() == active.sum()


def test_q_by_segment_comes_near_the_truth_and_adds_up_to_q(learned: Learned) -> None:
    segments = learned.segments
    assert np.allclose(segments.purchase_ratio @ segments.visit_share, 1)
    assert segments.visit_share.sum() == pytest.approx(1)
    order = [
        int(np.argmax(segments.purchase_ratio[t * 20 : t * 20 + 20].sum(axis=0))) for t in range(3)
    ]
    truth = TRUE_RATIO / (TRUE_RATIO @ segments.visit_share[order])[:, None]
    error = np.log(segments.purchase_ratio[:, order] / truth)
    assert np.abs(error).mean() < 0.15
    inside = np.abs(error) < 1.645 * segments.ratio_spread[:, order] + 0.1
    assert inside.mean() > 0.85


def test_profiles_name_size_and_interest_and_hold_no_customer(learned: Learned) -> None:
    segments = learned.segments
    assert len(set(segments.name)) == 3
    big = int(np.argmax([p["items_per_visit"] for p in segments.profile]))
    assert segments.name[big].startswith(("Large baskets: ", "Very large baskets: "))
    for profile in segments.profile:
        assert profile["share_of_visits"] > 0.2
        assert profile["spend_per_visit"] == pytest.approx(5 * profile["items_per_visit"], rel=0.1)
        assert sorted(profile) == [
            "customers", "deal_share", "interests", "items_per_visit", "name", "price_sensitivity",
            "share_of_visits", "spend_per_visit", "visits_per_week",
        ]  # fmt: skip


def test_the_number_of_segments_is_the_one_that_foretells_best() -> None:
    fit = learn().fit
    assert fit["scores"]["3"] > fit["scores"]["1"] + 0.05
    assert fit["wanted"] >= 3
    assert fit["wanted"] == int(max(fit["scores"], key=lambda n: fit["scores"][n]))


def test_small_segments_join_their_neighbours() -> None:
    found = learn(count=8, min_customers=70)
    assert found.segments.customers.min() >= 70
    assert found.fit["merged"] == 8 - len(found.segments) > 0


def test_visits_without_a_customer_are_a_segment_of_their_own() -> None:
    orders = shop_orders()
    unknown = replace(orders, customer=np.where(orders.customer % 10 == 0, -1, orders.customer))
    features, panel, base = shop_features(unknown)
    q, eta = np.full(PRODUCTS, 0.06), np.full(PRODUCTS, 2.0)
    found = learn_segments(unknown, None, features, panel, base, q, eta, count=3, min_customers=20)
    assert isinstance(found, Learned)
    assert found.segments.name[-1] == "Shoppers not known"
    assert found.segments.customers[-1] == 0
    assert found.segments.visit_share[-1] == pytest.approx(0.1, abs=0.02)
    assert np.allclose(found.segments.purchase_ratio @ found.segments.visit_share, 1)


def test_without_customers_it_says_why_there_are_none() -> None:
    orders = shop_orders()
    nobody = replace(orders, customer=np.full_like(orders.customer, -1))
    features, panel, base = shop_features(nobody)
    one = np.ones(PRODUCTS)
    found = learn_segments(
        nobody, None, features, panel, base, 0.06 * one, one, count=3, min_customers=20
    )
    assert found == "no order has a customer_id"


def factors(response: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Factors of η, of kinds and of products, learned with the true kinds as segments."""
    orders = shop_orders(response=response)
    features, panel, base = shop_features(orders)
    customer = orders.customer[orders.visit]
    count = np.zeros((CUSTOMERS, 3))
    np.add.at(count, (customer, orders.product // 20), 1.0)
    of_visit, n = segments_of_visits(orders, count.argmax(axis=1), 3)
    ratios = purchase_ratios(
        orders, of_visit, n, features.category, features.n_categories, FIRST, END
    )
    assert ratios.size[0] > 1.2 > ratios.size[1:].max()  # the first kind has large baskets
    slope = np.full(PRODUCTS, 0.94 * 3.0)
    splits = splits_of(orders, of_visit, ratios, panel, base, slope)
    found = sensitivity_factors(splits, ratios, features.category, features.n_categories)
    weighted = (ratios.visit_share * ratios.ratio * found.factor).sum(axis=1)
    assert np.allclose(weighted, 1)
    return found.of_segment, found.factor


def test_segments_that_answer_more_to_prices_have_a_larger_factor() -> None:
    of_segment, factor = factors((1.0, 3.0, 5.0))
    assert of_segment[0] < 0.8 < of_segment[1] < 1.2 < of_segment[2]
    assert (np.diff(factor.mean(axis=0)) > 0).all()


def test_segments_that_answer_alike_keep_the_common_sensitivity() -> None:
    of_segment, factor = factors((3.0, 3.0, 3.0))
    assert np.abs(of_segment - 1).max() < 0.12
    assert np.abs(factor - 1).max() < 0.15


def test_segments_foretell_later_visits() -> None:
    orders = shop_orders()
    score = score_segments(orders, None, shop_features(orders)[0], FIRST, FIRST + 16, END)
    found = score["purchases"]
    assert found["pooled"] < found["basket_size"] < found["learned"]


def test_bounding_keeps_the_sum() -> None:
    share, q = np.array([0.5, 0.3, 0.2]), np.array([0.6, 0.01])
    ratio = np.array([[0.4, 1.0, 2.5], [0.4, 1.0, 2.5]])
    bounded = bounded_ratios(q, ratio, share)
    assert (q[:, None] * bounded).max() <= 0.999 + 1e-12
    assert np.allclose(bounded @ share, 1)
    assert np.array_equal(bounded[1], ratio[1])


def test_other_prices_move_each_segment_along_its_own_curve(learned: Learned) -> None:
    segments = learned.segments
    steep = np.array(segments.sensitivity_factor)
    steep[:, 0], steep[:, 1:] = 3.0, 0.5
    segments = replace(segments, sensitivity_factor=steep)
    q, eta = np.full(PRODUCTS, 0.06), np.full(PRODUCTS, 2.0)
    same = segments.carried(q, eta, np.ones(PRODUCTS), q)
    assert np.array_equal(same.purchase_ratio, segments.purchase_ratio)
    dearer = segments.carried(q, eta, np.full(PRODUCTS, 1.2), 0.7 * q)
    assert np.allclose(dearer.purchase_ratio @ segments.visit_share, 1)
    assert (dearer.purchase_ratio[:, 0] < segments.purchase_ratio[:, 0]).all()


def test_learning_twice_gives_the_same(learned: Learned) -> None:
    again = learn(count=3)
    assert np.array_equal(again.segments.purchase_ratio, learned.segments.purchase_ratio)
    assert again.segments.profile == learned.segments.profile


def test_the_folder_gives_back_what_was_written(learned: Learned, tmp_path: Path) -> None:
    ids = np.array([f"P{i}" for i in range(PRODUCTS)], dtype=object)
    assert read_segments(tmp_path, ids) is None
    write_segments(learned.segments, ids, tmp_path)
    found = read_segments(tmp_path, ids)
    assert found is not None
    for name in ("purchase_ratio", "ratio_spread", "sensitivity_factor", "customers", "name"):
        assert np.array_equal(getattr(found, name), getattr(learned.segments, name))
    assert np.array_equal(found.grouping.centre, learned.segments.grouping.centre)
    assert np.array_equal(found.grouping.product_topic, learned.segments.grouping.product_topic)
    assert found.profile == learned.segments.profile


def test_one_cluster_where_all_shoppers_are_the_same() -> None:
    shoppers = shoppers_of(shop_orders(), None, FIRST, END)
    alike = shoppers.bought[[0] * CUSTOMERS]
    blank = blank_grouping(
        np.array(["a"], dtype=object),
        np.zeros(PRODUCTS, dtype=np.int32),
        np.ones(1),
        1.0,
        np.ones(CUSTOMERS),
        alike,
        2.0,
    )
    grouping, segment = grouped(blank, np.ones(CUSTOMERS), alike, 4, 5)
    assert len(grouping) == 1
    assert not segment.any()
