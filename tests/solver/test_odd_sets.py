"""Odd-set cuts: they hold for whole numbers and cut off what they should."""

from __future__ import annotations

import numpy as np
import pytest
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.engines.cuts import with_cuts
from bundlewise.solver.engines.linear import linear_answer
from bundlewise.solver.engines.odd_sets import odd_set_cuts, unit_rows
from bundlewise.solver.engines.row_shapes import row_shapes
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from bundlewise.solver.solution import Status
from hypothesis import given, settings
from hypothesis import strategies as st

from .enumeration import optimum


def matching(pairs: list[tuple[int, int]], value: list[float], most: int | None = None) -> Program:
    builder = ProgramBuilder(value)
    table = np.array(pairs)
    for product in np.unique(table):
        columns = np.flatnonzero((table == product).any(axis=1))
        builder.add_row(f"product-exposure[{product}]", columns, 1.0, upper=1)
    if most is not None:
        builder.add_row("bundle-count", np.arange(len(pairs)), 1.0, upper=most)
    return builder.build()


def test_triangle() -> None:
    # three bundles over three products: the relaxation takes half of each, 15; one of them is 10
    program = matching([(0, 1), (0, 2), (1, 2)], [10.0, 10.0, 10.0])
    relaxed = linear_answer(program, 10)
    assert relaxed is not None
    assert relaxed.objective == pytest.approx(15.0)
    found = odd_set_cuts(program, unit_rows(program, row_shapes(program)), relaxed.values)
    cut = with_cuts(program, found)
    assert cut.n_rows == program.n_rows + 1
    assert cut.row_upper[-1] == 1.0
    tighter = linear_answer(cut, 10)
    assert tighter is not None
    assert tighter.objective == pytest.approx(10.0)


def test_a_pentagon_with_a_chord() -> None:
    # edges of a five-cycle and the chord 0-2: 2 bundles at most, relaxation 2.5
    program = matching([(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (0, 2)], [10.0] * 5 + [9.0])
    solution = solve_program(program, EngineSettings(gap=0.0, time_limit=10))
    assert solution.objective == pytest.approx(20.0)
    assert solution.bound == pytest.approx(20.0)
    assert set(solution.shadow_prices) == set(program.row_name)


def test_whole_assignments_get_no_cut() -> None:
    program = matching([(0, 1), (0, 2), (1, 2)], [10.0, 10.0, 10.0])
    assert (
        odd_set_cuts(program, unit_rows(program, row_shapes(program)), np.array([1.0, 0.0, 0.0]))
        == []
    )
    assert with_cuts(program, []) is program


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_cuts_keep_every_whole_assignment(seed: int) -> None:
    random = np.random.default_rng(seed)
    pairs = [(a, b) for a in range(6) for b in range(a) if random.random() < 0.8][:13]
    if not pairs:
        return
    most = int(random.integers(1, 4)) if random.random() < 0.5 else None
    program = matching(pairs, random.uniform(1, 10, len(pairs)).tolist(), most)
    best = optimum(program)
    for _ in range(5):
        relaxed = linear_answer(program, 10)
        assert relaxed is not None
        assert best is not None
        assert relaxed.objective >= best - 1e-6
        program = with_cuts(
            program, odd_set_cuts(program, unit_rows(program, row_shapes(program)), relaxed.values)
        )
        assert optimum(program) == pytest.approx(best)


def test_a_matching_that_fractions_fill_is_solved_to_the_end() -> None:
    random = np.random.default_rng(3)
    n = 60
    pairs = [(a, b) for a in range(n) for b in range(a) if random.random() < 0.3]
    program = matching(pairs, random.lognormal(3, 1, len(pairs)).tolist(), 25)
    ours = solve_program(program, EngineSettings(gap=0.0, time_limit=20))
    whole = solve_program(program, EngineSettings(engine="highs", gap=0.0, time_limit=20))
    assert ours.status is Status.OPTIMAL
    assert ours.objective == pytest.approx(whole.objective)
