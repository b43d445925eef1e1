"""The set named is infeasible, dropping any one rule is enough, and no smaller set conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from bundlewise.solver.engines import EngineSettings, solve_program
from bundlewise.solver.engines.interface import Clock
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder
from bundlewise.solver.smallest_conflict import smallest_conflict
from bundlewise.solver.solution import Status


def feasible(program: Program, rules: Sequence[str]) -> bool:
    kept = np.array([rule in rules for rule in program.row_rule])
    relaxed = program.with_sides(
        np.where(kept, program.row_lower, -np.inf), np.where(kept, program.row_upper, np.inf)
    )
    settings = EngineSettings(engine="highs", time_limit=20)
    status = solve_program(replace(relaxed, value=np.zeros(program.n_columns)), settings).status
    assert status in (Status.OPTIMAL, Status.INFEASIBLE)
    return status is Status.OPTIMAL


def random_conflicts() -> Iterator[Program]:
    """Infeasible programs of 12 columns in groups and 10 rows of 7 rules."""
    for seed in range(40):
        random = np.random.default_rng(seed)
        builder = ProgramBuilder(np.zeros(12), group=np.arange(12) // 3)
        for i in range(10):
            columns = np.flatnonzero(random.random(12) < 0.4)
            count = int(random.integers(0, 4))
            side = {"lower": count} if random.random() < 0.4 else {"upper": count}
            builder.add_row(f"row{i}", columns, 1.0, rule=f"rule{i % 7}", **side)
        program = builder.build()
        if not feasible(program, program.row_rule):
            yield program


def test_any_one_rule_less_is_feasible_and_no_set_is_smaller() -> None:
    found = 0
    for program in random_conflicts():
        found += 1
        conflict = smallest_conflict(program, Clock(20.0))
        assert conflict.irreducible
        assert conflict.smallest
        assert not feasible(program, conflict.rules)
        for rule in conflict.rules:
            assert feasible(program, [other for other in conflict.rules if other != rule])
        fewer = combinations(sorted(set(program.row_rule)), len(conflict.rules) - 1)
        assert all(feasible(program, rules) for rules in fewer)
    assert found >= 10


def test_a_pair_is_found_where_a_proof_names_three_rules() -> None:
    # x + y >= 2 conflicts with x <= 0 alone; a proof may use y <= 0, z and others besides
    builder = ProgramBuilder([1.0, 1.0, 1.0])
    builder.add_row("both", [0, 1], 1.0, lower=2)
    builder.add_row("either", [0, 1, 2], 1.0, upper=2)
    builder.add_row("third", [2], 1.0, lower=1)
    builder.add_row("not the first", [0], 1.0, upper=0)
    conflict = smallest_conflict(builder.build(), Clock(20.0))
    assert set(conflict.rules) == {"both", "not the first"}
    assert conflict.smallest


def test_smallest_in_whole_numbers() -> None:
    # x + y = 1 with x = y conflicts for whole x, y only; z <= 0 has no part in it
    builder = ProgramBuilder([1.0, 1.0, 1.0])
    builder.add_row("sum", [0, 1], 1.0, lower=1, upper=1)
    builder.add_row("same", [0, 1], [1.0, -1.0], lower=0, upper=0)
    builder.add_row("other", [2], 1.0, upper=0)
    assert set(smallest_conflict(builder.build(), Clock(20.0)).rules) == {"sum", "same"}


def test_without_time_every_rule_is_named_and_nothing_claimed() -> None:
    builder = ProgramBuilder([1.0, 1.0])
    builder.add_row("sum", [0, 1], 1.0, lower=1, upper=1)
    builder.add_row("same", [0, 1], [1.0, -1.0], lower=0, upper=0)
    builder.add_row("idle", [0, 1], 1.0, upper=2)
    conflict = smallest_conflict(builder.build(), Clock(0.0))
    assert set(conflict.rules) == {"sum", "same", "idle"}
    assert not conflict.irreducible
    assert not conflict.smallest


def test_a_feasible_program_has_no_conflict() -> None:
    builder = ProgramBuilder([1.0])
    builder.add_row("one", [0], 1.0, lower=1)
    with pytest.raises(ValueError, match="not infeasible"):
        smallest_conflict(builder.build(), Clock(20.0))
