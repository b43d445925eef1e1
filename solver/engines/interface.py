"""What every engine takes and gives: settings, progress reports, a deadline, a solution."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..program import Program
from ..solution import Solution


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
        ask engines that race threads (CP-SAT) for a reproducible search; the others are
        reproducible anyway as long as the gap is reached before the time limit.
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
    """A back end: takes a neutral program, gives a neutral solution."""

    def __call__(
        self,
        program: Program,
        settings: EngineSettings,
        clock: Clock,
        progress: ProgressCallback | None,
    ) -> Solution: ...


class Clock:
    """Counts down a time limit from the moment it is made."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._start = time.perf_counter()

    def spent(self) -> float:
        return time.perf_counter() - self._start

    def left(self) -> float:
        return max(self.limit - self.spent(), 0.0)

    def over(self) -> bool:
        return self.left() <= 0.0
