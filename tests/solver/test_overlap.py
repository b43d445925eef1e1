"""Plans whose offers share products, against brute-force shoppers and closed cases."""

from __future__ import annotations

import time

import numpy as np
import pytest
from bundlewise.instances.scenario import Assumptions
from bundlewise.instances.synthetic_ties import tied_uniform
from bundlewise.solver.overlap import Overlap, reevaluate
from bundlewise.solver.overlap_choice import best_choices
from bundlewise.solver.verifier_economics import Side, shares
from scipy.special import logit

from .overlap_cases import Case, make_offers


def _reevaluate(case: Case, assumptions: Assumptions | None = None, *, seed: int = 0) -> Overlap:
    """Re-evaluate offers whose values are those of an independent quadrature."""
    instance, beliefs, offers = make_offers(case, assumptions)
    return reevaluate(instance, beliefs, offers, seed=seed)


def test_offers_that_share_nothing_need_no_simulation() -> None:
    case = Case(pairs=((0, 1), (2, 3)), odds_ratio=(8.0, 3.0), money_off=(300, 200))
    found = _reevaluate(case)
    assert found.components == found.offers == 0
    assert found.together == found.separate
    assert found.interaction == found.standard_error == 0.0


@pytest.mark.parametrize(
    "assumptions",
    [
        Assumptions(),
        Assumptions(exposure=0.4, redemption="automatic", tax_rate=0.1, offer_cost=2.0),
    ],
)
@pytest.mark.parametrize(
    "case",
    [
        Case(pairs=((0, 1), (0, 2)), odds_ratio=(8.0, 3.0), money_off=(300, 400)),
        Case(
            pairs=((0, 1), (1, 2), (2, 3)),
            odds_ratio=(8.0, 0.4, 30.0),
            money_off=(300, 200, 400),
            probability=(0.01, 0.002, 0.0005, 0.03),
        ),
        Case(
            pairs=((0, 1), (1, 2)),
            odds_ratio=(8.0, 2.0),
            money_off=(300, 200),
            scale=(0.8, 0.5, 0.0, 0.2),
            capped=(True, False),
            deepest_cut=0.2,
        ),
    ],
)
def test_offers_one_by_one_earn_their_values(case: Case, assumptions: Assumptions) -> None:
    """The simulated sum of offers alone is the sum of their values, within its error."""
    found = _reevaluate(case, assumptions)
    assert found.offers == len(case.pairs)
    assert found.overlapping == pytest.approx(found.separate)
    assert abs(found.simulated_separate - found.overlapping) < 4 * found.simulated_error
    assert found.simulated_error < 0.02 * abs(found.separate)
    assert found.standard_error < 0.01 * abs(found.separate)


@pytest.mark.parametrize("exposure", [1.0, 0.5])
def test_two_offers_that_share_a_product_against_brute_force(exposure: float) -> None:
    """Shoppers drawn from the whole population, every option compared by its surplus."""
    case = Case(
        pairs=((0, 1), (0, 2)),
        odds_ratio=(6.0, 10.0),
        money_off=(500, 600),
        probability=(0.15, 0.10, 0.12, 0.1),
        sensitivity=(4.0, 5.0, 3.5, 3.0),
    )
    assumptions = Assumptions(exposure=exposure, redemption="automatic")
    found = _reevaluate(case, assumptions)

    rng = np.random.default_rng(11)
    count = 3_000_000
    q, eta = np.array(case.probability[:3]), np.array(case.sensitivity[:3])
    rank = np.empty((count, 3))
    rank[:, 0] = rng.random(count)
    for k in (1, 2):
        rank[:, k] = tied_uniform(rank[:, 0], rng.random(count), case.odds_ratio[k - 1])
    price = 1000.0
    worth = price * (1 + (logit(q) - logit(rank)) / eta)
    sees = rng.random(count) < exposure
    apart = np.maximum(worth - price, 0)
    # Options: all apart; {0, 1} and 2 apart; {0, 2} and 1 apart. The till (automatic) gives a
    # bundle to who sees no offer but buys both anyway: the one with more money off.
    options = [apart.sum(axis=1)]
    for partner, other, off in ((1, 2, 500), (2, 1, 600)):
        surplus = worth[:, 0] + worth[:, partner] - (2 * price - off) + apart[:, other]
        possible = (worth[:, 0] >= 0) & (worth[:, partner] >= 0)
        anyway = (worth[:, 0] >= price) & (worth[:, partner] >= price)
        options.append(np.where(possible & (sees | anyway), surplus, -np.inf))
    choice = np.argmax(np.stack(options), axis=0)
    gain = np.zeros(count)
    for number, partner, off in ((1, 1, 500), (2, 2, 600)):
        added = (worth[:, 0] < price).astype(float) + (worth[:, partner] < price)
        gain += (choice == number) * (added * 500 - off)
    visits = 10_000
    expected, error = visits * gain.mean(), visits * gain.std() / np.sqrt(count)
    tolerance = 3 * np.hypot(error, found.standard_error)
    assert abs(found.together - expected) < tolerance
    assert tolerance < 0.25 * abs(found.together - found.separate)  # the test can tell them apart
    assert found.interaction == pytest.approx(
        (found.together - found.separate) / abs(found.separate)
    )


def test_overlap_is_sure_and_quick_for_rare_products() -> None:
    case = Case(
        pairs=tuple((0, k) for k in range(1, 9)),
        odds_ratio=tuple(np.linspace(3, 40, 8)),
        money_off=(400,) * 8,
        probability=(0.02, *np.geomspace(1e-5, 0.03, 8)),
        sensitivity=(4.0,) * 9,
    )
    start = time.perf_counter()
    found = _reevaluate(case)
    assert time.perf_counter() - start < 10
    assert found.components == 1
    assert found.standard_error < 0.01 * abs(found.separate)
    assert abs(found.simulated_separate - found.overlapping) < 4 * found.simulated_error


def test_a_circle_of_offers_is_valued_by_its_strongest_ties() -> None:
    """Off the tree a pair is tied less than believed; the change is measured on one population."""
    case = Case(pairs=((0, 1), (1, 2), (0, 2)), odds_ratio=(9.0, 6.0, 4.0), money_off=(300,) * 3)
    found = _reevaluate(case)
    assert found.offers == 3
    assert found.standard_error < 0.01 * abs(found.separate)
    assert found.simulated_separate != pytest.approx(found.overlapping, rel=1e-6)


def test_the_same_seed_gives_the_same_figures() -> None:
    case = Case(pairs=((0, 1), (0, 2)), odds_ratio=(8.0, 3.0), money_off=(300, 400))
    assert _reevaluate(case) == _reevaluate(case)
    assert _reevaluate(case) != _reevaluate(case, seed=1)


def test_shoppers_take_the_disjoint_bundles_of_highest_surplus() -> None:
    """A path of three offers: the two ends (3 + 3) beat the middle (5), unless it is worth 7."""
    conflicts = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=bool)
    wanted = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 0, 0]], dtype=bool)
    surplus = np.array([[3.0, 5, 3], [3, 7, 3], [3, 5, 3], [3, 5, 3]])
    gain = np.broadcast_to(np.array([1.0, 10, 100]), (4, 3)).copy()
    alone, together, crowded = best_choices(wanted, surplus, gain, conflicts)
    assert alone.tolist() == [111, 111, 110, 0]
    assert together.tolist() == [101, 10, 10, 0]
    assert crowded == 0


def test_many_wanted_bundles_are_taken_greedily_and_counted() -> None:
    """Twelve offers of one product: one is taken, the one of highest surplus."""
    wanted, gain = np.ones((1, 12), dtype=bool), np.arange(12.0)[None, :]
    surplus = np.roll(np.arange(12.0), 5)[None, :]
    _, together, crowded = best_choices(wanted, surplus, gain, np.ones((12, 12), dtype=bool))
    assert together.tolist() == [4.0]
    assert crowded == 1


def test_values_of_the_cases_are_those_of_many_nodes() -> None:
    """The helper's value of an offer with ψ = 1 and one node, worked out again.

    q = 0.1, η = 2, r = 1000, D = 200: u = σ(logit 0.1 + 0.4) = 0.142189.
    """
    case = Case(
        pairs=((0, 1),),
        odds_ratio=(1.0,),
        money_off=(200,),
        probability=(0.1,) * 4,
        sensitivity=(2.0,) * 4,
    )
    _, _, offers = make_offers(case, None)
    side = Side(0.1, 2.0, 1000.0, 200.0)
    both = float(shares(side, side, 1.0, 200.0).both)
    row_two = 0.1 * (0.142189 - 0.1)
    expected = 10_000 * (0.01 * -200 + 2 * row_two * (500 - 200) + both * (1000 - 200))
    assert offers.incremental_margin[0] == pytest.approx(expected, rel=1e-4)
