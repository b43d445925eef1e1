"""Integer programs over the columns with the highest ceilings.

A column with ceiling c_j (``pricing.Pricing.ceiling``) is in no assignment worth more than c_j.
Solve the integer program over a set S of columns: whatever lies in S is worth at most its bound,
whatever does not is worth at most the highest ceiling outside S, so

    bound = max(bound over S, highest ceiling outside S)

holds for all columns.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..program import Program
from .answer import RawAnswer
from .interface import Clock, EngineSettings
from .mathopt import integer_answer
from .search_state import SearchState


class RestrictedPrograms:
    """Integer programs over growing sets of columns, with the cuts of the relaxation as rows.

    Parameters
    ----------
    program
        the program with cuts.
    ceiling
        (columns,) of each column.
    support
        columns that are in every set, such as those of the relaxation.
    """

    def __init__(
        self, program: Program, ceiling: NDArray[np.float64], support: NDArray[np.int64]
    ) -> None:
        self.program, self.ceiling, self.support = program, ceiling, support

    def size_needed(self, state: SearchState) -> int:
        """Columns that could be in a better assignment."""
        return int(np.count_nonzero(self.ceiling > state.target()))

    def best(self, size: int) -> tuple[NDArray[np.int64], float]:
        """The columns with the highest ceilings, and the highest ceiling that is left out."""
        n = self.program.n_columns
        size = max(size, int(np.isposinf(self.ceiling).sum()), 1)
        if size >= n:
            return np.arange(n), -math.inf
        least = np.partition(self.ceiling, n - size)[n - size]
        inside = self.ceiling >= least  # ties come in together
        return np.flatnonzero(inside), float(self.ceiling[~inside].max(initial=-math.inf))

    def solve(
        self,
        state: SearchState,
        settings: EngineSettings,
        size: int,
        gap: float,
        seconds: float,
        engine: str = "highs",
    ) -> str | None:
        """Solve over so many columns; the limit that ended it, None where it was solved.

        Parameters
        ----------
        engine
            "highs", "scip" or "cp-sat".
        """
        best, outside = self.best(size)
        support = self.support
        if state.values is not None:
            support = np.union1d(support, np.flatnonzero(state.values))
        chosen = np.union1d(best, support)
        if len(chosen) == self.program.n_columns:
            outside = -math.inf
        hint = None if state.values is None else state.values[chosen]
        inner = replace(settings, gap=gap)
        part = self.program.take(chosen)
        if engine == "cp-sat":
            raw = _cp_sat(part, inner, state.clock, hint, seconds)
        else:
            raw = integer_answer(
                part, engine, inner, state.clock, hint=hint, presolve=False, seconds=seconds
            )
        state.count("integer_programs")
        state.statistics["integer_columns"] = float(len(chosen))
        if raw.values is not None:
            full = np.zeros(self.program.n_columns)
            full[chosen] = raw.values
            state.propose(full)
        inside = -math.inf if raw.infeasible else raw.bound
        if inside is not None and not math.isnan(inside):
            name = (
                f"reduced costs and {engine} on {len(chosen)} of {self.program.n_columns} columns"
            )
            state.lower_bound_to(max(inside, outside), name)
        if raw.infeasible and outside == -math.inf and state.values is None:
            state.infeasible = True
        state.report(f"integer program over {len(chosen):,} columns")
        return raw.limit


def _cp_sat(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    hint: NDArray[np.float64] | None,
    seconds: float,
) -> RawAnswer:
    from .cp_sat import answer_here

    own = Clock(
        min(seconds, clock.left()), deterministic=clock.deterministic, interrupt=clock.interrupt
    )
    raw = answer_here(program, settings, own, None, hint)
    clock.charge(own.spent())
    return raw
