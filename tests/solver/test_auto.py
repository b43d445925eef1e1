"""Engine auto: its bound holds for all columns, however few of them it looks at."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundlewise.solver.engines import EngineSettings, Progress, auto, sifting, solve_program
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.engines.linear import linear_answer
from bundlewise.solver.engines.presolve import presolve
from bundlewise.solver.engines.pricing import price, reduced_values
from bundlewise.solver.engines.sifting import sift
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from bundlewise.solver.solution import Status
from hypothesis import given, settings
from hypothesis import strategies as st

from .enumeration import optimum, random_program

MMKP = Path(__file__).resolve().parents[3] / "shared" / "data" / "mmkp"


@pytest.fixture
def tiny_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restricted programs of a handful of columns, so that small programs need many rounds."""
    for module, name, value in [
        (sifting, "_FIRST", 5),
        (sifting, "_ADDED", 4),
        (sifting, "_MOST", 30),
        (auto, "_FIRST", 8),
        (auto, "_GROWTH", 2),
    ]:
        monkeypatch.setattr(module, name, value)


def shop(seed: int, columns: int = 400, *, least: int = 0, exact: bool = False) -> Program:
    """Offers at two levels with exposure, stock, margin, budget and category rows."""
    random = np.random.default_rng(seed)
    group = np.arange(columns) // 2
    products = np.stack([random.permutation(40)[:2] for _ in range(columns // 2)])[group]
    value = random.lognormal(3, 1, columns) - (60 if least else 0)
    exact_groups = np.zeros(columns // 2, dtype=bool)
    if exact:
        exact_groups[:3] = True
    builder = ProgramBuilder(value, group=group, group_exact=exact_groups)
    everything = np.arange(columns)
    builder.add_row("bundle-count", everything, 1.0, lower=least or -np.inf, upper=12)
    entries = np.repeat(everything, 2)
    names = [str(i) for i in range(40)]
    builder.add_rows(
        [f"product-exposure[{i}]" for i in names], products.ravel(), entries, 1.0, upper=1.0
    )
    units = random.exponential(1, 2 * columns)
    builder.add_rows([f"stock[{i}]" for i in names], products.ravel(), entries, units, upper=2.0)
    builder.add_row("plan-margin", everything, random.normal(-1, 5, columns), lower=0.0)
    builder.add_row("discount-budget", everything, random.uniform(1, 9, columns), upper=40.0)
    for c in range(4):
        touching = np.flatnonzero((products % 4 == c).any(axis=1))
        builder.add_row(f"category[{c}]", touching, 1.0, upper=5)
    return builder.build()


@pytest.mark.usefixtures("tiny_steps")
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["plain", "lower side", "exact groups"])
def test_agrees_with_scip_on_the_whole_program(seed: int, kind: str) -> None:
    program = shop(seed, least=8 if kind == "lower side" else 0, exact=kind == "exact groups")
    whole = solve_program(program, EngineSettings(engine="scip", gap=0.0, time_limit=30))
    ours = solve_program(program, EngineSettings(gap=0.0, time_limit=30))
    assert ours.status is whole.status
    if whole.objective is not None:
        assert ours.objective == pytest.approx(whole.objective, rel=1e-7)
        assert ours.statistics["sifting_rounds"] >= 2


@pytest.mark.usefixtures("tiny_steps")
@pytest.mark.parametrize("gap", [0.0, 0.01, 0.1])
def test_the_gap_asked_for_is_reached_and_true(gap: float) -> None:
    for seed in range(2):
        program = shop(seed, columns=300)
        best = solve_program(program, EngineSettings(engine="scip", gap=0.0, time_limit=30))
        solution = solve_program(program, EngineSettings(gap=gap, time_limit=30))
        assert solution.status is Status.OPTIMAL
        assert best.objective is not None
        assert solution.bound is not None
        assert solution.gap is not None
        assert solution.bound >= best.objective - 1e-6
        assert solution.gap <= gap + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_bound_of_any_dual_values_holds(seed: int, dual_seed: int) -> None:
    program = random_program(seed)
    best = optimum(program)
    random = np.random.default_rng(dual_seed)
    pricing = price(program, random.normal(0, 10 ** random.uniform(-2, 2), program.n_rows))
    if best is not None:
        assert pricing.bound >= best - 1e-9 * max(1.0, abs(best))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_a_column_is_in_nothing_better_than_its_ceiling(seed: int) -> None:
    program = random_program(seed, columns=8)
    answer = linear_answer(program, 10)
    dual = np.zeros(program.n_rows) if answer is None else answer.row_dual
    ceiling = price(program, dual).ceiling(program)
    for j in range(program.n_columns):
        with_j = optimum(_with_column_in(program, j))
        if with_j is not None:
            assert ceiling[j] >= with_j - 1e-6


def _with_column_in(program: Program, j: int) -> Program:
    """The program with the row x_j >= 1."""
    position = int(program.start[j + 1])
    start = program.start.copy()
    start[j + 1 :] += 1
    return replace(
        program,
        start=start,
        row=np.insert(program.row, position, program.n_rows).astype(np.int32),
        coefficient=np.insert(program.coefficient, position, 1.0),
        row_lower=np.append(program.row_lower, 1.0),
        row_upper=np.append(program.row_upper, np.inf),
        row_name=(*program.row_name, "in"),
        row_rule=(*program.row_rule, "in"),
        row_kind=(*program.row_kind, "in"),
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.3))
def test_auto_against_enumeration(seed: int, gap: float) -> None:
    program = random_program(seed)
    best = optimum(program)
    solution = solve_program(program, EngineSettings(gap=gap, time_limit=20))
    if best is None:
        assert solution.status is Status.INFEASIBLE
        return
    assert solution.status is Status.OPTIMAL
    assert solution.bound is not None
    assert solution.objective is not None
    assert solution.bound >= best - 1e-6
    assert solution.objective >= best - gap * abs(solution.objective) - 1e-6


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_presolve_keeps_the_optimum(seed: int) -> None:
    program = random_program(seed)
    reduced, kept = presolve(program)
    assert optimum(reduced) == pytest.approx(optimum(program))
    assert len(kept) == reduced.n_columns
    assert reduced.value.tolist() == program.value[kept].tolist()


@pytest.mark.usefixtures("tiny_steps")
def test_sifting_finds_the_relaxation_of_all_columns() -> None:
    for seed in range(5):
        program = shop(seed, least=6, exact=True)
        whole = linear_answer(program, 30)
        found = sift(program, Clock(30))
        if whole is None:
            assert found.infeasible
            continue
        assert found.pricing is not None
        assert found.pricing.bound == pytest.approx(whole.objective, rel=1e-6)
        assert found.pricing.bound >= whole.objective - 1e-6
        assert len(found.columns) < program.n_columns


@pytest.mark.usefixtures("tiny_steps")
def test_phase_one_finds_the_few_columns_that_a_lower_side_needs() -> None:
    # only the last of 300 columns serves the demand, at a loss
    builder = ProgramBuilder(np.concatenate([np.linspace(1, 2, 299), [-50.0]]))
    builder.add_row("bundle-count", np.arange(300), 1.0, upper=3)
    builder.add_row("must-include[1]", [299], 1.0, lower=1)
    solution = solve_program(builder.build(), EngineSettings(gap=0.0, time_limit=20))
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(-50 + 2 + np.linspace(1, 2, 299)[-2])


@pytest.mark.usefixtures("tiny_steps")
def test_an_infeasible_relaxation_is_proven_over_all_columns() -> None:
    builder = ProgramBuilder(np.ones(300))
    builder.add_row("bundle-count", np.arange(300), 1.0, lower=3)
    builder.add_row("product-exposure[A]", np.arange(300), 1.0, upper=2)
    program = builder.build()
    assert solve_program(program, EngineSettings(time_limit=20)).status is Status.INFEASIBLE
    found = sift(program, Clock(20))
    assert found.infeasible
    assert found.conflict is not None
    assert found.conflict.tolist() == [True, True]


def test_reduced_values_against_scipy() -> None:
    program = shop(0)
    dual = np.random.default_rng(1).normal(0, 3, program.n_rows)
    found = reduced_values(program.value, program.start, program.row, program.coefficient, dual)
    expected = program.value - program.matrix().T @ dual
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_an_unbounded_column_leaves_a_finite_bound() -> None:
    # missing units s >= 0 cost 2 each; 3x + s >= 6: x and 3 missing units, 1 - 6 = -5
    builder = ProgramBuilder([1.0, -2.0], upper=[1.0, np.inf], integral=[True, False])
    builder.add_row("clearance", [0, 1], [3.0, 1.0], lower=6.0)
    program = builder.build()
    solution = solve_program(program, EngineSettings(gap=0.0, time_limit=20))
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(-5.0)
    # a dual value a little off the mark would make the bound infinite, were it not mended
    assert np.isfinite(price(program, np.array([-2.0 - 1e-9])).bound)


def test_a_coefficient_of_zero_is_no_entry() -> None:
    # the unbounded column looked like the only one of its row, and its price was divided by 0
    builder = ProgramBuilder([1.0, -2.0], upper=[1.0, np.inf], integral=[True, False])
    builder.add_row("idle", [0, 1], [3.0, 0.0], lower=1.0)
    program = builder.build()
    assert program.coefficient.tolist() == [3.0]
    assert solve_program(program, EngineSettings(gap=0.0)).objective == 1.0


def test_shadow_prices_are_of_the_rows() -> None:
    # values 5 and 3, room for one: one more place is worth 3
    builder = ProgramBuilder([5.0, 3.0, 3.0])
    builder.add_row("bundle-count", [0, 1, 2], 1.0, upper=1)
    builder.add_row("discount-budget", [0, 1, 2], 1.0, upper=100)
    solution = solve_program(builder.build(), EngineSettings(gap=0.0))
    assert 3 - 1e-6 <= solution.shadow_prices["bundle-count"] <= 5 + 1e-6
    assert solution.shadow_prices["discount-budget"] == 0.0


def test_progress_improves() -> None:
    seen: list[Progress] = []
    solution = solve_program(shop(1), EngineSettings(gap=0.0, time_limit=20), seen.append)
    bounds = [state.bound for state in seen if state.bound is not None]
    assert bounds == sorted(bounds, reverse=True)
    assert seen[-1].objective == pytest.approx(solution.objective)


@pytest.mark.usefixtures("tiny_steps")
def test_same_seed_and_threads_give_the_same_plan() -> None:
    program = shop(2)
    settings_ = EngineSettings(gap=0.001, time_limit=30, seed=5, threads=2)
    first, second = solve_program(program, settings_), solve_program(program, settings_)
    assert first.values is not None
    assert second.values is not None
    assert first.values.tolist() == second.values.tolist()
    assert first.bound == second.bound


def test_a_large_program_keeps_its_time_limit() -> None:
    program = shop(3, columns=60_000)
    clock = Clock(3.0)
    solution = solve_program(program, EngineSettings(gap=0.0, time_limit=3.0))
    assert clock.spent() < 3.0 * 1.1 + 0.5  # half a second for a busy machine
    assert solution.bound is not None
    assert solution.status in (Status.OPTIMAL, Status.FEASIBLE, Status.UNKNOWN)


@pytest.mark.skipif(not MMKP.exists(), reason="needs the published instances in ../shared")
@pytest.mark.parametrize("name", ["khan_I01.txt", "khan_I02.txt", "khan_I05.txt", "khan_I06.txt"])
def test_published_multiple_choice_knapsacks(name: str) -> None:
    with (MMKP / "reference.csv").open() as file:
        known = {line["instance"]: float(line["best_value"]) for line in csv.DictReader(file)}
    solution = solve_program(multiple_choice(name), EngineSettings(gap=0.0, time_limit=20))
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(known[name])


def multiple_choice(name: str) -> Program:
    numbers = np.array((MMKP / name).read_text().split(), dtype=float)
    classes, resources = int(numbers[0]), int(numbers[1])
    capacity, rest = numbers[2 : 2 + resources], numbers[2 + resources :]
    items, group = [], []
    for k in range(classes):
        count = int(rest[0])
        items.append(rest[1 : 1 + count * (resources + 1)].reshape(count, resources + 1))
        group += [k] * count
        rest = rest[1 + count * (resources + 1) :]
    table = np.concatenate(items)
    builder = ProgramBuilder(table[:, 0], group=group, group_exact=[True] * classes)
    for i in range(resources):
        builder.add_row(f"resource[{i}]", np.arange(len(table)), table[:, i + 1], upper=capacity[i])
    return builder.build()
