"""The problem at each point of a frontier: what its number changes is made anew, nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..instances.sections import Scenario
from .console import Progress
from .pipeline import Shared, get_beliefs, shared_instance

if TYPE_CHECKING:
    from ..instances import Instance
    from ..models import Beliefs
    from ..solver.prepared import Prepared


class Problems:
    """Instances, beliefs and scored offers of scenarios that differ in numbers only.

    Tables are read once. Assumptions are applied anew where they differ, beliefs are learned anew
    where they depend on the number, and offers are scored anew where either changes them; the last
    ones are kept.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress, self._shared = progress, Shared()
        self._instance: Instance | None = None
        self._prepared: Prepared | None = None

    def at(self, scenario: Scenario) -> tuple[Instance, Beliefs, Prepared]:
        """The problem of one scenario."""
        from ..solver.prepared import prepare, scoring_key

        instance = self._at(scenario)
        beliefs = get_beliefs(instance, self._progress, self._shared)
        known = self._prepared
        if (
            known is None
            or known.beliefs is not beliefs
            or scoring_key(known.instance.scenario) != scoring_key(scenario)
        ):
            self._prepared = None  # before the next one takes its memory
            with self._progress.stage("score", "scoring the candidates"):
                self._prepared = known = prepare(instance, beliefs)
        return instance, beliefs, known

    def _at(self, scenario: Scenario) -> Instance:
        last = self._instance
        if (
            last is not None
            and last.scenario.assumptions == scenario.assumptions
            and last.scenario.data == scenario.data
        ):
            instance = replace(last, scenario=scenario)
        else:
            instance = shared_instance(scenario, self._progress, self._shared)
        self._instance = instance
        return instance
