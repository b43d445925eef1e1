"""The seed's rule: least loss first, then margin."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from bundlewise.instances.scenario import Limits
from bundlewise.solver import affinity
from bundlewise.solver.affinity import break_ties
from bundlewise.solver.build import build_program
from bundlewise.solver.engines import EngineSettings, Interrupt, solve_program
from bundlewise.solver.program import Program
from bundlewise.solver.solution import Solution

from .factories import make_beliefs, make_catalogue, make_instance, make_offers, make_scenario


@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_ties_go_to_the_plan_that_earns_most(gap: float) -> None:
    # two of four disjoint pairs, losses 1, 2, 2, 2: 3 with any other; margins 5, 1, 9, 4 -> 0, 2
    catalogue = make_catalogue([str(i) for i in range(8)])
    scenario = make_scenario(Limits(max_bundles=2), maximize="affinity")
    instance = make_instance(catalogue, scenario)
    offers = make_offers(
        [(0, 1), (2, 3), (4, 5), (6, 7)],
        [-1.0, -2.0, -2.0, -2.0],
        incremental_margin=[5.0, 1.0, 9.0, 4.0],
    )
    program = build_program(instance, make_beliefs(catalogue), offers)
    settings = EngineSettings(gap=gap, time_limit=20)
    solution = break_ties(program, offers, solve_program(program, settings), settings)
    assert solution.values is not None
    assert np.flatnonzero(solution.values).tolist() == [0, 2]
    assert solution.objective == -3.0
    assert solution.bound == pytest.approx(-3.0)
    assert program.is_feasible(solution.values)


@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_ties_of_losses_as_small_as_real_ones(gap: float) -> None:
    # the same; rare products have losses of 1e-9, far below the solvers' absolute gap
    catalogue = make_catalogue([str(i) for i in range(8)])
    scenario = make_scenario(Limits(max_bundles=2), maximize="affinity")
    instance = make_instance(catalogue, scenario)
    offers = make_offers(
        [(0, 1), (2, 3), (4, 5), (6, 7)],
        [-1e-9, -2e-9, -2e-9, -9e-3],
        incremental_margin=[5.0, 1.0, 9.0, 4000.0],
    )
    program = build_program(instance, make_beliefs(catalogue), offers)
    settings = EngineSettings(gap=gap, time_limit=20)
    solution = break_ties(program, offers, solve_program(program, settings), settings)
    assert solution.values is not None
    assert np.flatnonzero(solution.values).tolist() == [0, 2]


def test_both_searches_share_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = make_catalogue([str(i) for i in range(4)])
    instance = make_instance(catalogue, make_scenario(Limits(max_bundles=1), maximize="affinity"))
    offers = make_offers([(0, 1), (2, 3)], [-1.0, -1.01], incremental_margin=[5.0, 9.0])
    program = build_program(instance, make_beliefs(catalogue), offers)
    settings = EngineSettings(gap=0.5, time_limit=0.4)
    solution = solve_program(program, settings)
    limits = []

    def slow(program: Program, settings: EngineSettings, *, interrupt: Interrupt) -> Solution:
        limits.append(settings.time_limit)
        time.sleep(0.1)
        return solve_program(program, settings, interrupt=interrupt)

    monkeypatch.setattr(affinity, "solve_program", slow)
    break_ties(program, offers, replace(solution, bound=-0.9), settings, Interrupt())
    assert limits[0] == 0.4
    assert limits[1] <= 0.3
