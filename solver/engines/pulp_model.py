"""A program as a PuLP model, to be solved by one of PuLP's solvers or written to a file."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pulp

from ..program import Program
from .interface import Clock

OBJECTIVE = "objective"


@dataclass(frozen=True, slots=True)
class ModelNames:
    """Names for a model that people read; a solver does without.

    All different, and made of characters that the file formats take.

    Attributes
    ----------
    columns
        (columns,)
    rows, lower_rows
        (rows,) of a row, and of its lower side where it has two that differ.
    groups
        (groups,)
    """

    columns: Sequence[str]
    rows: Sequence[str]
    lower_rows: Sequence[str]
    groups: Sequence[str]


def pulp_model(
    program: Program,
    *,
    maximize: bool = False,
    names: ModelNames | None = None,
    clock: Clock | None = None,
) -> tuple[pulp.LpProblem, list[pulp.LpVariable]] | None:
    """The program as a minimisation of −value · x, or a maximisation of value · x.

    PuLP has no two-sided rows: where the sides differ, such a row becomes two. A group becomes
    the row Σ x <= 1, or = 1 where it is exact, and none where it is one column that need not
    be chosen.

    Returns
    -------
        the model and its variables, in the order of the columns; None where ``clock`` ran out.
    """
    model = _Model(program, maximize, names)
    clock = clock or Clock(math.inf)
    with collector_paused():
        built = (
            model.add_columns(clock)
            and model.add_objective(clock)
            and model.add_rows(clock)
            and model.add_groups(clock)
        )
    return (model.problem, model.columns) if built else None


@contextmanager
def collector_paused() -> Iterator[None]:
    """Meanwhile, do not look for garbage: among millions of small objects that all live on,
    Python's search for it takes longer than PuLP's own work."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Model:
    """Each step adds a part, and says whether there is time for the next."""

    def __init__(self, program: Program, maximize: bool, names: ModelNames | None) -> None:
        self.program, self.names = program, names
        self.sign = 1.0 if maximize else -1.0
        sense = pulp.LpMaximize if maximize else pulp.LpMinimize
        self.problem = pulp.LpProblem("bundlewise", sense)
        self.columns: list[pulp.LpVariable] = []
        self.n_empty = 0

    def add_columns(self, clock: Clock) -> bool:
        program = self.program
        names = self.names.columns if self.names else [f"x{j}" for j in range(program.n_columns)]
        limits = (program.lower.tolist(), program.upper.tolist(), program.integral.tolist())
        for j, (name, lower, upper, whole) in enumerate(zip(names, *limits, strict=True)):
            if j % 1024 == 0 and clock.over():
                return False
            self.columns.append(
                self.problem.add_variable(
                    name,
                    None if math.isinf(lower) else lower,
                    None if math.isinf(upper) else upper,
                    pulp.LpInteger if whole else pulp.LpContinuous,
                )
            )
        return not clock.over()

    def add_objective(self, clock: Clock) -> bool:
        values = (self.sign * self.program.value + 0.0).tolist()  # no −0
        terms = zip(self.columns, values, strict=True)
        self.problem += pulp.LpAffineExpression(terms), OBJECTIVE
        return not clock.over()

    def add_rows(self, clock: Clock) -> bool:
        program, names = self.program, self.names
        by_row = program.matrix().tocsr()
        sides = zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True)
        for i, (lower, upper) in enumerate(sides):
            entries = slice(by_row.indptr[i], by_row.indptr[i + 1])
            members = [self.columns[j] for j in by_row.indices[entries].tolist()]
            terms = list(zip(members, by_row.data[entries].tolist(), strict=True))
            both = (names.rows[i], names.lower_rows[i]) if names else (None, None)
            self._add_row(terms, lower, upper, *both)
            if clock.over():
                return False
        return True

    def add_groups(self, clock: Clock) -> bool:
        program = self.program
        order = np.argsort(program.group, kind="stable")
        edges = np.searchsorted(program.group[order], np.arange(program.n_groups + 1)).tolist()
        members = order.tolist()
        for g, exact in enumerate(program.group_exact.tolist()):
            if g % 1024 == 0 and clock.over():
                return False
            terms = [(self.columns[j], 1.0) for j in members[edges[g] : edges[g + 1]]]
            if exact or len(terms) > 1:
                lower = 1.0 if exact else -math.inf
                self._add_row(terms, lower, 1.0, self.names.groups[g] if self.names else None)
        return True

    def _add_row(
        self,
        terms: list[tuple[pulp.LpVariable, float]],
        lower: float,
        upper: float,
        name: str | None = None,
        lower_name: str | None = None,
    ) -> None:
        if not terms:
            # PuLP drops a row without columns; a column that is 0 keeps what it demands
            self.n_empty += 1
            terms = [(self.problem.add_variable(f"nothing{self.n_empty}", 0, 0), 1.0)]
        expression = pulp.LpAffineExpression(terms)
        if lower == upper:
            self.problem += expression == upper, name
            return
        if math.isfinite(upper):
            self.problem += expression <= upper, name
        if math.isfinite(lower):
            self.problem += expression >= lower, lower_name if math.isfinite(upper) else name
