"""Tightens the linear relaxation round by round with cuts that hold for all columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..program import ROW_TOLERANCE, Program
from .cuts import Cut, in_use, with_cuts
from .ingredients import Ingredients
from .interface import Clock
from .knapsack_cuts import KnapsackRows, knapsack_cuts, knapsack_rows
from .linear import Basis
from .mixed_integer_cuts import mixed_integer_cuts
from .odd_sets import odd_set_cuts, unit_rows
from .pricing import binary_columns
from .row_shapes import RowShapes, row_shapes
from .sifting import Relaxation, sift

_MOST = 200  # mixed-integer cuts a round
_PRUNED_EVERY = 3  # rounds
_SUM_TOLERANCE = 1e-9  # of ``Program.broken_rows``, relative to the sum of absolute terms
_LIFT_WORK = 2e-8  # seconds of a nominal machine an entry
_ROUND_WORK = 5e-3  # seconds of a nominal machine a round, …
_SEPARATION_WORK = 5e-5  # … and a column of the relaxation


class Cutting:
    """A program, its cuts so far, and the relaxation under them.

    Attributes
    ----------
    program
        the program with the cuts as rows after its own.
    relaxation
        its linear relaxation over all columns.
    bound
        the best bound of any round.
    rounds
        rounds that found cuts.
    """

    def __init__(
        self, program: Program, relaxation: Relaxation, clock: Clock, ingredients: Ingredients
    ) -> None:
        self.program, self.relaxation = program, relaxation
        self.bound = math.inf if relaxation.pricing is None else relaxation.pricing.bound
        self.rounds = 0
        self._base, self._clock, self._ingredients = program, clock, ingredients
        self._cuts: list[Cut] = []
        self._knapsacks: KnapsackRows | None = None
        self._unit = self._whole = np.zeros(0, dtype=bool)
        self._ones = 0

    @property
    def n_cuts(self) -> int:
        return len(self._cuts)

    def round(self) -> bool:
        """Add the cuts that the relaxation violates and solve it anew; whether there were any."""
        found = self._violated()
        if not found:
            return False
        program = with_cuts(self.program, found)
        self._clock.charge(_LIFT_WORK * len(program.row))
        basis = self.relaxation.basis
        relaxation = sift(
            program,
            self._clock,
            self.relaxation.columns,
            None if basis is None else basis.with_rows(len(found)),
        )
        if relaxation.pricing is None or relaxation.values is None:
            return False
        self.program, self.relaxation = program, relaxation
        self._cuts.extend(found)
        self.bound = min(self.bound, relaxation.pricing.bound)
        self.rounds += 1
        if self.rounds % _PRUNED_EVERY == 0:
            self._prune()
        return True

    def _violated(self) -> list[Cut]:
        relaxation = self.relaxation
        if relaxation.values is None or relaxation.basis is None:
            return []
        if self._knapsacks is None:
            shapes = row_shapes(self._base)
            self._knapsacks = knapsack_rows(self._base, shapes)
            self._unit = unit_rows(self._base, shapes)
            self._whole = whole_rows(self._base, shapes)
            self._ones = most_ones(self._base)
        columns = relaxation.columns
        few = self.program.take(columns)
        values = relaxation.values[columns]
        self._clock.charge(_ROUND_WORK + _SEPARATION_WORK * len(columns))
        n_cuts = len(self._cuts)
        found: list[Cut] = []
        if self._ingredients.odd_sets:
            found += odd_set_cuts(few, np.append(self._unit, np.zeros(n_cuts, dtype=bool)), values)
        if self._ingredients.knapsack_cuts:
            seconds = math.inf if self._clock.deterministic else self._clock.left()
            found += knapsack_cuts(few, self._knapsacks, values, seconds)
        if self._ingredients.rounding_cuts:
            whole = np.append(self._whole, np.zeros(n_cuts, dtype=bool))
            tolerance = row_tolerance(self.program, self._ones)
            new = mixed_integer_cuts(
                few, whole, tolerance, values, relaxation.basis, self._ones, _MOST
            )
            found += [replace(cut, complemented=columns[cut.complemented]) for cut in new]
        return found

    def _prune(self) -> None:
        """Drop cuts that do not bind, unless others are made of them."""
        basis = self.relaxation.basis
        if basis is None:
            return
        n_rows = self._base.n_rows
        kept = in_use(n_rows, self._cuts, basis.binding_rows()[n_rows : self.program.n_rows])
        if kept.all():
            return
        self._cuts = renumbered(n_rows, self._cuts, kept)
        self.program = with_cuts(self._base, self._cuts)
        self._clock.charge(_LIFT_WORK * len(self.program.row))
        row = np.concatenate([basis.row[:n_rows], basis.row[n_rows:][kept]])
        self.relaxation = replace(self.relaxation, basis=Basis(basis.column, row, basis.group))


def renumbered(n_rows: int, cuts: Sequence[Cut], kept: NDArray[np.bool_]) -> list[Cut]:
    """The kept cuts, made of each other's new rows."""
    number = np.concatenate([np.arange(n_rows), n_rows + np.cumsum(kept) - 1])
    result = []
    for k in np.flatnonzero(kept).tolist():
        row = cuts[k].row.copy()
        row[~cuts[k].group] = number[row[~cuts[k].group]]
        result.append(replace(cuts[k], row=row))
    return result


def whole_rows(program: Program, shapes: RowShapes) -> NDArray[np.bool_]:
    """(rows,) whether coefficients, columns and finite sides are all whole, and so the slack."""
    whole = shapes.whole.copy()
    for side in (program.row_lower, program.row_upper):
        whole &= (side == np.round(side)) | ~np.isfinite(side)
    return whole


def row_tolerance(program: Program, ones: int) -> NDArray[np.float64]:
    """(rows,) what an assignment may be over a side and still keep the row, at most.

    As ``Program.broken_rows`` has it, with so many columns at 1.
    """
    size = np.ones(program.n_rows)
    for side in (program.row_lower, program.row_upper):
        size = np.maximum(size, np.where(np.isfinite(side), np.abs(side), 0.0))
    return ROW_TOLERANCE * size + _SUM_TOLERANCE * ones * program.row_sizes()


def most_ones(program: Program) -> int:
    """How many columns can be other than 0 together, as far as groups and one count row tell."""
    binary = binary_columns(program)
    held = np.zeros(program.n_groups + 1, dtype=bool)  # the last is that of no group
    held[program.group] = True
    most = int(np.count_nonzero(held[:-1]))
    most += int(np.count_nonzero(binary & (program.group < 0)))
    others = int(np.count_nonzero(~binary))
    if np.any(program.lower < 0):
        return most + others
    ones = np.bincount(program.row[program.coefficient == 1.0], minlength=program.n_rows)
    counted = (ones == program.n_columns) & np.isfinite(program.row_upper)
    upper = program.row_upper[counted]
    counts = np.floor(upper + 2 * ROW_TOLERANCE * np.maximum(1.0, np.abs(upper)))
    return int(min(most, counts.min(initial=math.inf))) + others
