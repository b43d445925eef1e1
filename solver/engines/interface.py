"""What every engine takes and gives: settings, progress reports, a deadline, a solution."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..program import Program
from ..solution import Solution

KNOWN_BOUND = "a looser program"
"""``bound_source`` of a bound that was known before the search."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How to solve.

    Attributes
    ----------
    engine
        "auto", "highs", "scip", "cp-sat" or "pulp:NAME".
    gap
        relative gap, (bound − objective)/|objective|, at which the search may stop.
    time_limit
        seconds, building the engine's model included.
    threads
        0 for all cores.
    seed
        seed of the engine's pseudo-random choices.
    deterministic
        count work instead of seconds, so that the same threads give the same solution on any
        machine; ``time_limit`` is then in seconds of a nominal machine. Engines of PuLP count
        none and are refused.
    """

    engine: str = "auto"
    gap: float = 0.001
    time_limit: float = 60.0
    threads: int = 0
    seed: int = 0
    deterministic: bool = False

    @property
    def n_threads(self) -> int:
        return self.threads or os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search stands; ``None`` for what it does not have yet."""

    seconds: float
    objective: float | None
    bound: float | None
    message: str


ProgressCallback = Callable[[Progress], None]


class Engine(Protocol):
    """A back end: takes a neutral program, gives a neutral solution.

    ``start`` is an assignment (columns,) known to be feasible, which a back end may begin from.
    """

    def __call__(
        self,
        program: Program,
        settings: EngineSettings,
        clock: Clock,
        progress: ProgressCallback | None,
        start: NDArray[np.float64] | None = None,
    ) -> Solution: ...


class Interrupt:
    """Asks a running search to end; what it has found so far is its answer.

    Attributes
    ----------
    heeded
        whether somebody is there to heed it now, as far as who solves has said.
    """

    def __init__(self) -> None:
        self.heeded = False
        self._lock = threading.Lock()
        self._requested = False
        self._callbacks: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        return self._requested

    def request(self) -> None:
        """Ask; whoever is ``calling`` now is told at once, from this thread."""
        with self._lock:
            self._requested = True
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    @contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Meanwhile, call back when asked to end; at once where that was asked before."""
        with self._lock:
            self._callbacks.append(callback)
            requested = self._requested
        if requested:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)


class Clock:
    """Counts down a limit from the moment it is made, or until an interrupt.

    Parameters
    ----------
    limit
        seconds.
    deterministic
        count work instead of time: ``spent`` is the sum of what was charged, in seconds of a
        nominal machine, so that a limit falls at the same point of the search anywhere.
    interrupt
        ends the countdown early.
    """

    def __init__(
        self, limit: float, *, deterministic: bool = False, interrupt: Interrupt | None = None
    ) -> None:
        self.limit = limit
        self.deterministic = deterministic
        self.interrupt = interrupt or Interrupt()
        self._start = time.perf_counter()
        self._charged = 0.0

    def charge(self, seconds: float) -> None:
        """Count work, in seconds of a nominal machine; ignored where time is counted."""
        self._charged += seconds

    def spent(self) -> float:
        if self.deterministic:
            return self._charged
        return time.perf_counter() - self._start

    def left(self) -> float:
        return max(self.limit - self.spent(), 0.0)

    def over(self) -> bool:
        return self.interrupt.requested or self.left() <= 0.0

    @property
    def reason(self) -> str | None:
        """What ended the countdown: "interrupt", "time", or None while it runs."""
        if self.interrupt.requested:
            return "interrupt"
        return "time" if self.left() <= 0.0 else None
