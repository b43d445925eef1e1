"""From an instance and its beliefs to a verified plan: the stages in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..instances.errors import (
    BundlewiseError,
    CheckError,
    InterruptedSearchError,
    NoPlanError,
)
from ..instances.instance import Instance
from ..instances.scenario_text import scenario_toml
from ..models.beliefs import Beliefs
from ..models.segments_folder import segment_files
from .affinity import break_ties
from .build import build_program
from .engines.interface import Clock, EngineSettings, Interrupt
from .engines.interface import Progress as EngineProgress
from .engines.solve import solve_program
from .filters import offer_mask
from .group_accounts import group_accounts
from .intervals import interval
from .level_accounts import level_accounts
from .model_names import column_names, group_names
from .offers import Offers
from .plan import Plan, plan_beliefs
from .plan_accounts import offer_accounts, product_accounts
from .plan_report import objective_unit, plan_report
from .prepared import Prepared
from .program import Program
from .rule_prices import RulePrice, price_rules
from .scoring import score_offers
from .segment_totals import plan_draws
from .segment_views import planned_by_segment
from .soft_targets import without_excess
from .solution import Solution, Status
from .verifier import verify_files
from .warm_start import Start, start_values

Say = Callable[[str], None]

_SEARCHES = ("solve", "price")  # stages that several threads may be in at once
_one_thread = threading.Lock()

_PRICE_SHARE = 0.1  # of the time limit, for the prices of rules


def solve(
    instance: Instance,
    beliefs: Beliefs,
    *,
    progress: Say | None = None,
    seconds: dict[str, float] | None = None,
    model_file: Path | None = None,
    interrupt: Interrupt | None = None,
    prepared: Prepared | None = None,
    start: Start | None = None,
    with_prices: bool = True,
) -> Plan:
    """The plan of an instance under its beliefs, verified.

    Parameters
    ----------
    progress
        told which stage runs, and the incumbent and bound of the search.
    seconds
        seconds of the stages before; those of ``solve`` are added to it.
    model_file
        where to write the program to, before it is solved: ``.mps`` or ``.lp``. What that takes
        does not count towards the time limit.
    interrupt
        ends the search: the best plan found so far is verified and returned. Heeded from the
        start of the search to the end, as its ``heeded`` says.
    prepared
        offers scored before (``prepared.prepare``), of these beliefs and of an instance that
        differs in limits, rules, solver or name only; the plan is the same to the byte.
    start
        plans to begin the search from, and a bound that is known to hold for this one.
    with_prices
        whether rules are priced, which takes up to a tenth of the time limit.

    Raises
    ------
    ConflictError
        no plan satisfies the rules; it names a smallest set that conflicts.
    NoPlanError
        the time limit was reached before a plan was found.
    InterruptedSearchError
        the search was interrupted before a plan was found.
    CheckError
        the verifier refuses the plan (a bug: the plan is not to be used).
    InputError
        the engine is unknown or not installed, or the model cannot be written.
    ValueError
        ``prepared`` is of another instance or other beliefs.
    """
    say = progress or (lambda _: None)
    clock = _Stages({} if seconds is None else seconds)
    interrupt = interrupt or Interrupt()
    if prepared is not None:
        prepared.check(instance, beliefs)
    beliefs = planned_by_segment(beliefs, instance.scenario.objective.maximize)
    with clock.stage("score"):
        say("scoring the candidates …")
        mask = offer_mask(instance, beliefs)
        offers, counts = score_offers(instance, beliefs, mask=mask, prepared=prepared)
    with clock.stage("program"):
        say(f"building the program of {len(offers):,} offers …")
        program = build_program(instance, beliefs, offers)
    if model_file is not None:
        with clock.stage("model"):
            say(f"writing the program to {model_file.name} …")
            _write_model(instance, program, offers, model_file)
    interrupt.heeded = True
    with clock.stage("solve"):
        left = _time_left(instance, clock, "program")
        solution = _search(instance, program, offers, say, left, interrupt, start or Start())
    if solution.values is None:
        interrupt.heeded = False
    if solution.status is Status.INFEASIBLE:
        say("no plan satisfies the rules: looking for those that conflict …")
        cut = counts["candidates cut"]
        from .conflicts import explain_conflict, seconds_for

        left = _time_left(instance, clock, "program", "solve")
        raise explain_conflict(
            instance,
            beliefs,
            offers,
            program,
            mask,
            candidates_cut=cut,
            seconds=seconds_for(left),
        )
    if solution.values is None:
        raise _no_plan(instance, solution, len(offers))
    chosen = offers.take(np.flatnonzero(solution.values[: len(offers)] > 0.5))
    with clock.stage("price"):
        say("pricing the rules …")
        share = _PRICE_SHARE * instance.scenario.solver.time_limit
        for_prices = min(share, _time_left(instance, clock, "program", "solve"))
        if interrupt.requested or not with_prices:
            for_prices = 0.0
        solution, prices = price_rules(
            instance, beliefs, offers, program, solution, for_prices, interrupt
        )
    with clock.stage("account"):
        say("accounting for the plan …")
        plan = _plan(instance, beliefs, chosen, solution, counts, len(offers), prices, clock)
    with clock.stage("verify"):
        say("verifying the plan …")
        problems = verify_files(plan.files(), instance=instance)
    if problems:
        raise CheckError(problems)
    plan.report["seconds"] = dict(clock.seconds)
    return plan


def _write_model(instance: Instance, program: Program, offers: Offers, file: Path) -> None:
    from .engines.model_file import write_model  # PuLP takes a while to load

    columns = column_names(instance, offers, program)
    groups = group_names(instance, offers, program)
    write_model(program, file, column_names=columns, group_names=groups)


def _time_left(instance: Instance, clock: _Stages, *stages: str) -> float:
    """What these stages leave of the time limit; where work is counted, all of it."""
    settings = instance.scenario.solver
    if settings.deterministic:
        return settings.time_limit
    return max(settings.time_limit - sum(clock.seconds[stage] for stage in stages), 0.0)


def _no_plan(instance: Instance, solution: Solution, n_offers: int) -> BundlewiseError:
    """Why there is neither a plan nor a proof that there is none."""
    size = f"({n_offers:,} offers, engine {solution.engine})"
    if solution.limit == "error":
        return NoPlanError(
            f"the engine failed before it found a plan {size}; try another solver.engine"
        )
    if solution.limit == "interrupt":
        return InterruptedSearchError(f"interrupted before a plan was found {size}")
    limit = instance.scenario.solver.time_limit
    return NoPlanError(
        f"no plan found within the time limit of {limit:g} s {size}; "
        "raise solver.time_limit, or set fewer rules with a lower side"
    )


def _search(
    instance: Instance,
    program: Program,
    offers: Offers,
    say: Say,
    seconds: float,
    interrupt: Interrupt,
    start: Start,
) -> Solution:
    settings = instance.scenario.solver
    engine = EngineSettings(
        engine=settings.engine,
        gap=settings.gap,
        time_limit=seconds,
        threads=settings.threads,
        seed=settings.seed,
        deterministic=settings.deterministic,
    )
    unit = objective_unit(instance)
    clock = Clock(seconds, deterministic=settings.deterministic, interrupt=interrupt)

    def tell(state: EngineProgress) -> None:
        say(_standing(state, unit))

    known = None if start.bound is None else start.bound / unit
    first = start_values(
        program, offers, start.plans, engine, known_bound=known, interrupt=interrupt
    )
    solution = solve_program(
        program,
        replace(engine, time_limit=clock.left()),
        tell,
        start=first,
        known_bound=known,
        interrupt=interrupt,
    )
    solution = without_excess(program, solution)
    if instance.scenario.objective.maximize == "affinity" and solution.status is Status.OPTIMAL:
        left = replace(engine, time_limit=clock.left())
        return without_excess(program, break_ties(program, offers, solution, left, interrupt))
    return solution


def _standing(state: EngineProgress, unit: float) -> str:
    """Where a search stands, the figures first: a line is cut to the terminal's width."""
    best, bound, gap = "–", "–", "–"
    if state.objective is not None:
        best = f"{state.objective * unit:,.2f}"
    if state.bound is not None:
        bound = f"{state.bound * unit:,.2f}"
    if state.objective and state.bound is not None:
        gap = f"{max(state.bound - state.objective, 0.0) / abs(state.objective):.2%}"
    return f"{state.seconds:4.0f} s  best {best}  bound {bound}  gap {gap}  {state.message}"


def _plan(
    instance: Instance,
    beliefs: Beliefs,
    chosen: Offers,
    solution: Solution,
    counts: dict[str, int],
    n_offers: int,
    prices: list[RulePrice],
    clock: _Stages,
) -> Plan:
    draws = plan_draws(instance, beliefs, chosen)
    low, high = interval(draws)
    segments = beliefs.segments
    rows = offer_accounts(instance, chosen, low, high, segments, beliefs.displaced)
    products = np.unique(chosen.entries()[1]).astype(np.int64)
    quarantine = instance.quarantine.drop(columns="customer_id", errors="ignore")
    report = plan_report(
        instance, beliefs, chosen, rows, draws.sum(axis=1), solution, counts, n_offers, prices
    )
    return Plan(
        report={**report, "seconds": dict(clock.seconds)},
        offers=rows,
        products=product_accounts(instance, beliefs, rows),
        levels=level_accounts(instance, beliefs, chosen, rows),
        groups=group_accounts(instance, beliefs, chosen, rows),
        beliefs=plan_beliefs(beliefs, products, [chosen.bundle(k) for k in range(len(chosen))]),
        quarantine=quarantine,
        scenario=scenario_toml(instance.scenario),
        segments={}
        if segments is None
        else segment_files(segments, instance.catalogue.product_ids, products),
    )


class _Stages:
    """Seconds of each stage; all but searches are done by one thread at a time.

    They are Python and Numba, which two threads would only make each other wait for, and Numba's
    functions that compile on their first call are not made for two first calls at once.
    """

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        with nullcontext() if name in _SEARCHES else _one_thread:
            start = time.perf_counter()
            yield
            self.seconds[name] = round(time.perf_counter() - start, 3)
