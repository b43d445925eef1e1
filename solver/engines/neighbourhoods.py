"""Large neighbourhood search: integer programs around the incumbent (Shaw 1998).

A round releases some of the chosen columns and keeps the others; what the kept ones use is taken
off the rows, and a small integer program chooses anew. How many are released follows from how
long that takes. As many rounds run side by side as there are threads.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..program import Program
from .answer import RawAnswer
from .diving import what_fits
from .interface import Clock, EngineSettings
from .mathopt import integer_answer
from .pricing import binary_columns
from .search_state import SearchState

_SECONDS = 0.8  # a round's limit; more would make it deaf to interrupts
_QUICK, _SLOW = 0.25, 0.7  # seconds: a quicker round was too small, a slower one too large
_GROWTH, _SHRINKAGE = 1.2, 0.85
_FIRST = 25  # columns released at first
_MOST = 800  # columns of a round's program, but for those released
_GAP = 1e-5
_SPARSE = 0.02  # a row links columns when it holds less than this share of them


@dataclass(frozen=True, slots=True)
class _Task:
    columns: NDArray[np.int64]
    program: Program
    kept: NDArray[np.int64]
    hint: NDArray[np.float64]
    seed: int


class Neighbourhoods:
    """Rounds of neighbourhood search over a pool of columns.

    Parameters
    ----------
    program
        the program; without cuts, which would slow small integer programs down.
    pool
        columns to choose from; binary ones and all others.
    preference
        (columns,) the value of each column in the linear relaxation.
    worth
        (columns,) ceilings: where too many columns fit, those with the highest are chosen from.
    """

    def __init__(
        self,
        program: Program,
        pool: NDArray[np.int64],
        preference: NDArray[np.float64],
        worth: NDArray[np.float64],
        settings: EngineSettings,
    ) -> None:
        self.pool = pool
        self.program = program.take(pool)
        self._n = program.n_columns
        self._preference = preference[pool]
        self._worth = worth[pool]
        self._settings = settings
        self._random = np.random.default_rng(settings.seed)
        self._released = float(_FIRST)
        self._binary = binary_columns(self.program)
        entries = np.bincount(self.program.row, minlength=self.program.n_rows)
        self._linking = entries < max(_SPARSE * len(pool), 3)

    def round(self, state: SearchState) -> bool:
        """Solve some neighbourhoods of the incumbent; whether one of them bettered it."""
        if state.values is None:
            return False
        incumbent = state.values[self.pool]
        tasks = [self._task(incumbent, state) for _ in range(self._settings.n_threads)]
        clocks = [self._own_clock(state.clock) for _ in tasks]
        if len(tasks) == 1:
            answers = [self._solve(tasks[0], clocks[0])]
        else:
            with ThreadPoolExecutor(len(tasks)) as threads:
                answers = list(threads.map(self._solve, tasks, clocks))
        state.clock.charge(max(clock.spent() for clock in clocks))
        better = False
        for task, raw, clock in zip(tasks, answers, clocks, strict=True):
            if raw.values is not None:
                full = np.zeros(self._n)
                full[self.pool[task.kept]] = 1.0
                full[self.pool[task.columns]] = raw.values
                better |= state.propose(full)
            self._adapt(clock.spent(), raw)
        state.count("neighbourhoods", len(tasks))
        if better:
            state.report(f"neighbourhoods of about {round(self._released)} bundles")
        return better

    def _own_clock(self, clock: Clock) -> Clock:
        """A clock for one thread: what others charge must not move its limit."""
        left = min(_SECONDS, clock.left())
        return Clock(left, deterministic=clock.deterministic, interrupt=clock.interrupt)

    def _solve(self, task: _Task, clock: Clock) -> RawAnswer:
        settings = replace(self._settings, gap=_GAP, seed=task.seed)
        return integer_answer(task.program, "highs", settings, clock, hint=task.hint, threads=1)

    def _adapt(self, spent: float, raw: RawAnswer) -> None:
        if raw.limit is not None or spent > _SLOW:
            self._released = max(self._released * _SHRINKAGE, 5.0)
        elif spent < _QUICK:
            self._released = min(self._released * _GROWTH, float(len(self.pool)))

    def _task(self, incumbent: NDArray[np.float64], state: SearchState) -> _Task:
        chosen = np.flatnonzero(self._binary & (incumbent > 0.5))
        size = min(len(chosen), max(round(self._released), 1))
        released = self._related(chosen, size) if self._random.random() < 0.5 else None
        if released is None:
            # those that the relaxation likes least are the likelier to go
            weight = 1.05 - np.clip(self._preference[chosen], 0, 1)
            released = (
                self._random.choice(chosen, size, replace=False, p=weight / weight.sum())
                if size
                else chosen
            )
        kept = np.setdiff1d(chosen, released)
        program, columns = self._around(kept, released)
        return _Task(
            columns=columns,
            program=program,
            kept=kept,
            hint=incumbent[columns],
            seed=int(self._random.integers(2**31)),
        )

    def _related(self, chosen: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        """Chosen columns that share sparse rows, from a random one outwards, then random ones."""
        few = self.program.take(chosen).matrix().tocsr()[self._linking]
        order = self._random.permutation(len(chosen))
        reached = np.zeros(len(chosen), dtype=bool)
        front = order[:1]
        while len(front) and reached.sum() < size:
            reached[front[: size - int(reached.sum())]] = True
            shared = np.asarray(abs(few.T) @ (abs(few) @ reached.astype(np.float64)))
            front = self._random.permutation(np.flatnonzero((shared > 0) & ~reached))
        rest = order[~reached[order]]
        reached[rest[: size - int(reached.sum())]] = True
        return chosen[reached]

    def _around(
        self, kept: NDArray[np.int64], released: NDArray[np.int64]
    ) -> tuple[Program, NDArray[np.int64]]:
        """What the kept columns leave room for, and its columns."""
        part, columns = what_fits(self.program, kept)
        if len(columns) > _MOST:
            must = np.isin(columns, released) | ~self._binary[columns]
            worth = np.where(must, math.inf, self._worth[columns])
            best = np.sort(np.argpartition(-worth, _MOST)[:_MOST])
            part, columns = part.take(best), columns[best]
        return part, columns
