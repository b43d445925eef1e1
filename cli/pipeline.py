"""From a scenario file to a verified plan, with progress and the seconds of each stage."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..instances import (
    InputError,
    Instance,
    Scenario,
    load_instance,
    read_scenario,
    week_index,
    week_label,
)
from .console import Progress

if TYPE_CHECKING:
    from ..instances.load import Tables
    from ..models import Beliefs
    from ..solver import Plan
    from ..solver.engines import Interrupt


@dataclass
class Shared:
    """What scenarios of one run have in common, so that it is read and learned once."""

    tables: dict[tuple[object, ...], Tables] = field(default_factory=dict)
    beliefs: dict[tuple[object, ...], Beliefs] = field(default_factory=dict)


def plan_scenario(
    path: Path,
    week: str | None,
    progress: Progress,
    *,
    model_file: Path | None = None,
    keep_incumbent: bool = False,
) -> Plan:
    """Read, learn, solve and verify one scenario.

    With ``keep_incumbent``, Ctrl-C during the search ends it with the best plan found so far;
    before there is one, and again, it ends the command.
    """
    from ..solver import require_engine, solve
    from .interrupts import interruptible

    instance = read_instance(path, week, progress)
    settings, file = instance.scenario.solver, instance.scenario.path
    require_engine(settings.engine, file, deterministic=settings.deterministic)
    beliefs = get_beliefs(instance, progress)

    def work(interrupt: Interrupt) -> Plan:
        return solve(
            instance,
            beliefs,
            progress=progress.say,
            seconds=progress.seconds,
            model_file=model_file,
            interrupt=interrupt,
        )

    return interruptible(work, progress, keep_incumbent=keep_incumbent)


def check_compared_plan(path: Path, week: str | None, out: Path) -> None:
    """InputError where the plan would replace last week's, which a rule compares it with."""
    scenario = read_scenario(path, week=week)
    compared = any(rule.kind == "stability" for rule in scenario.rules)
    if compared and scenario.data.previous_plan == out.resolve():
        found = "is data.previous_plan, which a rule of kind stability compares the plan with"
        raise InputError(out, None, found, "another folder for the plan")


def read_instance(path: Path, week: str | None, progress: Progress) -> Instance:
    """The problem a scenario file states."""
    with progress.stage("read", "reading the tables"):
        return load_instance(read_scenario(path, week=week))


def shared_instance(scenario: Scenario, progress: Progress, shared: Shared) -> Instance:
    """The problem of a scenario, whose tables are read once for all that have the same."""
    from ..instances.load import instance_of, read_tables, tables_key

    key = tables_key(scenario)
    with progress.stage("read", "reading the tables"):
        if key not in shared.tables:
            shared.tables[key] = read_tables(scenario)
        return instance_of(scenario, shared.tables[key])


def get_beliefs(instance: Instance, progress: Progress, shared: Shared | None = None) -> Beliefs:
    """Beliefs from ``data.beliefs`` where the scenario names them, else learned now."""
    from ..models import learn

    key = _learning_key(instance.scenario)
    if shared is not None and key in shared.beliefs:
        return shared.beliefs[key]
    with progress.stage("learn", "learning from the orders"):
        beliefs = stated_beliefs(instance) or learn(instance, progress=progress.say)
    if shared is not None:
        shared.beliefs[key] = beliefs
    return beliefs


def stated_beliefs(instance: Instance) -> Beliefs | None:
    """The beliefs that ``data.beliefs`` names; None where it names none.

    Raises
    ------
    InputError
        for a folder that holds no usable beliefs, or some that know the planned week's orders.
    """
    from ..models import load_beliefs

    folder, week = instance.scenario.data.beliefs, instance.scenario.week
    if folder is None:
        return None
    beliefs = load_beliefs(folder).aligned(instance.catalogue)
    asked = instance.scenario.segments
    if asked.count == 1:
        beliefs = replace(beliefs, segments=None)
    elif beliefs.segments is None:
        expected = "beliefs learned with segments.count, or segments.count = 1"
        raise InputError(folder, None, "holds no segments of shoppers", expected)
    manifest = folder / "manifest.json"
    try:
        last = str(beliefs.manifest["training"]["last_week"])
        known_week = week_index(last)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(manifest, "training.last_week", "missing", "an ISO week") from error
    if known_week >= week:
        found = f"learned from orders up to {last}"
        expected = f"orders from before the planned week {week_label(week)} only"
        raise InputError(manifest, "training.last_week", found, expected)
    return beliefs


def _learning_key(scenario: Scenario) -> tuple[object, ...]:
    """Everything of a scenario that its beliefs depend on."""
    from ..instances.load import tables_key

    segments = scenario.segments
    if scenario.data.beliefs is not None:  # which are aligned to the tables
        return (tables_key(scenario), scenario.data.beliefs, segments.count == 1)
    return (
        tables_key(scenario),
        scenario.candidates.min_support,
        scenario.candidates.max_size,
        segments.count,
        segments.min_customers,
    )
