"""What an engine answers: how it ended, why, the incumbent and the proven bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Status(StrEnum):
    """What was established, never more."""

    OPTIMAL = "optimal"  # an incumbent, and a bound within the gap asked for
    FEASIBLE = "feasible"  # an incumbent; a limit ended the proof
    INFEASIBLE = "infeasible"  # proven: no assignment satisfies every row
    UNKNOWN = "unknown"  # a limit was reached first


@dataclass(frozen=True, slots=True)
class Solution:
    """The neutral answer of an engine to a ``Program``.

    Attributes
    ----------
    status
        what was established.
    limit
        the limit that ended the search: "time", "interrupt", "error" where the engine failed
        on the program, or None.
    values
        (columns,) the incumbent; None where there is none.
    objective
        value of the incumbent recomputed from the program; None where there is none.
    bound
        proven upper bound for **all** columns; None where none was proven.
    bound_source
        what proved it, such as "linear relaxation by sifting" or "scip".
    engine
        the engine that answered.
    shadow_prices
        row name -> objective per unit of the row's side, from the linear relaxation; empty
        where the engine solved none.
    statistics
        figures for the log: rounds, columns in the restricted program, ...
    """

    status: Status
    limit: str | None
    values: NDArray[np.float64] | None
    objective: float | None
    bound: float | None
    bound_source: str
    engine: str
    shadow_prices: dict[str, float] = field(default_factory=dict)
    statistics: dict[str, float] = field(default_factory=dict)

    @property
    def gap(self) -> float | None:
        """(bound − objective) / max(|objective|, 1e-9), 0 where both are 0; None without both."""
        if self.objective is None or self.bound is None:
            return None
        difference = max(self.bound - self.objective, 0.0)
        return 0.0 if difference == 0 else difference / max(abs(self.objective), 1e-9)
