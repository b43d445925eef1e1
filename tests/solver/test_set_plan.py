"""Plans with bundles of three and four products: the best one by hand, rules, the verifier, and
bundles that compete."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bundlewise.instances.errors import ConflictError
from bundlewise.instances.instance import Instance
from bundlewise.instances.previous_plan import PreviousBundle, PreviousPlan
from bundlewise.instances.rules import (
    AtMostOneOf,
    CategoryLimit,
    Clearance,
    Excluded,
    Locked,
    MustInclude,
    NeverTogether,
    SameLevel,
    Stability,
)
from bundlewise.instances.scenario import Limits
from bundlewise.models.beliefs import Beliefs
from bundlewise.solver.filters import offer_mask
from bundlewise.solver.last_week import returning
from bundlewise.solver.matching import Matcher
from bundlewise.solver.overlap import reevaluate
from bundlewise.solver.plan import Plan
from bundlewise.solver.planning import solve
from bundlewise.solver.scoring import score_offers
from bundlewise.solver.verifier import verify_files
from scipy.special import logit

from .factories import make_catalogue, make_instance, make_offers, make_scenario
from .set_cases import shop_of_sets

TRIPLE, FOUR = ("0", "1", "2"), ("0", "1", "2", "3")


def bundles(plan: Plan) -> set[str]:
    return set(plan.offers["bundle_id"])


def test_the_best_plan_has_a_triple_where_only_triples_gain() -> None:
    """Responses of 0.4 a product: a pair brings 0.8 of what it costs, a triple 1.2 (test of
    scoring). Of six equal products two disjoint triples are the most that can be offered."""
    instance, beliefs = shop_of_sets(
        [0.1] * 6, sensitivity=0.8 / 0.9, levels=(0.02, 0.05), visits=1e6
    )
    plan = solve(instance, beliefs)
    assert plan.status == "optimal"
    assert len(plan.offers) == 2
    held = [set(name.split("+")) for name in bundles(plan)]
    assert [len(bundle) for bundle in held] == [3, 3]
    assert not held[0] & held[1]
    best, _ = score_offers(instance, beliefs)
    assert plan.report["objective"] == pytest.approx(2 * best.value.max() / 100)
    assert plan.report["kpis"]["bundles"] == 2


@pytest.fixture(scope="module")
def shop() -> tuple[Instance, Beliefs]:
    rules = [
        MustInclude(kind="must-include", name="three", products=TRIPLE),
        Locked(kind="locked", name="four", products=("2", "3", "4", "5"), level=0.1),
    ]
    limits = Limits(max_bundles=6, max_bundles_per_product=2, min_plan_margin=0.1)
    return shop_of_sets(
        [0.1, 0.12, 0.08, 0.15, 0.2, 0.09, 0.1],
        sensitivity=3.5,
        scale=0.5,
        deepest_cut=0.18,
        max_size=4,
        limits=limits,
        rules=rules,
        lift=1.2,
    )


@pytest.fixture(scope="module")
def plan(shop: tuple[Instance, Beliefs]) -> Plan:
    return solve(*shop)


def test_the_verifier_finds_the_same_by_its_own_formulas(
    shop: tuple[Instance, Beliefs], plan: Plan
) -> None:
    assert {"0+1+2", "2+3+4+5"} <= bundles(plan)
    assert verify_files(plan.files(), instance=shop[0]) == ()
    kinds = plan.beliefs["kind"].value_counts()
    assert kinds["set"] >= 6  # the triple, the four, and the four triples within it
    for row in plan.offers.itertuples():
        assert row.incremental_margin_low <= row.incremental_margin <= row.incremental_margin_high
        assert row.incremental_units == pytest.approx(sum(row.added_units), rel=1e-5)


def _table(plan: Plan, name: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(plan.files()[name]), dtype=str, keep_default_na=False)


def _with_cell(plan: Plan, bundle: str, column: str, value: str) -> dict[str, bytes]:
    """The plan's files with one cell of plan.csv changed."""
    table = _table(plan, "plan.csv")
    table.loc[table["bundle_id"] == bundle, column] = value
    return {**plan.files(), "plan.csv": table.to_csv(index=False, lineterminator="\n").encode()}


def test_the_verifier_catches_a_wrong_triple(shop: tuple[Instance, Beliefs], plan: Plan) -> None:
    instance, _ = shop
    table = _table(plan, "plan.csv").set_index("bundle_id")
    added = [float(part) for part in table.loc["0+1+2", "added_units"].split(";")]
    wrong = f"{added[0]:g};{added[1]:g};{added[2] * 1.02:.6g}"
    problems = verify_files(_with_cell(plan, "0+1+2", "added_units", wrong), instance=instance)
    assert any("0+1+2: added_units (third) is" in line for line in problems)
    margin = float(table.loc["2+3+4+5", "incremental_margin"])
    changed = _with_cell(plan, "2+3+4+5", "incremental_margin", f"{margin * 1.1:.2f}")
    problems = verify_files(changed, instance=instance)
    assert any("2+3+4+5: incremental_margin is" in line for line in problems)


@pytest.mark.parametrize(("factor", "found"), [(1.05, "0+1+2: "), (20.0, "smaller sets allow")])
def test_the_verifier_catches_other_beliefs_about_a_triple(
    shop: tuple[Instance, Beliefs], plan: Plan, factor: float, found: str
) -> None:
    """Another p_S gives other units; one beyond its pairs is impossible."""
    beliefs = plan.beliefs.copy()
    rows = (beliefs["kind"] == "set") & (beliefs["product_a"] == "0")
    assert rows.any()
    beliefs.loc[rows, "joint_probability"] *= factor
    buffer = io.BytesIO()
    beliefs.to_parquet(buffer, index=False)
    problems = verify_files(
        {**plan.files(), "beliefs.parquet": buffer.getvalue()}, instance=shop[0]
    )
    assert any(found in line for line in problems)


def test_a_plan_whose_beliefs_lack_the_triple(shop: tuple[Instance, Beliefs], plan: Plan) -> None:
    buffer = io.BytesIO()
    plan.beliefs[plan.beliefs["kind"] != "set"].to_parquet(buffer, index=False)
    files = {**plan.files(), "beliefs.parquet": buffer.getvalue()}
    problems = verify_files(files, instance=shop[0])
    assert any("0 and 1 and 2, a set that beliefs.parquet does not know" in p for p in problems)


def test_a_triple_is_too_large_for_a_scenario_of_pairs(
    shop: tuple[Instance, Beliefs], plan: Plan
) -> None:
    instance, _ = shop
    candidates = instance.scenario.candidates.model_copy(update={"max_size": 2})
    scenario = instance.scenario.model_copy(update={"candidates": candidates})
    problems = verify_files(plan.files(), instance=replace(instance, scenario=scenario))
    assert any("rule max_size: 0+1+2" in p or "max_size 0+1+2" in p for p in problems)


def test_rules_read_bundles_of_every_size() -> None:
    """Four products of two categories; offers of two, three and four products side by side."""
    catalogue = make_catalogue(FOUR, category=["x", "x", "y", "z"], min_price=[600, 0, 0, 700])
    instance = make_instance(catalogue, make_scenario())
    offers = make_offers(
        [(0, 1, -1, -1), (0, 1, 2, -1), (0, 1, 2, 3), (2, 3, -1, -1)],
        [1.0] * 4,
        added_units=np.array([[1, 2, 0, 0], [1, 2, 3, 0], [1, 2, 3, 4], [3, 4, 0, 0]], dtype=float),
        level=[0, 0, 1, 1],
        candidate=[0, 1, 2, 3],
    )
    matcher = Matcher(instance)

    def found(mask: np.ndarray) -> list[int]:
        return np.flatnonzero(mask).tolist()

    assert found(matcher.exactly(offers, ("1", "0"), "r")) == [0]
    assert found(matcher.exactly(offers, ("2", "1", "0"), "r", 0.1)) == [1]
    assert found(matcher.exactly(offers, ("2", "1", "0"), "r", 0.2)) == []
    assert found(matcher.exactly(offers, FOUR, "r")) == [2]
    assert found(matcher.touching(offers, ("3",), "r")) == [2, 3]
    assert found(matcher.holding_two(offers, ("1", "2"), "r")) == [1, 2]
    assert found(matcher.in_category(offers, "z", "r")) == [2, 3]
    assert matcher.units_of(offers, ("2", "3"), "r").tolist() == [0, 3, 7, 7]
    named = [("3", "2"), ("2", "1", "0"), ("0", "1", "9"), ("3", "2", "1", "0"), ("0", "3")]
    assert matcher.number_of(offers, named).tolist() == [-1, 1, 3, 0]
    floor = offers.of_products(catalogue.min_price, 0).sum(axis=1)
    assert floor.tolist() == [600, 600, 1300, 700]
    assert offers.entries()[1].tolist() == [0, 1, 0, 1, 2, 0, 1, 2, 3, 2, 3]


RULES = {
    "never-together": NeverTogether(kind="never-together", name="r", products=("0", "2")),
    "excluded": Excluded(kind="excluded", name="r", products=TRIPLE),
    "at-most-one-of": AtMostOneOf(kind="at-most-one-of", name="r", bundles=(TRIPLE, ("3", "4"))),
    "same-level": SameLevel(kind="same-level", name="r", category="c"),
    "clearance": Clearance(kind="clearance", name="r", products=("1",), target=1100.0),
    "category-limit": CategoryLimit(kind="category-limit", name="r", category="c", min=2, max=2),
}


@pytest.mark.parametrize("kind", RULES)
def test_plans_with_triples_keep_every_rule(kind: str) -> None:
    """The verifier, which counts by itself, agrees with every plan; stock and budget bind too."""
    instance, beliefs = shop_of_sets(
        [0.1, 0.12, 0.08, 0.15, 0.2],
        sensitivity=2.2,
        rules=[RULES[kind]],
        limits=Limits(max_bundles=3, max_bundles_per_product=2, discount_budget=9_000.0),
        lift=1.1,
    )
    stock = np.array([12_000.0, np.inf, np.inf, 17_000.0, np.inf])
    instance = replace(instance, catalogue=replace(instance.catalogue, stock=stock))
    plan = solve(instance, beliefs)
    assert plan.status == "optimal"
    assert verify_files(plan.files(), instance=instance) == ()
    held = [name.split("+") for name in bundles(plan)]
    if kind == "never-together":
        assert not any({"0", "2"} <= set(bundle) for bundle in held)
    if kind == "excluded":
        assert list(TRIPLE) not in held


def test_a_triple_that_never_together_forbids_conflicts_with_must_include() -> None:
    rules = [
        MustInclude(kind="must-include", name="three", products=TRIPLE),
        NeverTogether(kind="never-together", name="apart", products=("0", "2")),
    ]
    instance, beliefs = shop_of_sets([0.1] * 4, rules=rules)
    with pytest.raises(ConflictError) as caught:
        solve(instance, beliefs)
    assert "three" in str(caught.value)
    assert "apart" in str(caught.value)


def test_last_weeks_triple_is_recognised(tmp_path) -> None:
    instance, beliefs = shop_of_sets(
        [0.1] * 4, rules=[Stability(kind="stability", name="keep", min_share=1.0)]
    )
    last = PreviousPlan(tmp_path / "plan.csv", (PreviousBundle(TRIPLE, 1),))
    instance = replace(instance, previous_plan=last)
    offers, _ = score_offers(instance, beliefs, mask=offer_mask(instance, beliefs))
    again = returning(instance, offers) >= 0
    assert again.any()
    assert {offers.bundle(k) for k in np.flatnonzero(again)} == {(0, 1, 2)}
    plan = solve(instance, beliefs)
    assert "0+1+2" in bundles(plan)


def test_bundles_that_compete_against_brute_force() -> None:
    """A triple and a pair that share a product, four independent products: every shopper of the
    population takes what is best for her."""
    limits = Limits(max_bundles=2, max_bundles_per_product=2)
    instance, beliefs = shop_of_sets(
        [0.15, 0.1, 0.12, 0.2], sensitivity=4.0, levels=(0.2,), limits=limits, visits=10_000
    )
    beliefs = replace(beliefs, odds_ratio=np.ones(len(beliefs.pair_a)))
    offers, _ = score_offers(instance, beliefs, mask=lambda o: (np.ones(len(o), bool), {}))
    wanted = [k for k in range(len(offers)) if offers.bundle(k) in ((0, 1, 2), (0, 3))]
    chosen = offers.take(np.array(wanted))
    found = reevaluate(instance, beliefs, chosen)
    assert found.offers == 2

    random = np.random.default_rng(5)
    count = 2_000_000
    q = np.array([0.15, 0.1, 0.12, 0.2])
    short = np.maximum(1000 * (logit(random.random((count, 4))) - logit(q)) / 4.0, 0)
    options, gains = [np.zeros(count)], [np.zeros(count)]
    for k in range(2):
        held, off = list(chosen.bundle(k)), 200 * len(chosen.bundle(k))
        falls = short[:, held]
        surplus = off - falls.sum(axis=1)
        options.append(np.where(np.all(falls <= 1000, axis=1), surplus, -np.inf))
        gains.append((falls > 0).sum(axis=1) * 500.0 - off)
    choice = np.argmax(np.stack(options), axis=0)
    gain = np.stack(gains)[choice, np.arange(count)]
    expected, error = 10_000 * gain.mean(), 10_000 * gain.std() / np.sqrt(count)
    both = [
        np.where(option >= 0, earned, 0.0)
        for option, earned in zip(options[1:], gains[1:], strict=True)
    ]
    alone = 10_000 * sum(part.mean() for part in both)
    # Who adds three is in the simulation and not in the offers' own value.
    assert found.together - found.separate == pytest.approx(
        expected - alone, abs=4 * np.hypot(error, found.standard_error)
    )
    assert found.together < found.separate
