"""A smallest set of rules that no assignment can satisfy together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from .engines.interface import Clock, EngineSettings
from .engines.sifting import sift
from .engines.solve import solve_program
from .program import Program
from .solution import Status

_SEARCH_SHARE = 0.5  # of the time limit, after which no smaller set is looked for


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rules that conflict.

    Attributes
    ----------
    rules
        their names, as in ``Program.row_rule``.
    irreducible
        proven: without any one of them the others can be satisfied.
    smallest
        proven: no set of fewer rules conflicts.
    """

    rules: tuple[str, ...]
    irreducible: bool
    smallest: bool


def smallest_conflict(program: Program, clock: Clock, *, threads: int = 0) -> Conflict:
    """Rules that conflict: an irreducible set first, then a smallest one while time lasts.

    Groups and column bounds always hold. A rule is ``row_rule``: all its rows come and go
    together. The irreducible set comes from a deletion filter (Chinneck 1991): each rule is left
    out in turn, and stays out where the rest is still infeasible. Every set of rules found
    satisfiable leaves the rules its assignment breaks, one of which is in every conflict; so a
    smallest hitting set of these is no larger than any conflict, and is one itself as soon as
    it is infeasible (Ignatiev, Previti, Liffiton & Marques-Silva 2015).

    Raises
    ------
    ValueError
        where the program as a whole has a solution.
    """
    oracle = _Oracle(program, clock, threads)
    everything = oracle.conflict(oracle.rules)
    if everything is None and not oracle.undecided:
        raise ValueError("the program is not infeasible")
    rules = _irreducible(oracle, everything or oracle.rules)
    irreducible = not oracle.undecided
    while irreducible and oracle.clock.spent() <= _SEARCH_SHARE * clock.limit:
        hitting = _smallest_hitting_set(oracle.rules, oracle.broken)
        if len(hitting) >= len(rules):
            return Conflict(tuple(rules), irreducible=True, smallest=True)
        if oracle.conflict(hitting) is not None:
            return Conflict(tuple(hitting), irreducible=True, smallest=True)
        if oracle.undecided:
            break
    return Conflict(tuple(rules), irreducible, smallest=False)


class _Oracle:
    """Tells whether some rules can be satisfied together, and remembers what it saw.

    Attributes
    ----------
    rules
        the program's rules in the order to leave them out: those of many rows first, and those
        that ask for something, as some rule of every conflict does, last.
    broken
        of each assignment seen, the rules it breaks.
    undecided
        whether time ran out over some rules.
    """

    def __init__(self, program: Program, clock: Clock, threads: int) -> None:
        self.program = replace(program, value=np.zeros(program.n_columns))
        self.clock, self.threads = clock, threads
        demands: dict[str, bool] = {}
        rows: dict[str, int] = {}
        for rule, lower in zip(program.row_rule, program.row_lower, strict=True):
            rows[rule] = rows.get(rule, 0) + 1
            demands[rule] = demands.get(rule, False) or bool(np.isfinite(lower))
        self.rules = sorted(rows, key=lambda rule: (demands[rule], -rows[rule]))
        self.broken: list[frozenset[str]] = []
        self.undecided = False
        self._row_rule = np.array(program.row_rule, dtype=object)
        nothing = program.lower
        if only(program, ()).is_feasible(nothing):
            self._see(nothing)

    def conflict(self, rules: Sequence[str]) -> list[str] | None:
        """Rules among these that conflict, few where the relaxation is infeasible already.

        None where all of them can be satisfied together, or where time ran out: the second
        makes ``undecided`` true.
        """
        wanted = frozenset(rules)
        if any(not broken & wanted for broken in self.broken):
            return None
        program = only(self.program, wanted)
        if program.n_columns > 0:
            relaxation = sift(program, self.clock)
            if relaxation.conflict is not None:
                proof = {program.row_rule[i] for i in np.flatnonzero(relaxation.conflict)}
                return [rule for rule in rules if rule in proof]
            if relaxation.values is not None and program.is_feasible(relaxation.values):
                self._see(relaxation.values)
                return None
        settings = EngineSettings(gap=0.0, time_limit=self.clock.left(), threads=self.threads)
        solution = solve_program(program, settings)
        if solution.values is not None:
            self._see(solution.values)
            return None
        if solution.status is Status.INFEASIBLE:
            return list(rules)
        self.undecided = True
        return None

    def _see(self, values: NDArray[np.float64]) -> None:
        self.broken.append(frozenset(self._row_rule[self.program.broken_rows(values)]))


def only(program: Program, rules: Collection[str]) -> Program:
    """The program with the rows of other rules left open."""
    kept = np.array([rule in rules for rule in program.row_rule], dtype=bool)
    return program.with_sides(
        np.where(kept, program.row_lower, -np.inf), np.where(kept, program.row_upper, np.inf)
    )


def _irreducible(oracle: _Oracle, rules: list[str]) -> list[str]:
    """The rules without those that can go: half of them at once while that works, else fewer.

    What is left is what the proof names; a rule stays where the others can be satisfied, and
    where time ran out.
    """
    needed: list[str] = []
    size = max(len(rules) // 2, 1)
    while rules and not oracle.clock.over():
        dropped, others = rules[:size], rules[size:]
        conflict = oracle.conflict([*needed, *others])
        if conflict is not None:
            rules = [other for other in others if other in conflict]
            size = max(min(2 * size, len(rules) // 2), 1)
        elif size > 1:
            size //= 2
        else:
            needed += dropped
            rules = others
    oracle.undecided |= len(rules) > 0
    return [*needed, *rules]


def _smallest_hitting_set(rules: list[str], sets: list[frozenset[str]]) -> list[str]:
    """Fewest rules that leave no set untouched: min Σ y with Σ y over each set >= 1."""
    if not sets:
        return []
    touches = np.array([[float(rule in some) for rule in rules] for some in sets])
    found = milp(
        np.ones(len(rules)),
        constraints=LinearConstraint(touches, lb=1.0),
        bounds=Bounds(0.0, 1.0),
        integrality=np.ones(len(rules), dtype=np.int64),
    )
    chosen = np.flatnonzero(np.asarray(found.x) > 0.5)
    return [rules[k] for k in chosen]
