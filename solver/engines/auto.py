"""Engine "auto": a bound for all columns by sifting and odd-set cuts, then an integer program over
the columns that reduced costs cannot rule out.

A column with ceiling c_j (``pricing.Pricing.ceiling``) is in no assignment worth more than c_j.
Solve the integer program over a set S of columns: whatever lies in S is worth at most its bound,
whatever does not is worth at most the highest ceiling outside S, so

    bound = min(relaxation, max(bound over S, highest ceiling outside S))

holds for all columns. S grows until this is within the gap of the incumbent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, conclude, settled, within_gap
from .interface import Clock, EngineSettings, Progress, ProgressCallback
from .mathopt import integer_answer
from .odd_sets import with_odd_set_cuts
from .presolve import presolve
from .sifting import Relaxation, sift

_FIRST = 3000  # columns of the first restricted integer program
_GROWTH = 4
_CUT_ROUNDS = 20
_INNER = "highs"


@dataclass(slots=True)
class _Search:
    """The incumbent and the bound so far, over the presolved program."""

    values: NDArray[np.float64] | None = None
    objective: float | None = None
    bound: float = math.inf
    source: str = "none"
    limit: str | None = None
    infeasible: bool = False
    integer_programs: int = 0
    columns: int = 0

    def propose(self, program: Program, values: NDArray[np.float64] | None) -> None:
        """Take an assignment as the incumbent where it is feasible and better."""
        values = settled(program, values)
        if values is None:
            return
        objective = program.objective(values)
        if self.objective is None or objective > self.objective:
            self.values, self.objective = values, objective

    def lower_bound_to(self, bound: float, source: str) -> None:
        """Take a bound where it is better; it never lies below the incumbent."""
        if self.objective is not None:
            bound = max(bound, self.objective)
        if bound < self.bound:
            self.bound, self.source = bound, source


def solve_auto(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None,
    start: NDArray[np.float64] | None = None,
) -> Solution:
    """Solve a program of up to millions of columns with a bound that holds for all of them."""
    reduced, kept = presolve(program)
    search = _Search()
    relaxation, prices = sift(reduced, clock), None
    search.infeasible = relaxation.infeasible
    if relaxation.pricing is not None:
        prices = relaxation.pricing.row_dual[: program.n_rows]
        search.lower_bound_to(relaxation.pricing.bound, "linear relaxation by sifting")
        _report(progress, clock, search, f"{relaxation.rounds} rounds of sifting")
        reduced, relaxation = _tightened(reduced, relaxation, settings, clock, search)
        _report(progress, clock, search, f"{reduced.n_rows - program.n_rows} odd-set cuts")
    if not search.infeasible:
        _integer_search(reduced, relaxation, settings, clock, progress, search)
    values = None
    if search.values is not None:
        values = np.zeros(program.n_columns)
        values[kept] = search.values
    statistics = {
        "columns_after_presolve": float(reduced.n_columns),
        "odd_set_cuts": float(reduced.n_rows - program.n_rows),
        "sifting_rounds": float(relaxation.rounds),
        "sifting_columns": float(len(relaxation.columns)),
        "integer_programs": float(search.integer_programs),
        "integer_columns": float(search.columns),
    }
    limit = search.limit or ("time" if clock.over() else None)
    raw = RawAnswer(values, search.bound, search.infeasible, limit, statistics)
    return conclude(
        program,
        settings,
        raw,
        engine="auto",
        bound_source=search.source,
        shadow_prices={}
        if prices is None
        else dict(zip(program.row_name, prices.tolist(), strict=True)),
    )


def _tightened(
    program: Program,
    relaxation: Relaxation,
    settings: EngineSettings,
    clock: Clock,
    search: _Search,
) -> tuple[Program, Relaxation]:
    """Odd-set cuts until the relaxation violates none, or is as close as the gap asks for."""
    for _ in range(_CUT_ROUNDS):
        if relaxation.values is None or clock.over():
            break
        search.propose(program, relaxation.values)
        if within_gap(search.objective, search.bound, settings.gap):
            break
        cut = with_odd_set_cuts(program, relaxation.values)
        if cut is program:
            break
        again = sift(cut, clock, relaxation.columns)
        if again.pricing is None:
            break
        search.lower_bound_to(again.pricing.bound, "linear relaxation with odd-set cuts")
        program = cut
        relaxation = replace(again, rounds=again.rounds + relaxation.rounds)
    return program, relaxation


def _integer_search(
    program: Program,
    relaxation: Relaxation,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None,
    search: _Search,
) -> None:
    """Integer programs over growing sets of columns, best ceilings first."""
    search.propose(program, relaxation.values)
    if within_gap(search.objective, search.bound, settings.gap):
        return
    pricing = relaxation.pricing
    ceiling = np.full(program.n_columns, np.inf) if pricing is None else pricing.ceiling(program)
    order = np.argsort(-ceiling, kind="stable")
    size = max(_FIRST, int(np.isposinf(ceiling).sum()))
    gap = settings.gap
    while not within_gap(search.objective, search.bound, settings.gap) and not clock.over():
        needed = program.n_columns
        if search.objective is not None:
            target = search.objective + settings.gap * abs(search.objective)
            needed = int(np.count_nonzero(ceiling > target))
        size = min(size, needed)
        chosen = np.union1d(order[:size], _support(relaxation, search))
        outside = float(ceiling[order[size]]) if size < program.n_columns else -math.inf
        restricted = replace(settings, gap=gap)
        hint = None if search.values is None else search.values[chosen]
        raw = integer_answer(
            program.take(chosen), _INNER, restricted, clock, hint=hint, presolve=False
        )
        search.integer_programs += 1
        search.columns = len(chosen)
        if raw.values is not None:
            full = np.zeros(program.n_columns)
            full[chosen] = raw.values
            search.propose(program, full)
        inside = -math.inf if raw.infeasible else raw.bound
        if inside is not None and not math.isnan(inside):
            name = f"reduced costs and {_INNER} on {len(chosen)} of {program.n_columns} columns"
            search.lower_bound_to(max(inside, outside), name)
        if raw.infeasible and size == program.n_columns and search.values is None:
            search.infeasible = True
            return
        _report(progress, clock, search, f"integer program over {len(chosen)} columns")
        if raw.limit is not None:
            search.limit = raw.limit
            return
        if size >= needed:
            if gap <= 0:
                return
            gap = 0.0 if gap < 1e-7 else gap / 10
        size *= _GROWTH


def _support(relaxation: Relaxation, search: _Search) -> NDArray[np.int64]:
    """Columns of the relaxation and the incumbent, which keep a restricted program feasible."""
    used = [np.zeros(0, dtype=np.int64)]
    if relaxation.values is not None:
        used.append(np.flatnonzero(relaxation.values > 1e-9))
    if search.values is not None:
        used.append(np.flatnonzero(search.values))
    return np.concatenate(used)


def _report(progress: ProgressCallback | None, clock: Clock, search: _Search, message: str) -> None:
    if progress is not None:
        bound = search.bound if math.isfinite(search.bound) else None
        progress(Progress(clock.spent(), search.objective, bound, message))
