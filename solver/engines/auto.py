"""Engine "auto": a bound for all columns, and an incumbent, each made better by the other.

1. Presolve drops what cannot be (``presolve``).
2. Sifting solves the linear relaxation over all columns (``sifting``); its dual values give a
   bound and a ceiling for every column (``pricing``).
3. An integer program over the columns with the highest ceilings may end it (``restricted``).
4. Dives make assignments of what the relaxation is surest of (``diving``).
5. Cuts tighten the relaxation, each known for all columns (``cutting``).
6. Branching, where a few choices decide much (``branching``).
7. Integer programs over what the tighter ceilings leave, and neighbourhoods of the incumbent
   (``neighbourhoods``), until the gap is reached or the time is up.

Programs that choose one column in each group under a few rows have a search of their own from
step 3 on (``choice``).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..program import Program
from ..solution import Solution
from .answer import RawAnswer, conclude
from .branching import Branching
from .choice import ChoiceSearch
from .cutting import Cutting
from .diving import dive
from .exchange import exchange_problem
from .ingredients import Ingredients
from .interface import Clock, EngineSettings, ProgressCallback
from .neighbourhoods import Neighbourhoods
from .presolve import presolve
from .restricted import RestrictedPrograms
from .search_state import SearchState
from .sifting import Relaxation, sift

_ENGINES = ("highs", "scip")  # of restricted integer programs, by turns: they find other plans
_FIRST = 2500  # columns of the first restricted integer program
_GROWTH = 4
_SURE = (0.7, 0.8, 0.9)  # values from which dives choose a column
_FIRST_TRY = 0.05  # share of the time for an integer program before any cut
_CUTTING = 0.4  # share of the time that has passed when the first cutting ends
_STALLED = 1e-4  # a round of cuts that lowers the bound by less than this share, and …
_STALLED_GAP = 0.01  # … by less than this share of what is left to close, is stalled
_STALLS = 2  # rounds in a row
_BRANCHING = 0.1  # share of the time left for splits
_WORTHWHILE = 0.8  # what splits leave of what was to close, at most, where they are worth going on
_BRANCHED_AGAIN = 0.5  # what is left to close, beside the last time, where they are tried again
_TRY = 0.25  # share of the time left for an integer program
_POOL = 4000  # columns that neighbourhoods choose from
_PATIENCE = 12  # rounds of neighbourhoods without a better incumbent


def solve_auto(
    program: Program,
    settings: EngineSettings,
    clock: Clock,
    progress: ProgressCallback | None,
    start: NDArray[np.float64] | None = None,
    ingredients: Ingredients | None = None,
    known_bound: float | None = None,
) -> Solution:
    """Solve a program of up to millions of columns with a bound that holds for all of them.

    ``known_bound`` is what no assignment is worth more than, as proven elsewhere.
    """
    parts = ingredients or Ingredients()
    if parts.presolve:
        reduced, kept = presolve(program)
    else:
        reduced, kept = program, np.arange(program.n_columns)
    state = SearchState(reduced, settings.gap, clock, progress)
    state.statistics["columns_after_presolve"] = float(reduced.n_columns)
    state.propose(None if start is None else start[kept])
    if known_bound is not None:
        state.known_bound = known_bound
    prices = _search(state, settings, parts)
    values = None
    if state.values is not None:
        values = np.zeros(program.n_columns)
        values[kept] = state.values
    raw = RawAnswer(values, state.bound, state.infeasible, clock.reason, state.statistics)
    names = program.row_name
    return conclude(
        program,
        settings,
        raw,
        engine="auto",
        bound_source=state.source,
        shadow_prices={} if prices is None else dict(zip(names, prices.tolist(), strict=True)),
    )


def _search(
    state: SearchState, settings: EngineSettings, parts: Ingredients
) -> NDArray[np.float64] | None:
    """Run until the gap or the limit; the shadow prices of the rows."""
    relaxation = sift(state.program, state.clock)
    state.infeasible = relaxation.infeasible
    state.statistics["sifting_rounds"] = float(relaxation.rounds)
    state.statistics["sifting_columns"] = float(len(relaxation.columns))
    if relaxation.pricing is None:
        if not state.done():
            _whole(state, settings)
        return None
    prices = relaxation.pricing.row_dual
    state.lower_bound_to(relaxation.pricing.bound, "linear relaxation by sifting")
    state.propose(relaxation.values)
    state.report(f"{relaxation.rounds} rounds of sifting")
    search = _Improvement(state, settings, parts, relaxation)
    choice = exchange_problem(state.program, relaxation.pricing) if parts.exchange else None
    if choice is not None:
        ChoiceSearch(state, settings, relaxation, choice).run()
        return prices
    search.first_try()
    while not (state.done() or search.finished):
        search.cut()
        search.dives()
        search.branch()
        search.integer_program()
        search.neighbourhoods()
    return prices


def _whole(state: SearchState, settings: EngineSettings) -> None:
    """The integer program over all columns, where no relaxation could be solved."""
    program = state.program
    everything = RestrictedPrograms(
        program, np.full(program.n_columns, math.inf), np.zeros(0, dtype=np.int64)
    )
    everything.solve(state, settings, program.n_columns, settings.gap, state.clock.left())


class _Improvement:
    """What makes the bound and the incumbent better, by turns."""

    def __init__(
        self,
        state: SearchState,
        settings: EngineSettings,
        parts: Ingredients,
        relaxation: Relaxation,
    ) -> None:
        self.state, self.settings, self.parts = state, settings, parts
        self.cutting = Cutting(state.program, relaxation, state.clock, parts)
        self.size, self.gap = _FIRST, settings.gap
        self.finished = False  # all that matters was solved to a gap of 0
        self._restricted: RestrictedPrograms | None = None
        self._programs_solved = 0
        self._branched_at = math.inf  # what was left to close when branching began last
        self._exhausted = False  # no cuts are left to find

    def first_try(self) -> None:
        """An integer program before any cut, which is often all that is needed."""
        if not self.state.done():
            self._solve_restricted(_FIRST_TRY * self.state.clock.left())

    def cut(self) -> None:
        """Rounds of cuts until they stall."""
        state, cutting = self.state, self.cutting
        until = state.clock.spent() + _CUTTING * state.clock.left()
        stalls = 0
        while not self._exhausted and not state.done() and state.clock.spent() < until:
            before = state.bound
            if not cutting.round():
                self._exhausted = True
                break
            state.lower_bound_to(cutting.bound, f"linear relaxation with {cutting.n_cuts} cuts")
            state.propose(cutting.relaxation.values)
            state.report(f"{cutting.n_cuts} cuts")
            least = _STALLED * abs(state.bound)
            if state.objective is not None:
                least = min(least, _STALLED_GAP * (before - state.objective))
            stalls = stalls + 1 if before - state.bound <= least else 0
            self._restricted = None
            if stalls == _STALLS:
                break
        state.statistics["cuts"] = float(cutting.n_cuts)
        state.statistics["cut_rounds"] = float(cutting.rounds)

    def dives(self) -> None:
        """Assignments from the relaxation as it is now."""
        values = self.cutting.relaxation.values
        if not self.parts.diving or values is None:
            return
        restricted = self._programs()
        best, _ = restricted.best(max(len(restricted.support), 1))
        columns = np.union1d(np.union1d(best, restricted.support), self.cutting.relaxation.columns)
        program = restricted.program.take(columns)
        for sure in _SURE:
            if self.state.done():
                return
            found = dive(program, values[columns], sure, self.state.clock)
            if found is not None:
                full = np.zeros(self.state.program.n_columns)
                full[columns] = found
                self.state.propose(full)
            self.state.count("dives")
        self.state.report("dives")

    def branch(self) -> None:
        """A search tree, and integer programs of its nodes, where a few choices decide much."""
        state = self.state
        gap = state.bound - state.target()
        if not self.parts.branching or state.values is None or state.done():
            return
        if gap > _BRANCHED_AGAIN * self._branched_at:
            return
        self._branched_at = gap
        tree = Branching(self.cutting.program, self.cutting.relaxation, state)
        share = _BRANCHING * state.clock.left()
        tree.run(state, state.clock.spent() + share)
        while not state.done() and not tree.exhausted:
            if state.bound - state.target() > _WORTHWHILE * gap:
                return
            bound, objective = state.bound, state.objective
            tree.integer_program(state, self.settings, max(_TRY * state.clock.left(), 1.0))
            if not state.done():
                tree.run(state, state.clock.spent() + share)
            if state.bound >= bound and state.objective == objective:
                return

    def integer_program(self) -> None:
        """One over the columns with the highest ceilings; more of them next time."""
        if not self.state.done():
            self._solve_restricted(max(_TRY * self.state.clock.left(), 1.0))

    def neighbourhoods(self) -> None:
        """Rounds around the incumbent until they no longer better it."""
        state = self.state
        if not self.parts.neighbourhoods or state.values is None or state.done():
            return
        restricted = self._programs()
        pool = np.union1d(restricted.support, np.flatnonzero(state.values))
        best, _ = restricted.best(min(_POOL, restricted.size_needed(state)))
        pool = np.union1d(pool, best)
        values = self.cutting.relaxation.values
        preference = np.zeros(state.program.n_columns) if values is None else values
        rounds = Neighbourhoods(state.program, pool, preference, restricted.ceiling, self.settings)
        misses = 0
        while not state.done() and misses < _PATIENCE:
            misses = 0 if rounds.round(state) else misses + 1

    def _programs(self) -> RestrictedPrograms:
        if self._restricted is None:
            relaxation = self.cutting.relaxation
            assert relaxation.pricing is not None
            program = self.cutting.program
            support = np.zeros(0, dtype=np.int64)
            if relaxation.values is not None:
                support = np.flatnonzero(relaxation.values > 1e-9)
            ceiling = relaxation.pricing.ceiling(program)
            self._restricted = RestrictedPrograms(program, ceiling, support)
        return self._restricted

    def _solve_restricted(self, seconds: float) -> None:
        state, restricted = self.state, self._programs()
        needed = state.program.n_columns
        if self.parts.fixing and state.objective is not None:
            needed = restricted.size_needed(state)
        size = min(self.size, needed)
        settings = replace(self.settings, seed=self.settings.seed + self._programs_solved)
        engine = _ENGINES[self._programs_solved % len(_ENGINES)]
        self._programs_solved += 1
        limit = restricted.solve(state, settings, size, self.gap, seconds, engine)
        if limit is not None or state.done():
            return
        if size < needed:
            self.size *= _GROWTH
        elif self.gap > 0:
            self.gap = 0.0 if self.gap < 1e-7 else self.gap / 10
        else:
            self.finished = True
