"""Bundles of three and four products: shares and accounts against slow quadrature, simulated
shoppers, hand-worked values and laws."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from bundlewise.instances.rules import MustInclude
from bundlewise.instances.scenario import Assumptions, Limits
from bundlewise.instances.synthetic_ties import tied_uniform
from bundlewise.models.copula import odds_ratio_of
from bundlewise.solver.candidate_sets import WEAK, candidate_sets
from bundlewise.solver.offers import ABSENT
from bundlewise.solver.posterior import sensitivity_nodes
from bundlewise.solver.scoring import score_offers
from bundlewise.solver.set_kernel import set_shares
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit, logit

from .reference_shares import PairCase, reference_shares
from .set_cases import independent_table, random_table, shop_of_sets

TRIANGLE_TOLERANCE = 1e-3


def shares_of(
    table: np.ndarray,
    eta: np.ndarray,
    price: np.ndarray,
    discount: float,
    reach: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    credited = price if reach is None else reach
    one, two = set_shares(table[None, :], eta[None, :], price, credited, discount)
    return one[0], two[0]


def reference(
    table: np.ndarray, eta: np.ndarray, price: np.ndarray, discount: float, reach: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The formula of the design, each term by the slow quadrature of a pair."""
    size, whole = len(eta), len(table) - 1
    one, two = np.zeros(size), np.zeros((size, size))
    cut = reach / price
    for a in range(size):
        others, q = table[whole ^ 1 << a], table[1 << a]
        psi = float(odds_ratio_of(others, q, table[whole]))
        case = PairCase((others, q), (0.1, eta[a]), psi, (1e3, price[a]), discount, (1.0, cut[a]))
        one[a] = reference_shares(case)[1]
    for a, b in combinations(range(size), 2):
        held = whole ^ 1 << a ^ 1 << b
        given = table[held]
        u, v = table[held | 1 << a] / given, table[held | 1 << b] / given
        psi = float(odds_ratio_of(u, v, table[whole] / given))
        case = PairCase(
            (u, v), (eta[a], eta[b]), psi, (price[a], price[b]), discount, (cut[a], cut[b])
        )
        two[a, b] = given * reference_shares(case)[3]
    return one, two


@pytest.mark.parametrize("size", [3, 4])
def test_agrees_with_slow_quadrature(size: int) -> None:
    random = np.random.default_rng(size)
    for _ in range(60):
        table = random_table(random, size)
        eta, price = random.uniform(0.2, 6.0, size), np.exp(random.normal(0.0, 0.7, size))
        discount = price.sum() * random.uniform(0.01, 0.5)
        reach = price * random.choice([1.0, 0.3], size)
        one, two = shares_of(table, eta, price, discount, reach)
        slow_one, slow_two = reference(table, eta, price, discount, reach)
        np.testing.assert_allclose(one, slow_one, rtol=1e-10)
        np.testing.assert_allclose(two, slow_two, rtol=TRIANGLE_TOLERANCE)


def simulated(
    ranks: np.ndarray, q: np.ndarray, eta: np.ndarray, price: np.ndarray, discount: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Shares of shoppers who add one and two products, their standard errors, and the share of
    those who add three or more."""
    worth = price * (1 + (logit(q) - logit(ranks)) / eta)
    short = np.maximum(price - worth, 0.0)
    takes = (short.sum(axis=1) <= discount) & np.all(short <= price, axis=1)
    lacks = short > 0
    n, size = ranks.shape
    one, two = np.zeros(size), np.zeros((size, size))
    alone = takes & (lacks.sum(axis=1) == 1)
    for a in range(size):
        one[a] = (alone & lacks[:, a]).mean()
    pair = takes & (lacks.sum(axis=1) == 2)
    for a, b in combinations(range(size), 2):
        two[a, b] = (pair & lacks[:, a] & lacks[:, b]).mean()
    more = float((takes & (lacks.sum(axis=1) > 2)).mean())
    return one, two, np.sqrt(one / n), np.sqrt(two / n), more


@pytest.mark.parametrize("discount", [4.0, 9.0])
def test_independent_shoppers_row_by_row(discount: float) -> None:
    """Of independent products the formula is exact, but for those who add three."""
    random = np.random.default_rng(1)
    q, eta, price = np.array([0.3, 0.2, 0.25]), np.array([3.0, 2.0, 4.0]), np.array([10, 8, 12.0])
    ranks = random.random((3_000_000, 3))
    one, two, error_one, error_two, more = simulated(ranks, q, eta, price, discount)
    found_one, found_two = shares_of(independent_table(q), eta, price, discount)
    assert np.all(np.abs(found_one - one) < 3 * error_one)
    assert np.all(np.abs(found_two - two)[np.triu_indices(3, 1)] < 3 * error_two[two > 0])
    assert error_two[two > 0].max() < 0.03 * two[two > 0].min()  # errors that mean something
    assert 0 < more < 0.3 * two.sum()  # left out, and that is said


def test_shoppers_of_two_tied_products_and_one_apart() -> None:
    """Products 1 and 2 share a Plackett copula, 0 is independent of both. Who adds 0, and who has
    0 and adds both, is exact; the other rows are what odds ratios make of them, near the truth."""
    random = np.random.default_rng(2)
    q, eta, price = np.array([0.3, 0.2, 0.25]), np.array([3.0, 2.0, 4.0]), np.array([10, 8, 12.0])
    psi, discount, n = 6.0, 6.0, 3_000_000
    ranks = random.random((n, 3))
    ranks[:, 2] = tied_uniform(ranks[:, 1], random.random(n), psi)
    tied = shares_joint(q[1], q[2], psi)
    table = independent_table(q)
    table[0b110], table[0b111] = tied, q[0] * tied
    one, two, error_one, error_two, _ = simulated(ranks, q, eta, price, discount)
    found_one, found_two = shares_of(table, eta, price, discount)
    assert abs(found_one[0] - one[0]) < 3 * error_one[0]
    assert abs(found_two[1, 2] - two[1, 2]) < 3 * error_two[1, 2]
    np.testing.assert_allclose(found_one, one, rtol=0.09)
    np.testing.assert_allclose(found_two[np.triu_indices(3, 1)], two[two > 0], rtol=0.14)


def shares_joint(u: float, v: float, psi: float) -> float:
    s = 1 + (psi - 1) * (u + v)
    return (s - np.sqrt(s * s - 4 * psi * (psi - 1) * u * v)) / (2 * (psi - 1))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.sampled_from([3, 4]),
    sensitivity=st.floats(0.0, 8.0),
    part=st.floats(0.0, 0.9),
)
@example(seed=400, size=3, sensitivity=2.2250738585e-313, part=0.5)
def test_shares_are_shares(seed: int, size: int, sensitivity: float, part: float) -> None:
    """Never negative, in all at most 1, and none without a discount."""
    random = np.random.default_rng(seed)
    table = random_table(random, size)
    price = np.exp(random.normal(0.0, 1.0, size))
    one, two = shares_of(table, np.full(size, sensitivity), price, part * price.sum())
    assert np.all(one >= 0)
    assert np.all(two >= 0)
    assert table[-1] + one.sum() + two.sum() <= 1 + 1e-9
    one, two = shares_of(table, np.full(size, sensitivity), price, 0.0)
    assert one.sum() == two.sum() == 0.0


def test_accounts_of_a_triple_by_hand() -> None:
    """Independent products with q = 0.1, η = 4, 10.00 at a cost of 5.00, D = 3.00, 100,000 visits.

    With u = σ(logit 0.1 + 4·0.3) and T = ∫ g'(s)·(g(D − s) − q) ds:
    subsidised V·q³, added V·(q²(u − q) + 2·q·T) each, bundles V·(q³ + 3q²(u − q) + 3qT).
    """
    instance, beliefs = shop_of_sets([0.1] * 3, sensitivity=4.0, levels=(0.1,))
    offers, counts = score_offers(instance, beliefs, mask=lambda o: (np.ones(len(o), bool), {}))
    (row,) = np.flatnonzero(offers.products[:, 2] != ABSENT)
    assert offers.bundle(row) == (0, 1, 2)
    assert counts["candidates"] == 4

    def g(s: float) -> float:
        return float(expit(logit(0.1) + 4 * s / 10))

    slope = lambda s: 0.4 * g(s) * (1 - g(s)) * (g(3 - s) - 0.1)  # noqa: E731
    triangle, u, visits = quad(slope, 0, 3, epsabs=1e-14)[0], g(3.0), 100_000
    added = visits * (0.01 * (u - 0.1) + 2 * 0.1 * triangle)
    bundles = visits * (0.001 + 0.03 * (u - 0.1) + 0.3 * triangle)
    assert offers.subsidised_units[row] == pytest.approx(100.0)
    assert offers.added_units[row] == pytest.approx([added] * 3, rel=1e-4)
    assert offers.bundle_units[row] == pytest.approx(bundles, rel=1e-4)
    assert offers.incremental_margin[row] == pytest.approx(
        3 * added * 500 - bundles * 300, rel=1e-3
    )
    assert offers.value[row] == offers.incremental_margin[row]
    assert offers.list_price[row] == 3000
    assert offers.margin_rate[row] == pytest.approx((2700 - 1500) / 2700)


@pytest.mark.parametrize("maximize", ["margin", "revenue", "units"])
@pytest.mark.parametrize("redemption", ["seen", "automatic"])
def test_accounts_are_sums_of_shares_over_the_posterior(maximize: str, redemption: str) -> None:
    """Every objective, tax, funding and offer cost; η integrated; capped where that is less."""
    assumptions = Assumptions(
        exposure=0.4, redemption=redemption, tax_rate=0.2, offer_cost=1.5  # pyright: ignore
    )  # fmt: skip
    instance, beliefs = shop_of_sets(
        [0.1, 0.05, 0.2, 0.08],
        scale=0.6,
        deepest_cut=0.15,
        max_size=4,
        lift=1.3,
        assumptions=assumptions,
        price=[1000, 800, 900, 1200],
    )
    catalogue = replace(instance.catalogue, supplier_funding=np.array([10, 0, 5, 20]))
    objective = instance.scenario.objective.model_copy(update={"maximize": maximize})
    scenario = instance.scenario.model_copy(update={"objective": objective})
    instance = replace(instance, catalogue=catalogue, scenario=scenario)
    offers, _ = score_offers(instance, beliefs, mask=lambda o: (np.ones(len(o), bool), {}))
    seen, net = instance.visits * 0.4, 1.2
    checked = set()
    for row in np.flatnonzero(offers.products[:, 2] != ABSENT):
        held = list(offers.bundle(row))
        price = catalogue.reference_price[held].astype(float)
        off = float(offers.list_price[row] - offers.bundle_price[row])
        table = np.array(
            [
                1.3 ** (m.bit_count() * (m.bit_count() - 1) / 2)
                * np.prod(
                    [beliefs.purchase_probability[held[k]] for k in range(len(held)) if m >> k & 1]
                )
                for m in range(1 << len(held))
            ]
        )
        nodes, weights = sensitivity_nodes(beliefs, np.array(held))
        best = None
        for reach in (price, np.minimum(price, 0.15 * price)):
            one, two = np.zeros(len(held)), np.zeros((len(held), len(held)))
            grid = np.meshgrid(*nodes, indexing="ij")
            weight = np.prod(np.meshgrid(*weights, indexing="ij"), axis=0).ravel()
            eta = np.stack([axis.ravel() for axis in grid], axis=1)
            ones, twos = set_shares(np.tile(table, (len(eta), 1)), eta, price, reach, off)
            one, two = weight @ ones, np.tensordot(weight, twos, axes=1)
            added = seen * (one + two.sum(axis=0) + two.sum(axis=1))
            anyway = seen * table[-1] / (0.4 if redemption == "automatic" else 1.0)
            bundles = anyway + seen * (one.sum() + two.sum())
            gain = price / net - 500
            funding = catalogue.supplier_funding[held].sum()
            margin = added @ gain + bundles * (funding - off / net) - 150
            value = {
                "margin": margin,
                "revenue": (added @ price - bundles * off) / net,
                "units": added.sum(),
            }[maximize]
            if best is None or value < best[0]:
                best = (value, margin, bundles, anyway, added)
        assert best is not None
        scale = bundles * off
        assert offers.value[row] == pytest.approx(best[0], abs=1e-9 * scale + 1e-9)
        assert offers.incremental_margin[row] == pytest.approx(best[1], abs=1e-9 * scale)
        assert offers.bundle_units[row] == pytest.approx(best[2], rel=1e-9)
        assert offers.subsidised_units[row] == pytest.approx(best[3], rel=1e-9)
        assert offers.added_units[row, : len(held)] == pytest.approx(best[4], rel=1e-9)
        assert np.all(offers.added_units[row, len(held) :] == 0)
        checked.add(len(held))
    assert checked == {3, 4}


def test_pairs_are_scored_the_same_beside_larger_sets() -> None:
    _, beliefs = shop_of_sets([0.1, 0.05, 0.2, 0.08], max_size=4, lift=1.2)
    found = {}
    for max_size in (2, 3, 4):
        instance, _ = shop_of_sets([0.1, 0.05, 0.2, 0.08], max_size=max_size)
        offers, counts = score_offers(instance, beliefs)
        assert offers.width == max_size
        assert offers.candidate.tolist() == sorted(offers.candidate.tolist())
        pairs = np.flatnonzero((offers.products != ABSENT).sum(axis=1) == 2)
        found[max_size] = (offers.products[pairs, :2].tolist(), offers.value[pairs].tolist())
        assert counts["candidates"] == {2: 6, 3: 10, 4: 11}[max_size]
    assert found[2] == found[3] == found[4]


def test_no_bundle_gives_its_cheapest_product_away() -> None:
    """10.00 + 10.00 + 2.00: at 2.00 off, the first two alone would cost what all three do."""
    instance, beliefs = shop_of_sets(
        [0.1, 0.1, 0.1], price=[1000, 1000, 200], levels=(0.05, 0.09, 0.1, 0.3)
    )
    everything = lambda o: (np.ones(len(o), bool), {})  # noqa: E731
    offers, counts = score_offers(instance, beliefs, mask=everything)
    triples = offers.products[:, 2] != ABSENT
    assert (offers.list_price - offers.bundle_price)[triples].tolist() == [110, 198]
    assert counts["offers below one price"] > 0


def test_sets_without_a_good_pair_are_counted_and_not_scored() -> None:
    """η(1 − q)m/r: 0.45 each with η = 1, above 2/3 for two; 0.27 with η = 0.6, and no pair near."""
    for sensitivity, weak in ((1.0, 0), (0.6, 1)):
        instance, beliefs = shop_of_sets([0.1] * 3, sensitivity=sensitivity)
        sets, counts = candidate_sets(instance, beliefs, 3)
        assert counts[WEAK] == weak
        assert len(sets) == 1 - weak
    rule = MustInclude(kind="must-include", name="r", products=("2", "0", "1"))
    instance, beliefs = shop_of_sets([0.1] * 3, sensitivity=0.6, rules=[rule])
    sets, counts = candidate_sets(instance, beliefs, 3)  # a rule asks for it
    assert counts[WEAK] == 0
    assert sets.forced.tolist() == [True]


def test_a_triple_can_gain_where_no_pair_does() -> None:
    """Responses of 0.4 each: two come to 0.8 and three to 1.2 of what a first cent costs."""
    instance, beliefs = shop_of_sets([0.1] * 3, sensitivity=0.8 / 0.9, levels=(0.02, 0.05))
    offers, _ = score_offers(instance, beliefs)
    assert len(offers) > 0
    assert np.all(offers.products[:, 2] != ABSENT)


def test_sets_that_contradict_their_subsets_are_counted() -> None:
    instance, beliefs = shop_of_sets([0.1] * 3)
    sets = beliefs.product_sets
    assert sets is not None
    high = replace(sets, joint_probability=np.array([0.02]))  # pairs are at 0.01
    found, counts = candidate_sets(instance, replace(beliefs, product_sets=high), 3)
    assert len(found) == 0
    assert counts["contradicted sets"] == 1


def test_products_that_may_not_be_in_a_bundle() -> None:
    instance, beliefs = shop_of_sets([0.1] * 4)
    available = np.array([True, True, True, False])
    instance = replace(instance, catalogue=replace(instance.catalogue, available=available))
    sets, counts = candidate_sets(instance, beliefs, 3)
    assert sets.products.tolist() == [[0, 1, 2]]
    assert counts["unavailable"] == 3
    candidates = instance.scenario.candidates.model_copy(update={"allow_same_category": False})
    scenario = instance.scenario.model_copy(update={"candidates": candidates})
    sets, counts = candidate_sets(replace(instance, scenario=scenario), beliefs, 3)
    assert len(sets) == 0
    assert counts["same category"] == 1


def test_the_best_candidates_are_kept_whatever_their_size() -> None:
    instance, beliefs = shop_of_sets([0.3, 0.2, 0.1, 0.05], limits=Limits(max_bundles=3))
    whole, _ = score_offers(instance, beliefs)
    best = {c: whole.value[whole.candidate == c].max() for c in np.unique(whole.candidate).tolist()}
    candidates = instance.scenario.candidates.model_copy(update={"max_candidates": 3})
    scenario = instance.scenario.model_copy(update={"candidates": candidates})
    cut, counts = score_offers(replace(instance, scenario=scenario), beliefs)
    assert counts["candidates cut"] == len(best) - 3
    kept = {tuple(row) for row in cut.products.tolist()}
    top = sorted(best, key=lambda c: -best[c])[:3]
    assert kept == {tuple(whole.products[whole.candidate == c][0].tolist()) for c in top}
