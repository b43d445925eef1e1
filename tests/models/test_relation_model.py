"""The seed's relation model, how it is scored, and the product graph as a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bundlewise.models import RelationModel, graph_of, learn
from bundlewise.models.product_features import features_of_codes
from bundlewise.models.relation_model import fit_relation_model
from bundlewise.models.score_relations import area_under_curve, log_loss, score_relations
from scipy.special import expit

from .shops import FIRST_WEEK, TRUE_Q, catalogue_of, instance_of, shop
from .simulate import order_lines

ONES = np.ones(4)


def test_the_probability_is_the_logistic_of_the_weighted_features():
    model = RelationModel(np.array([2.0, -1.0]), 0.5, 1)
    found = model.probability(np.array([[1.0, 0.0], [0.0, 3.0]]))
    np.testing.assert_allclose(found, expit([2.5, -2.5]))


def test_weights_are_found_again():
    rng = np.random.default_rng(1)
    relations = rng.normal(3, 2, (40_000, 2))
    seen = rng.random(40_000) < expit(relations @ [0.5, -1.0] + 1.0)
    model = fit_relation_model(relations, seen.astype(float), np.ones(40_000), 1)
    np.testing.assert_allclose(model.weights, [0.5, -1.0], atol=0.05)
    assert abs(model.intercept - 1.0) < 0.15


def test_a_pair_that_stands_for_two_counts_twice():
    rng = np.random.default_rng(2)
    relations = rng.normal(0, 1, (500, 1))
    seen = (rng.random(500) < 0.4).astype(float)
    twice = np.where(np.arange(500) < 100, 2.0, 1.0)
    weighted = fit_relation_model(relations, seen, twice, 1)
    again = np.append(np.arange(500), np.arange(100))
    repeated = fit_relation_model(relations[again], seen[again], np.ones(600), 1)
    for value in (-1.0, 2.0):
        one, other = (m.probability(np.array([[value]]))[0] for m in (weighted, repeated))
        assert one == pytest.approx(other, abs=0.01)


@pytest.mark.parametrize("orders", [0.0, 5.0])
def test_where_all_came_or_none_the_share_is_all_there_is(orders: float):
    model = fit_relation_model(np.eye(4), np.full(4, orders), ONES, 1)
    np.testing.assert_allclose(model.probability(np.eye(4)), 0.9 if orders else 0.1)


def test_log_loss_and_area_by_hand():
    probability = np.array([0.8, 0.5, 0.5, 0.1])
    event = np.array([True, True, False, False])
    expected = -(2 * np.log(0.8) + np.log(0.5) + np.log(0.5) + np.log(0.9)) / 5
    assert log_loss(probability, event, np.array([2.0, 1, 1, 1])) == pytest.approx(expected)
    # of the four pairs of one that came and one that did not, three are in order and one is a tie
    assert area_under_curve(probability, event, ONES) == pytest.approx(3.5 / 4)
    assert area_under_curve(probability, np.ones(4, dtype=bool), ONES) is None


def test_both_models_say_more_than_the_share_of_pairs():
    instance = shop()
    features = features_of_codes(np.zeros(len(TRUE_Q), dtype=np.int32), 1)
    weeks = (FIRST_WEEK, FIRST_WEEK + 20, FIRST_WEEK + 21)
    found = score_relations(instance.orders, features, *weeks)
    assert found["pairs"] == 60 * 59 // 2
    assert 0.05 < found["share_together"] < 0.9
    plain = found["together_before"]
    assert plain["auc"] == pytest.approx(0.5)
    for name in ("relation_model", "learned"):
        assert found[name]["log_loss"] < plain["log_loss"]
        assert found[name]["auc"] > 0.6


def test_the_graph_sets_each_pair_beside_what_trips_make_of_it():
    """Every other visit buys ten times as much: all that these products share is the trip."""
    rng = np.random.default_rng(3)
    n, weeks = 30, 12
    q = np.full(n, 0.03)
    zero, price = np.zeros((n, weeks)), np.full(n, 500.0)
    orders = order_lines(rng, q, np.ones(n), zero, price, 800, FIRST_WEEK)
    big = orders.visit % 2 == 0
    small = big | (rng.random(orders.n_lines) < 0.1)
    kept = {
        name: getattr(orders, name)[small]
        for name in ("visit", "product", "quantity", "amount", "list_amount", "bundled")
    }
    beliefs = learn(instance_of(replace(orders, **kept), catalogue_of(n), FIRST_WEEK + weeks))
    graph = graph_of(beliefs)
    assert isinstance(graph, pd.DataFrame)
    assert len(graph) == len(beliefs.pair_a)
    assert graph["product_a"][0] == beliefs.product_ids[beliefs.pair_a[0]]
    lift = (0.5 * (1 + 0.1**2)) / (0.5 * 1.1) ** 2
    assert abs(graph["odds_ratio"].median() / lift - 1) < 0.1
    assert abs(graph["trip_odds_ratio"].median() / lift - 1) < 0.1
    assert abs(graph["beyond_trips"].median() - 1) < 0.05
    expected = 800 * weeks * (0.03 * 0.55) ** 2
    assert abs(graph["expected_orders"].median() / expected - 1) < 0.15
    for column in ("expected_orders", "trip_odds_ratio"):
        assert np.isfinite(graph[column]).all()
