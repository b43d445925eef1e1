"""The incumbent and the bound of a search, each with where it comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..program import Program
from .answer import settled, within_gap
from .interface import Clock, Progress, ProgressCallback


@dataclass(slots=True)
class SearchState:
    """What is known of a program so far.

    Attributes
    ----------
    program
        the program without cuts.
    gap
        relative gap at which the search may stop.
    values, objective
        the incumbent; None without one.
    bound, source
        the least upper bound proven here, and what proved it.
    known_bound
        one that was proven elsewhere: it may end the search, but says nothing of how the bound
        here moves, by which the parts of the search judge themselves.
    infeasible
        proven: nothing satisfies every row.
    statistics
        counts for the log.
    """

    program: Program
    gap: float
    clock: Clock
    progress: ProgressCallback | None = None
    values: NDArray[np.float64] | None = None
    objective: float | None = None
    bound: float = math.inf
    source: str = "none"
    infeasible: bool = False
    statistics: dict[str, float] = field(default_factory=dict)
    known_bound: float = math.inf

    def propose(self, values: NDArray[np.float64] | None) -> bool:
        """Take an assignment as the incumbent where it is feasible and better."""
        values = settled(self.program, values)
        if values is None:
            return False
        objective = self.program.objective(values)
        if self.objective is not None and objective <= self.objective:
            return False
        self.values, self.objective = values, objective
        return True

    def lower_bound_to(self, bound: float, source: str) -> None:
        """Take a bound where it is better; it never lies below the incumbent."""
        if self.objective is not None:
            bound = max(bound, self.objective)
        if bound < self.bound:
            self.bound, self.source = bound, source

    def closed(self) -> bool:
        """Whether the gap is reached."""
        return within_gap(self.objective, min(self.bound, self.known_bound), self.gap)

    def done(self) -> bool:
        """Whether nothing is left to do, or no time to do it."""
        return self.closed() or self.infeasible or self.clock.over()

    def target(self) -> float:
        """What an assignment must be worth to matter; -inf without an incumbent."""
        if self.objective is None:
            return -math.inf
        return self.objective + self.gap * abs(self.objective)

    def count(self, name: str, number: float = 1.0) -> None:
        self.statistics[name] = self.statistics.get(name, 0.0) + number

    def report(self, message: str) -> None:
        if self.progress is not None:
            bound = self.bound if math.isfinite(self.bound) else None
            self.progress(Progress(self.clock.spent(), self.objective, bound, message))
