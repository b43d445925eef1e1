"""From a scenario file to a verified plan, with progress and the seconds of each stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..instances import Instance, Scenario, load_instance, read_scenario
from .console import Progress

if TYPE_CHECKING:
    from ..models import Beliefs
    from ..solver import Plan


@dataclass
class Shared:
    """What scenarios of one run have in common, so that it is read and learned once."""

    beliefs: dict[tuple[object, ...], Beliefs] = field(default_factory=dict)


def plan_scenario(
    path: Path, week: str | None, progress: Progress, shared: Shared | None = None
) -> Plan:
    """Read, learn, solve and verify one scenario."""
    from ..solver import solve

    instance = read_instance(path, week, progress)
    beliefs = get_beliefs(instance, progress, shared)
    return solve(instance, beliefs, progress=progress.say, seconds=progress.seconds)


def read_instance(path: Path, week: str | None, progress: Progress) -> Instance:
    """The problem a scenario file states."""
    with progress.stage("read", "reading the tables"):
        return load_instance(read_scenario(path, week=week))


def get_beliefs(instance: Instance, progress: Progress, shared: Shared | None = None) -> Beliefs:
    """Beliefs from ``data.beliefs`` where the scenario names them, else learned now."""
    from ..models import learn, load_beliefs

    key = _learning_key(instance.scenario)
    if shared is not None and key in shared.beliefs:
        return shared.beliefs[key]
    with progress.stage("learn", "learning from the orders"):
        if instance.scenario.data.beliefs is not None:
            beliefs = load_beliefs(instance.scenario.data.beliefs).aligned(instance.catalogue)
        else:
            beliefs = learn(instance, progress=progress.say)
    if shared is not None:
        shared.beliefs[key] = beliefs
    return beliefs


def _learning_key(scenario: Scenario) -> tuple[object, ...]:
    """Everything of a scenario that beliefs depend on."""
    return (scenario.data.model_dump_json(), scenario.week, scenario.candidates.min_support)
