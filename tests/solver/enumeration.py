"""Random small programs, and their optima by trying every assignment; one that is hard to prove."""

from __future__ import annotations

import numpy as np
from bundlewise.solver.program import Program
from bundlewise.solver.program_builder import ProgramBuilder


def optimum(program: Program) -> float | None:
    """The best of all 0/1 assignments, None where none is feasible (up to 16 columns)."""
    n = program.n_columns
    bits = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(np.float64)
    activity = bits @ program.matrix().toarray().T
    fine = np.all(activity <= program.row_upper + 1e-6, axis=1)
    fine &= np.all(activity >= program.row_lower - 1e-6, axis=1)
    for g in range(program.n_groups):
        count = bits[:, program.group == g].sum(axis=1)
        fine &= (count == 1) if program.group_exact[g] else (count <= 1)
    return float((bits[fine] @ program.value).max()) if fine.any() else None


def random_program(seed: int, columns: int = 11) -> Program:
    """Levels, counts, knapsacks and a margin row with real coefficients; some are infeasible."""
    random = np.random.default_rng(seed)
    value = random.normal(100, 80, columns).round(random.integers(0, 4))
    exact = [bool(random.random() < 0.3) for _ in range(columns // 2)]
    group = np.arange(columns) // 2
    group[group == columns // 2] = -1
    builder = ProgramBuilder(value, group=group, group_exact=exact)
    everything = np.arange(columns)
    least = int(random.integers(0, 4))
    builder.add_row("bundle-count", everything, 1.0, lower=least, upper=least + 2)
    builder.add_row("discount-budget", everything, random.uniform(1, 9, columns), upper=15.0)
    builder.add_row("plan-margin", everything, random.normal(0.5, 3, columns), lower=0.0)
    for product in range(4):
        which = np.flatnonzero(random.random(columns) < 0.35)
        builder.add_row(f"stock[{product}]", which, random.exponential(2, len(which)), upper=3.0)
    if random.random() < 0.3:
        builder.add_row("category-limit", everything[::3], 1.0, lower=1.0, upper=1.0)
    return builder.build()


def market_split(rows: int = 5, seed: int = 1) -> Program:
    """Market split (Cornuéjols & Dawande 1998) with slack columns."""
    random = np.random.default_rng(seed)
    n = 10 * (rows - 1)
    weights = random.integers(0, 100, (rows, n)).astype(float)
    sides = np.floor(weights.sum(axis=1) / 2)
    value = np.concatenate([np.zeros(n), -np.ones(2 * rows)])
    upper = np.concatenate([np.ones(n), np.repeat(weights.sum(axis=1), 2)])
    builder = ProgramBuilder(value, upper=upper)
    for i in range(rows):
        columns = [*range(n), n + 2 * i, n + 2 * i + 1]
        builder.add_row(
            f"split[{i}]", columns, [*weights[i], 1.0, -1.0], lower=sides[i], upper=sides[i]
        )
    return builder.build()
