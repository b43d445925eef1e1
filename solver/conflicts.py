"""Why no plan exists: a smallest set of rules that conflict, and what each of them asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..instances.errors import ConflictError
from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .build import build_program
from .conflict_text import describe_rules
from .engines.interface import Clock, EngineSettings
from .engines.sifting import sift
from .engines.solve import solve_program
from .filters import OfferFilter
from .offers import Offers
from .program import Program
from .solution import Status

_SECONDS = 60.0  # for the whole explanation


def explain_conflict(
    instance: Instance,
    beliefs: Beliefs,
    offers: Offers,
    program: Program,
    mask: OfferFilter | None = None,
    *,
    candidates_cut: int = 0,
    seconds: float = _SECONDS,
) -> ConflictError:
    """The error to raise for an infeasible program: rules that conflict, in words.

    Parameters
    ----------
    offers, program
        the infeasible program and the offers that are its columns.
    mask
        the filter that made them; offers it set aside and a rule asks for come back with the
        filter as one more rule, so that the filter can be named.
    candidates_cut
        candidates that ``max_candidates`` kept out: the rules may hold together with them.
    seconds
        time limit; when it is reached the set is valid, but perhaps not smallest.
    """
    if mask is not None and mask.set_aside:
        offers, program = _with_filters_as_rules(instance, beliefs, offers, mask)
    rules = smallest_conflict(program, seconds=seconds)
    sentences = list(describe_rules(instance, offers, rules))
    if candidates_cut:
        limit = instance.scenario.candidates.max_candidates
        sentences.append(
            f"candidates.max_candidates = {limit} cut {candidates_cut:,} candidates, which could "
            "change this"
        )
    message = f"no plan satisfies these rules together: {', '.join(rules)} ({'; '.join(sentences)})"
    return ConflictError(rules, message)


def smallest_conflict(program: Program, *, seconds: float = _SECONDS) -> tuple[str, ...]:
    """Rules that conflict, none of which can be dropped (a deletion filter, Chinneck 1991).

    Each rule is left out in turn; where the rest is still infeasible it stays out. Groups and
    column bounds always hold. A rule is ``row_rule``: all its rows come and go together. What
    time does not suffice to leave out is named.

    Raises
    ------
    ValueError
        where the program as a whole has a solution.
    """
    clock = Clock(seconds)
    program = replace(program, value=np.zeros(program.n_columns))
    rules = _suspects(program, clock)
    for rule in rules:
        without = [other for other in rules if other != rule]
        if _status(_only(program, without), clock) is Status.INFEASIBLE:
            rules = without
    return tuple(rules)


def _suspects(program: Program, clock: Clock) -> list[str]:
    """The rules in a proof of infeasibility where one is at hand, else all."""
    everything = list(dict.fromkeys(program.row_rule))
    if program.n_columns > 0:
        conflict = sift(program, clock).conflict
        if conflict is not None:
            proof = [program.row_rule[i] for i in np.flatnonzero(conflict)]
            few = list(dict.fromkeys(proof))
            if _status(_only(program, few), clock) is Status.INFEASIBLE:
                return few
    if _status(program, clock) in (Status.OPTIMAL, Status.FEASIBLE):
        raise ValueError("the program is not infeasible")
    return everything


def _status(program: Program, clock: Clock) -> Status:
    settings = EngineSettings(gap=0.0, time_limit=clock.left())
    return solve_program(program, settings).status


def _only(program: Program, rules: list[str]) -> Program:
    """The program with the rows of other rules left open."""
    kept = np.array([rule in rules for rule in program.row_rule], dtype=bool)
    return program.with_sides(
        np.where(kept, program.row_lower, -np.inf), np.where(kept, program.row_upper, np.inf)
    )


def _with_filters_as_rules(
    instance: Instance, beliefs: Beliefs, offers: Offers, mask: OfferFilter
) -> tuple[Offers, Program]:
    """The program with filtered offers back in: a filter is a row Σ x over what it rejects <= 0."""
    parts = [offers, *(aside.offers for aside in mask.set_aside)]
    together = _joined(parts, len(instance.catalogue))
    program = build_program(instance, beliefs, together)
    start = len(offers)
    rejected: dict[str, list[NDArray[np.int64]]] = {}
    for aside in mask.set_aside:
        for name, rejects in aside.rejected_by.items():
            if rejects.any():
                rejected.setdefault(name, []).append(start + np.flatnonzero(rejects))
        start += len(aside.offers)
    columns = {name: np.concatenate(found) for name, found in rejected.items()}
    return together, _with_blocking_rows(program, columns)


def _with_blocking_rows(program: Program, columns: dict[str, NDArray[np.int64]]) -> Program:
    column = np.repeat(np.arange(program.n_columns), np.diff(program.start))
    row, coefficient = [program.row], [program.coefficient]
    where = [column]
    for k, blocked in enumerate(columns.values()):
        where.append(blocked)
        row.append(np.full(len(blocked), program.n_rows + k, dtype=np.int32))
        coefficient.append(np.ones(len(blocked)))
    all_columns, all_rows = np.concatenate(where), np.concatenate(row)
    order = np.lexsort((all_rows, all_columns))
    start = np.zeros(program.n_columns + 1, dtype=np.int64)
    np.cumsum(np.bincount(all_columns, minlength=program.n_columns), out=start[1:])
    names = tuple(f"filter {name}" for name in columns)
    return replace(
        program,
        start=start,
        row=all_rows[order],
        coefficient=np.concatenate(coefficient)[order],
        row_lower=np.concatenate([program.row_lower, np.full(len(columns), -np.inf)]),
        row_upper=np.concatenate([program.row_upper, np.zeros(len(columns))]),
        row_name=program.row_name + names,
        row_rule=program.row_rule + tuple(columns),
        row_kind=program.row_kind + tuple(columns),
    )


def _joined(parts: list[Offers], n_products: int) -> Offers:
    """All offers in one, a candidate being a set of products."""
    names = [name for name in Offers.__slots__ if name not in ("n_candidates", "n_scored")]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    key = np.zeros(len(arrays["value"]), dtype=np.int64)
    for place in arrays["products"].T:
        key = key * n_products + place
    distinct, candidate = np.unique(key, return_inverse=True)
    arrays["candidate"] = candidate.astype(np.int32)
    return Offers(**arrays, n_candidates=len(distinct), n_scored=parts[0].n_scored)
