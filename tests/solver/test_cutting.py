"""Rounds of cuts, made of cuts, pruned and renumbered: nothing feasible is ever cut off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bundlewise.solver.engines import cutting, sifting
from bundlewise.solver.engines.cutting import Cutting
from bundlewise.solver.engines.ingredients import Ingredients
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.engines.linear import linear_answer
from bundlewise.solver.engines.sifting import sift
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder

from .cut_programs import cut_program, excess, feasible_points
from .test_auto import shop
from .test_odd_sets import matching

NONE = Ingredients(odd_sets=False, knapsack_cuts=False, rounding_cuts=False)


@pytest.fixture
def tiny_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Relaxations over some of the columns, and pruning every other round."""
    for module, name, value in [
        (sifting, "_FIRST", 5),
        (sifting, "_ADDED", 2),
        (cutting, "_PRUNED_EVERY", 2),
    ]:
        monkeypatch.setattr(module, name, value)


def begin(program: Program, parts: Ingredients | None = None) -> Cutting:
    clock = Clock(20.0)
    return Cutting(program, sift(program, clock), clock, parts or Ingredients())


@pytest.mark.usefixtures("tiny_steps")
def test_rounds_keep_every_assignment_and_bound_the_best() -> None:
    made_of_cuts = 0
    for seed in range(50):
        program = cut_program(seed, columns=12)
        points = feasible_points(program)
        exact = feasible_points(program, tolerance=0.0)  # the bound is that of the rows as given
        best = float((exact @ program.value).max(initial=-np.inf))
        search = begin(program)
        bound = search.bound
        assert bound >= best - 1e-6, seed
        for _ in range(7):
            if not search.round():
                break
            assert search.bound <= bound, seed
            bound = search.bound
            assert bound >= best - 1e-6, seed
            assert np.all(excess(search.program, points)[program.n_rows :] <= 1e-7), seed
            assert search.program.n_rows == program.n_rows + search.n_cuts
            made_of_cuts += sum(
                bool(np.any(cut.row[~cut.group] >= program.n_rows))
                for cut in search._cuts  # pyright: ignore[reportPrivateUsage]
            )
    assert made_of_cuts > 50


@pytest.mark.usefixtures("tiny_steps")
@pytest.mark.parametrize("seed", range(6))
def test_pruning_changes_neither_rows_nor_relaxation(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "_PRUNED_EVERY", 1000)
    search = begin(shop(seed, columns=200))
    for _ in range(6):
        if not search.round():
            break
    before = search.program.matrix().toarray()
    relaxation, bound = search.relaxation, search.bound
    search._prune()  # pyright: ignore[reportPrivateUsage]
    after = search.program.matrix().toarray()
    rows = {tuple(row) for row in before.round(9).tolist()}
    assert all(tuple(row) in rows for row in after.round(9).tolist())
    assert search.bound == bound
    columns, basis = search.relaxation.columns, search.relaxation.basis
    assert basis is not None
    assert relaxation.values is not None
    assert len(basis.row) == search.program.n_rows
    # what does not bind is not missed: the pruned relaxation has the same optimum, at its basis
    part = search.program.take(columns)
    again = linear_answer(part, 10, basis)
    assert again is not None
    assert again.objective == pytest.approx(part.objective(relaxation.values[columns]))
    scratch = linear_answer(part, 10)
    assert scratch is not None
    assert scratch.objective == pytest.approx(again.objective)
    assert again.work <= scratch.work


def test_a_triangle_is_closed_in_a_round_by_each_family_that_can() -> None:
    # 15 with halves, 10 in truth
    triangle = matching([(0, 1), (0, 2), (1, 2)], [10.0, 10.0, 10.0])
    for name in ("odd_sets", "rounding_cuts"):
        search = begin(triangle, replace(NONE, **{name: True}))
        assert search.bound == pytest.approx(15.0)
        assert search.round()
        assert search.bound == pytest.approx(10.0, abs=1e-3)
    assert not begin(triangle, replace(NONE, knapsack_cuts=True)).round()
    assert not begin(triangle, NONE).round()


def test_a_knapsack_is_closed_by_its_cut() -> None:
    # two of 0.6: relaxation 1 + 2/3, truth 1
    builder = ProgramBuilder([1.0, 1.0])
    builder.add_row("stock", [0, 1], 0.6, upper=1.0)
    search = begin(builder.build(), replace(NONE, knapsack_cuts=True))
    assert search.bound == pytest.approx(5 / 3)
    assert search.round()
    assert search.bound == pytest.approx(1.0, abs=1e-3)
    assert search.rounds == search.n_cuts == 1


def test_a_whole_relaxation_needs_no_cuts() -> None:
    builder = ProgramBuilder([2.0, 1.0])
    builder.add_row("one", [0, 1], 1.0, upper=1.0)
    search = begin(builder.build())
    assert not search.round()
    assert (search.n_cuts, search.rounds) == (0, 0)
    assert search.bound == pytest.approx(2.0)


def test_time_that_is_up_leaves_the_bound_as_it_was() -> None:
    program = shop(1)
    relaxation = sift(program, Clock(20.0))
    clock = Clock(0.0)
    search = Cutting(program, relaxation, clock, Ingredients())
    bound = search.bound
    search.round()
    assert search.bound <= bound
    assert np.isfinite(search.bound)
