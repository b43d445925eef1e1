"""One contract for every engine: known optima, honest statuses, bounds that hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from bundlewise.solver.solution import Solution, Status

from .enumeration import market_split, optimum, random_program

ENGINES = ("auto", "highs", "scip", "cp-sat", "pulp:CBC")

pytestmark = pytest.mark.parametrize("engine", ENGINES)


def solve(program: Program, engine: str, **settings: float) -> Solution:
    return solve_program(
        program,
        EngineSettings(engine=engine, **({"gap": 0.0, "time_limit": 30.0} | settings)),  # pyright: ignore[reportArgumentType]
    )


def check(program: Program, solution: Solution, expected: float | None) -> None:
    if expected is None:
        assert solution.status is Status.INFEASIBLE
        assert solution.values is None
        assert solution.objective is None
        assert solution.gap is None
        return
    assert solution.status is Status.OPTIMAL
    assert solution.limit is None
    assert solution.values is not None
    assert program.is_feasible(solution.values)
    assert solution.objective == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert solution.objective == program.objective(solution.values)
    assert solution.bound is not None
    assert solution.bound >= expected - 1e-6 * max(1.0, abs(expected))


def test_count_and_exposure(engine: str) -> None:
    # Offers AB 10, AC 9, CD 8, BD 5 with each product in one bundle at most and two bundles.
    # AB leaves CD: 18. AC leaves BD: 14. So 18.
    builder = ProgramBuilder([10.0, 9.0, 8.0, 5.0])
    builder.add_row("bundle-count", [0, 1, 2, 3], 1.0, upper=2)
    for name, columns in {"A": [0, 1], "B": [0, 3], "C": [1, 2], "D": [2, 3]}.items():
        builder.add_row(f"product-exposure[{name}]", columns, 1.0, upper=1)
    program = builder.build()
    solution = solve(program, engine)
    check(program, solution, 18.0)
    assert solution.values is not None
    assert solution.values.tolist() == [1, 0, 1, 0]


def test_groups_of_levels(engine: str) -> None:
    # Two candidates at two levels, values (6, 7) and (4, 8), spend (1, 3) and (1, 4), budget 5.
    # 7 + 4 costs 4 -> 11; 6 + 8 costs 5 -> 14; 7 + 8 costs 7. So 14.
    builder = ProgramBuilder([6.0, 7.0, 4.0, 8.0], group=[0, 0, 1, 1])
    builder.add_row("discount-budget", [0, 1, 2, 3], [1.0, 3.0, 1.0, 4.0], upper=5.0)
    program = builder.build()
    check(program, solve(program, engine), 14.0)


def test_exact_groups_with_negative_values(engine: str) -> None:
    # One of each group must be taken: best -1 and -2 would need 7 of 6; -1 with -4 needs 5
    # (-5), -3 with -2 needs 6 (-5), both -5; -3 with -4 is -7. So -5.
    builder = ProgramBuilder([-1.0, -3.0, -2.0, -4.0], group=[0, 0, 1, 1], group_exact=[True, True])
    builder.add_row("resource", [0, 1, 2, 3], [3.0, 2.0, 4.0, 2.0], upper=6.0)
    program = builder.build()
    check(program, solve(program, engine), -5.0)


def test_lower_side_takes_a_losing_column(engine: str) -> None:
    # At least two bundles, values 5, -1, -3: 5 - 1 = 4.
    builder = ProgramBuilder([5.0, -1.0, -3.0])
    builder.add_row("bundle-count", [0, 1, 2], 1.0, lower=2, upper=3)
    program = builder.build()
    check(program, solve(program, engine), 4.0)


def test_equality(engine: str) -> None:
    # 3x + 5y + 7z = 10 has x = z = 1 alone; it is worth 1 + 1, and y = 9 stays out.
    builder = ProgramBuilder([1.0, 9.0, 1.0])
    builder.add_row("exactly", [0, 1, 2], [3.0, 5.0, 7.0], lower=10.0, upper=10.0)
    program = builder.build()
    check(program, solve(program, engine), 2.0)


def test_plan_margin_lets_one_offer_pay_for_another(engine: str) -> None:
    # Values 10 (margin surplus -4), 3 (+2.5), 1 (+2): 10 needs both others: 14. Without: 4.
    builder = ProgramBuilder([10.0, 3.0, 1.0])
    builder.add_row("plan-margin", [0, 1, 2], [-4.0, 2.5, 2.0], lower=0.0)
    program = builder.build()
    check(program, solve(program, engine), 14.0)


def test_empty_plan_is_best_when_nothing_gains(engine: str) -> None:
    builder = ProgramBuilder([-1.0, -2.0])
    builder.add_row("bundle-count", [0, 1], 1.0, upper=2)
    program = builder.build()
    solution = solve(program, engine)
    check(program, solution, 0.0)
    assert solution.gap == 0.0


def test_continuous_column(engine: str) -> None:
    # Clearance: units 3x + 4y + s >= 6, a missing unit costs 2, values 1 and -3 for x and y.
    # x alone: 1 - 2·3 = -5. x and y: 1 - 3 = -2. y alone: -3 - 4 = -7. nothing: -12. So -2.
    builder = ProgramBuilder([1.0, -3.0, -2.0], upper=[1.0, 1.0, 6.0], integral=[True, True, False])
    builder.add_row("clearance", [0, 1, 2], [3.0, 4.0, 1.0], lower=6.0)
    program = builder.build()
    check(program, solve(program, engine), -2.0)


def test_continuous_column_takes_part(engine: str) -> None:
    # The same with y at -9: x and 3 missing units, 1 - 6 = -5, beat 1 - 9 = -8.
    builder = ProgramBuilder([1.0, -9.0, -2.0], upper=[1.0, 1.0, 6.0], integral=[True, True, False])
    builder.add_row("clearance", [0, 1, 2], [3.0, 4.0, 1.0], lower=6.0)
    program = builder.build()
    solution = solve(program, engine, gap=0.001)
    check(program, solution, -5.0)
    assert solution.values is not None
    assert solution.values[2] == pytest.approx(3.0)


def test_continuous_column_on_any_span(engine: str) -> None:
    # y takes 2.5 units of x, which costs 0.1 each: 1 - 0.25. CP-SAT's grid on 0..1024 has steps
    # of 1/16 that 2.5 lies on; on 0..16384 it does not.
    for most in (1024.0, 16384.0):
        builder = ProgramBuilder([1.0, -0.1], upper=[1.0, most], integral=[True, False])
        builder.add_row("uses", [0, 1], [2.5, -1.0], lower=0.0, upper=0.0)
        solution = solve(builder.build(), engine, gap=0.01)
        assert solution.status is not Status.INFEASIBLE
        assert solution.objective == pytest.approx(0.75)
        assert solution.bound is not None
        assert solution.bound >= 0.75 - 1e-6


@pytest.mark.parametrize("size", [1e-12, 1e-8, 1e8])
def test_values_of_any_size(engine: str, size: float) -> None:
    # solvers stop at an absolute gap of 1e-6, which is more than a tiny plan is worth
    for seed in (0, 1, 3, 7):
        program = random_program(seed)
        program = replace(program, value=program.value * size)
        best = optimum(program)
        solution = solve(program, engine)
        if best is None:
            assert solution.status is Status.INFEASIBLE
            continue
        assert solution.objective == pytest.approx(best, rel=1e-9)
        assert solution.bound is not None
        assert solution.bound >= best * (1 - 1e-9)
        assert solution.gap is not None
        assert solution.gap <= 1e-6


@pytest.mark.parametrize("size", [1e9, 1e12])
def test_rows_of_any_size(engine: str, size: float) -> None:
    # the sides are sums that one assignment has to the last digit, or almost: 1e-6 is less
    for seed in range(12):
        random = np.random.default_rng(seed)
        planted = (random.random(10) < 0.4).astype(float)
        planted[0] = 1.0
        weights = random.uniform(0.1, 3.0, (2, 10)) * [[size], [size * 1e-3]]
        sides = weights @ planted
        builder = ProgramBuilder(random.normal(0.3, 1.0, 10))
        builder.add_row("exactly", range(10), weights[0], lower=sides[0], upper=sides[0])
        builder.add_row("at most", range(10), weights[1], upper=sides[1])
        program = builder.build()
        solution = solve(program, engine)
        assert solution.status is not Status.INFEASIBLE
        if solution.values is None:  # CP-SAT cannot write such sides in whole numbers
            assert engine == "cp-sat"
            continue
        assert solution.values.tolist() == planted.tolist()
        assert solution.bound is not None
        assert solution.bound >= program.objective(planted) - 1e-6


def test_shadow_prices_are_in_the_units_of_the_program(engine: str) -> None:
    # half of the second column fits: one unit of the row is worth its value over its coefficient
    for value, size in ((1.0, 1.0), (1e-9, 1.0), (1.0, 1e9)):
        builder = ProgramBuilder([2 * value, value])
        builder.add_row("room", [0, 1], [size, size], upper=1.5 * size)
        solution = solve(builder.build(), engine)
        assert solution.objective == pytest.approx(2 * value)
        if engine == "auto":
            assert solution.shadow_prices["room"] == pytest.approx(value / size)


def test_integer_column(engine: str) -> None:
    # k whole in 0..5 with 2k <= 7: 3, and x in unless k needs its room: 3·2 + 1 <= 7. So 3 + 1.
    builder = ProgramBuilder([1.0, 1.0], upper=[5.0, 1.0])
    builder.add_row("room", [0, 1], [2.0, 1.0], upper=7.0)
    program = builder.build()
    check(program, solve(program, engine), 4.0)


def test_infeasible_relaxation(engine: str) -> None:
    builder = ProgramBuilder([1.0, 1.0])
    builder.add_row("bundle-count", [0, 1], 1.0, lower=2)
    builder.add_row("product-exposure[A]", [0, 1], 1.0, upper=1)
    check(builder.build(), solve(builder.build(), engine), None)


def test_infeasible_in_whole_numbers_only(engine: str) -> None:
    # x + y = 1, x = y: the relaxation has (½, ½).
    builder = ProgramBuilder([1.0, 1.0])
    builder.add_row("one", [0, 1], 1.0, lower=1, upper=1)
    builder.add_row("same", [0, 1], [1.0, -1.0], lower=0, upper=0)
    check(builder.build(), solve(builder.build(), engine), None)


def test_row_that_nothing_can_serve(engine: str) -> None:
    builder = ProgramBuilder([1.0])
    builder.add_row("must-include[1]", [], 1.0, lower=1)
    check(builder.build(), solve(builder.build(), engine), None)


def test_exact_group_without_columns(engine: str) -> None:
    builder = ProgramBuilder([1.0, 1.0], group=[0, 2], group_exact=[True, True, True])
    check(builder.build(), solve(builder.build(), engine), None)


def test_no_rows_at_all(engine: str) -> None:
    program = ProgramBuilder([2.0, -1.0, 3.0]).build()
    check(program, solve(program, engine), 5.0)


def test_no_columns(engine: str) -> None:
    builder = ProgramBuilder([])
    builder.add_row("bundle-count", [], 1.0, upper=3)
    solution = solve(builder.build(), engine)
    check(builder.build(), solution, 0.0)
    assert solution.gap == 0.0


def test_no_columns_but_a_demand(engine: str) -> None:
    builder = ProgramBuilder([])
    builder.add_row("bundle-count", [], 1.0, lower=1)
    check(builder.build(), solve(builder.build(), engine), None)


def test_no_time_is_unknown(engine: str) -> None:
    builder = ProgramBuilder([1.0])
    builder.add_row("bundle-count", [0], 1.0, upper=1)
    solution = solve(builder.build(), engine, time_limit=0.0)
    assert solution.status is Status.UNKNOWN
    assert solution.limit == "time"
    assert solution.values is None
    assert solution.objective is None
    assert solution.bound is None
    assert solution.gap is None


def test_random_programs_against_enumeration(engine: str) -> None:
    for seed in range(12):
        program = random_program(seed)
        check(program, solve(program, engine), optimum(program))


def test_a_wide_gap_is_kept_honestly(engine: str) -> None:
    program = random_program(100, columns=14)
    best = optimum(program)
    assert best is not None
    solution = solve(program, engine, gap=0.2)
    assert solution.status is Status.OPTIMAL
    assert solution.gap is not None
    assert solution.gap <= 0.2 + 1e-9
    assert solution.bound is not None
    assert solution.bound >= best - 1e-6


def test_a_limit_with_an_incumbent_is_feasible(engine: str) -> None:
    # Market split (Cornuéjols & Dawande 1998) with slack columns: easy to satisfy, hard to prove.
    program = market_split()
    solution = solve(program, engine, time_limit=2.0)
    assert solution.status is Status.FEASIBLE
    assert solution.limit == "time"
    assert solution.values is not None
    assert program.is_feasible(solution.values)
    if solution.bound is not None:
        assert solution.gap is not None
        assert solution.gap > 0


def test_same_seed_same_answer(engine: str) -> None:
    program = random_program(100, columns=14)
    counted = not engine.startswith("pulp:")  # those cannot count work
    settings = EngineSettings(engine=engine, gap=0.05, seed=3, deterministic=counted)
    first, second = solve_program(program, settings), solve_program(program, settings)
    assert first.values is not None
    assert second.values is not None
    assert first.values.tolist() == second.values.tolist()
    assert first.bound == second.bound


def test_random_data_is_silent(engine: str, capfd: pytest.CaptureFixture[str]) -> None:
    solve(random_program(3), engine)
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == ""


@pytest.mark.parametrize("wanted", ["gurobi9", "pulp:NoSuchSolver", "HIGHS!"])
def test_unknown_engine_is_bad_input(engine: str, wanted: str) -> None:
    with pytest.raises(InputError, match=r"solver\.engine"):
        solve(ProgramBuilder([1.0]).build(), wanted)
