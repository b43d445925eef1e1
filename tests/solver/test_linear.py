"""The linear relaxation: the same optimum from scratch and from any basis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.solver.engines.cuts import with_cuts
from bundlewise.solver.engines.linear import Basis, LinearAnswer, linear_answer
from bundlewise.solver.engines.mixed_integer_cuts import mixed_integer_cuts
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from scipy.optimize import linprog

from .cut_programs import cut_program
from .test_auto import shop


def solved(program: Program, basis: Basis | None = None, *, rows_added: bool = False) -> float:
    answer = linear_answer(program, 10, basis, rows_added=rows_added)
    assert answer is not None
    return answer.objective


def test_a_relaxation_worked_by_hand() -> None:
    # 3x + 2y, x + y <= 1 as a group, x <= 1/2 as a row: x = y = 1/2; the row is worth 3 - 2, the
    # group 2
    builder = ProgramBuilder([3.0, 2.0], group=[0, 0])
    builder.add_row("half", [0], [2.0], upper=1.0)
    answer = linear_answer(builder.build(), 10)
    assert answer is not None
    assert answer.objective == pytest.approx(2.5)
    assert answer.values.tolist() == pytest.approx([0.5, 0.5])
    assert answer.row_dual.tolist() == pytest.approx([0.5])
    assert answer.group_dual.tolist() == pytest.approx([2.0])
    assert answer.basis.basic_columns().tolist() == [True, True]
    assert answer.basis.binding_rows().tolist() == [True, True]


def test_nothing_comes_of_an_infeasible_program() -> None:
    builder = ProgramBuilder([1.0, 1.0], group=[0, 0])
    builder.add_row("both", [0, 1], 1.0, lower=2.0)
    assert linear_answer(builder.build(), 10) is None


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_scipy(seed: int) -> None:
    program = cut_program(seed)
    matrix, values = program.matrix().toarray(), program.value
    groups = np.array([program.group == g for g in range(program.n_groups)], dtype=float)
    groups = groups.reshape(program.n_groups, program.n_columns)
    above, below = np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    exact = program.group_exact
    expected = linprog(
        -values,
        np.concatenate([matrix[above], -matrix[below], groups]),
        np.concatenate([program.row_upper[above], -program.row_lower[below], np.ones(len(groups))]),
        groups[exact] if exact.any() else None,
        np.ones(int(exact.sum())) if exact.any() else None,
        np.stack([program.lower, program.upper], axis=1),
    )
    answer = linear_answer(program, 10)
    if expected.status == 2:  # to scipy's tolerance
        return
    assert answer is not None
    assert answer.objective == pytest.approx(-expected.fun, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_goes_on_from_a_basis_over_other_columns(seed: int) -> None:
    program = shop(seed, least=6 if seed % 2 else 0, exact=seed % 4 == 0)
    random = np.random.default_rng(seed)
    exact = np.append(program.group_exact, False)[program.group]
    old = np.flatnonzero(exact | (random.random(program.n_columns) < 0.7))
    before = linear_answer(program.take(old), 10)
    assert before is not None
    everything = np.arange(program.n_columns)
    basis = before.basis.moved(program, old, everything)
    assert basis.basic_columns().sum() == before.basis.basic_columns().sum()
    assert solved(program, basis) == pytest.approx(solved(program))
    # and back to fewer: those that rest may go, and a basis that lost a basic column is no basis
    after = linear_answer(program, 10, basis)
    assert after is not None
    used = after.basis.basic_columns() | (after.values > 0)
    fewer = np.flatnonzero(used | (random.random(program.n_columns) < 0.3))
    basis = after.basis.moved(program, everything, fewer)
    assert solved(program.take(fewer), basis) == pytest.approx(after.objective)
    lost = np.setdiff1d(everything, np.flatnonzero(after.basis.basic_columns())[:2])
    part = program.take(lost)
    whole = linear_answer(part, 10)
    found = linear_answer(part, 10, after.basis.moved(program, everything, lost))
    assert (whole is None) == (found is None)
    if whole is not None and found is not None:
        assert found.objective == pytest.approx(whole.objective)


def relaxed(program: Program) -> LinearAnswer:
    answer = linear_answer(program, 10)
    assert answer is not None
    return answer


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 6, 7, 8, 9])  # at 5 the solution is whole
def test_goes_on_from_a_basis_when_rows_come_in(seed: int) -> None:
    program = shop(seed)
    before = relaxed(program)
    zeros = np.zeros(program.n_rows)
    cuts = mixed_integer_cuts(program, zeros == 1, zeros, before.values, before.basis, 12, 30)
    assert cuts
    tighter = with_cuts(program, cuts)
    basis = before.basis.with_rows(len(cuts))
    objective = solved(tighter, basis, rows_added=True)
    assert objective == pytest.approx(solved(tighter))
    assert objective < before.objective - 1e-6


def test_goes_on_with_far_less_work() -> None:
    program = shop(4, columns=2000)
    first = relaxed(program)
    again = linear_answer(program, 10, first.basis)
    assert again is not None
    assert again.objective == pytest.approx(first.objective)
    assert again.work < first.work / 5


def test_a_basis_that_does_not_fit_is_passed_over() -> None:
    program = shop(5)
    answer = relaxed(program)
    column, row, group = answer.basis.column, answer.basis.row, answer.basis.group
    for basis in (
        Basis(column[:-1], row, group),
        Basis(column, row[:-1], group),
        Basis(column, np.append(row, row[-1:]), group),
        Basis(column, row, group[1:]),
        Basis(np.full_like(column, 5), row, group),  # more basic columns than rows
        Basis(np.full_like(column, 9), np.full_like(row, 5), np.full_like(group, 5)),
        Basis(column[::-1].copy(), row, group),  # of other columns, perhaps singular
    ):
        assert solved(program, basis) == pytest.approx(answer.objective)
        assert solved(program, basis, rows_added=True) == pytest.approx(answer.objective)


def test_columns_of_all_bounds_rest_somewhere() -> None:
    # -inf..inf, -inf..2 and 1..3 come in beside the first column
    lower, upper = np.array([0.0, -np.inf, -np.inf, 1.0]), np.array([1.0, np.inf, 2.0, 3.0])
    builder = ProgramBuilder(
        [1.0, -1.0, 1.0, 1.0], lower=lower, upper=upper, integral=np.zeros(4, dtype=bool)
    )
    builder.add_row("sum", [0, 1, 2, 3], [1.0, 1.0, 1.0, 1.0], lower=-5.0, upper=9.0)
    builder.add_row("floor", [1], [1.0], lower=-4.0)
    program = builder.build()
    first = np.array([0])
    before = linear_answer(replace(program.take(first), row_lower=np.full(2, -np.inf)), 10)
    assert before is not None
    basis = before.basis.moved(program, first, np.arange(4))
    # x0 = 1, x1 = -4, x2 = 2, x3 = 3
    assert solved(program, basis) == pytest.approx(10.0)
