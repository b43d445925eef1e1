"""Every rule of the scenario, each on an instance small enough to solve by hand."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.rules import (
    AtMostOneOf,
    BrandLimit,
    CategoryLimit,
    Locked,
    MustInclude,
    Rule,
)
from bundlewise.instances.scenario import Assumptions, Limits
from bundlewise.solver.build import build_program
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.offers import Offers
from bundlewise.solver.program import Program
from bundlewise.solver.solution import Status

from .factories import make_beliefs, make_catalogue, make_instance, make_offers, make_scenario

IDS = ("001", "002", "003", "004", "005", "006")
# 001+002 10, 003+004 8, 001+003 7, 005+006 2
PAIRS, VALUES = [(0, 1), (2, 3), (0, 2), (4, 5)], [10.0, 8.0, 7.0, 2.0]


def program_of(
    limits: Limits,
    rules: Sequence[Rule] = (),
    *,
    offers: Offers | None = None,
    stock: Sequence[float] | None = None,
    category: Sequence[str] = ("a", "a", "b", "b", "c", "c"),
    brand: Sequence[str] = ("x", "y", "x", "y", "z", "z"),
    maximize: str = "margin",
    assumptions: Assumptions | None = None,
) -> Program:
    catalogue = make_catalogue(IDS, category=category, brand=brand, stock=stock)
    scenario = make_scenario(limits, rules, maximize=maximize, assumptions=assumptions)
    instance = make_instance(catalogue, scenario)
    return build_program(
        instance, make_beliefs(catalogue), make_offers(PAIRS, VALUES) if offers is None else offers
    )


def chosen(program: Program) -> list[int]:
    solution = solve_program(program, EngineSettings(gap=0.0, time_limit=20))
    assert solution.status is Status.OPTIMAL
    assert solution.values is not None
    return np.flatnonzero(solution.values).tolist()


def row(program: Program, name: str) -> tuple[dict[int, float], float, float]:
    i = program.row_name.index(name)
    coefficients = program.matrix().tocsr()[[i]].tocoo()
    entries = dict(zip(coefficients.coords[1].tolist(), coefficients.data.tolist(), strict=True))
    return entries, float(program.row_lower[i]), float(program.row_upper[i])


def test_bundle_count() -> None:
    # 10 + 8 + 2 would be best; two bundles: 10 + 8
    program = program_of(Limits(max_bundles=2))
    assert chosen(program) == [0, 1]
    entries, lower, upper = row(program, "bundle-count")
    assert entries == {0: 1, 1: 1, 2: 1, 3: 1}
    assert (lower, upper) == (-np.inf, 2)


def test_min_bundles_takes_losing_offers() -> None:
    # three bundles that share no product: {0, 1, 3} whatever they earn
    offers = make_offers(PAIRS, [10.0, -8.0, 7.0, -2.0])
    assert chosen(program_of(Limits(max_bundles=3, min_bundles=3), offers=offers)) == [0, 1, 3]


def test_one_level_of_a_candidate() -> None:
    # one candidate at two levels, 5 and 6, allowed on both products twice: still one of them
    offers = make_offers([(0, 1), (0, 1)], [5.0, 6.0], candidate=[0, 0], level=[0, 1])
    program = program_of(Limits(max_bundles=2, max_bundles_per_product=2), offers=offers)
    assert chosen(program) == [1]


def test_product_exposure_and_its_names() -> None:
    program = program_of(Limits(max_bundles=4))
    assert chosen(program) == [0, 1, 3]
    assert row(program, "product-exposure[001]") == ({0: 1.0, 2: 1.0}, -np.inf, 1.0)
    # 002 is in one candidate: its row cannot bind
    assert "product-exposure[002]" not in program.row_name
    assert set(program.row_rule) == {"bundle-count", "product-exposure"}


def test_product_exposure_of_two() -> None:
    program = program_of(Limits(max_bundles=4, max_bundles_per_product=2))
    assert chosen(program) == [0, 1, 2, 3]
    assert set(program.row_rule) == {"bundle-count"}


def test_stock() -> None:
    # 12 units of 001, stand-alone demand 100 visits x 0.1 x 1 = 10: 2 are left. Its offers add
    # 1.5 each: one of 10 and 7, though exposure would allow both. Then 8 and 2 beside 10.
    offers = make_offers(PAIRS, VALUES, added_units=np.full((4, 2), 1.5))
    program = program_of(
        Limits(max_bundles=4, max_bundles_per_product=2),
        offers=offers,
        stock=[12.0, np.inf, np.inf, np.inf, np.inf, np.inf],
    )
    entries, _, upper = row(program, "stock[001]")
    assert entries == {0: 1.5, 2: 1.5}
    assert upper == pytest.approx(2.0)
    assert chosen(program) == [0, 1, 3]


def test_stock_safety_and_exposure_one() -> None:
    # 20 units, a tenth kept back: 18 - 10 = 8
    stock = [20.0, np.inf, np.inf, np.inf, np.inf, np.inf]
    offers = make_offers(PAIRS, VALUES, added_units=np.full((4, 2), 5.0))
    limits = Limits(max_bundles=4, max_bundles_per_product=2, stock_safety=0.1)
    assert row(program_of(limits, offers=offers, stock=stock), "stock[001]")[2] == pytest.approx(8)
    # with one bundle a product 5 <= 8 cannot bind
    one = Limits(max_bundles=4, stock_safety=0.1)
    assert "stock" not in program_of(one, offers=offers, stock=stock).row_rule


def test_plan_margin_is_of_net_revenue() -> None:
    # revenue 2 x 11.00 with tax 10 %: net 20.00. Rates 0.2, 0.5, 0.4, 0.1 less 0.4.
    offers = make_offers(
        PAIRS,
        VALUES,
        bundle_units=np.full(4, 2.0),
        bundle_price=np.full(4, 1100),
        margin_rate=np.array([0.2, 0.5, 0.4, 0.1]),
    )
    program = program_of(
        Limits(max_bundles=4, min_plan_margin=0.4),
        offers=offers,
        assumptions=Assumptions(tax_rate=0.1),
    )
    entries, lower, upper = row(program, "plan-margin")
    assert entries == pytest.approx({0: -400.0, 1: 200.0, 3: -600.0})
    assert (lower, upper) == (0.0, np.inf)
    # 10 needs 400 cents, 8 gives 200: 8 alone, or 7 (neutral, shares 003 with 8) -> 8
    assert chosen(program) == [1]


def test_discount_budget_in_cents() -> None:
    # 200 cents off, units 3, 1, 1, 1 -> spend 600, 200, 200, 200; budget 5.00: 8 + 2 (400)
    offers = make_offers(PAIRS, VALUES, bundle_units=np.array([3.0, 1.0, 1.0, 1.0]))
    program = program_of(Limits(max_bundles=4, discount_budget=5.0), offers=offers)
    entries, _, upper = row(program, "discount-budget")
    assert entries == {0: 600.0, 1: 200.0, 2: 200.0, 3: 200.0}
    assert upper == 500.0
    assert chosen(program) == [1, 3]


def test_category_limit() -> None:
    # category a is touched by 10 and 7: none of them -> 8 + 2
    rule = CategoryLimit(kind="category-limit", category="a", max=0)
    program = program_of(Limits(max_bundles=4), [rule])
    assert chosen(program) == [1, 3]
    assert row(program, "category-limit[1]") == ({0: 1.0, 2: 1.0}, -np.inf, 0.0)
    # at least one of c with one bundle in all: 2
    rule = CategoryLimit(kind="category-limit", name="some c", category="c", min=1)
    program = program_of(Limits(max_bundles=1), [rule])
    assert chosen(program) == [3]
    assert program.row_rule[program.row_name.index("some c")] == "some c"
    assert program.row_kind[program.row_name.index("some c")] == "category-limit"


def test_brand_limit() -> None:
    # x is touched by 10, 8, 7: one of them -> 10 + 2
    rule = BrandLimit(kind="brand-limit", brand="x", max=1)
    assert chosen(program_of(Limits(max_bundles=4), [rule])) == [0, 3]


def test_must_include_in_any_order_and_at_a_level() -> None:
    # 001+003 forces 10 and 8 out: 7 + 2
    rule = MustInclude(kind="must-include", products=("003", "001"))
    assert chosen(program_of(Limits(max_bundles=4), [rule])) == [2, 3]
    offers = make_offers([(0, 1), (0, 1)], [5.0, 1.0], candidate=[0, 0], level=[0, 1])
    rule = MustInclude(kind="must-include", products=("001", "002"), level=0.2)
    assert chosen(program_of(Limits(max_bundles=4), [rule], offers=offers)) == [1]


def test_locked_counts_merged_levels() -> None:
    # levels 0.1 and 0.2 lead to the same price: one offer that answers to both
    offers = make_offers([(0, 1), (2, 3)], [-5.0, 1.0], level_mask=np.array([3, 1], np.uint64))
    rule = Locked(kind="locked", products=("001", "002"), level=0.1)
    assert chosen(program_of(Limits(max_bundles=4), [rule], offers=offers)) == [0, 1]


def test_at_most_one_of_products_counts_an_offer_once() -> None:
    # 001, 002 and 005: 10 touches two of them and is one offer; 2 goes -> 10 + 8
    rule = AtMostOneOf(kind="at-most-one-of", products=("001", "002", "005"))
    program = program_of(Limits(max_bundles=4), [rule])
    assert row(program, "at-most-one-of[1]")[0] == {0: 1.0, 2: 1.0, 3: 1.0}
    assert chosen(program) == [0, 1]


def test_at_most_one_of_bundles() -> None:
    rule = AtMostOneOf(kind="at-most-one-of", bundles=(("001", "002"), ("004", "003")))
    assert chosen(program_of(Limits(max_bundles=4), [rule])) == [0, 3]


def test_affinity_takes_exactly_max_bundles() -> None:
    offers = make_offers(PAIRS, [-1.0, -2.0, -0.5, -4.0])
    program = program_of(Limits(max_bundles=2), offers=offers, maximize="affinity")
    # two that share no product: 0 and 1 cost 3, 0 and 3 cost 5, 2 and 3 cost 4.5
    assert row(program, "bundle-count")[1:] == (2.0, 2.0)
    assert chosen(program) == [0, 1]


def test_a_demand_that_nothing_serves_keeps_its_row() -> None:
    rule = MustInclude(kind="must-include", products=("002", "005"))
    assert row(program_of(Limits(max_bundles=4), [rule]), "must-include[1]") == ({}, 1.0, np.inf)


def test_no_offers_at_all() -> None:
    none = make_offers([(0, 1)], [1.0]).take(np.zeros(0, dtype=np.int64))
    program = program_of(Limits(max_bundles=4), offers=none)
    assert program.n_columns == 0
    assert chosen(program) == []


@pytest.mark.parametrize(
    "rule",
    [
        MustInclude(kind="must-include", products=("001", "nope")),
        CategoryLimit(kind="category-limit", category="nope", max=1),
        BrandLimit(kind="brand-limit", brand="nope", max=1),
        Locked(kind="locked", products=("001", "002"), level=0.15),
    ],
)
def test_rules_that_name_nothing_are_bad_input(rule: Rule) -> None:
    with pytest.raises(InputError, match=rf"{rule.kind}\[1\]"):
        program_of(Limits(max_bundles=4), [rule])


def test_a_large_program_is_built_quickly() -> None:
    random = np.random.default_rng(0)
    n, products = 300_000, 3000
    catalogue = make_catalogue(
        [str(i) for i in range(products)], category=[str(i % 25) for i in range(products)]
    )
    rules = [CategoryLimit(kind="category-limit", category=str(c), max=5) for c in range(25)]
    limits = Limits(max_bundles=200, min_plan_margin=0.2, discount_budget=100.0)
    instance = make_instance(catalogue, make_scenario(limits, rules))
    first = random.integers(0, products - 1, n)
    pairs = np.stack([first, first + 1 + random.integers(0, products - 1 - first)], axis=1)
    offers = make_offers(pairs.tolist(), random.exponential(10, n).tolist())
    start = time.perf_counter()
    program = build_program(instance, make_beliefs(catalogue), offers)
    assert time.perf_counter() - start < 5
    assert program.n_columns == n
