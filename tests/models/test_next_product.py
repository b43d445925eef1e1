"""What joins a basket: the task and its scores by hand, and the beliefs' ranking."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from bundlewise.instances.orders import Baskets
from bundlewise.models import next_product, next_product_peers
from bundlewise.models.held_out import hold_out
from bundlewise.models.hidden_products import (
    HiddenProducts,
    hide_one,
    ndcg,
    ranks_by_company,
    ranks_by_score,
    recall,
)
from bundlewise.models.next_product import Company, least_squares, score_next_product, with_lifts
from bundlewise.models.product_features import features_of_codes

from .simulate import trips
from .test_evaluation import orders_of


def baskets_of(visits: list[list[int]], n_products: int) -> Baskets:
    start = np.append(0, np.cumsum([len(visit) for visit in visits]))
    product = np.array([x for visit in visits for x in visit], dtype=np.int32)
    return Baskets(start, product, np.zeros(len(visits), dtype=np.int32), n_products)


def test_recall_and_ndcg_by_hand():
    ranks = np.array([0, 1, 9, 10], dtype=np.int32)
    assert recall(ranks).tolist() == [1, 1, 1, 0]
    np.testing.assert_allclose(ndcg(ranks), [1, 1 / np.log2(3), 1 / np.log2(11), 0])


def test_one_product_is_hidden_of_every_basket_of_two_or_more():
    visits = [[0, 2], [1], [], [0, 1, 2, 3]]
    task = hide_one(baskets_of(visits, 4), seed=1)
    assert len(task) == 2
    for at, visit in enumerate((visits[0], visits[3])):
        shown = task.shown[task.start[at] : task.start[at + 1]].tolist()
        assert sorted([*shown, int(task.hidden[at])]) == visit
    again = hide_one(baskets_of(visits, 4), seed=1)
    assert again.hidden.tolist() == task.hidden.tolist()
    many = hide_one(baskets_of([[0, 1, 2]] * 600, 3), seed=1)
    assert np.bincount(many.hidden).min() > 160  # each equally likely


def test_ranks_by_hand():
    """Shown 0 and 1; scores of 2, 3, 4 are 1 + 1, 2 + 0, 0 + 0 and alone 0, 0, 3: order 4, then 2
    and 3 at a tie, which goes to the one that stands before. What is shown is not ranked."""
    company = np.zeros((5, 5), dtype=np.float32)
    company[0, 2:], company[1, 2:] = [1, 2, 0], [1, 0, 0]
    company[0, 1] = 9
    alone = np.array([0, 0, 0, 0, 3], dtype=np.float32)
    for hidden, rank in ((4, 0), (2, 1), (3, 2)):
        task = HiddenProducts(
            np.array([0, 2]), np.array([0, 1], dtype=np.int32), np.array([hidden], np.int32), 5
        )
        assert ranks_by_company(task, company, alone).tolist() == [rank]
        scores = (alone + company[0] + company[1])[None, :]
        assert ranks_by_score(task, 0, scores).tolist() == [rank]


def company_of(counts: list[list[float]], orders: list[float], visits: int) -> Company:
    baskets = Baskets(
        np.zeros(visits + 1, np.int64), np.array([], np.int32), np.array([], np.int32), 3
    )
    seen = np.array(counts, dtype=np.float32)
    return Company(baskets, np.array(orders, dtype=np.float32), seen, np.maximum(seen, 1e-3))


def test_least_squares_solves_the_normal_equations_of_every_product():
    known = company_of([[0, 8, 2], [8, 0, 4], [2, 4, 0]], [20, 10, 12], 50)
    company = least_squares(known, 1.0, 0.5)
    moments = known.counts + np.diag(known.orders + 0.5 * 14)
    for j in range(3):
        others = [i for i in range(3) if i != j]
        weights = np.linalg.solve(moments[np.ix_(others, others)], moments[others, j])
        np.testing.assert_allclose(company[others, j], weights, rtol=1e-4)
        assert company[j, j] == 0


def test_lifts_add_their_logarithms():
    known = company_of([[0, 8, 2], [8, 0, 4], [2, 4, 0]], [20, 10, 12], 50)
    company, alone = with_lifts(known, np.zeros((3, 3), dtype=np.float32), 0.5)
    assert company[0, 1] == pytest.approx(0.5 * np.log(8 / (20 * 10 / 50)))
    assert alone[2] == pytest.approx(0.5 * np.log(12 / 50))


@pytest.fixture(scope="module")
def scores() -> dict:
    """Trips of three kinds, each with products of its own that are rarely bought otherwise."""
    rng = np.random.default_rng(5)
    n = 60
    by_class = np.full((n, 3), 0.02)
    for kind in range(3):
        by_class[20 * kind : 20 * (kind + 1), kind] = rng.uniform(0.05, 0.4, 20)
    baskets = trips(rng, by_class, 4_000, 20)
    visits = np.split(baskets.product, baskets.start[1:-1])
    orders = orders_of([visit.tolist() for visit in visits], baskets.week.tolist(), n)
    features = features_of_codes(np.zeros(n, dtype=np.int32), 1)
    return score_next_product(hold_out(orders, features, (0, 15, 20)))


def test_beliefs_rank_as_well_as_the_best_peer(scores: dict):
    methods = scores["methods"]
    assert methods["beliefs"]["recall_at_10"] > 1.2 * methods["popularity"]["recall_at_10"]
    assert scores["ahead"] > -3 * scores["ahead_spread"]  # of the best of six, by luck too
    recalls = {name: found.get("recall_at_10", 0.0) for name, found in methods.items()}
    best = max(recall for name, recall in recalls.items() if name != "beliefs")
    assert methods[scores["best_peer"]]["recall_at_10"] == best
    assert scores["ahead"] == pytest.approx(methods["beliefs"]["recall_at_10"] - best)


def test_without_implicit_its_methods_say_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "implicit", None)
    baskets = baskets_of([[0, 1], [1, 2]], 3)
    task = hide_one(baskets, 1)
    for method in next_product_peers.IMPLICIT.values():
        answer = method(task, baskets)
        assert isinstance(answer, str)
        assert "not installed" in answer


def test_the_error_of_a_difference_counts_customers_not_baskets():
    """Two customers of two baskets each, differences 1, 1 and 0, 0 about a mean of 1/2: sums ±1,
    √(1 + 1)/4. Were the baskets apart it would be √(4·¼)/4."""
    difference = np.array([1.0, 1.0, 0.0, 0.0])
    spread = next_product._spread  # pyright: ignore[reportPrivateUsage]
    assert spread(difference, np.array([7, 7, 9, 9])) == pytest.approx(np.sqrt(2) / 4)
    assert spread(difference, np.array([1, 2, 3, 4])) == pytest.approx(1 / 4)
