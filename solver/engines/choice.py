"""The search for programs that choose one column in each group under a few knapsack rows.

There the linear relaxation is almost whole and cuts hardly help; the best choices are those of
small loss (``exchange``). By turns: exchanges from the incumbent, and integer programs over the few
columns of each group with the highest ceilings, which CP-SAT is good at where all numbers are
whole.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from ..program import Program
from .exchange import ExchangeProblem, exchange, node_seconds
from .interface import EngineSettings
from .restricted import RestrictedPrograms
from .search_state import SearchState
from .sifting import Relaxation

_SMALL = 300  # columns of a program that is tried whole at first
_PER_GROUP = (1.5, 2.0, 2.5, 3.0, 4.0)  # columns a group of an integer program, on average
_FIRST_SHARE = 0.2  # of the time, for a first try
_SHARE = 0.15  # of the time, for an integer program
_LEAST = 1.0  # seconds of an integer program, at least
_NODES = 15_000_000  # of a walk of exchanges, about half a second
_DEVIATIONS = (0.1, 0.05, 0.02)
_SUM_LIMIT = 2.0**31  # of what CP-SAT adds up


class ChoiceSearch:
    """The search, from a solved relaxation on."""

    def __init__(
        self,
        state: SearchState,
        settings: EngineSettings,
        relaxation: Relaxation,
        problem: ExchangeProblem,
    ) -> None:
        assert relaxation.pricing is not None
        assert relaxation.values is not None
        self.state, self.settings, self.problem = state, settings, problem
        program = state.program
        support = np.flatnonzero(relaxation.values > 1e-9)
        ceiling = relaxation.pricing.ceiling(program)
        self.restricted = RestrictedPrograms(program, ceiling, support)
        self.engine = "cp-sat" if _are_decimals(program) else "highs"
        self._walk = 0
        self._solved = 0.0  # columns a group up to which integer programs were solved

    def run(self) -> None:
        """By turns, until the gap or the limit."""
        state = self.state
        time = state.clock.left()
        if state.program.n_columns <= _SMALL:
            self._integer_program(state.program.n_columns, _FIRST_SHARE * time)
        while not state.done():
            for per_group in _PER_GROUP:
                if per_group <= self._solved and per_group != _PER_GROUP[-1]:
                    continue
                size = round(per_group * state.program.n_groups)
                if state.objective is not None:
                    size = min(size, self.restricted.size_needed(state))
                limit = self._integer_program(size, _SHARE * time)
                if limit is None:
                    self._solved = max(self._solved, per_group)
                self._exchanges()
                if state.done():
                    return
            if self._solved >= _PER_GROUP[-1] or state.values is None:
                self._integer_program(state.program.n_columns, state.clock.left())

    def _integer_program(self, size: int, seconds: float) -> str | None:
        if self.state.done():
            return "time"
        self._walk += 1
        settings = replace(self.settings, seed=self.settings.seed + self._walk)
        seconds = max(seconds, _LEAST)
        gap = self.settings.gap
        return self.restricted.solve(self.state, settings, size, gap, seconds, self.engine)

    def _exchanges(self) -> None:
        """Walks from the incumbent, one a thread at a time."""
        state = self.state
        n_threads = self.settings.n_threads
        for deviation in _DEVIATIONS:
            if state.values is None or state.done():
                return
            nodes = int(min(_NODES, state.clock.left() / node_seconds(self.problem))) + 1
            start, seed = state.values, self.settings.seed + 1000 * self._walk
            self._walk += 1
            with ThreadPoolExecutor(n_threads) as threads:
                walks = [
                    threads.submit(exchange, self.problem, start, nodes, deviation, seed + k + 1)
                    for k in range(n_threads)
                ]
                results = [walk.result() for walk in walks]
            for values, _ in results:
                state.propose(values)
            state.clock.charge(max(work for _, work in results))
            state.count("walks", n_threads)
            state.report("exchanges")


def _are_decimals(program: Program) -> bool:
    """Whether a power of ten makes all numbers whole that CP-SAT can still add up."""
    numbers = np.concatenate([program.value, program.coefficient])
    row_sums = np.bincount(program.row, weights=np.abs(program.coefficient))
    largest = max(float(np.abs(program.value).sum()), float(row_sums.max(initial=0.0)))
    for scale in (1.0, 10.0, 100.0, 1000.0):
        scaled = numbers * scale
        if np.all(np.abs(scaled - np.round(scaled)) <= 1e-12 * np.maximum(1.0, np.abs(scaled))):
            return scale == 1.0 or scale * largest < _SUM_LIMIT
    return False
