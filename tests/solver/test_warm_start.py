"""Starts and known bounds: never lost, and what they save."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bundlewise.instances.scenario import Limits
from bundlewise.solver.build import build_program
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.engines.interface import KNOWN_BOUND
from bundlewise.solver.plan import Plan
from bundlewise.solver.program import Program
from bundlewise.solver.solution import Status
from bundlewise.solver.warm_start import Bundles, bundles_of, start_values

from .enumeration import optimum, random_program
from .factories import make_beliefs, make_catalogue, make_instance, make_offers, make_scenario

ENGINES = ("auto", "highs", "scip", "cp-sat", "pulp:CBC")

# 1+2, 3+4, 1+3, 5+6, each product once
PAIRS = [(0, 1), (2, 3), (0, 2), (4, 5)]
VALUES = [10.0, 8.0, 7.0, 2.0]
SETTINGS = EngineSettings(gap=0.0, time_limit=20.0)


def made(**limits: float) -> tuple[Program, np.ndarray]:
    catalogue = make_catalogue(("1", "2", "3", "4", "5", "6"))
    scenario = make_scenario(Limits(**({"max_bundles": 3} | limits)))  # pyright: ignore[reportArgumentType]
    instance = make_instance(catalogue, scenario)
    program = build_program(instance, make_beliefs(catalogue), make_offers(PAIRS, VALUES))
    return program, np.array([10.0, 8.0, 7.0, 2.0])


def joined(program: Program, *plans: Bundles) -> list[float] | None:
    values = start_values(program, make_offers(PAIRS, VALUES), plans, SETTINGS)
    return None if values is None else values.tolist()


def plan(*pairs: tuple[int, int]) -> Bundles:
    return tuple((pair, 1800) for pair in pairs)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_start_within_the_gap_of_a_known_bound_ends_it_without_a_search(engine: str) -> None:
    program, _ = made()
    start = np.array([1.0, 1.0, 0.0, 0.0])  # 18 of 20
    settings = EngineSettings(engine=engine, gap=0.12, time_limit=20.0)
    solution = solve_program(program, settings, start=start, known_bound=20.0)
    assert (solution.status, solution.objective, solution.bound) == (Status.OPTIMAL, 18.0, 20.0)
    assert solution.bound_source == KNOWN_BOUND
    assert solution.statistics == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_start_is_never_lost(engine: str) -> None:
    program, _ = made()
    settings = EngineSettings(engine=engine, gap=1.0, time_limit=20.0)  # anything is good enough
    best = solve_program(program, settings, start=np.array([1.0, 1.0, 0.0, 1.0]))
    assert best.objective == 20.0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_known_bound_does_not_hide_that_nothing_fits(engine: str) -> None:
    program, _ = made(min_bundles=4, max_bundles=4)  # three fit
    solution = solve_program(program, EngineSettings(engine=engine), known_bound=100.0)
    assert solution.status is Status.INFEASIBLE
    assert solution.bound is None


def test_random_programs_keep_their_optimum_whatever_is_known() -> None:
    for seed in range(40):
        program = random_program(seed)
        best = optimum(program)
        if best is None:
            continue
        solution = solve_program(program, SETTINGS, known_bound=best + 0.5)
        assert solution.status is Status.OPTIMAL
        assert solution.objective == pytest.approx(best, abs=1e-6)


def test_a_plan_s_bundles_are_found_whatever_the_order_of_its_ids() -> None:
    # plan.csv sorts products by id, the offers by their place in the products table
    offers = pd.DataFrame({"products": [(1, 0), (2, 3)], "bundle_price": [1800, 1800]})
    none = pd.DataFrame()
    empty = dict.fromkeys(("products", "levels", "groups", "beliefs", "quarantine"), none)
    made_of = Plan(report={}, offers=offers, scenario="", **empty)
    assert bundles_of(made_of) == plan((0, 1), (2, 3))


def test_a_plan_of_the_same_rules_comes_back_as_good() -> None:
    program, _ = made()
    assert joined(program, plan((0, 1), (2, 3), (4, 5))) == [1, 1, 0, 1]


def test_a_plan_that_a_tighter_rule_forbids_is_mended() -> None:
    program, _ = made(max_bundles=1)
    assert joined(program, plan((2, 3), (4, 5))) == [0, 1, 0, 0]


def test_the_best_of_two_plans_is_joined() -> None:
    program, _ = made()
    assert joined(program, plan((0, 1)), plan((0, 2), (4, 5))) == [1, 0, 0, 1]


def test_there_is_no_start_where_no_bundle_is_left_or_they_are_too_few() -> None:
    program, _ = made(min_bundles=2)
    assert joined(program, plan((1, 5))) is None
    assert joined(program, plan((0, 1))) is None
    assert joined(program) is None
