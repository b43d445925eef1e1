"""Joint probabilities of three and four products: what is learned, bounded, kept and asked."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.instance import Instance
from bundlewise.instances.orders import Orders
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.beliefs_folder import load_beliefs, save_beliefs
from bundlewise.models.learning import learn
from bundlewise.models.product_features import features_of_codes
from bundlewise.models.product_sets import ABSENT, ProductSets, set_table
from bundlewise.models.score_sets import score_sets
from bundlewise.models.set_closure import bounded, closure, members, possible_range
from bundlewise.models.set_prior import SetPrior, fit_set_prior
from hypothesis import given, settings
from hypothesis import strategies as st

from .shops import FIRST_WEEK, WEEKS, catalogue_of, instance_of

PRODUCTS, VISITS = 24, 12_000


def _tastes() -> np.ndarray:
    """(products, kinds of trip) purchase probabilities: large trips hold more of everything."""
    random = np.random.default_rng(3)
    level = np.exp(random.normal(np.log(0.05), 0.4, (PRODUCTS, 1)))
    taste = random.gamma(3.0, 1 / 3.0, (PRODUCTS, 5))
    return np.minimum(level * taste * np.array([0.3, 0.5, 0.9, 1.3, 2.5]), 0.6)


@pytest.fixture(scope="module")
def tastes() -> np.ndarray:
    return _tastes()


@pytest.fixture(scope="module")
def shop_of_trips(tastes: np.ndarray) -> Instance:
    """A visit is of one of five kinds, and buys each product independently of the others."""
    random = np.random.default_rng(4)
    kind = random.integers(0, tastes.shape[1], VISITS)
    visit, product = np.nonzero(random.random((VISITS, PRODUCTS)) < tastes[:, kind].T)
    week = FIRST_WEEK + np.arange(VISITS) * WEEKS // VISITS
    orders = _lines_of(visit, product, week)
    instance = instance_of(orders, catalogue_of(PRODUCTS), FIRST_WEEK + WEEKS)
    candidates = instance.scenario.candidates.model_copy(update={"max_size": 4})
    scenario = instance.scenario.model_copy(update={"candidates": candidates})
    return replace(instance, scenario=scenario)


def _lines_of(visit: np.ndarray, product: np.ndarray, week: np.ndarray) -> Orders:
    """One unit at 5.00 for each product of each visit."""
    lines = len(visit)
    return Orders(
        visit=visit.astype(np.int32),
        product=product.astype(np.int32),
        quantity=np.ones(lines),
        amount=np.full(lines, 500, dtype=np.int64),
        list_amount=np.full(lines, -1, dtype=np.int64),
        bundled=np.zeros(lines, dtype=bool),
        week=week.astype(np.int32),
        customer=(np.arange(len(week)) % 2_000).astype(np.int32),
        store=np.full(len(week), -1, dtype=np.int32),
        n_products=PRODUCTS,
    )


@pytest.fixture(scope="module")
def beliefs(shop_of_trips: Instance) -> Beliefs:
    return learn(shop_of_trips)


def learned(beliefs: Beliefs) -> ProductSets:
    assert beliefs.product_sets is not None
    return beliefs.product_sets


def test_probabilities_of_sets_are_recovered(beliefs: Beliefs, tastes: np.ndarray) -> None:
    """Those expected in 8 visits or more: hardly biased, and closer to the truth than their own
    counts."""
    sets = learned(beliefs)
    for size in (3, 4):
        every = np.array(list(combinations(range(PRODUCTS), size)))
        truth = tastes[every].prod(axis=1).mean(axis=1)
        often = truth * VISITS > 8
        every, truth = every[often], truth[often]
        found = beliefs.set_probability(every)
        error = np.log(found / truth)
        row = sets.find(np.hstack([every, np.full((len(every), 4 - size), ABSENT)]))
        counted = row >= 0
        assert counted.mean() > 0.8
        own = np.log(sets.orders[row[counted]] / VISITS / truth[counted])
        assert len(truth) > 60
        # the few products that make up the often bought fours err together in all of them
        assert abs(error.mean()) < (0.06 if size == 3 else 0.15)
        assert error[counted].std() < 0.75 * own.std()


def test_intervals_of_triples_cover(beliefs: Beliefs, tastes: np.ndarray) -> None:
    """log p_S varies with its own factor and with the pairs it is closed from."""
    sets = learned(beliefs)
    rows = sets.of_size(3)
    held = sets.products[rows, :3]
    truth = tastes[held].prod(axis=1).mean(axis=1)
    often = truth * VISITS > 8  # chosen by what is expected, never by what was seen
    variance = sets.spread[rows] ** 2
    for a, b in combinations(range(3), 2):
        variance = variance + beliefs.pairs_of(held[:, a], held[:, b])["odds_spread"] ** 2
    error = np.log(sets.joint_probability[rows] / truth)
    inside = np.abs(error) < 1.645 * np.sqrt(variance)
    assert often.sum() > 300
    assert inside[often].mean() > 0.85


def test_the_closure_alone_counts_large_trips_too_often(
    beliefs: Beliefs, tastes: np.ndarray
) -> None:
    every = np.array(list(combinations(range(PRODUCTS), 3)))
    truth = tastes[every].prod(axis=1).mean(axis=1)
    often = truth * VISITS > 8
    table = set_table(beliefs, every[often])
    apart = np.log(closure(table) / truth[often])
    error = np.log(table[:, -1] / truth[often])
    assert np.mean(error**2) < 0.5 * np.mean(apart**2)


def test_sets_stay_in_the_range_of_their_subsets(beliefs: Beliefs) -> None:
    for size in (3, 4):
        every = np.array(list(combinations(range(PRODUCTS), size)))
        table = set_table(beliefs, every)
        low, high = possible_range(table, learned(beliefs).visits)
        consistent = low <= high
        assert consistent.mean() > 0.99
        assert np.all(table[:, -1] <= high * (1 + 1e-12))
        assert np.all(table[consistent, -1] >= low[consistent] * (1 - 1e-12))
        assert np.all(table[:, -1] > 0)


def test_any_set_is_answered_in_any_order(beliefs: Beliefs) -> None:
    for held in permutations((3, 9, 17)):
        assert beliefs.set_probability(np.array([held])) == pytest.approx(
            beliefs.set_probability(np.array([[3, 9, 17, ABSENT]]))
        )
    mixed = np.array([[5, 2, ABSENT, ABSENT], [5, 2, 8, ABSENT], [5, 2, 8, 11]])
    pair, triple, four = beliefs.set_probability(mixed)
    assert pair == beliefs.joint_probability(np.array([2]), np.array([5]))[0]
    assert pair > triple > four > 0


def test_a_round_trip_through_the_folder(beliefs: Beliefs, tmp_path: Path) -> None:
    save_beliefs(beliefs, tmp_path / "b")
    sets, read = learned(beliefs), learned(load_beliefs(tmp_path / "b"))
    for name in ("products", "orders", "joint_probability", "spread"):
        np.testing.assert_array_equal(getattr(sets, name), getattr(read, name))
        assert getattr(sets, name).dtype == getattr(read, name).dtype
    assert (sets.priors, sets.least_orders, sets.visits) == (
        read.priors,
        read.least_orders,
        read.visits,
    )


def test_a_folder_that_lost_its_sets_is_refused(beliefs: Beliefs, tmp_path: Path) -> None:
    save_beliefs(beliefs, tmp_path / "b")
    (tmp_path / "b" / "sets.parquet").unlink()
    with pytest.raises(InputError, match=r"sets\.parquet: cannot be read"):
        load_beliefs(tmp_path / "b")


def test_another_order_of_the_catalogue(shop_of_trips: Instance, beliefs: Beliefs) -> None:
    """Products turned round, one gone: the same sets, under other numbers."""
    catalogue = shop_of_trips.catalogue
    order = np.arange(PRODUCTS)[::-1][1:]  # without the last
    columns = {name: getattr(catalogue, name)[order] for name in catalogue.__slots__}
    turned = replace(catalogue, **columns)
    moved = beliefs.aligned(turned)
    sets = learned(moved)
    assert len(sets) == (learned(beliefs).products != PRODUCTS - 1).all(axis=1).sum()
    assert sets.products.tolist() == sorted(sets.products.tolist())
    every = np.array(list(combinations(range(PRODUCTS - 1), 3)))
    np.testing.assert_allclose(
        moved.set_probability(every), beliefs.set_probability(order[every]), rtol=1e-9
    )


def test_other_prices_move_sets_with_their_pairs(shop_of_trips: Instance, beliefs: Beliefs) -> None:
    """A dearer product is bought less, and so is every set that holds it, and no other."""
    beliefs = replace(beliefs, price_sensitivity=np.full(PRODUCTS, 2.0))
    catalogue = shop_of_trips.catalogue
    price = catalogue.reference_price.copy()
    price[4] = 600
    moved = beliefs.aligned(replace(catalogue, reference_price=price))
    before, after = learned(beliefs), learned(moved)
    holds = (before.products == 4).any(axis=1)
    assert np.all(after.joint_probability[holds] < before.joint_probability[holds])
    np.testing.assert_allclose(after.joint_probability[~holds], before.joint_probability[~holds])
    rows = after.of_size(3)
    low, high = possible_range(set_table(moved, after.products[rows, :3]), after.visits)
    assert np.all(after.joint_probability[rows] <= high * (1 + 1e-12))
    assert np.all((after.joint_probability[rows] >= low * (1 - 1e-12)) | (low > high))


def test_pairs_alone_are_learned_unless_larger_sets_are_asked_for(
    shop_of_trips: Instance,
) -> None:
    candidates = shop_of_trips.scenario.candidates.model_copy(update={"max_size": 2})
    scenario = shop_of_trips.scenario.model_copy(update={"candidates": candidates})
    beliefs = learn(replace(shop_of_trips, scenario=scenario))
    assert beliefs.product_sets is None
    table = set_table(beliefs, np.array([[1, 2, 3]]))  # asked all the same: the closure answers
    assert 0 < table[0, -1] <= closure(table)[0] * (1 + 1e-12)


@settings(max_examples=200, deadline=None)
@given(
    atoms=st.lists(st.floats(0.001, 1.0), min_size=8, max_size=8)
    | st.lists(st.floats(0.001, 1.0), min_size=16, max_size=16)
)
def test_what_can_be_is_allowed_and_what_cannot_is_moved(atoms: list[float]) -> None:
    """Any way in which visits can hold parts of a set makes a table whose range holds it."""
    share = np.array(atoms) / np.sum(atoms)
    n = len(share)
    table = np.array([[sum(share[k] for k in range(n) if k & m == m) for m in range(n)]])
    low, high = possible_range(table, 1e12)
    assert low[0] - 1e-9 <= table[0, -1] <= high[0] + 1e-9
    for beyond in (-0.1, 1.1):
        joint, moved = bounded(np.array([beyond]), table, 1e12)
        assert moved[0]
        assert low[0] - 1e-9 <= joint[0] <= high[0] + 1e-9


def test_closure_of_a_log_linear_model_without_the_last_interaction() -> None:
    """Rare products tied in pairs only: p is Π of factors on products and pairs."""
    random = np.random.default_rng(0)
    q, lift = 1e-4 * random.uniform(1, 5, 4), random.uniform(0.5, 9, (4, 4))
    table = np.ones((1, 16))
    for subset in range(1, 16):
        held = members(subset)
        ties = [lift[a, b] for a, b in combinations(held, 2)]
        table[0, subset] = np.prod(q[held]) * np.prod(ties)
    assert closure(table)[0] == pytest.approx(table[0, -1], rel=1e-9)
    assert closure(table[:, :8])[0] == pytest.approx(table[0, 7], rel=1e-9)


def test_the_prior_is_recovered_from_counts() -> None:
    random = np.random.default_rng(6)
    closeness = random.normal(2.0, 1.0, 60_000)
    truth = SetPrior(level=-0.2, slope=-0.25, strength=3.0)
    expected = np.exp(random.normal(0.0, 1.5, 60_000))
    kappa = truth.mean(closeness) * random.gamma(3.0, 1 / 3.0, 60_000)
    found = fit_set_prior(random.poisson(expected * kappa).astype(float), expected, closeness)
    assert found.level == pytest.approx(truth.level, abs=0.04)
    assert found.slope == pytest.approx(truth.slope, abs=0.02)
    assert found.strength == pytest.approx(truth.strength, rel=0.08)


def test_the_posterior_is_that_of_a_gamma() -> None:
    """By quadrature: orders known, and known to be fewer than five."""
    prior = SetPrior(level=np.log(0.7), slope=0.0, strength=2.5)
    lam = np.linspace(1e-6, 30, 400_000)
    density = lam**1.5 * np.exp(-2.5 * lam / 0.7)
    at = np.zeros(1)
    for orders, expected in ((0, 3.0), (7, 4.0)):
        weight = density * (expected * lam) ** orders * np.exp(-expected * lam)
        mean = (lam * weight).sum() / weight.sum()
        assert prior.posterior(at, np.array([orders]), np.array([expected]))[0] == pytest.approx(
            mean, rel=1e-4
        )
    few = sum(
        np.exp(-2.0 * lam) * (2.0 * lam) ** a / np.prod(np.arange(1, a + 1)) for a in range(5)
    )
    mean = (lam * density * few).sum() / (density * few).sum()
    assert prior.unseen(at, np.array([2.0]), 5)[0] == pytest.approx(mean, rel=1e-4)


def test_held_out_scores_of_sets_beside_baselines(shop_of_trips: Instance) -> None:
    orders = shop_of_trips.orders
    features = features_of_codes(np.zeros(PRODUCTS, dtype=np.int32), 1)
    scores = score_sets(orders, features, FIRST_WEEK, FIRST_WEEK + WEEKS - 10, FIRST_WEEK + WEEKS)
    assert scores["triples"]["sets"] == 2_024
    assert scores["sets_of_four"]["sets"] == 10_626
    for of_size in scores.values():
        assert of_size["learned"] > max(of_size["independence"], of_size["raw_counts"]) + 0.1
        assert of_size["learned"] > of_size["smaller_sets"] - 0.02  # equal but for chance here
