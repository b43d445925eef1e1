"""Branching on what matters: a search tree over all columns, for programs that few choices decide.

A node fixes some columns; sifting gives it a bound for all columns. The node with the highest
bound is split on the column whose two sides lower the bound most, found by trying some (strong
branching: Applegate, Bixby, Chvátal & Cook 1995). A side below the target is closed, so that one
split may fix a column for good. Columns whose ceiling is below the target stay out.

    bound = max(open nodes, closed nodes, highest ceiling left out)

A program of many small choices hardly moves under this, and is given up after a few splits.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..program import Program
from .interface import EngineSettings
from .mathopt import integer_answer
from .restricted import RestrictedPrograms
from .search_state import SearchState
from .sifting import Relaxation, sift

_FRACTIONAL = 1e-6
_TRIED = 6  # columns tried at a node
_LARGEST = 20_000  # columns of a node's integer program
_STALLED = 0.01  # a split that closes less than this share of what is left is stalled
_STALLS = 3  # splits in a row
_SOURCE = "branching over all columns"


@dataclass(frozen=True, slots=True, order=True)
class _Node:
    """A part of the program by bounds of its columns; ordered by bound, the highest first."""

    negative_bound: float
    number: int
    lower: NDArray[np.float64] = field(compare=False)
    upper: NDArray[np.float64] = field(compare=False)
    relaxation: Relaxation = field(compare=False)

    @property
    def bound(self) -> float:
        return -self.negative_bound


class Branching:
    """A search tree over the columns that could be in a better assignment.

    Parameters
    ----------
    program
        the program with cuts.
    relaxation
        its linear relaxation, with a pricing.
    state
        has an incumbent, which says what could be better.

    Attributes
    ----------
    splits
        nodes split so far.
    """

    def __init__(self, program: Program, relaxation: Relaxation, state: SearchState) -> None:
        assert relaxation.pricing is not None
        assert state.values is not None
        ceiling = relaxation.pricing.ceiling(program)
        inside = (ceiling > state.target()) | (state.values != 0)
        self.splits = 0
        self._n_columns, self._columns = program.n_columns, np.flatnonzero(inside)
        self._program, self._clock = program.take(self._columns), state.clock
        self._closed = float(ceiling[~inside].max(initial=-math.inf))
        self._open: list[_Node] = []
        self._numbered = 0
        first = relaxation.columns[inside[relaxation.columns]]
        among = np.searchsorted(self._columns, first)
        root = sift(self._program, state.clock, among if len(among) else None)
        lower, upper = self._program.lower, self._program.upper
        self._add(self._node(lower, upper, root, relaxation.pricing.bound), -math.inf)

    @property
    def bound(self) -> float:
        """An upper bound for every assignment."""
        highest = self._open[0].bound if self._open else -math.inf
        return max(highest, self._closed)

    @property
    def exhausted(self) -> bool:
        """Whether no node is left that could hold a better assignment."""
        return not self._open

    def run(self, state: SearchState, until: float) -> None:
        """Split until the gap is reached, the clock has spent ``until`` seconds or it stalls."""
        stalls = 0
        while stalls < _STALLS and self._open and not state.done() and state.clock.spent() < until:
            before = self.bound
            self._split(state)
            state.lower_bound_to(self.bound, _SOURCE)
            least = _STALLED * max(before - state.target(), 0.0)
            stalls = stalls + 1 if before - self.bound < least else 0
        state.statistics["splits"] = float(self.splits)
        state.report(f"{self.splits} splits")

    def integer_program(
        self, state: SearchState, settings: EngineSettings, seconds: float, engine: str = "highs"
    ) -> None:
        """Solve the node with the highest bound as an integer program, which may close it."""
        if not self._open or state.done():
            return
        node = heapq.heappop(self._open)
        pricing = node.relaxation.pricing
        program = replace(self._program, lower=node.lower, upper=node.upper)
        ceiling = np.full(program.n_columns, math.inf)
        if pricing is not None:
            ceiling = pricing.ceiling(program)
        restricted = RestrictedPrograms(program, ceiling, np.zeros(0, dtype=np.int64))
        few, outside = restricted.best(min(restricted.size_needed(state), _LARGEST))
        own = replace(settings, engine=engine)
        raw = integer_answer(program.take(few), engine, own, state.clock, seconds=seconds)
        if raw.values is not None:
            values = np.zeros(program.n_columns)
            values[few] = raw.values
            state.propose(self._whole(values))
        inside_bound = -math.inf if raw.infeasible else raw.bound
        bound = node.bound
        if inside_bound is not None and not math.isnan(inside_bound):
            bound = min(bound, max(inside_bound, outside))
        if raw.limit is None and outside <= state.target():
            self._closed = max(self._closed, bound)
        else:
            self._add(replace(node, negative_bound=-bound), state.target())
        state.lower_bound_to(self.bound, _SOURCE)
        state.report(f"integer program of a node, {len(few):,} columns")

    def _split(self, state: SearchState) -> None:
        node = heapq.heappop(self._open)
        self.splits += 1
        values = node.relaxation.values
        tried = [] if values is None else self._candidates(values)
        if len(tried) == 0:  # nothing to split on
            state.propose(None if values is None else self._whole(values))
            self._closed = max(self._closed, node.bound)
            return
        best: tuple[_Node, _Node] | None = None
        best_score = -math.inf
        for column in tried:
            pair = self._sides(node, column)
            score = math.prod(max(node.bound - side.bound, 1e-6) for side in pair)
            if max(side.bound for side in pair) <= state.target():
                score = math.inf
            if best is None or score > best_score:
                best, best_score = pair, score
            if score == math.inf or state.clock.over():
                break
        assert best is not None
        for side in best:
            self._add(side, state.target())

    def _candidates(self, values: NDArray[np.float64]) -> list[int]:
        """Fractional columns, those first whose fraction is worth most."""
        part = np.abs(values - np.round(values))
        fractional = np.flatnonzero((part > _FRACTIONAL) & self._program.integral)
        worth = part[fractional] * np.abs(self._program.value[fractional])
        return fractional[np.argsort(-worth, kind="stable")[:_TRIED]].tolist()

    def _sides(self, node: _Node, column: int) -> tuple[_Node, _Node]:
        """The node with the column rounded down, and rounded up."""
        assert node.relaxation.values is not None
        value = node.relaxation.values[column]
        lower, upper = node.lower.copy(), node.upper.copy()
        upper[column], lower[column] = math.floor(value), math.ceil(value)
        return self._side(node, node.lower, upper), self._side(node, lower, node.upper)

    def _side(self, node: _Node, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> _Node:
        program = replace(self._program, lower=lower, upper=upper)
        relaxation = sift(program, self._clock, node.relaxation.columns, node.relaxation.basis)
        return self._node(lower, upper, relaxation, node.bound)

    def _node(
        self,
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
        relaxation: Relaxation,
        parent: float,
    ) -> _Node:
        bound = parent
        if relaxation.infeasible:
            bound = -math.inf
        elif relaxation.pricing is not None:
            bound = min(parent, relaxation.pricing.bound)
        self._numbered += 1
        return _Node(-bound, self._numbered, lower, upper, relaxation)

    def _add(self, node: _Node, target: float) -> None:
        if node.bound > target:
            heapq.heappush(self._open, node)
        else:
            self._closed = max(self._closed, node.bound)

    def _whole(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        full = np.zeros(self._n_columns)
        full[self._columns] = values
        return full
