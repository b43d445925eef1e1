"""Why no plan exists: a smallest set of rules that conflict, and what of each would be enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..instances.errors import ConflictError
from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .accounts import stock_left
from .build import build_program
from .conflict_text import describe_rules
from .engines.interface import Clock
from .filters import OfferFilter
from .matching import named_rules
from .offers import Offers, bundle_numbers, concatenated
from .program import Program
from .relaxation_text import describe_relaxations, what_would_do
from .relaxations import FILTER_ROW, Case, Relaxation, cheapest_relaxations
from .smallest_conflict import Conflict, smallest_conflict

_LEAST_SECONDS, _MOST_SECONDS = 8.0, 60.0  # for the whole explanation
_SHARES = 3  # a rule may take a third of the time left even where there are many
_CONFLICT_SHARE = 0.6  # of them for the set of rules; the rest for what would be enough


def explain_conflict(
    instance: Instance,
    beliefs: Beliefs,
    offers: Offers,
    program: Program,
    mask: OfferFilter | None = None,
    *,
    candidates_cut: int = 0,
    seconds: float = _LEAST_SECONDS,
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
        time limit; when it is reached the set is valid, but perhaps not smallest, and what
        would be enough is known less closely.
    """
    case = _case(instance, beliefs, offers, program, mask)
    clock = Clock(seconds)
    threads = instance.scenario.solver.threads
    share = Clock(_CONFLICT_SHARE * seconds)
    conflict = smallest_conflict(case.program, share, threads=threads)
    relaxations = _relaxations(case, conflict.rules, clock)
    sentences = describe_rules(instance, case.offers, conflict.rules)
    changes = describe_relaxations(case, relaxations)
    notes = _notes(instance, conflict, candidates_cut, 0 if mask is None else mask.not_set_aside)
    these = "this rule" if len(conflict.rules) == 1 else "these rules together"
    message = (
        f"no plan satisfies {these}: {', '.join(conflict.rules)} "
        f"({'; '.join([*sentences, *notes])}){what_would_do(changes)}"
    )
    report = {
        "rules": list(conflict.rules),
        "sentences": list(sentences),
        "irreducible": conflict.irreducible,
        "smallest": conflict.smallest,
        "relaxations": list(changes),
        "notes": notes,
        "candidates_cut": candidates_cut,
    }
    return ConflictError(conflict.rules, message, report)


def _relaxations(case: Case, rules: tuple[str, ...], clock: Clock) -> list[Relaxation]:
    """What would be enough of each rule; of many, those that ask for something come first."""
    found: dict[str, list[Relaxation]] = {}
    for k, rule in enumerate(reversed(rules)):
        seconds = clock.left() / min(len(rules) - k, _SHARES)
        over = seconds <= 0.0
        found[rule] = (
            [Relaxation(rule, None)] if over else cheapest_relaxations(case, rule, seconds)
        )
    return [one for rule in rules for one in found[rule]]


def seconds_for(left: float) -> float:
    """Seconds for an explanation where so many are left of the time limit, at least 8."""
    return min(max(left, _LEAST_SECONDS), _MOST_SECONDS)


def _notes(
    instance: Instance, conflict: Conflict, candidates_cut: int, not_set_aside: int
) -> list[str]:
    """What the explanation does not cover."""
    notes = []
    if not conflict.irreducible:
        notes.append("time did not suffice to see whether all of them are needed")
    if candidates_cut:
        limit = instance.scenario.candidates.max_candidates
        notes.append(
            f"candidates.max_candidates = {limit} cut {candidates_cut:,} candidates, which could "
            "change this"
        )
    if not_set_aside:
        notes.append(f"{not_set_aside:,} more filtered offers were not looked at")
    return notes


def _case(
    instance: Instance,
    beliefs: Beliefs,
    offers: Offers,
    program: Program,
    mask: OfferFilter | None,
) -> Case:
    """The program with filtered offers back in: a filter is a row Σ x over what it rejects <= 0."""
    left = stock_left(instance, beliefs)
    blocked: dict[str, NDArray[np.int64]] = {}
    together = offers
    if mask is not None and mask.set_aside:
        parts = [offers, *(aside.offers for aside in mask.set_aside)]
        together = _joined(parts, len(instance.catalogue))
        blocked = _blocked(len(offers), mask)

    kinds = {name: rule.kind for name, rule in named_rules(instance)}

    def rebuild(changed: Instance) -> Program:
        return _with_blocking_rows(build_program(changed, beliefs, together), blocked, kinds)

    if together is not offers:
        program = rebuild(instance)
    return Case(instance, together, program, blocked, left, rebuild)


def _blocked(start: int, mask: OfferFilter) -> dict[str, NDArray[np.int64]]:
    """Filter's name -> columns of the joined offers that it rejects."""
    rejected: dict[str, list[NDArray[np.int64]]] = {}
    for aside in mask.set_aside:
        for name, rejects in aside.rejected_by.items():
            if rejects.any():
                rejected.setdefault(name, []).append(start + np.flatnonzero(rejects))
        start += len(aside.offers)
    return {name: np.concatenate(found) for name, found in rejected.items()}


def _with_blocking_rows(
    program: Program, columns: dict[str, NDArray[np.int64]], kinds: Mapping[str, str]
) -> Program:
    """The program with a row for each filter; a stock that is short already lets nothing more in.

    (The filter keeps out what adds to a product whose stand-alone demand exceeds its stock, so
    its row holds 0 units and not the shortage, which no plan could make up for.)
    """
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
    names = tuple(f"{FILTER_ROW}{name}" for name in columns)
    is_stock = np.array([kind == "stock" for kind in program.row_kind], dtype=bool)
    upper = np.where(is_stock, np.maximum(program.row_upper, 0.0), program.row_upper)
    return replace(
        program,
        start=start,
        row=all_rows[order],
        coefficient=np.concatenate(coefficient)[order],
        row_lower=np.concatenate([program.row_lower, np.full(len(columns), -np.inf)]),
        row_upper=np.concatenate([upper, np.zeros(len(columns))]),
        row_name=program.row_name + names,
        row_rule=program.row_rule + tuple(columns),
        row_kind=program.row_kind + tuple(kinds.get(name, name) for name in columns),
    )


def _joined(parts: list[Offers], n_products: int) -> Offers:
    """All offers in one, a candidate being a set of products."""
    whole = concatenated(list(parts))
    candidate = bundle_numbers(whole.products, n_products)
    return replace(
        whole,
        candidate=candidate.astype(np.int32),
        n_candidates=int(candidate.max(initial=-1)) + 1,
    )
