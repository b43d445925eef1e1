"""Several scenarios solved at once: what they have in common is read, learned and scored once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..instances import ConflictError, Instance, NoPlanError, Scenario
from .console import Progress
from .pipeline import Shared, get_beliefs, shared_instance

if TYPE_CHECKING:
    from ..models import Beliefs
    from ..solver import Plan
    from ..solver.prepared import Prepared

Failure = ConflictError | NoPlanError
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A scenario's problem, and the plan found for it or why there is none."""

    instance: Instance
    beliefs: Beliefs
    plan: Plan | None = None
    failure: Failure | None = None


def solve_many(
    scenarios: Sequence[Scenario],
    progress: Progress,
    shared: Shared,
    *,
    workers: int | None = None,
) -> list[Answer]:
    """The plans of some scenarios, in their order; a conflict or a time-out ends one alone.

    Tables are read once for all scenarios that name the same, beliefs learned once for all that
    learn alike, offers scored once for all that price alike. The searches run side by side, in
    threads; whatever the order they end in, the plans are those of scenarios solved one by one.

    Parameters
    ----------
    workers
        searches at a time; by default as many as there are cores.
    """
    from ..solver import require_engine
    from ..solver.prepared import scoring_key

    for scenario in scenarios:
        settings = scenario.solver
        require_engine(settings.engine, scenario.path, deterministic=settings.deterministic)
    instances = [shared_instance(scenario, progress, shared) for scenario in scenarios]
    problems = [(instance, get_beliefs(instance, progress, shared)) for instance in instances]
    groups: dict[tuple[object, ...], list[int]] = {}
    for k, (instance, beliefs) in enumerate(problems):
        key = (id(beliefs), instance.visits, scoring_key(instance.scenario))
        groups.setdefault(key, []).append(k)
    say = _Counted(progress, len(scenarios))
    answers: dict[int, Answer] = {}

    def answer(members: Sequence[int], prepared: Prepared | None) -> None:
        with ThreadPoolExecutor(_workers(workers, len(members))) as pool:
            asked = {
                k: pool.submit(_answer, *problems[k], prepared, say.of(scenarios[k].name))
                for k in members
            }
            answers.update({k: future.result() for k, future in asked.items()})

    alike = [members for members in groups.values() if len(members) > 1]
    for members in alike:  # one at a time, so that one group's scores are held
        answer(members, _prepared(problems[members[0]], progress))
    alone = [members[0] for members in groups.values() if len(members) == 1]
    if alone and not alike:  # which tells what threads kernels run on
        answer(alone[:1], None)
        alone = alone[1:]
    if alone:
        answer(alone, None)
    progress.clear()
    return [answers[k] for k in range(len(scenarios))]


def _prepared(problem: tuple[Instance, Beliefs], progress: Progress) -> Prepared:
    from ..solver.prepared import prepare

    with progress.stage("score", "scoring the candidates"):
        return prepare(*problem)


def _answer(instance: Instance, beliefs: Beliefs, prepared: Prepared | None, say: Say) -> Answer:
    from ..solver import solve

    try:
        plan = solve(instance, beliefs, progress=say, prepared=prepared)
    except (ConflictError, NoPlanError) as error:
        return Answer(instance, beliefs, failure=error)
    finally:
        say("done")
    return Answer(instance, beliefs, plan=plan)


def _workers(asked: int | None, n_scenarios: int) -> int:
    """Searches at a time: one where Numba's threads may not be used by two of ours."""
    from numba.np.ufunc.parallel import threading_layer

    try:
        safe = threading_layer() in ("omp", "tbb")
    except ValueError:  # no kernel has run yet
        safe = False
    cores = asked or os.cpu_count() or 1
    return min(cores, n_scenarios) if safe else 1


class _Counted:
    """Progress of several searches in one line: which, what it does, and how many are over."""

    def __init__(self, progress: Progress, n_scenarios: int) -> None:
        self._progress, self._all, self._over = progress, n_scenarios, 0
        self._lock = threading.Lock()

    def of(self, name: str) -> Say:
        def say(text: str) -> None:
            with self._lock:
                self._over += text == "done"
                self._progress.say(f"{self._over} of {self._all} solved  {name}: {text}")

        return say
