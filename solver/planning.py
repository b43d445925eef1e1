"""From an instance and its beliefs to a verified plan: the stages in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..instances.errors import CheckError, NoPlanError
from ..instances.instance import Instance
from ..instances.scenario_text import scenario_toml
from ..models.beliefs import Beliefs
from .affinity import break_ties
from .build import build_program
from .conflicts import explain_conflict
from .engines.interface import Clock, EngineSettings
from .engines.interface import Progress as EngineProgress
from .engines.solve import solve_program
from .filters import offer_mask
from .intervals import interval, margin_draws
from .model_names import column_names, group_names
from .offers import Offers
from .plan import Plan, plan_beliefs
from .plan_accounts import offer_accounts, product_accounts
from .plan_report import objective_unit, plan_report
from .program import Program
from .scoring import score_offers
from .soft_targets import without_excess
from .solution import Solution, Status
from .verifier import verify_files

Say = Callable[[str], None]


def solve(
    instance: Instance,
    beliefs: Beliefs,
    *,
    progress: Say | None = None,
    seconds: dict[str, float] | None = None,
    model_file: Path | None = None,
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

    Raises
    ------
    ConflictError
        no plan satisfies the rules; it names a smallest set that conflicts.
    NoPlanError
        the time limit was reached before a plan was found.
    CheckError
        the verifier refuses the plan (a bug: the plan is not to be used).
    InputError
        the engine is unknown or not installed, or the model cannot be written.
    """
    say = progress or (lambda _: None)
    clock = _Stages({} if seconds is None else seconds)
    with clock.stage("score"):
        say("scoring the candidates …")
        mask = offer_mask(instance, beliefs)
        offers, counts = score_offers(instance, beliefs, mask=mask)
    with clock.stage("program"):
        say(f"building the program of {len(offers):,} offers …")
        program = build_program(instance, beliefs, offers)
    if model_file is not None:
        with clock.stage("model"):
            say(f"writing the program to {model_file.name} …")
            _write_model(instance, program, offers, model_file)
    spent = clock.since_start() - clock.seconds.get("model", 0.0)
    with clock.stage("solve"):
        solution = _search(instance, program, offers, say, spent)
    if solution.status is Status.INFEASIBLE:
        cut = counts["candidates cut"]
        raise explain_conflict(instance, beliefs, offers, program, mask, candidates_cut=cut)
    if solution.values is None:
        raise _no_plan(instance, solution, len(offers))
    with clock.stage("account"):
        say("accounting for the plan …")
        chosen = offers.take(np.flatnonzero(solution.values[: len(offers)] > 0.5))
        plan = _plan(instance, beliefs, chosen, solution, counts, len(offers), clock)
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


def _no_plan(instance: Instance, solution: Solution, n_offers: int) -> NoPlanError:
    """Why there is neither a plan nor a proof that there is none."""
    size = f"({n_offers:,} offers, engine {solution.engine})"
    if solution.limit == "error":
        return NoPlanError(
            f"the engine failed before it found a plan {size}; try another solver.engine"
        )
    limit = instance.scenario.solver.time_limit
    return NoPlanError(
        f"no plan found within the time limit of {limit:g} s {size}; "
        "raise solver.time_limit, or set fewer rules with a lower side"
    )


def _search(
    instance: Instance, program: Program, offers: Offers, say: Say, spent: float
) -> Solution:
    settings = instance.scenario.solver
    engine = EngineSettings(
        engine=settings.engine,
        gap=settings.gap,
        time_limit=max(settings.time_limit - spent, 0.0),
        threads=settings.threads,
        seed=settings.seed,
        deterministic=settings.deterministic,
    )

    unit = objective_unit(instance)
    clock = Clock(engine.time_limit)

    def tell(state: EngineProgress) -> None:
        best = "–" if state.objective is None else f"{state.objective * unit:,.2f}"
        bound = "–" if state.bound is None else f"{state.bound * unit:,.2f}"
        say(f"{state.message}: best {best}, bound {bound}, {state.seconds:.0f} s")

    solution = solve_program(program, engine, tell)
    solution = without_excess(program, solution)
    if instance.scenario.objective.maximize == "affinity" and solution.status is Status.OPTIMAL:
        left = replace(engine, time_limit=clock.left())
        return without_excess(program, break_ties(program, offers, solution, left))
    return solution


def _plan(
    instance: Instance,
    beliefs: Beliefs,
    chosen: Offers,
    solution: Solution,
    counts: dict[str, int],
    n_offers: int,
    clock: _Stages,
) -> Plan:
    draws = margin_draws(instance, beliefs, chosen)
    low, high = interval(draws)
    rows = offer_accounts(instance, chosen, low, high)
    products = np.unique(chosen.products) if len(chosen) else np.zeros(0, dtype=np.int64)
    quarantine = instance.quarantine.drop(columns="customer_id", errors="ignore")
    report = plan_report(
        instance, beliefs, chosen, rows, draws.sum(axis=1), solution, counts, n_offers
    )
    return Plan(
        report={**report, "seconds": dict(clock.seconds)},
        offers=rows,
        products=product_accounts(instance, beliefs, rows),
        beliefs=plan_beliefs(beliefs, products, chosen.products),
        quarantine=quarantine,
        scenario=scenario_toml(instance.scenario),
    )


class _Stages:
    """Seconds of each stage."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self._start = time.perf_counter()

    def since_start(self) -> float:
        return time.perf_counter() - self._start

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)
